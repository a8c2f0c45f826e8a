"""What Ray costs beside two servers that are asked directly: flows of prompts of about 19 tokens, in turns, by servers
that have just been started in both cases, as these become faster over their first thousands of rows. The rate is of the
time in which both servers were at work, so that starts and ends fall out. Needs the wheel with `ray`.

    python bench/ray_actors.py [ROWS [ROUNDS]]
"""

import json
import logging
import os
import queue
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import infoflow
import infoflow.ray

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_worker_niceness"] = "0"  # what else runs slows both alike
import ray  # noqa: E402
import ray.data  # noqa: E402

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 6 * infoflow.ray.BLOCK
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
#: Rows of a request, and requests that a server has at a time: those of `flows`.
BATCH, IN_FLIGHT = 256, 3


class Timed(infoflow.ray.Asker):
    """An actor that says when it began and ended each block."""

    def __call__(self, rows):
        began = time.time()
        answers = super().__call__(rows)
        return answers.append_column("span", [[json.dumps([self._server.pid, began, time.time()])] * len(rows)])


def rate(spans):
    """Rows a second while both servers were at work; a block's rows are spread over its time."""
    servers = {server for server, *_ in spans}
    assert len(servers) == 2, f"{len(servers)} servers were asked"
    begin = max(min(began for of, began, *_ in spans if of == server) for server in servers)
    end = min(max(ended for of, _, ended, _ in spans if of == server) for server in servers)
    done = sum(rows * max(0, min(ended, end) - max(began, begin)) / (ended - began) for _, began, ended, rows in spans)
    return done / (end - begin)


def prompts(seed, count):
    texts = [f"{seed} {at}: the letter that came on a cold morning in {1800 + at % 200} was never read" for at in range(count)]
    return pa.table({"prompt": texts})


def directly(table):
    """Some requests at a time to each server."""
    servers = [infoflow.Server(), infoflow.Server()]
    clients = [infoflow.Client(it.url, it.token) for it in servers]
    waiting = queue.SimpleQueue()
    for start in range(0, table.num_rows, BATCH):
        waiting.put(table.slice(start, BATCH))
    spans = []

    def ask(number):
        while not waiting.empty():
            try:
                rows = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.time()
            answers = clients[number].batch("info-flow", rows)
            spans.append((number, began, time.time(), answers.num_rows))

    with ThreadPoolExecutor(2 * IN_FLIGHT) as pool:
        for job in [pool.submit(ask, number) for number in (0, 1) for _ in range(IN_FLIGHT)]:
            job.result()
    for server in servers:
        server.stop()
    return spans


def by_ray(folder, table):
    source = folder / "prompts.parquet"
    pq.write_table(table, source)
    flows = infoflow.ray.flows(ray.data.read_parquet(str(source)), concurrency=2)
    spans = []
    for batch in flows.iter_batches(batch_size=None, batch_format="pyarrow"):
        assert batch["flow"].null_count == 0
        spans += [(*json.loads(it["values"]), it["counts"]) for it in batch["span"].value_counts().to_pylist()]
    return spans


def measured(spans):
    assert sum(rows for *_, rows in spans) == ROWS
    return rate(spans)


infoflow.ray.Asker = Timed
ray.init(num_cpus=4, include_dashboard=False, object_store_memory=200 * 2**20, logging_level="ERROR", log_to_driver=False)
logging.getLogger("ray.data").setLevel(logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False
rates = {"two servers, directly": [], "two actors of Ray": []}
with tempfile.TemporaryDirectory() as folder:
    by_ray(Path(folder), prompts("first", 500))  # Ray's own processes import what they need
    for at in range(ROUNDS):
        rates["two servers, directly"].append(measured(directly(prompts(f"direct {at}", ROWS))))
        rates["two actors of Ray"].append(measured(by_ray(Path(folder), prompts(f"ray {at}", ROWS))))
ray.shutdown()
for name, seen in rates.items():
    print(f"{name}: {statistics.median(seen):.0f} rows a second, {min(seen):.0f} to {max(seen):.0f}")
direct, by = (statistics.median(seen) for seen in rates.values())
print(f"Ray's rate past the start is {by / direct:.2f} of theirs")
