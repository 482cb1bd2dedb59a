"""The attention keys and values of a batch's rows: kept in place as rows grow, put in and taken out row by row.

transformers' own cache copies every row's keys and values at every token, and its rows cannot be taken apart. Depends
on transformers' cache classes; independent of requests, images and sampling.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

GROWTH = 64
"""Tokens of room that a full buffer gains: it is copied once in so many tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class RowState:
    """What a model has computed for one row.

    `keys` and `values`: of each layer, (heads, T, width); `next_position`: the position id of the token that follows.
    """

    keys: tuple[torch.Tensor, ...]
    values: tuple[torch.Tensor, ...]
    next_position: int

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in (*self.keys, *self.values))


class KVRows(Cache):
    """The cache of a batch, for models whose layers all attend to every earlier token (`layers_of`).

    A forward pass reads and extends the present window: some of the rows, from one column on. Columns that a row does
    not use are zeros, and masked.
    """

    def __init__(self, layers: int, rows: int, columns: int) -> None:
        """`columns`: of the prompts; there is room for `GROWTH` more before the buffers are copied."""
        super().__init__(layers=[_Layer(rows, columns + GROWTH) for _ in range(layers)])

    def window(self, rows: slice, first: int, end: int) -> None:
        """The next forward pass is of `rows`, reads the columns from `first` on and writes from `end` on."""
        for layer in self.layers:
            layer.window(rows, first, end)

    def put(self, row: int, end: int, state: RowState) -> None:
        """Write `state` into `row`, its last column before `end`."""
        for layer, keys, values in zip(self.layers, state.keys, state.values, strict=True):
            layer.put(row, end, keys, values)

    def state(self, row: int, columns: torch.Tensor, next_position: int) -> RowState:
        """A copy of what `row` holds in `columns`."""
        pairs = [layer.taken(row, columns) for layer in self.layers]
        return RowState(tuple(keys for keys, _ in pairs), tuple(values for _, values in pairs), next_position)


class _Layer(DynamicLayer):
    """Buffers (rows, heads, columns, width); `keys` and `values` are views of the window."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self._buffers: list[torch.Tensor] = []
        self._size = (rows, columns)
        self.window(slice(0, rows), 0, 0)

    def window(self, rows: slice, first: int, end: int) -> None:
        self._rows, self._first, self._end = rows, first, end

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        """transformers' contract: append, and return all keys and values of the window."""
        self._write(self._rows, self._end, key_states, value_states)
        self._end += key_states.shape[-2]
        self.keys, self.values = (buffer[self._rows, :, self._first : self._end] for buffer in self._buffers)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """Columns of the window that are written."""
        return self._end - self._first

    def put(self, row: int, end: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        self._write(slice(row, row + 1), end - keys.shape[-2], keys[None], values[None])

    def taken(self, row: int, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        keys, values = (buffer[row].index_select(1, columns.to(buffer.device)) for buffer in self._buffers)
        return keys, values

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Make these rows the rows; the window becomes all of them."""
        self._buffers = [buffer.index_select(0, beam_idx.to(buffer.device)) for buffer in self._buffers]
        self._rows = slice(0, len(beam_idx))

    def _write(self, rows: slice, first: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        end = first + keys.shape[-2]
        # Zeros: what is in a masked column is multiplied by 0, and an infinity or NaN would stay.
        if not self._buffers:
            self.lazy_initialization(keys, values)
            count, columns = self._size
            self._buffers = [part.new_zeros(count, part.shape[1], columns, part.shape[3]) for part in (keys, values)]
        if (lacking := end - self._buffers[0].shape[2]) > 0:
            self._buffers = [pad(buffer, (0, 0, 0, lacking + GROWTH - 1)) for buffer in self._buffers]
        for buffer, part in zip(self._buffers, (keys, values), strict=True):
            buffer[rows, :, first:end] = part


def layers_of(model: Any) -> tuple[int | None, str]:
    """How many layers `KVRows` needs for `model`, and ""; None and the kinds of its layers that it cannot hold."""
    layers = DynamicCache(config=model.config).layers
    others = sorted({type(layer).__name__ for layer in layers if type(layer) is not DynamicLayer})
    return (None if others else len(layers)), ", ".join(others)
