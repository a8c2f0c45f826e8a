"""
Reads matrices over HTTP with the tools that people have, each layout as a stream and as a file, and compares every
number with what is expected.

stdin: JSON [{"url", "axes", "shape", "layers", "heads", "tokens", "dropped", "values"}]: a link without layout and format,
and what the matrix is, `values` being row-major. stdout: JSON {consumer and format: how many numbers it read}.
"""
import io
import json
import sys
import urllib.request
from collections import Counter

import duckdb
import nanoarrow as na
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa


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


CONSUMERS = {
    "pyarrow": with_pyarrow,
    "polars": with_polars,
    "duckdb": with_duckdb,
    "pandas": with_pandas,
    "nanoarrow": with_nanoarrow,
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


def main():
    read = Counter()
    for case in json.load(sys.stdin):
        for layout in ["rows", "tensor", "tidy"]:
            expected = expected_columns(case, layout)
            for format in ["stream", "file"]:
                url = f"{case['url']}&layout={layout}&format={format}"
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
