"""A server of this process's own."""

from __future__ import annotations

import atexit
import collections
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from ._errors import InfoflowError

BUNDLE = Path(__file__).parent / "_server"
#: The programs of the bundle, by the commands that they are.
PROGRAMS = {"serve": BUNDLE / "src/cli/download_then_serve.js", "corpus": BUNDLE / "src/cli/corpus.js"}
#: How long a server may take until it is ready, in seconds.
START = 120


class Server:
    """A server that ends with this process: it watches the other end of its standard input.

    Attributes:
        url: Where it is, such as ``http://127.0.0.1:43210``.
        token: What requests must bring.
        lines: What it said when it started.
    """

    def __init__(self, *flags: str) -> None:
        """Starts a server on a free port of loopback and waits until it is ready.

        Args:
            flags: Flags of ``infoflow serve``, such as ``"--model", "gpt2"``.

        Raises:
            InfoflowError: SERVER_NOT_FOUND, with what kept it from starting.
        """
        self.token = secrets.token_urlsafe(24)
        command = [*command_of("serve"), "--port", "0", "--stop-with-stdin", *flags]
        environment = environment_of({"INFOFLOW_TOKEN": self.token, "INFOFLOW_HOST": "127.0.0.1"})
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        self._owner = os.getpid()
        self._errors: collections.deque[str] = collections.deque(maxlen=50)
        threading.Thread(target=self._read_errors, daemon=True).start()
        self.lines = self._read_until_ready()
        self.url = re.search(r"page +(http\S+?)/?$", "\n".join(self.lines), re.M)[1]  # type: ignore[index]
        atexit.register(self.stop)

    @property
    def is_own(self) -> bool:
        """Whether this process started it, and not the process that this one is a fork of."""
        return os.getpid() == self._owner

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The launcher's process."""
        return self._process.pid

    def stop(self) -> None:
        """Stops it, when what is under way is finished."""
        if not self.is_own:
            return
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        for stream in (self._process.stdout, self._process.stderr):
            if stream and not stream.closed:
                stream.close()
        atexit.unregister(self.stop)

    def _read_until_ready(self) -> list[str]:
        timer = threading.Timer(START, self._process.kill)
        timer.start()
        lines = []
        try:
            assert self._process.stdout
            for line in self._process.stdout:
                lines.append(line.decode(errors="replace").rstrip())
                if lines[-1].startswith("  Arrow "):
                    threading.Thread(target=self._process.stdout.read, daemon=True).start()
                    return lines
        finally:
            timer.cancel()
        self._process.wait()
        said = "\n".join([*lines, *self._errors]) or "it said nothing"
        raise InfoflowError(f"Cannot start a server: {said}", "SERVER_NOT_FOUND")

    def _read_errors(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._errors.append(line.decode(errors="replace").rstrip())


def command_of(name: str) -> list[str]:
    """How to run a program of the bundle, with no more permissions than ``deno task`` gives it.

    The one that serves gives the server itself no more than that needs.
    """
    program = PROGRAMS[name]
    if not program.exists():
        raise InfoflowError(
            f"Cannot start a server as {program.name} is not in this installation: install the wheel, or set INFOFLOW_URL",
            "SERVER_NOT_FOUND",
        )
    flags = json.loads((BUNDLE / "flags.json").read_text())[name]
    return [find_deno(), "run", "--quiet", "--no-prompt", *flags, str(program)]


def environment_of(more: dict[str, str]) -> dict[str, str]:
    """The environment of a program of the bundle: Deno is on its PATH."""
    path = os.pathsep.join([str(Path(find_deno()).parent), os.environ.get("PATH", "")])
    return {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", "/tmp"), **more, "PATH": path}


def find_deno() -> str:
    """The Deno that PyPI's package brings, or the one on PATH."""
    try:
        import deno

        return str(deno.find_deno_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("deno")
        if found:
            return found
        raise InfoflowError("Cannot start a server as Deno is missing: pip install deno", "SERVER_NOT_FOUND") from None


def say(text: str) -> None:
    """Says something where people look, once."""
    print(f"infoflow: {text}", file=sys.stderr, flush=True)
