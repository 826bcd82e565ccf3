"""Writing together with a model, without a screen: the text and its branches, what the model suggests, the files."""
