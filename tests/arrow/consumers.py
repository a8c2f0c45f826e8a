"""
Reads matrices and tables over HTTP with the tools that people have, each layout of a matrix as a stream and as a file,
and compares every number, type and null with what is expected.

stdin: JSON {"matrices": [{"url", "axes", "shape", "layers", "heads", "tokens", "dropped", "values"}], "tables": [{"url",
"columns": {name: [type, values]}}]}: a link without layout and format, and what the matrix is, `values` being row-major.
stdout: JSON {consumer and format: how many numbers it read}.

arro3 is Rust's reader, Apache's arrow-rs, as a Python package.
"""
import io
import json
import sys
import urllib.request
from collections import Counter

import arro3.io
import duckdb
import nanoarrow as na
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc


def fetch(url):
    with urllib.request.urlopen(url) as response:
        return response.read()


def arrow_table(url, format):
    """A pyarrow.Table, for the consumers that take one."""
    data = fetch(url)
    if format == "file":
        return pa.ipc.open_file(io.BytesIO(data)).read_all()
    return pa.ipc.open_stream(data).read_all()


# --- consumers: (url, format) -> {column: array}; None where it does not read that -----------------------------------


def with_pyarrow(url, format):
    table = arrow_table(url, format)
    return {
        name: table[name].combine_chunks().to_numpy_ndarray()
        if isinstance(table[name].type, pa.FixedShapeTensorType)
        else stacked(table[name].to_pylist())
        for name in table.column_names
    }


def with_polars(url, format):
    frame = pl.scan_ipc(url).collect() if format == "file" else pl.read_ipc_stream(fetch(url))
    return {name: frame[name].to_numpy() for name in frame.columns}


def with_duckdb(url, format):
    matrix = arrow_table(url, format)
    columns = duckdb.sql("select * from matrix").fetchnumpy()
    return {name: stacked(column.tolist()) for name, column in columns.items()}


def with_pandas(url, format):
    frame = pd.read_feather(url) if format == "file" else arrow_table(url, format).to_pandas()
    return {name: stacked(frame[name].tolist()) for name in frame.columns}


def with_nanoarrow(url, format):
    if format == "file":
        return None  # reads streams only
    stream = na.ArrayStream.from_url(url)
    array = stream.read_all()
    names = [field.name for field in array.schema.fields]
    return {name: stacked(list(array.child(i).iter_py())) for i, name in enumerate(names)}


def with_arro3(url, format):
    data = io.BytesIO(fetch(url))
    table = (arro3.io.read_ipc if format == "file" else arro3.io.read_ipc_stream)(data).read_all()
    return {name: stacked(table.column(name).to_pylist()) for name in table.column_names}


CONSUMERS = {
    "pyarrow": with_pyarrow,
    "polars": with_polars,
    "duckdb": with_duckdb,
    "pandas": with_pandas,
    "nanoarrow": with_nanoarrow,
    "arro3": with_arro3,
}


def stacked(values):
    return np.array([np.asarray(value) for value in values])


# --- what each layout is to say --------------------------------------------------------------------------------------


def expected_columns(case, layout):
    shape = case["shape"]
    values = np.array(case["values"], np.float32).reshape(-1, shape[-2], shape[-1])
    dropped = np.array(case["dropped"], np.float32).reshape(values.shape[:2])
    count, cells, _ = values.shape
    layers, heads = case["layers"], case["heads"]
    keys = {}
    if "head" in case["axes"]:
        keys = {"layer": np.repeat(layers, len(heads)), "head": np.tile(heads, len(layers))}
    elif "layer" in case["axes"]:
        keys = {"layer": np.array(layers)}
    if layout == "tensor":
        return keys | {"dropped": dropped, "flow": values}
    if layout == "rows":
        keys = {name: np.repeat(key, cells) for name, key in keys.items()}
        return keys | {
            "target": np.tile(np.arange(cells), count),
            "token": np.array(case["tokens"] * count),
            "dropped": dropped.ravel(),
            "flow": values.reshape(-1, cells),
        }
    target, source = np.tril_indices(cells)
    keys = {name: np.repeat(key, len(target)) for name, key in keys.items()}
    return keys | {
        "target": np.tile(target, count),
        "source": np.tile(source, count),
        "weight": values[:, target, source].ravel(),
    }


