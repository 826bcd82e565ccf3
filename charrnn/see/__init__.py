"""What `charrnn see` shows: one file per command, which computes and never draws.

text_window.py: the part of a text that is looked at
curve.py: losses, learning rate and gradient norm of a training run
step.py: one forward and one backward pass, number by number
surprise.py: bits per character, and what was expected
neurons.py: activations and saturation of single units; probes.py: the properties that units may follow
memory.py: how much context counts, and what truncating the gradient loses
gradients.py: how far gradients reach back
"""
