"""The weights, copied into the blocks that the time loop multiplies with.

`Params` has the published shapes. The processes of a training share one copy, and each makes a part of it.
"""

import numpy as np
from numpy import add, copyto

from charrnn.arrays import LINE, Array, empty
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.fast.layout import Division
from charrnn.nn.params import Config, Params, Shapes


def packed_shapes(config: Config, d: Division, training: bool) -> Shapes:
    """The shapes of the copies, by name.

    Wx of layer 0 is Wx + b, of which rows are looked up; in other layers its last row is b. Where xw is not in blocks,
    neither is Wx. Only the backward pass needs Wh_T.
    """
    shapes: Shapes = {}
    for k in range(config.layers):
        shapes[f"l{k}.Wh"] = (d.hw_pieces, d.G * d.n, d.H // d.hw_pieces, d.C)
        if k == 0 or d.in_blocks:
            shapes[f"l{k}.Wx"] = (d.G * d.n, d.H + 1 if k else config.vocab_size, d.C)
        else:
            shapes[f"l{k}.Wx"] = (1, d.H + 1, d.G * d.H)
        if training:
            shapes[f"l{k}.Wh_T"] = (d.dh_pieces, d.n, d.G * d.H // d.dh_pieces, d.C)
    return shapes


class PackedWeights(dict[str, Array]):
    """The copies of `params` by name, in `memory`; if processes share it, each packs one of the `parts`."""

    def __init__(
        self, config: Config, params: Params, d: Division, memory: dict[str, Array], part: int = 0, parts: int = 1
    ) -> None:
        super().__init__(memory)
        self.config, self.params, self.division, self.blocks = config, params, d, range(part, d.n, parts)
        self.training = "l0.Wh_T" in self
        if self.training:
            padded = empty((d.C, d.G * d.H + LINE // 4), params.flat.dtype)
            self.rows = padded[:, : d.G * d.H]  # of Wh, while they are transposed

    def pack(self) -> None:
        """Copies the weights as they are now."""
        for k in range(self.config.layers):
            for block in self.blocks:
                self.pack_block(k, block)

    def pack_block(self, k: int, block: int) -> None:
        """Copies the columns of all gates, and the rows of Wh, that belong to this block of units."""
        d, W, fold = self.division, self.params.matrix(k), CELLS[self.config.cell].fold
        G, n, C, H = d.G, d.n, d.C, d.H
        columns = W.reshape(len(W), G, n, C)[:, :, block]
        Wh, Wx = self[f"l{k}.Wh"].reshape(d.hw_pieces, G, n, -1, C)[:, :, block], self[f"l{k}.Wx"]
        fold(columns[:H], np.moveaxis(Wh, 1, 2))
        if k == 0:
            table, b = np.moveaxis(Wx.reshape(G, n, -1, C)[:, block], 0, 1), np.empty((G, C), W.dtype)
            fold(columns[H:-1], table)
            fold(columns[-1], b)
            add(table, b, table)
        elif d.in_blocks:
            fold(columns[H:], np.moveaxis(Wx.reshape(G, n, -1, C)[:, block], 0, 1))
        else:
            fold(columns[H:], Wx.reshape(-1, G, n, C)[:, :, block])
        if self.training:  # rows that lie a power of two apart would evict one another from the cache
            copyto(self.rows, W[block * C : (block + 1) * C])
            copyto(self[f"l{k}.Wh_T"][:, block], self.rows.T.reshape(d.dh_pieces, -1, C))
