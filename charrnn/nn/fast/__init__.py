"""The same results, faster: optional reading. `engine.py` chooses between this and the plain network."""
