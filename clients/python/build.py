"""Builds the wheel: bundles the server into the package, then packs it. Needs `deno` on PATH.

    python clients/python/build.py OUT
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
SERVER = HERE / "src" / "infoflow" / "_server"

#: The programs of the bundle, and the module that each begins with.
PROGRAMS = {
    "serve": "src/cli/serve.ts",
    "worker": "src/thread/worker.ts",
    "download_then_serve": "src/cli/download_then_serve.ts",
    "corpus": "src/cli/corpus.ts",
}


def bundle() -> None:
    """Writes the server's programs and the bundled model into the package."""
    shutil.rmtree(SERVER, ignore_errors=True)
    (SERVER / "src").mkdir(parents=True)
    for name, module in PROGRAMS.items():
        if not (PROJECT / module).exists():
            continue
        out = SERVER / "src" / f"{name}.js"
        command = ["deno", "bundle", "--quiet", "--minify", "--platform", "deno", "-o", str(out), module]
        subprocess.run(command, cwd=PROJECT, check=True)
        # Programs start each other by the names of their modules.
        text = out.read_text()
        out.write_text(re.sub(r'"(?:\./|\.\./thread/)(serve|worker)\.ts"', r'"./\1.js"', text))
    # The programs' own configuration, and what `deno task` lets them do.
    tasks = json.loads((PROJECT / "deno.json").read_text())["tasks"]
    permissions = {name: re.findall(r"--allow-\S+", tasks[name]["command"]) for name in ("serve", "corpus")}
    (SERVER / "permissions.json").write_text(json.dumps(permissions))
    (SERVER / "deno.json").write_text('{ "unstable": ["no-legacy-abort"], "lock": false }\n')
    shutil.copytree(PROJECT / "weights" / "bundled", SERVER / "weights" / "bundled", ignore=shutil.ignore_patterns("train", "*.py"))
    shutil.copy(PROJECT / "LICENSE", HERE / "LICENSE")


def main(out: str) -> None:
    bundle()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, str(HERE)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
