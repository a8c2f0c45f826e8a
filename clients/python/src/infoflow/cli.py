"""``infoflow serve``, ``infoflow corpus``: the commands of the project, from the bundle in this package."""

from __future__ import annotations

import os
import sys

from . import __version__
from ._errors import InfoflowError
from ._server import PROGRAMS, command_of, environment_of

USAGE = """Usage: infoflow COMMAND [flags]

  infoflow serve     start a server on http://127.0.0.1:8000/
  infoflow corpus    answer a question about every prompt of some files
  infoflow COMMAND --help
"""


def main(arguments: list[str] | None = None) -> None:
    """Runs a command in place of this process."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command, rest = (arguments or ["help"])[0], arguments[1:]
    if command in ("--version", "version"):
        print(f"infoflow {__version__}")
        return
    if command not in PROGRAMS:
        print(USAGE, end="", file=sys.stdout if command in ("help", "--help", "-h") else sys.stderr)
        sys.exit(0 if command in ("help", "--help", "-h") else 2)
    try:
        line = [*command_of(command), *rest]
    except InfoflowError as error:
        sys.exit(f"error: {error}")
    os.execvpe(line[0], line, environment_of({}))


if __name__ == "__main__":
    main()
