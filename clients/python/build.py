"""Builds the wheel: bundles the server into the package, then packs it. Needs `deno` on PATH, or in `.deno/`, where
`./run` puts it.

    python clients/python/build.py OUT
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
SERVER = HERE / "src" / "infoflow" / "_server"

#: The modules that processes and threads begin with, below `src`.
PROGRAMS = ["cli/download_then_serve", "cli/serve", "cli/corpus", "thread/worker", "server/helper/helper_worker"]


def bundle() -> None:
    """Writes the server's programs and the bundled model into the package."""
    shutil.rmtree(SERVER, ignore_errors=True)
    out = SERVER / "src"
    modules = [f"src/{name}.ts" for name in PROGRAMS]
    deno = shutil.which("deno") or str(PROJECT / ".deno" / "bin" / "deno")
    command = [deno, "bundle", "--quiet", "--minify", "--code-splitting", "--platform", "deno", "--outdir", str(out), *modules]
    subprocess.run(command, cwd=PROJECT, check=True)
    for file in out.rglob("*.js"):
        file.write_text(with_programs(file.read_text(), file.parent, out))
    # The programs' own configuration, and what `deno task` lets them do and gives to V8.
    tasks = json.loads((PROJECT / "deno.json").read_text())["tasks"]
    flags = {name: re.findall(r"--(?:allow|v8-flags)\S+", tasks[name]["command"]) for name in ("serve", "corpus")}
    (SERVER / "flags.json").write_text(json.dumps(flags))
    (SERVER / "deno.json").write_text('{ "unstable": ["no-legacy-abort"], "lock": false }\n')
    shutil.copytree(PROJECT / "weights" / "bundled", SERVER / "weights" / "bundled", ignore=shutil.ignore_patterns("train", "*.py"))
    shutil.copy(PROJECT / "LICENSE", HERE / "LICENSE")


def with_programs(text: str, folder: Path, out: Path) -> str:
    """Programs start each other by the paths of their modules, which are those of bundles here."""
    bundles = {Path(name).name: out / f"{name}.js" for name in PROGRAMS}

    def bundled(match: re.Match[str]) -> str:
        path = os.path.relpath(bundles[match[1]], folder)
        return f'"{path if path.startswith(".") else f"./{path}"}"'

    return re.sub(r'"\.{1,2}/(?:\w+/)*(\w+)\.ts"', bundled, text)


def main(out: str) -> None:
    bundle()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, str(HERE)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
