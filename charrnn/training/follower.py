"""A rank other than 0: it runs the methods of its `Learner` that rank 0 calls, on its streams."""

import numpy as np

from charrnn.training.group import Group, MPIGroup
from charrnn.training.learner import Learner
from charrnn.training.step import Job


def follow(group: Group) -> int:
    """Follows the orders of rank 0 until it ends the training; returns the exit code."""
    assert isinstance(group, MPIGroup)
    learner: Learner | None = None
    while True:
        name, *values = group.receive_order()
        if name in ("start", "end") and learner is not None:
            learner.pool.close()
        if name == "end":
            return group.end(*values)
        if name == "start":
            learner = Learner(Job.from_json(*values), group)
        else:
            with np.errstate(all="ignore"):  # rank 0 notices numbers that are not finite
                getattr(learner, name)(*values)
