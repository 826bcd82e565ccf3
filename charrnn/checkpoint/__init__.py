"""The model, its run, and the file that holds both."""
