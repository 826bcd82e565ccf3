"""A network read step by step with every value kept, and the way back through those values.

This is the one place where `see` runs through time by the plain equations. It knows the shapes of the weights and the
order of the gates, and nothing of the buffers of `layer.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.arrays import Array, Ids
from charrnn.nn.equations import Values, equations
from charrnn.nn.params import Config, Params


@dataclass(frozen=True)
class Moment:
    """One layer at one step: its input x and recurrent part u, one block a gate, its values, and those before it."""

    x: list[Array]
    u: list[Array]
    values: Values
    before: Values


@dataclass(frozen=True)
class Back:
    """One layer at one step of the way back: dh (B, H), all of it; dc as it comes from the next step; the gradients."""

    dh: Array
    dc: Array
    values: Values

    @property
    def whole_dc(self) -> Array:
        """All of the gradient of c_t, also what comes by way of h_t."""
        return self.values["dc"]


class Trace:
    """Reads symbols with the weights of a network, stream beside stream, and can go back over what it has read."""

    def __init__(self, config: Config, params: Params) -> None:
        self.config, self.params = config, params
        self.equations = equations(config.cell)
        self.names = [{name: f"l{k}.{name}" for name in ("Wx", "Wh", "b")} for k in range(config.layers)]

    def empty_state(self, streams: int) -> list[Values]:
        """What stands before the first step: zeros (B, H) for h, and c, of every layer."""
        shape, dtype = (streams, self.config.hidden_size), self.params.flat.dtype
        return [{name: np.zeros(shape, dtype) for name in self.config.states} for _ in range(self.config.layers)]

    def split(self, columns: Array) -> list[Array]:
        """(..., G·H) as one (..., H) a gate."""
        H = self.config.hidden_size
        return [columns[..., k * H : (k + 1) * H] for k in range(len(self.config.gates))]

    def step(self, ids: Ids, before: Sequence[Values]) -> list[Moment]:
        """All layers after one more symbol each, ids (B,), from the values of the step before."""
        moments: list[Moment] = []
        for k, names in enumerate(self.names):
            Wx, b = self.params[names["Wx"]], self.params[names["b"]]
            x = self.split((moments[-1].values["h"] @ Wx if k else Wx[ids]) + b)
            u = self.split(before[k]["h"] @ self.params[names["Wh"]])
            moments.append(Moment(x, u, self.equations.step(x, u, before[k]), before[k]))
        return moments

    def logits(self, moments: Sequence[Moment]) -> Array:
        """(B, V): what is expected next."""
        found: Array = moments[-1].values["h"] @ self.params["Wy"] + self.params["by"]
        return found

    def step_back(self, moments: Sequence[Moment], dlogits: Array | None, after: Sequence[Back] | None) -> list[Back]:
        """One step of the way back: the gradients of every layer at a step, given those of the step after it.

        `dlogits` (B, V) is the gradient of the logits of this step, None where nothing is asked of it.
        """
        found: list[Back] = []
        shape = moments[-1].values["h"].shape
        zero = np.zeros(shape, self.params.flat.dtype)
        dy = zero if dlogits is None else dlogits @ self.params["Wy"].T
        for k in range(len(moments) - 1, -1, -1):
            dh, dc = dy, zero
            if after is not None:
                dh, dc = dh + self.to_h(k, after[k]), after[k].values.get("dc_prev", zero)
            back = Back(dh, dc, self.equations.step_back(moments[k].values, moments[k].before, dh, dc))
            found.insert(0, back)
            if k:
                da = np.concatenate([back.values[name] for name in self.equations.wx], axis=-1)
                dy = da @ self.params[self.names[k]["Wx"]].T
        return found

    def to_h(self, k: int, after: Back) -> Array:
        """The part of dh (B, H) of layer k that comes from the step after."""
        da = np.concatenate([after.values[name] for name in self.equations.wh], axis=-1)
        dh: Array = da @ self.params[self.names[k]["Wh"]].T
        return dh + after.values["rest"] if "rest" in after.values else dh
