"""Texts and the symbols that they are made of."""
