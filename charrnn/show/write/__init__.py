"""The screen of `charrnn write`; Textual is imported in this folder alone."""
