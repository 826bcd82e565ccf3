"""The cells: vanilla RNN, LSTM and GRU, then the linear recurrences minGRU and LRU: each one step forward and one step
backward, one line per equation.

`Cell` and `LinearCell` describe what the equations are given and what they return. The products with the weights, which
are the same for every cell, are in `network.py` and, for linear recurrences, in `linear.py`.
"""

from collections.abc import Callable
from types import SimpleNamespace

from numpy import cos, exp, expm1, sin, sqrt, tanh

from charrnn.arrays import Array


class Gates(SimpleNamespace):
    """One (B, H) array per gate: `xw.f`."""


class StepValues(SimpleNamespace):
    """What one layer computes in one step forward, arrays (B, H): `v.f`, `v.c`, `v.h`. See `Network.step` for more."""


class StepGradients(SimpleNamespace):
    """Gradients of the loss with respect to the values of one layer at one step, arrays (B, H): `d.da_f`, `d.dc_prev`.

    See `Network.step_back` for more.
    """


def sigmoid(x: Array) -> Array:
    y: Array = 0.5 * tanh(0.5 * x) + 0.5  # the same as 1 / (1 + exp(-x)), and exp cannot overflow
    return y


class Cell:
    """One kind of recurrent network: the equations of one layer for one step.

    `gates` has one letter per gate, in the order of their blocks in Wx, Wh and b; `sigmoids` are those with values
    between 0 and 1. `states` are the values carried to the next step: h, or h and the memory c.
    Every array is (B, H), for B streams and H units. Names with c exist only in cells with a memory.

    step(xw, hw, h_prev, c_prev) is the step forward.
        xw, hw          x_t Wx + b and h_{t-1} Wh, split into one array per gate: xw.f, hw.f
                        (with recurrent dropout, (m * h_{t-1}) Wh for a mask m; see `Network.dropped`)
        h_prev, c_prev  h_{t-1}, c_{t-1}
        It returns `StepValues` with h and c, the states after the step, and all that `step_back` needs.

    step_back(v, dh, dc_next) is the step backward; "gradient" means that of the loss.
        v        the result of `step`, to which h_prev and c_prev are added
        dh       gradient of h_t, from the layer above and from step t + 1
        dc_next  gradient of c_t, from step t + 1 only
        It returns `StepGradients` with
        da_f         for every gate f: gradient of xw.f, and of hw.f too where the two are added
        dhw_f        gradient of hw.f, for a gate where it differs from da_f
        dh_direct    the part of the gradient of h_{t-1} that does not pass through Wh, unless it is 0
        dc, dc_prev  gradients of c_t and c_{t-1}
    """

    gates: str
    states: str
    sigmoids: str = ""
    step: Callable[..., StepValues]
    step_back: Callable[..., StepGradients]


class RNN(Cell):
    """The vanilla network (Elman 1990)."""

    gates, states = "h", "h"

    @staticmethod
    def step(xw: Gates, hw: Gates, h_prev: Array) -> StepValues:
        h = tanh(xw.h + hw.h)
        return StepValues(h=h)

    @staticmethod
    def step_back(v: StepValues, dh: Array) -> StepGradients:
        h = v.h
        da_h = dh * (1 - h**2)
        return StepGradients(da_h=da_h)


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), without peepholes.

    Input gate i, forget gate f, output gate o, candidate g, memory c. PyTorch's order of the gates is i f g o.
    """

    gates, states, sigmoids = "ifog", "hc", "ifo"

    @staticmethod
    def step(xw: Gates, hw: Gates, h_prev: Array, c_prev: Array) -> StepValues:
        i = sigmoid(xw.i + hw.i)
        f = sigmoid(xw.f + hw.f)
        o = sigmoid(xw.o + hw.o)
        g = tanh(xw.g + hw.g)
        c = f * c_prev + i * g
        h = o * tanh(c)
        return StepValues(i=i, f=f, o=o, g=g, c=c, h=h)

    @staticmethod
    def step_back(v: StepValues, dh: Array, dc_next: Array) -> StepGradients:
        i, f, o, g, c, c_prev = v.i, v.f, v.o, v.g, v.c, v.c_prev
        dc = dc_next + dh * o * (1 - tanh(c) ** 2)
        da_i = dc * g * i * (1 - i)
        da_f = dc * c_prev * f * (1 - f)
        da_o = dh * tanh(c) * o * (1 - o)
        da_g = dc * i * (1 - g**2)
        dc_prev = dc * f
        return StepGradients(dc=dc, da_i=da_i, da_f=da_f, da_o=da_o, da_g=da_g, dc_prev=dc_prev)


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014), with the reset gate applied after the product, as in cuDNN and PyTorch.

    Reset gate r, update gate z, candidate n. The paper has n = tanh(xw_n + (r * h_prev) Wh_n).
    PyTorch has a second bias, inside the product with r; here there is none.
    """

    gates, states, sigmoids = "rzn", "h", "rz"

    @staticmethod
    def step(xw: Gates, hw: Gates, h_prev: Array) -> StepValues:
        r = sigmoid(xw.r + hw.r)
        z = sigmoid(xw.z + hw.z)
        n = tanh(xw.n + r * hw.n)
        h = (1 - z) * n + z * h_prev
        return StepValues(r=r, z=z, n=n, h=h, hw_n=hw.n)

    @staticmethod
    def step_back(v: StepValues, dh: Array) -> StepGradients:
        r, z, n, hw_n, h_prev = v.r, v.z, v.n, v.hw_n, v.h_prev
        da_n = dh * (1 - z) * (1 - n**2)
        da_z = dh * (h_prev - n) * z * (1 - z)
        da_r = da_n * hw_n * r * (1 - r)
        dhw_n = da_n * r
        dh_direct = dh * z
        return StepGradients(da_n=da_n, da_z=da_z, da_r=da_r, dhw_n=dhw_n, dh_direct=dh_direct)


