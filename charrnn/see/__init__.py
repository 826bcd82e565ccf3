"""What `charrnn see` shows: one file per command, which computes and never prints.

text_window.py  the part of a text that is analysed
curve.py        losses, learning rate and gradient norm of a run
step.py         one forward and one backward pass, number by number
gradients.py    how far the gradient reaches back
memory.py       the use of context, and the cost of truncation
neurons.py      activations and saturation of single units
probes.py       properties of a text that units may follow
surprise.py     bits per character, and what was expected
result.py       JSON of a result, and its figure in a notebook
sentence.py     the form of the sentence that ends each figure
"""
