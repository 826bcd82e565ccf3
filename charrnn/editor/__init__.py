"""`charrnn write`."""
