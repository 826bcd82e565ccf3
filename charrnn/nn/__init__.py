"""The mathematics in plain code. Read `equations.py` first, then `network.py`.

equations.py      the cells, one line per equation, forward and backward
network.py        layers over a window, the output layer, backpropagation through time
linear.py         layers of a linear recurrence: normalisation, gated output, skip connection
loss.py           softmax and cross entropy
params.py         the weights, their shapes and their initialisation
optim.py          optimizers, gradient clipping and learning-rate schedules
dropout.py        dropout masks
stepper.py        one symbol at a time
interface.py      the methods that `network.py` and `fast/` have in common
ngram.py          counting n-grams, modified Kneser-Ney smoothing
ngram_model.py    the counts of all levels, and the complete distribution after a context
ngram_network.py  texts read with an n-gram model, alone or mixed with a network
fast/             the same results, faster
"""
