"""What Ray costs beside two servers that are asked directly: flows of prompts of about 19 tokens, of two numbers of
rows, so that what the start takes falls out of the difference. Needs the wheel with `ray`.

    python bench/ray_actors.py [ROWS]
"""

import logging
import os
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
import ray  # noqa: E402
import ray.data  # noqa: E402

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
BLOCK = 250


def rows(seed, count):
    texts = [f"{seed} {at}: the letter that came on a cold morning in {1800 + at % 200} was never read" for at in range(count)]
    return pa.table({"prompt": texts})


def directly(clients, table):
    """Halves of the rows to each server, in requests of a block's rows."""
    half = table.num_rows // 2
    with ThreadPoolExecutor(2) as pool:
        parts = [table.slice(0, half), table.slice(half)]
        jobs = [pool.submit(lambda c, t: sum(b.num_rows for b in c.flows(t, progress=False)), c, t) for c, t in zip(clients, parts)]
        return sum(job.result() for job in jobs)


def by_ray(folder, name, table):
    source = folder / f"{name}.parquet"
    pq.write_table(table, source)
    flows = infoflow.ray.flows(ray.data.read_parquet(str(source)), concurrency=2, block=BLOCK)
    return sum(batch.num_rows for batch in flows.select_columns(["index", "code"]).iter_batches(batch_format="pyarrow"))


def seconds(work, *args):
    began = time.perf_counter()
    count = work(*args)
    return time.perf_counter() - began, count


servers = [infoflow.Server(), infoflow.Server()]
clients = [infoflow.Client(it.url, it.token) for it in servers]
directly(clients, rows("warm", 200))
direct = []
for count in (ROWS, 3 * ROWS):
    took, done = seconds(directly, clients, rows(f"direct {count}", count))
    assert done == count
    direct.append(took)
for server in servers:
    server.stop()
ray.init(num_cpus=4, include_dashboard=False, object_store_memory=200 * 2**20, logging_level="ERROR", log_to_driver=False)
logging.getLogger("ray.data").setLevel(logging.WARNING)
ray.data.DataContext.get_current().enable_progress_bars = False
with tempfile.TemporaryDirectory() as folder:
    by = []
    for count in (ROWS, 3 * ROWS):
        took, done = seconds(by_ray, Path(folder), f"ray {count}", rows(f"ray {count}", count))
        assert done == count
        by.append(took)
ray.shutdown()
for name, (one, three) in (("two servers, directly", direct), ("two actors of Ray", by)):
    print(f"{name}: {one:.1f} s for {ROWS} rows, {three:.1f} s for {3 * ROWS}: {2 * ROWS / (three - one):.0f} a second past the start")
print(f"Ray's rate past the start is {(direct[1] - direct[0]) / (by[1] - by[0]):.2f} of theirs")
