"""Many prompts: Arrow by POST, several requests at a time."""

from __future__ import annotations

import collections
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Iterable, Iterator, Union
from urllib.parse import urlencode

import pyarrow as pa

from ._arguments import to_arguments
from ._errors import InfoflowError, too_old
from ._transport import ARROW, Transport, read_in_pieces

#: Texts, an Arrow table, a frame of pandas or polars, or an iterable of record batches.
Prompts = Union[Iterable[str], pa.Table, pa.RecordBatch, Iterable[pa.RecordBatch], Any]

DEFAULT_BATCH = 256
#: The most rows and bytes that a server takes in one request.
MOST_ROWS, MOST_BYTES = 4096, 8 * 2**20
#: From this many rows on, a progress bar is shown by default.
MANY = 2000
#: How often a request is sent again if the server was too busy to take it.
TRIES = 8


def ask_in_batches(
    transport: Transport,
    name: str,
    prompts: Prompts,
    options: dict[str, Any],
    *,
    batch_size: int = DEFAULT_BATCH,
    in_flight: int = 3,
    progress: bool | None = None,
) -> Iterator[pa.RecordBatch]:
    if not 1 <= batch_size <= MOST_ROWS:
        raise ValueError(f"Cannot ask in batches as batch_size must be 1 to {MOST_ROWS}: current value is {batch_size}")
    bar = progress_bar(_length(prompts), progress)
    waiting: collections.deque[Future[list[pa.RecordBatch]]] = collections.deque()
    done = 0
    with ThreadPoolExecutor(max(1, in_flight), thread_name_prefix="infoflow") as pool:
        try:
            for rows in batches_of(prompts, batch_size):
                waiting.append(pool.submit(post_batch, transport, name, rows, options))
                while len(waiting) >= max(1, in_flight):
                    for batch in waiting.popleft().result():
                        yield _numbered(batch, done)
                        done += batch.num_rows
                        bar(batch.num_rows)
            while waiting:
                for batch in waiting.popleft().result():
                    yield _numbered(batch, done)
                    done += batch.num_rows
                    bar(batch.num_rows)
        finally:
            for future in waiting:
                future.cancel()
            bar(None)


def post_batch(transport: Transport, name: str, rows: pa.Table, options: dict[str, Any]) -> list[pa.RecordBatch]:
    """Sends rows in one request, or in several where they are too large for one, and reads their answers.

    A row that is too large by itself is answered here, with BODY_TOO_LARGE in its ``code``.

    Raises:
        InfoflowError: With the server's code; INCOMPLETE if rows are missing; SERVER_TOO_OLD.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    body = sink.getvalue()
    if body.size > MOST_BYTES:
        if rows.num_rows == 1:
            return _refused(transport, name, rows, options)
        half = rows.num_rows // 2
        return post_batch(transport, name, rows.slice(0, half), options) + post_batch(transport, name, rows.slice(half), options)
    layout = {"layout": options["layout"]} if "layout" in options else {}
    query = urlencode({**layout, **_texts({key: it for key, it in options.items() if key != "layout"})})
    path = f"/{name}.arrow" + (f"?{query}" if query else "")
    data = _send(transport, path, body)
    try:
        answers = list(pa.ipc.open_stream(pa.py_buffer(data)))
    except pa.ArrowInvalid as error:
        raise InfoflowError(f"The server's answer is not whole: {error}", "INCOMPLETE") from error
    count = sum(batch.num_rows for batch in answers)
    if count != rows.num_rows:
        raise InfoflowError(
            f"The server answered {count} of {rows.num_rows} rows", "INCOMPLETE", {"rows": rows.num_rows, "answered": count}
        )
    return answers


def _send(transport: Transport, path: str, body: pa.Buffer) -> Any:
    """Sends a body until a busy server takes it, compressed where a network is between."""
    headers = {"content-type": ARROW, "accept": ARROW}
    if not transport.is_loopback:
        body = pa.compress(body, "zstd")
        headers.update({"content-encoding": "zstd", "accept-encoding": "zstd"})
    for attempt in range(TRIES):
        try:
            response = transport.request("POST", path, body.to_pybytes(), headers)
            break
        except InfoflowError as error:
            if error.code == "METHOD_NOT_ALLOWED":
                raise too_old(transport.url, "it answers one prompt at a time") from error
            if error.code != "OVERLOADED" or attempt == TRIES - 1:
                raise
            time.sleep(float(error.details.get("retryAfter", 1)))
    coding = response.headers.get("content-encoding")
    data = b"".join(read_in_pieces(response))
    if coding != "zstd":
        return data
    try:
        return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    except OSError as error:
        raise InfoflowError(f"The server's answer is not whole: {error}", "INCOMPLETE") from error


def _refused(transport: Transport, name: str, row: pa.Table, options: dict[str, Any]) -> list[pa.RecordBatch]:
    """The answer to a row that no request has room for: the server's to one without a prompt, with another code."""
    at = next((at for at, field in enumerate(row.schema) if field.name in ("prompt", "ids")), None)
    size = 0 if at is None else row.column(at).nbytes
    message = f"Cannot answer a row of {row.nbytes:,} bytes as the limit is {MOST_BYTES:,}: shorten its prompt"
    if at is None or row.nbytes - size > MOST_BYTES // 2:
        raise InfoflowError(message, "BODY_TOO_LARGE", {"limit": MOST_BYTES})
    empty = row.set_column(at, row.schema.field(at).with_nullable(True), pa.nulls(1, row.schema.field(at).type))
    values = {"code": "BODY_TOO_LARGE", "message": message}
    return [
        pa.RecordBatch.from_arrays(
            [pa.array([values[field.name]], field.type) if field.name in values else column for field, column in zip(batch.schema, batch.columns)],
            schema=batch.schema,
        )
        for batch in post_batch(transport, name, empty, options)
    ]


