"""What a person sees: the terminal, progress, tables."""
