"""How good a model is.

scan.py: reading a text in warmed-up parallel streams
score.py: cross entropy, perplexity, accuracy, bits per character
ngram.py, baselines.py: what counting, and xz, achieve on the same text
verdict.py: underfitting or overfitting, and what to try next
novelty.py: how much of a text is copied from a corpus
classification.py, pairs.py: models of examples
"""
