"""``infoflow.ray`` on a Ray of this machine, with two actors: what happens to them, and every row is there once.

Run by tests/python/ray_test.ts.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import infoflow
import infoflow.ray

ROWS, BLOCK = 192, 16
NAMES = "Mary John Anna Paul Lena Omar Ruth Igor Nina Hugo Vera Carl Elsa Finn Zoe Amir".split()
PLACES = "store park school bank house garden office market station library hospital harbour".split()


def prompts():
    """Prompts that are all different; one of them can't be answered."""
    texts = [f"{NAMES[at % 16]} and {NAMES[at * 7 % 15]} went to the {PLACES[at // 16]} {at}." for at in range(ROWS)]
    texts[17] = ""
    return pa.table({"id": pa.array(range(ROWS), pa.int64()), "text": texts})


def start_ray():
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.WARNING)
    # Logical CPUs: half of one for each actor, one for reads and writes, one for a checkpoint's filter.
    ray.init(num_cpus=4, include_dashboard=False, object_store_memory=200 * 2**20, logging_level="ERROR", log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    return ray, context


def job(ray, source, out):
    rows = ray.data.read_parquet(str(source))
    flows = infoflow.ray.flows(rows, "text", concurrency=2, block=BLOCK)
    flows.write_parquet(str(out), mode="append")


def processes(word):
    """The ids of this machine's processes with a word in their command, of this test's own tree."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in path.read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


def rows_in(folder):
    try:
        return sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet"))
    except (OSError, pa.ArrowInvalid):
        return 0


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="infoflow-ray"))
        (cls.folder / "in").mkdir()
        pq.write_table(prompts(), cls.folder / "in" / "prompts.parquet")
        rows = prompts().rename_columns(["id", "prompt"])
        server = infoflow.Server()
        client = infoflow.Client(server.url, server.token)
        cls.expected = pa.Table.from_batches(list(client.flows(rows, batch_size=64, progress=False)))
        server.stop()
        cls.ray, _ = start_ray()

    @classmethod
    def tearDownClass(cls):
        cls.ray.shutdown()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def check(self, out):
        """Every row is there once, with the numbers of one process."""
        table = pq.read_table(out).sort_by("id")
        self.assertEqual(table["id"].to_pylist(), list(range(ROWS)))
        self.assertEqual(table["text"].to_pylist(), prompts()["text"].to_pylist())
        for name in ("tokens", "flow", "dropped", "code", "answer_id"):
            self.assertEqual(table[name].to_pylist(), self.expected[name].to_pylist(), name)
        self.assertEqual(table["code"][17].as_py(), "PROMPT_EMPTY")

    def run_with(self, name, fault):
        out = self.folder / name
        struck = threading.Event()

        def strike():
            # As soon as both actors have a server, and something is written.
            while len(processes("infoflow/_server/src/cli/serve.js")) < 2 or rows_in(out) == 0:
                time.sleep(0.05)
            fault()
            struck.set()

        threading.Thread(target=strike, daemon=True).start()
        job(self.ray, self.folder / "in", out)
        self.assertTrue(struck.is_set(), "the job was over before anything happened to it")
        self.check(out)

    def test_statistics_of_heads_are_those_of_one_process(self):
        source = self.folder / "prompts.txt"
        source.write_text("\n".join(prompts()["text"].to_pylist()[:90]))
        one = infoflow.head_statistics(files=source, part_rows=20)
        for shards in (1, 3):
            several = infoflow.ray.head_statistics(source, self.folder / f"heads{shards}", shards=shards, part_rows=20)
            self.assertEqual((several.table, several.prompts), (one.table, one.prompts))

    def test_a_server_is_killed(self):
        self.run_with("server", lambda: os.kill(processes("infoflow/_server/src/cli/serve.js")[0], signal.SIGKILL))

    def test_an_actor_is_killed(self):
        def kill():
            actors = processes("ray::MapWorker") or processes("ray::_MapWorker")
            os.kill(actors[0], signal.SIGKILL)

        self.run_with("actor", kill)

    def test_shards_of_dashboards_are_one_run(self):
        options = {"column": "text", "part_rows": 40, "model": "bundled", "sae": "res-4"}
        source = str(self.folder / "in" / "*.parquet")
        whole = infoflow.ray.dashboards(source, self.folder / "whole", shards=1, **options)
        shards = infoflow.ray.dashboards(source, self.folder / "shards", shards=2, **options)
        files = sorted(path.name for path in whole.iterdir() if path.suffix == ".parquet")
        self.assertIn("features.parquet", files)
        self.assertEqual(sum(name.startswith("activations-") for name in files), 5)
        for file in files:
            self.assertEqual((whole / file).read_bytes(), (shards / file).read_bytes(), file)
        with self.assertRaisesRegex(Exception, "current value is res-5"):
            infoflow.ray.dashboards(source, self.folder / "none", shards=1, **{**options, "sae": "res-5"})

    def test_the_driver_is_killed_and_run_again(self):
        out = self.folder / "driver"
        command = [sys.executable, __file__, "job", str(self.folder), str(out)]
        first = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while rows_in(out) < ROWS // 4 and first.poll() is None:
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        written = rows_in(out)
        self.assertLess(written, ROWS)
        again = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(again.returncode, 0, again.stderr[-2000:])
        self.check(out)


def main_job(folder, out):
    """The job with checkpoints, as a program of its own."""
    from ray.data.checkpoint import CheckpointConfig

    ray, context = start_ray()
    context.checkpoint_config = CheckpointConfig(
        id_column="id", checkpoint_path=str(Path(folder) / "checkpoint"), delete_checkpoint_on_success=False
    )
    job(ray, Path(folder) / "in", Path(out))
    ray.shutdown()


if __name__ == "__main__":
    if sys.argv[1:2] == ["job"]:
        main_job(*sys.argv[2:])
    else:
        unittest.main()
