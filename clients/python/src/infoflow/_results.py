"""Answers, as NumPy arrays, data frames, xarray and pictures."""

from __future__ import annotations

import html
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ._errors import InfoflowError

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import polars
    import xarray

#: The version of the Arrow layouts that this package reads.
LAYOUT_VERSION = 2


class Answer:
    """The answer to a question, as the Arrow table that the server sent.

    Attributes:
        table: The table.
        metadata: What the server says of it: ``id``, ``model``, ``fingerprint``, ``prompt``, ``tokens``, ``ids`` and the
            options.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.metadata: dict[str, Any] = json.loads((table.schema.metadata or {}).get(b"infoflow", b"{}"))
        version = self.metadata.get("version")
        if version != LAYOUT_VERSION:
            raise InfoflowError(
                f"Cannot read this answer as its layout must be version {LAYOUT_VERSION}: current value is {version}; "
                "update the server, or the infoflow package",
                "SERVER_TOO_OLD",
                {"version": version},
            )

    @property
    def id(self) -> str:
        """A hash of the model, the token ids and the options: same id, same bytes."""
        return self.metadata["id"]

    @property
    def model(self) -> str:
        """The model that answered."""
        return self.metadata["model"]

    @property
    def prompt(self) -> str:
        return self.metadata.get("prompt", "")

    @property
    def tokens(self) -> list[str]:
        """The prompt's tokens, as a person reads them."""
        return self.metadata["tokens"]

    @property
    def ids(self) -> list[int]:
        """Their numbers in the vocabulary."""
        return self.metadata["ids"]

    def to_arrow(self) -> pa.Table:
        return self.table

    def to_pandas(self) -> pandas.DataFrame:
        return self.table.to_pandas()

    def to_polars(self) -> polars.DataFrame:
        import polars

        frame = polars.from_arrow(self.table)
        assert isinstance(frame, polars.DataFrame)
        return frame

    def __len__(self) -> int:
        return self.table.num_rows

    def __repr__(self) -> str:
        columns = ", ".join(self.table.column_names)
        return f"<{type(self).__name__} of {self.model}: {len(self)} rows of {columns}>"

    def _repr_html_(self) -> str:
        columns = self.table.column_names
        head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
        rows = self.table.slice(0, 20).to_pylist()
        body = "".join("<tr>" + "".join(f"<td>{html.escape(_cell(row[name]))}</td>" for name in columns) + "</tr>" for row in rows)
        more = f"<caption>{len(self) - 20:,} more rows</caption>" if len(self) > 20 else ""
        return f"<table>{more}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Matrix(Answer):
    """Numbers with their axes, such as ``("layer", "target", "source")``.

    >>> flow.values.shape, flow.axes, flow.tokens        # doctest: +SKIP
    ((6, 13, 13), ('layer', 'target', 'source'), ['Mary', ' and', ...])
    """

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(self.metadata["axes"])

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.metadata["shape"])

    @cached_property
    def values(self) -> np.ndarray:
        """The numbers, float32, of :attr:`shape`; read-only, and where Arrow has them: nothing is copied."""
        column = self.table["flow"].combine_chunks()
        flow = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        return flow.to_numpy_ndarray().reshape(self.shape)

    @property
    def layers(self) -> list[int]:
        """The numbers of the layers along that axis."""
        return self.metadata.get("layers") or list(range(self._size("layer")))

    @property
    def heads(self) -> list[int]:
        """The numbers of the heads along that axis."""
        return self.metadata.get("heads") or list(range(self._size("head")))

    @cached_property
    def dropped(self) -> np.ndarray:
        """What BOS had in each row before it was left out; of :attr:`shape` without the last axis."""
        rows = self.table["dropped"].combine_chunks()
        return np.asarray(rows.flatten()).reshape(self.shape[:-1])

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each number that is not above the diagonal, with the tokens' texts."""
        return self._tidy().to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """A row for each number that is not above the diagonal, with the tokens' texts."""
        import polars

        frame = polars.from_arrow(self._tidy())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def to_xarray(self) -> xarray.DataArray:
        """An array with named axes; ``target_token`` and ``source_token`` are its tokens."""
        import xarray

        numbers = {"layer": self.layers, "head": self.heads}
        coords: dict[str, Any] = {axis: numbers.get(axis, range(size)) for axis, size in zip(self.axes, self.shape)}
        if len(self.tokens) == self.shape[-1]:
            coords |= {f"{axis}_token": (axis, self.tokens) for axis in self.axes if axis in ("target", "source")}
        return xarray.DataArray(self.values, dims=self.axes, coords=coords, name="flow", attrs=self.metadata)

    def plot(self) -> plotly.graph_objects.Figure:
        """A heatmap, one for each layer and head where there are such axes. Needs plotly."""
        from ._draw import heatmap

        return heatmap(self)

    def _tidy(self) -> pa.Table:
        *outer, targets, sources = self.shape
        target, source = np.tril_indices(targets, m=sources)
        panels = self.values.reshape(-1, targets, sources)
        tokens = np.asarray(self.tokens if len(self.tokens) == sources else [""] * sources, dtype=object)
        columns: dict[str, Any] = {}
        numbers = {"layer": self.layers, "head": self.heads}
        for at, axis in enumerate(self.axes[:-2]):
            grid = np.broadcast_to(np.asarray(numbers[axis]).reshape([-1 if i == at else 1 for i in range(len(outer))]), outer)
            columns[axis] = np.repeat(grid.reshape(-1), len(target)).astype(np.int32)
        columns["target"] = np.tile(target, len(panels)).astype(np.int32)
        columns["source"] = np.tile(source, len(panels)).astype(np.int32)
        columns["target_token"] = np.tile(tokens[target], len(panels))
        columns["source_token"] = np.tile(tokens[source], len(panels))
        columns["weight"] = panels[:, target, source].reshape(-1)
        return pa.table(columns)

    def _size(self, axis: str) -> int:
        return self.shape[self.axes.index(axis)] if axis in self.axes else 0

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)

    def __repr__(self) -> str:
        sizes = " x ".join(f"{size} {axis}s" for size, axis in zip(self.shape, self.axes))
        return f"<{type(self).__name__} of {self.model}: {sizes}, {self.prompt!r}>"

    def _repr_html_(self) -> str:
        from ._draw import picture

        return picture(self)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
