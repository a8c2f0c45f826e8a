"""Corpora on many machines, with Ray Data.

>>> import ray, infoflow.ray                                            # doctest: +SKIP
>>> rows = ray.data.read_parquet("s3://bucket/prompts")
>>> infoflow.ray.flows(rows, column="text", concurrency=2, model="gpt2").write_parquet("out")
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ._client import Client
from ._corpus import Files, HeadStatistics, paths_of, run_corpus
from ._errors import InfoflowError
from ._server import Server

if TYPE_CHECKING:
    import ray.data

#: Rows of a block that an actor gets: a block costs Ray 30 ms, whatever is in it.
BLOCK = 2048
#: The exit status of an actor whose server is gone: Ray starts another, and gives it the block again.
GONE = 17
#: How often a shard is begun again whose worker died.
RETRIES = 5


class Asker:
    """An actor that owns a server. If the server is lost, the actor ends, and Ray starts another one."""

    def __init__(self, name: str, column: str, model: str | None, options: dict[str, Any]) -> None:
        flags = ["--model", model] if model else []
        self._server = Server(*flags)
        self._client = Client(self._server.url, self._server.token)
        self._name = name
        self._column = column
        self._options = options

    def __call__(self, rows: pa.Table) -> pa.Table:
        prompts = rows.column(self._column)
        name = "ids" if pa.types.is_list(prompts.type) or pa.types.is_large_list(prompts.type) else "prompt"
        asked = rows.drop_columns([self._column]).append_column(name, prompts)
        try:
            batches = self._client.map(self._name, asked, progress=False, **self._options)
            answers = pa.Table.from_batches(list(batches))
            return answers.add_column(0, self._column, prompts)
        except InfoflowError as error:
            if self._server.is_running and error.code not in ("SERVER_NOT_FOUND", "INCOMPLETE", "DEVICE_LOST"):
                raise
            os._exit(GONE)


def flows(
    dataset: ray.data.Dataset,
    column: str = "prompt",
    *,
    concurrency: int | tuple[int, int] = 1,
    model: str | None = None,
    block: int = BLOCK,
    num_cpus: float = 0.5,
    **options: Any,
) -> ray.data.Dataset:
    """Flows of every row of a dataset. Errors are rows, with ``code`` and ``message``.

    Args:
        dataset: What Ray reads, such as ``ray.data.read_parquet(path)``.
        column: The column of the prompts, texts or lists of token ids. All columns are in the result too.
        concurrency: Actors, each with a server of its own; a pair is the least and the most.
        model: As for ``infoflow serve --model``.
        block: Rows that an actor gets at a time.
        num_cpus: Of each actor. Reading and writing need CPUs too, and a checkpoint one more: where actors take all
            there are, Ray waits for ever.
        options: As for :func:`infoflow.flow`.
    """
    return ask(dataset, "info-flow", column, concurrency=concurrency, model=model, block=block, num_cpus=num_cpus, **options)


def ask(
    dataset: ray.data.Dataset,
    name: str,
    column: str = "prompt",
    *,
    concurrency: int | tuple[int, int] = 1,
    model: str | None = None,
    block: int = BLOCK,
    num_cpus: float = 0.5,
    **options: Any,
) -> ray.data.Dataset:
    """As :func:`flows`, for another question by the name of its link, such as ``"head-scores"``."""
    import ray.data

    low, high = concurrency if isinstance(concurrency, tuple) else (concurrency, concurrency)
    # Small files come as one block, and one actor would get it.
    return dataset.repartition(target_num_rows_per_block=block).map_batches(
        Asker,
        fn_constructor_args=(name, column, model, options),
        batch_format="pyarrow",
        batch_size=block,
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(min_size=low, max_size=high),
        num_cpus=num_cpus,
    )


def head_statistics(
    files: Files,
    out: str | os.PathLike[str],
    *,
    shards: int = 2,
    num_cpus: float = 1,
    **options: Any,
) -> HeadStatistics:
    """What every head does over a corpus: a task for each shard, with the numbers of one process, to the bit.

    Args:
        files: As for :func:`infoflow.head_statistics`, on storage that all machines see.
        out: A directory there. What is done is kept in it: the same call again resumes, after whatever happened.
        shards: Tasks; each makes every so manieth part of ``part_rows`` rows (8,192 by default).
        num_cpus: Of each task.
        options: As for :func:`infoflow.head_statistics`.
    """
    _in_shards("head-statistics", files, out, shards=shards, num_cpus=num_cpus, **options)
    return HeadStatistics.read(out)


def dashboards(
    files: Files,
    out: str | os.PathLike[str],
    *,
    sae: str,
    shards: int = 2,
    num_cpus: float = 1,
    **options: Any,
) -> Path:
    """What turns each feature of an autoencoder on: a task for each shard, with the bytes of one process.

    Args:
        files: Files and patterns, on storage that all machines see.
        out: A directory there. What is done is kept in it: the same call again resumes, after whatever happened.
        sae: The autoencoder, as for ``infoflow serve --sae``.
        shards: Tasks; each makes every so manieth part of ``part_rows`` rows (8,192 by default).
        num_cpus: Of each task.
        options: Flags of ``infoflow corpus dashboards``: ``model``, ``column``, ``top``, ``one_per_prompt``, ``labels``.

    Returns:
        The directory: ``infoflow serve --dashboards DIR`` shows it, docs/dashboards.md says what is in it.
    """
    _in_shards("dashboards", files, out, shards=shards, num_cpus=num_cpus, sae=sae, **options)
    return Path(os.path.abspath(os.fspath(out)))


def _in_shards(name: str, files: Files, out: str | os.PathLike[str], *, shards: int, num_cpus: float, **options: Any) -> None:
    """Runs a command of a whole corpus in shards, and makes them one run."""
    import ray

    # Ray starts a task again that dies with its worker; an error of the command's own is no reason to.
    @ray.remote(num_cpus=num_cpus, max_retries=RETRIES)
    def make(shard: str) -> None:
        run_corpus(name, inputs, directory, shard=shard, **options)

    inputs, directory = paths_of(files), os.path.abspath(os.fspath(out))
    ray.get([make.remote(f"{shard}/{shards}") for shard in range(1, shards + 1)])
    run_corpus("merge", [], directory)