CELLS: dict[str, type[Cell]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class LinearCell(Cell):
    """A recurrence that is linear in its state: there is no Wh, so no product with a matrix waits for h_{t-1}.

    The states have no bound such as that of tanh. `vectors` names the weights (H,) of the recurrence, which are given
    as rows (1, H). Instead of what `Cell` describes:

    step(xw, h_prev, c_prev) has no hw; the vectors are given by name.
    step_back(v, dh, dc): dh and dc are all of the gradients of h_t and c_t. It returns `StepGradients` with da_f for
        every gate f, dh_prev and dc_prev, and for every vector its gradient by stream, such as dnu (B, H).
    """

    vectors: tuple[str, ...] = ()


class MinGRU(LinearCell):
    """Minimal GRU (Feng et al. 2024): the gate and the candidate depend on the input alone. Update gate z, candidate n.

    z is the share of the new: the paper's convention, which is the opposite of that of the GRU above.
    """

    gates, states, sigmoids = "zn", "h", "z"

    @staticmethod
    def step(xw: Gates, h_prev: Array) -> StepValues:
        z = sigmoid(xw.z)
        n = xw.n
        h = (1 - z) * h_prev + z * n
        return StepValues(z=z, n=n, h=h)

    @staticmethod
    def step_back(v: StepValues, dh: Array) -> StepGradients:
        z, n, h_prev = v.z, v.n, v.h_prev
        da_z = dh * (n - h_prev) * z * (1 - z)
        da_n = dh * z
        dh_prev = dh * (1 - z)
        return StepGradients(da_z=da_z, da_n=da_n, dh_prev=dh_prev)


class LRU(LinearCell):
    """Linear recurrent unit (Orvieto et al. 2023): s_t = λ s_{t-1} + γ B u_t, all complex, and λ diagonal.

    λ = exp(-exp(nu) + i exp(theta)), so |λ| < 1, and γ = sqrt(1 - |λ|²). s has the real part h and the imaginary part
    c, B u_t the parts r and i, λ the parts re and im.
    """

    gates, states, vectors = "ri", "hc", ("nu", "theta")

    @staticmethod
    def step(xw: Gates, h_prev: Array, c_prev: Array, nu: Array, theta: Array) -> StepValues:
        r = xw.r
        i = xw.i
        re = exp(-exp(nu)) * cos(exp(theta))
        im = exp(-exp(nu)) * sin(exp(theta))
        gamma = sqrt(-expm1(-2 * exp(nu)))
        h = re * h_prev - im * c_prev + gamma * r
        c = im * h_prev + re * c_prev + gamma * i
        return StepValues(r=r, i=i, re=re, im=im, gamma=gamma, h=h, c=c)

    @staticmethod
    def step_back(v: StepValues, dh: Array, dc: Array) -> StepGradients:
        r, i, re, im, gamma, nu, theta = v.r, v.i, v.re, v.im, v.gamma, v.nu, v.theta
        h_prev, c_prev = v.h_prev, v.c_prev
        da_r = dh * gamma
        da_i = dc * gamma
        dre = dh * h_prev + dc * c_prev
        dim = dc * h_prev - dh * c_prev
        dgamma = dh * r + dc * i
        dnu = exp(nu) * (dgamma * (1 - gamma**2) / gamma - dre * re - dim * im)
        dtheta = exp(theta) * (dim * re - dre * im)
        dh_prev = dh * re + dc * im
        dc_prev = dc * re - dh * im
        found = StepGradients(da_r=da_r, da_i=da_i, dre=dre, dim=dim, dgamma=dgamma, dnu=dnu, dtheta=dtheta)
        return StepGradients(**vars(found), dh_prev=dh_prev, dc_prev=dc_prev)


LINEAR_CELLS: dict[str, type[LinearCell]] = {"mingru": MinGRU, "lru": LRU}


def cell_of(name: str) -> type[Cell]:
    """The cell of this name, linear or not."""
    return LINEAR_CELLS.get(name) or CELLS[name]
