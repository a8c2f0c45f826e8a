"""Statistics of heads over a corpus: the command ``infoflow corpus``, which needs no server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Iterable, Sequence, Union

import pyarrow as pa
import pyarrow.parquet as pq

from ._batches import DEFAULT_BATCH, Prompts, batches_of, progress_bar
from ._errors import InfoflowError
from ._server import command_of, environment_of

#: Files, or patterns such as ``"books/*.txt"``.
Files = Union[str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]]


class HeadStatistics:
    """What every head does over a corpus.

    Attributes:
        table: A row for each (layer, head); docs/corpora.md says what its columns are.
        prompts: The prompts that examples are of: ``prompt`` (the row), ``text``, ``tokens``.
    """

    def __init__(self, table: pa.Table, prompts: pa.Table) -> None:
        self.table = table
        self.prompts = prompts

    @classmethod
    def read(cls, directory: str | os.PathLike[str]) -> HeadStatistics:
        """Reads what ``infoflow corpus head-statistics`` wrote."""
        folder = Path(directory)
        return cls(*(pq.read_table(folder / f"{name}.parquet") for name in ("head-statistics", "examples")))

    def examples(self, layer: int, head: int) -> list[dict[str, Any]]:
        """The largest weights of a head that aren't on BOS, one a prompt.

        Returns:
            Dictionaries with ``prompt``, ``target``, ``source``, ``weight``, ``target_token``, ``source_token`` and
            ``text``, the largest weight first.
        """
        here = [row["examples_by_prompt"] for row in self.table.to_pylist() if (row["layer"], row["head"]) == (layer, head)]
        if not here:
            raise KeyError(f"there is no head {layer}.{head}")
        by_row = {row["prompt"]: row for row in self.prompts.to_pylist()}
        return [
            {
                **example,
                "target_token": by_row[example["prompt"]]["tokens"][example["target"]],
                "source_token": by_row[example["prompt"]]["tokens"][example["source"]],
                "text": by_row[example["prompt"]]["text"],
            }
            for example in here[0]
        ]

    def to_arrow(self) -> pa.Table:
        return self.table

    def to_pandas(self) -> Any:
        return self.table.to_pandas()

    def to_polars(self) -> Any:
        import polars

        return polars.from_arrow(self.table)

    def _repr_html_(self) -> str:
        """A grid of the heads, by what each has on BOS."""
        from ._draw import colour_of

        rows: dict[int, str] = {}
        for layer, value in zip(self.table["layer"].to_pylist(), self.table["bos_mean"].to_pylist()):
            cell = "–" if value is None else f"{value:.2f}"
            ink = "#fff" if (value or 0) > 0.5 else "#000"
            rows[layer] = rows.get(layer, "") + f'<td style="background:rgb{colour_of(value or 0)};color:{ink}">{cell}</td>'
        body = "".join(f"<tr><th>{layer}</th>{cells}</tr>" for layer, cells in rows.items())
        return f"<table><caption>bos_mean of each head (a row is a layer)</caption>{body}</table>"

    def __repr__(self) -> str:
        return f"<infoflow.HeadStatistics of {self.table.num_rows} heads over {self.table['targets'][0]} targets>"


def head_statistics(
    prompts: Prompts | None = None,
    *,
    files: Files | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
    **options: Any,
) -> HeadStatistics:
    """What every head does over a corpus, on this machine.

    Args:
        prompts: Texts, or a table as for :meth:`Client.flows`.
        files: Instead of them, files of Parquet, Arrow, CSV, JSONL or text.
        out: A directory for the result and its parts. The same call again resumes there. Without it nothing is kept.
        progress: Whether a progress bar is shown; by default where there are many rows and tqdm is installed.
        options: Flags of ``infoflow corpus head-statistics``: ``model``, ``column``, ``top``, ``definition``,
            ``shard``, ``part_rows``.

    Raises:
        InfoflowError: With the code of what was refused.
    """
    if (prompts is None) == (files is None):
        raise TypeError("Cannot make statistics: give prompts or files=, one of them")
    with tempfile.TemporaryDirectory(prefix="infoflow-") as folder:
        directory = Path(folder) / "out" if out is None else Path(out)
        inputs = paths_of(files) if files is not None else [_written(prompts, Path(folder))]
        run_corpus("head-statistics", inputs, directory, progress=progress, **options)
        return HeadStatistics.read(directory)


def run_corpus(name: str, inputs: Iterable[str], out: str | os.PathLike[str], *, progress: bool | None = False, **options: Any) -> None:
    """Runs ``infoflow corpus`` and waits for it.

    Raises:
        InfoflowError: With the command's code.
    """
    flags = [flag for key, value in options.items() if value is not None for flag in _flag(key, value)]
    # It ends with this process, however that ends: with it, the pipe to its standard input is closed.
    command = [*command_of("corpus"), name, *inputs, os.fspath(out), *flags, "--stop-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment_of({})) as process:
        try:
            assert process.stdout and process.stderr
            said = _follow(process.stderr, progress)
            process.stdout.read()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        text = next((line for line in reversed(said) if line.startswith("error: ")), "\n".join(said) or "it said nothing")
        match = re.fullmatch(r"error: (.*?)(?: \(([A-Z_]+)\))?", text, re.S)
        message, code = (match[1], match[2]) if match else (text, None)
        raise InfoflowError(message, code or "BAD_USER_INPUT")


def paths_of(files: Files) -> list[str]:
    """Paths as the command gets them: it runs in another directory."""
    several = [files] if isinstance(files, (str, os.PathLike)) else files
    return [os.path.abspath(os.fspath(path)) for path in several]


def _written(prompts: Prompts, folder: Path) -> str:
    """Writes rows that are in memory to a file."""
    path = folder / "prompts.arrow"
    writer = None
    try:
        for rows in batches_of(prompts, DEFAULT_BATCH):
            writer = writer or pa.ipc.new_stream(path, rows.schema)
            writer.write_table(rows)
    finally:
        if writer:
            writer.close()
    if writer is None:
        raise InfoflowError("Cannot make statistics as there is no prompt", "BAD_USER_INPUT")
    return str(path)


def _follow(lines: Any, progress: bool | None) -> list[str]:
    """Reads the progress that a command says, and returns what else it says."""
    said: list[str] = []
    bar, done = None, 0
    for line in lines:
        text = line.decode(errors="replace").rstrip()
        try:
            state = json.loads(text)
            rows = state["rows"]
        except (ValueError, TypeError, KeyError):
            said.append(text)
            continue
        bar = bar or progress_bar(state["of"], progress)
        bar(rows - done)
        done = rows
    if bar:
        bar(None)
    return said


def _flag(key: str, value: Any) -> list[str]:
    name = f"--{key.replace('_', '-')}"
    if isinstance(value, bool):
        return [name] if value else []
    return [name, str(value)]
