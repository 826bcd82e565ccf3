"""The same results as `nn/`, computed faster. You may skip this folder.

layout.py       blocks of columns that OpenBLAS multiplies fastest
cells.py        the equations, computed in place
weights.py      the weights, copied into blocks that processes can share
layer.py        the time loop of one layer, forward and backward, with its buffers
network.py      the network, with the methods of the plain one
stepper.py      one symbol at a time for one stream
parallel_stepper.py
                the same, computed by several processes
recurrences.py  the time loops of the linear recurrences
linear.py       the network of linear recurrences
linear_stepper.py
                one symbol at a time for one stream of a linear recurrence
engine.py       the choice between the plain and the fast network
"""
