"""Truncated BPTT, its plan, its processes."""
