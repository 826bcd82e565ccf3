"""New text from a model."""
