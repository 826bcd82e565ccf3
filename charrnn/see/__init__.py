"""`charrnn see`."""
