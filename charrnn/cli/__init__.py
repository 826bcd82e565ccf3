"""The command line: one file per command; click lives here."""
