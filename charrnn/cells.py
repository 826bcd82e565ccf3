"""The equations: vanilla RNN, LSTM and GRU, each one step forward and one step back.

Forward, at step t of the window, a cell finds the input's part of its pre-activations in `z[t]` (x_t Wx + b)
and the recurrent part in `a` (h_{t-1} Wh), both (B, G·H) with the gates side by side. It leaves the gates in
`z[t]` and its state in row t. Backward it finds the gradients of its state at t in `dh` (and `dc`), and
leaves the gradients of the two parts in `dz[t]` and `da[t]`, and in `dh` (and `dc`) what reaches the state at
t-1 other than by way of h_{t-1} Wh. The comments are the papers' equations; the code does them in place.
"""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from charrnn.params import Array

if TYPE_CHECKING:
    from charrnn.model import Tape


class Cell(Protocol):
    """One kind of recurrent network; `gates` and `states` name its blocks of columns and its vectors."""

    gates: str
    states: str
    splits: bool  # whether dz and da differ, because the cell treats the two parts differently

    def step(self, tape: "Tape", t: int) -> None: ...

    def step_back(self, tape: "Tape", t: int) -> None: ...


def sigmoid(x: Array) -> None:
    """In place 1 / (1 + exp(-x)), as (tanh(x/2) + 1) / 2: faster, and never overflows."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


class RNN:
    """The vanilla network (Elman 1990), with tanh."""

    gates, states, splits = "h", "h", False

    def step(self, tape: "Tape", t: int) -> None:
        # h_t = tanh(x_t Wx + h_{t-1} Wh + b)
        np.add(tape.z[t], tape.a, out=tape.h[t])
        np.tanh(tape.h[t], out=tape.h[t])

    def step_back(self, tape: "Tape", t: int) -> None:
        # da = dh (1 - h²)
        h, da = tape.h[t], tape.da[t]
        np.multiply(h, h, out=da)
        np.subtract(1.0, da, out=da)
        da *= tape.dh
        tape.dh.fill(0.0)


class LSTM:
    """Long short-term memory (Hochreiter & Schmidhuber 1997, forget gate Gers et al. 2000), no peepholes.

    The gates stand in the order i f o g, the sigmoids first; PyTorch's order is i f g o.
    """

    gates, states, splits = "ifog", "hc", False

    def step(self, tape: "Tape", t: int) -> None:
        z, c, u, H = tape.z[t], tape.c, tape.u, tape.hidden_size
        # i, f, o = σ(...)   g = tanh(...)
        z += tape.a
        sigmoid(z[:, : 3 * H])
        np.tanh(z[:, 3 * H :], out=z[:, 3 * H :])
        i, f, o, g = tape.gates(z)
        # c_t = f * c_{t-1} + i * g
        np.multiply(f, c[t - 1], out=c[t])
        np.multiply(i, g, out=u)
        c[t] += u
        # h_t = o * tanh(c_t)
        np.tanh(c[t], out=tape.tanh_c[t])
        np.multiply(o, tape.tanh_c[t], out=tape.h[t])

    def step_back(self, tape: "Tape", t: int) -> None:
        dh, dc, tanh_c, u = tape.dh, tape.dc, tape.tanh_c[t], tape.u
        i, f, o, g = tape.gates(tape.z[t])
        di, df, do, dg = tape.gates(tape.da[t])
        # dc += dh o (1 - tanh²(c))
        np.multiply(tanh_c, tanh_c, out=u)
        np.subtract(1.0, u, out=u)
        u *= o
        u *= dh
        dc += u
        # through σ' = σ (1 - σ) and tanh' = 1 - tanh²
        np.multiply(dh, tanh_c, out=do)
        do *= o * (1.0 - o)
        np.multiply(dc, g, out=di)
        di *= i * (1.0 - i)
        np.multiply(dc, tape.c[t - 1], out=df)
        df *= f * (1.0 - f)
        np.multiply(dc, i, out=dg)
        dg *= 1.0 - g * g
        dc *= f
        dh.fill(0.0)


class GRU:
    """Gated recurrent unit (Cho et al. 2014), the reset gate applied after the product, as in cuDNN and PyTorch.

    n = tanh(x_n + r * h_n), h_t = (1 - z) n + z h_{t-1}. The paper's n = tanh(x_n + (r * h_{t-1}) Wh_n) and
    its z are the other convention; PyTorch's second bias of n is left out (zero).
    """

    gates, states, splits = "rzn", "h", True

    def step(self, tape: "Tape", t: int) -> None:
        x, a, h, H = tape.z[t], tape.a, tape.h, tape.hidden_size
        # r, z = σ(...)
        x[:, : 2 * H] += a[:, : 2 * H]
        sigmoid(x[:, : 2 * H])
        r, z, n = tape.gates(x)
        # n = tanh(x_n + r * h_n)
        h_n = tape.h_n[t]
        h_n[:] = a[:, 2 * H :]
        np.multiply(r, h_n, out=tape.u)
        n += tape.u
        np.tanh(n, out=n)
        # h_t = (1 - z) n + z h_{t-1} = n + z (h_{t-1} - n)
        np.subtract(h[t - 1], n, out=h[t])
        h[t] *= z
        h[t] += n

    def step_back(self, tape: "Tape", t: int) -> None:
        dh, h_n = tape.dh, tape.h_n[t]
        r, z, n = tape.gates(tape.z[t])
        dr, dz, dx_n = tape.gates(tape.dz[t])
        # dz = dh (h_{t-1} - n) z (1 - z)
        np.subtract(tape.h[t - 1], n, out=dz)
        dz *= dh
        dz *= z * (1.0 - z)
        # dn = dh (1 - z) (1 - n²)
        np.multiply(dh, 1.0 - z, out=dx_n)
        dx_n *= 1.0 - n * n
        # dr = dn h_n r (1 - r)
        np.multiply(dx_n, h_n, out=dr)
        dr *= r * (1.0 - r)
        # the recurrent part of n came in by way of r
        da = tape.da[t]
        da[:] = tape.dz[t]
        da[:, 2 * tape.hidden_size :] *= r
        dh *= z


CELLS: dict[str, Cell] = {"lstm": LSTM(), "gru": GRU(), "rnn": RNN()}
