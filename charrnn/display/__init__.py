"""Terminal, tables, plots, HTML."""