def batches_of(prompts: Prompts, size: int) -> Iterator[pa.Table]:
    """Cuts prompts into tables of a number of rows."""
    if isinstance(prompts, str):
        raise TypeError("Cannot ask for many prompts as they are one text: write it in a list, or ask flow()")
    if isinstance(prompts, (pa.Table, pa.RecordBatch)) or hasattr(prompts, "columns"):
        table = table_of(prompts)
        for start in range(0, table.num_rows, size):
            yield table.slice(start, size)
        return
    texts: list[Any] = []
    for one in prompts:
        if isinstance(one, (pa.RecordBatch, pa.Table)):
            yield from batches_of(one, size)
            continue
        texts.append(one)
        if len(texts) == size:
            yield _column(texts)
            texts = []
    if texts:
        yield _column(texts)


def table_of(rows: Any) -> pa.Table:
    """An Arrow table of what has columns."""
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows])
    if hasattr(rows, "to_arrow"):
        return rows.to_arrow()
    return pa.Table.from_pandas(rows, preserve_index=False)


def _column(values: list[Any]) -> pa.Table:
    if values and isinstance(values[0], str):
        return pa.table({"prompt": pa.array(values, pa.string())})
    return pa.table({"ids": pa.array([[int(it) for it in ids] for ids in values], pa.list_(pa.int32()))})


def _numbered(batch: pa.RecordBatch, before: int) -> pa.RecordBatch:
    """Rows are numbered over all requests, not over one."""
    at = batch.schema.get_field_index("index")
    if at < 0:
        return batch
    columns = list(batch.columns)
    columns[at] = pa.array(range(before, before + batch.num_rows), pa.int64())
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _texts(options: dict[str, Any]) -> dict[str, str]:
    import json

    def text(name: str, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if name == "ablate":
            return ",".join(f"{it['layer']}.{it['head']}" for it in value)
        if name == "interventions":
            return json.dumps(value)
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return {name: text(name, value) for name, value in to_arguments(options).items()}


def _length(prompts: Prompts) -> int | None:
    if isinstance(prompts, (pa.Table, pa.RecordBatch)):
        return prompts.num_rows
    try:
        return len(prompts)
    except TypeError:
        return None


def progress_bar(total: int | None, wanted: bool | None) -> Any:
    """A progress bar: called with a number of rows, or with None at the end."""
    if wanted is False or (wanted is None and (total or 0) < MANY):
        return lambda rows: None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if wanted:
            raise ImportError("A progress bar needs tqdm: pip install 'infoflow[progress]'") from None
        return lambda rows: None
    bar = tqdm(total=total, unit=" prompts")
    return lambda rows: bar.close() if rows is None else bar.update(rows)