# --- types, nulls and signs ------------------------------------------------------------------------------------------

TYPES = {
    "layer": "int32",
    "head": "int32",
    "target": "int32",
    "source": "int32",
    "token": "dictionary<values=string, indices=int32, ordered=0>",
    "weight": "float",
}


def check_types(table, where):
    for field in table.schema:
        assert not field.nullable, f"{where}: {field} is nullable"
        if field.name in TYPES:
            assert str(field.type) == TYPES[field.name], f"{where}: {field.name} is {field.type}"


def distances(url):
    """How far back each source lies, `source - target`, by everybody who can subtract columns."""
    rows = arrow_table(url, "stream")
    frame = rows.to_pandas()
    both = pl.from_arrow(rows)
    return {
        "pandas": (frame["source"] - frame["target"]).tolist(),
        "polars": (both["source"] - both["target"]).to_list(),
        "pyarrow": pc.subtract(rows["source"], rows["target"]).to_pylist(),
        "duckdb": [row[0] for row in duckdb.sql("select source - target from rows").fetchall()],
    }


def nulls_as_none(values):
    return [None if value is None or value != value else value for value in values]


TABLE_CONSUMERS = {
    "pyarrow": lambda url: arrow_table(url, "stream").to_pydict(),
    "polars": lambda url: pl.read_ipc_stream(fetch(url)).to_dict(as_series=False),
    "duckdb": lambda url: duckdb_columns(arrow_table(url, "stream")),
    "pandas": lambda url: arrow_table(url, "stream").to_pandas().to_dict(orient="list"),
    "nanoarrow": lambda url: nanoarrow_columns(na.ArrayStream.from_url(url).read_all()),
    "arro3": lambda url: arro3_columns(arro3.io.read_ipc_stream(io.BytesIO(fetch(url))).read_all()),
}


def duckdb_columns(rows):
    result = duckdb.sql("select * from rows")
    return {name: list(column) for name, column in zip(result.columns, zip(*result.fetchall()))}


def nanoarrow_columns(array):
    names = [field.name for field in array.schema.fields]
    return {name: list(array.child(i).iter_py()) for i, name in enumerate(names)}


def arro3_columns(table):
    return {name: table.column(name).to_pylist() for name in table.column_names}


def check_table(case, read):
    url, columns = case["url"], case["columns"]
    types = {field.name: str(field.type) for field in arrow_table(url, "stream").schema}
    expected = {name: type for name, (type, _) in columns.items()}
    assert types == expected, f"{url}: {types}, not {expected}"
    for consumer, read_with in TABLE_CONSUMERS.items():
        actual = read_with(url)
        assert list(actual) == list(columns), f"{consumer}, {url}: {list(actual)}"
        for name, (_, values) in columns.items():
            seen = nulls_as_none(actual[name])
            assert seen == values, f"{consumer}, {url}: {name} is {seen}, not {values}"
            read[f"{consumer} tables"] += len(values)


def main():
    read = Counter()
    given = json.load(sys.stdin)
    for case in given["tables"]:
        check_table(case, read)
    for case in given["matrices"]:
        size = case["shape"][-1]
        target, source = np.tril_indices(size)
        matrices = len(case["values"]) // size**2
        for consumer, seen in distances(f"{case['url']}&layout=tidy").items():
            assert seen == (source - target).tolist() * matrices, f"{consumer}: source - target is {seen}"
        for layout in ["rows", "tensor", "tidy"]:
            expected = expected_columns(case, layout)
            for format in ["stream", "file"]:
                url = f"{case['url']}&layout={layout}&format={format}"
                check_types(arrow_table(url, format), url)
                for consumer, read_with in CONSUMERS.items():
                    where = f"{consumer}, {url}"
                    columns = read_with(url, format)
                    if columns is None:
                        continue
                    assert list(columns) == list(expected), f"{where}: {list(columns)}"
                    for name, numbers in expected.items():
                        actual = columns[name]
                        same = np.array_equal(actual.reshape(numbers.shape), numbers)
                        assert same, f"{where}: {name} is {actual}, not {numbers}"
                        read[f"{consumer} {format}"] += numbers.size
    json.dump(read, sys.stdout)


main()
