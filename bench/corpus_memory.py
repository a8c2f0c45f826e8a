"""The most memory that server, client and command take for a number of different short prompts; Linux, with the wheel.

    python bench/corpus_memory.py 1000 100000
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import infoflow

CLIENT = """
import infoflow, resource, sys
client = infoflow.connect()
rows = sum(batch.num_rows for batch in client.flows((f"word {at}" for at in range(int(sys.argv[1]))), progress=False))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def most_of_server(server):
    """The largest resident set of the server's processes so far, in MiB."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True).stdout.split("\n")[1:]
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed if line)}
    found = {server.pid}
    for _ in range(4):
        found |= {pid for pid, parent in parents.items() if parent in found}
    most = 0
    for pid in found:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                most = max(most, int(line.split()[1]) // 1024)
    return most


def command(name, count, folder):
    source = Path(folder) / f"{count}.txt"
    source.write_text("\n".join(f"word {at}" for at in range(count)))
    program = [sys.executable, "-m", "infoflow", "corpus", name, str(source), str(Path(folder) / f"{name}{count}")]
    child = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0
    return usage.ru_maxrss // 1024


for count in map(int, sys.argv[1:]):
    server = infoflow.Server()
    environment = {**os.environ, "INFOFLOW_URL": server.url, "INFOFLOW_TOKEN": server.token}
    done = subprocess.run([sys.executable, "-c", CLIENT, str(count)], env=environment, capture_output=True, text=True, check=True)
    rows, client = map(int, done.stdout.split())
    assert rows == count
    line = f"{count} prompts: server {most_of_server(server)} MiB, client {client} MiB"
    server.stop()
    with tempfile.TemporaryDirectory() as folder:
        line += "".join(f", {name} {command(name, count, folder)} MiB" for name in ("info-flow", "head-statistics"))
    print(line, flush=True)
