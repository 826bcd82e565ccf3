"""Truncated backpropagation through time, its plan, its processes.

step.py           one window for a shard of the streams; the update of a shard of the weights
group.py          the ranks of a training on several machines
learner.py        all shards of one step
scoring.py        evaluation by all ranks
follower.py       a rank that follows the orders of rank 0
schedule.py       learning rates, early stopping, and a limit of the time
loop.py           `Training`: one `Step` at a time, evaluation, best weights, setbacks
ngram.py          n-grams of the training split, and their weight beside a network
ngram_training.py an n-gram model in place of a network
notes.py          notes on a new run
notebook.py       a training in a notebook
train.py          `train(texts, **options)`, the entry of the library
rates.py          learning rate, dropout and weight decay, by the sizes and the length of a run
plan.py           hyperparameters from the text and the time
cost.py           memory and operations of a network; the rate of this machine
transfer.py       weights from another model
shared_memory.py  one block of memory for several processes
worker.py         a worker process
workers.py        starting, addressing and ending worker processes
benchmark.py      `charrnn bench`
"""
