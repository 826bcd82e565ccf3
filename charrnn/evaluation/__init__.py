"""How good a model is.

scan.py            the one reading of a text in warmed-up parallel streams
score.py           cross entropy, perplexity, accuracy, bits per character
dynamic.py         the same while the weights adapt to the text
ngram.py           the score of n-grams, by order
mixing.py          the weight of an n-gram model beside a network
baselines.py       uniform, unigram, n-gram and xz on the same text
verdict.py         underfitting or overfitting, and what to try next
graded.py          the same for models of examples
novelty.py         how much of a text is copied from a corpus
classification.py  accuracy, confusion matrix, macro-F1
pairs.py           exact matches, character error rate
rounding.py        what float16 weights cost
"""
