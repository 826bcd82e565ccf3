"""The mathematics in plain code."""
