"""The equations of the cells once more, plainly: every value under its name, forward and back.

`cells.py` computes the same in place and keeps only what training needs. Here nothing is saved: x = x_t Wx + b and
u = h_{t-1} Wh come as one array a gate, and what a step makes of them is a dict of arrays (..., H). `lines` and
`back_lines` say the equations as a reader would write them, in the order in which they can be calculated.
"""

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import UsageError

Values = dict[str, Array]
Lines = tuple[tuple[str, str], ...]


def sigmoid(x: Array) -> Array:
    result: Array = 0.5 * np.tanh(0.5 * x) + 0.5
    return result


class Equations:
    """One kind of cell.

    `gates` name the blocks of Wx, Wh and b in order, `states` what is carried from step to step; `sigmoids` are the
    gates between 0 and 1. The blocks of `wx` and `wh` go with Wx and Wh.
    """

    gates: str
    states: str
    sigmoids: str
    lines: Lines
    back_lines: Lines
    wx: tuple[str, ...]  # the gradients of the pre-activations that go into Wx and b, in the order of the gates
    wh: tuple[str, ...]  # and those that go into Wh

    @staticmethod
    def step(x: list[Array], u: list[Array], before: Values) -> Values:
        """What a step makes of x and u; `before` holds h, and c, of the step before."""
        raise NotImplementedError

    @staticmethod
    def step_back(v: Values, before: Values, dh: Array, dc: Array) -> Values:
        """The gradients of the pre-activations, `dc_prev`, and in `rest` what reaches h_{t-1} past Wh.

        `v` is what `step` returned, dh the gradient of h_t, dc that of c_t as far as it comes from step t + 1.
        """
        raise NotImplementedError


class RNN(Equations):
    """tanh of the sum, as in Elman's network."""

    gates, states, sigmoids, wx, wh = "h", "h", "", ("da_h",), ("da_h",)
    lines = (("h", "tanh(x + u)"),)
    back_lines = (("da_h", "dh * (1 - h²)"),)

    @staticmethod
    def step(x: list[Array], u: list[Array], before: Values) -> Values:
        return {"h": np.tanh(x[0] + u[0])}

    @staticmethod
    def step_back(v: Values, before: Values, dh: Array, dc: Array) -> Values:
        return {"da_h": dh * (1.0 - v["h"] ** 2)}


class LSTM(Equations):
    """Gates i f o, candidate g, memory c."""

    gates, states = "ifog", "hc"
    sigmoids, wx, wh = "ifo", ("da_i", "da_f", "da_o", "da_g"), ("da_i", "da_f", "da_o", "da_g")
    lines = (
        ("i", "σ(x_i + u_i)"),
        ("f", "σ(x_f + u_f)"),
        ("o", "σ(x_o + u_o)"),
        ("g", "tanh(x_g + u_g)"),
        ("c", "f * c_prev + i * g"),
        ("h", "o * tanh(c)"),
    )
    back_lines = (
        ("dc", "dc_next + dh * o * (1 - tanh²(c))"),
        ("da_i", "dc * g * i * (1 - i)"),
        ("da_f", "dc * c_prev * f * (1 - f)"),
        ("da_o", "dh * tanh(c) * o * (1 - o)"),
        ("da_g", "dc * i * (1 - g²)"),
        ("dc_prev", "dc * f"),
    )

    @staticmethod
    def step(x: list[Array], u: list[Array], before: Values) -> Values:
        i, f, o = (sigmoid(x[k] + u[k]) for k in range(3))
        g = np.tanh(x[3] + u[3])
        c = f * before["c"] + i * g
        return {"i": i, "f": f, "o": o, "g": g, "c": c, "h": o * np.tanh(c)}

    @staticmethod
    def step_back(v: Values, before: Values, dh: Array, dc: Array) -> Values:
        i, f, o, g, tanh_c = v["i"], v["f"], v["o"], v["g"], np.tanh(v["c"])
        dc = dc + dh * o * (1.0 - tanh_c**2)
        return {
            "dc": dc,
            "da_i": dc * g * i * (1.0 - i),
            "da_f": dc * before["c"] * f * (1.0 - f),
            "da_o": dh * tanh_c * o * (1.0 - o),
            "da_g": dc * i * (1.0 - g**2),
            "dc_prev": dc * f,
        }


class GRU(Equations):
    """Gates r z, candidate n; the reset gate after the product."""

    gates, states = "rzn", "h"
    sigmoids, wx, wh = "rz", ("da_r", "da_z", "da_n"), ("da_r", "da_z", "da_u")
    lines = (
        ("r", "σ(x_r + u_r)"),
        ("z", "σ(x_z + u_z)"),
        ("n", "tanh(x_n + r * u_n)"),
        ("h", "(1 - z) * n + z * h_prev"),
    )
    back_lines = (
        ("da_n", "dh * (1 - z) * (1 - n²)"),
        ("da_z", "dh * (h_prev - n) * z * (1 - z)"),
        ("da_r", "da_n * u_n * r * (1 - r)"),
        ("da_u", "da_n * r"),
        ("rest", "dh * z"),
    )

    @staticmethod
    def step(x: list[Array], u: list[Array], before: Values) -> Values:
        r, z = (sigmoid(x[k] + u[k]) for k in range(2))
        n = np.tanh(x[2] + r * u[2])
        return {"r": r, "z": z, "n": n, "h": (1.0 - z) * n + z * before["h"], "u_n": u[2]}

    @staticmethod
    def step_back(v: Values, before: Values, dh: Array, dc: Array) -> Values:
        r, z, n = v["r"], v["z"], v["n"]
        da_n = dh * (1.0 - z) * (1.0 - n**2)
        return {
            "da_n": da_n,
            "da_z": dh * (before["h"] - n) * z * (1.0 - z),
            "da_r": da_n * v["u_n"] * r * (1.0 - r),
            "da_u": da_n * r,
            "rest": dh * z,
        }


EQUATIONS: dict[str, type[Equations]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


def equations(cell: str) -> type[Equations]:
    """The equations of a cell; raises UsageError for one whose equations are not written here."""
    if cell not in EQUATIONS:
        raise UsageError(f"the equations of the cell {cell!r} are not in charrnn/nn/equations.py: write them there.")
    return EQUATIONS[cell]
