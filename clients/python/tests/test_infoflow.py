"""What the package promises, on a server that it starts itself. Run by tests/python/package_test.ts in empty environments."""

import asyncio
import http.server
import importlib.util
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow as pa

import infoflow

PROMPT = "Mary and John went to the store. John gave the cart to"


def ask(prompt):
    """Runs in another process."""
    return infoflow.flow(prompt).shape, os.environ["INFOFLOW_URL"]


def own_environment():
    """The environment of a process that is to start servers of its own."""
    return {name: it for name, it in os.environ.items() if not name.startswith("INFOFLOW_")}


def commands_with(word):
    """The ids of this machine's processes with a word in their command."""
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if has_word(path, word)]


def has_word(path, word):
    try:
        return word.encode() in path.read_bytes()
    except OSError:
        return False  # it has ended


class Answers(unittest.TestCase):
    def test_a_flow_by_layer_is_an_array_without_a_copy(self):
        flow = infoflow.flow(PROMPT, by_layer=True)
        self.assertEqual(flow.values.shape, (6, 13, 13))
        self.assertEqual(flow.values.dtype, np.float32)
        self.assertFalse(flow.values.flags.owndata or flow.values.flags.writeable)
        self.assertEqual(flow.axes, ("layer", "target", "source"))
        self.assertEqual(flow.tokens[:3], ["Mary", " and", " John"])
        self.assertEqual(flow.ids[:3], [24119, 290, 1757])
        np.testing.assert_allclose(flow.values.sum(-1), 1, atol=1e-5)
        self.assertEqual(flow.dropped.shape, (6, 13))

    def test_the_numbers_are_those_of_the_link(self):
        client = infoflow.connect()
        request = urllib.request.Request(
            f"{client.url}/info-flow.arrow?prompt=Hello+world+again&method=ALTI&layout=tidy",
            headers={"authorization": f"Bearer {os.environ['INFOFLOW_TOKEN']}"},
        )
        table = pa.ipc.open_stream(urllib.request.urlopen(request)).read_all()
        frame = client.flow("Hello world again", method="ALTI").to_pandas()
        self.assertEqual(table["weight"].to_pylist(), [float(it) for it in frame["weight"]])
        self.assertEqual(table["source"].to_pylist(), frame["source"].tolist())

    def test_heads_are_chosen_and_ablated(self):
        patterns = infoflow.attention(PROMPT, layers=[5, 3], heads=1)
        self.assertEqual((patterns.shape, patterns.layers, patterns.heads), ((2, 1, 14, 14), [3, 5], [1]))
        frame = patterns.to_pandas()
        self.assertEqual(set(frame["layer"]), {3, 5})
        self.assertEqual(len(frame), 2 * 14 * 15 // 2)
        plain = infoflow.flow(PROMPT, method="ALTI")
        ablated = infoflow.flow(PROMPT, method="ALTI", ablate=[(5, 1)])
        self.assertGreater(np.abs(plain.values - ablated.values).max(), 0.001)

    def test_tables(self):
        first = infoflow.next_tokens(PROMPT, k=3).to_pandas()
        self.assertEqual(first["token"][0], " Mary")
        parts = infoflow.attribution(PROMPT, " Mary").to_pandas()
        self.assertAlmostEqual(parts["value"].sum(), first["logit"][0], places=3)
        self.assertEqual(len(infoflow.head_scores(PROMPT)), 48)
        self.assertIn("weight", infoflow.routes(PROMPT).table.column_names)
        self.assertGreater(len(infoflow.logit_lens(PROMPT, k=1)), 7)

    def test_large_answers_and_long_texts(self):
        # Both are made by the server's helping thread.
        patterns = infoflow.attention(" the store" * 100)
        self.assertEqual(patterns.shape, (6, 8, 201, 201))
        np.testing.assert_allclose(patterns.values.sum(-1), 1, atol=1e-5)
        with self.assertRaises(infoflow.InfoflowError) as caught:
            infoflow.flow(" word" * 2000)
        self.assertEqual(caught.exception.code, "PROMPT_TOO_LONG")

    def test_names_of_transformer_lens(self):
        cache = infoflow.run_with_cache("Hello world again")
        self.assertEqual(cache["pattern", 5].shape, (8, 4, 4))
        self.assertIs(cache["blocks.5.attn.hook_pattern"], cache["pattern", -1])
        np.testing.assert_allclose(cache["pattern", 0].sum(-1), 1, atol=1e-5)
        self.assertEqual(len(list(cache)), 6)
        with self.assertRaisesRegex(KeyError, "the names are"):
            cache["resid_pre", 0]

    def test_frames(self):
        flow = infoflow.flow("Hello world again")
        self.assertEqual(list(flow.to_pandas().columns), ["target", "source", "target_token", "source_token", "weight"])
        self.assertEqual(flow.to_polars().shape, (6, 5))
        self.assertEqual(flow.to_xarray().dims, ("target", "source"))
        self.assertEqual(list(flow.to_xarray().coords["source_token"].values), flow.tokens)

    def test_pictures(self):
        one, six = infoflow.plot_info_flow(PROMPT), infoflow.plot_info_flow(PROMPT, by_layer=True)
        self.assertEqual((len(one.data), len(six.data)), (1, 6))
        self.assertEqual(list(one.layout.xaxis.ticktext), infoflow.flow(PROMPT).tokens)
        self.assertEqual(one.layout.yaxis.autorange, "reversed")
        drawn = np.nan_to_num(np.asarray(one.data[0].z, dtype=np.float32))
        np.testing.assert_array_equal(drawn, infoflow.flow(PROMPT, aggregation="NOTEBOOK").values)
        html = infoflow.flow("a <b> & c")._repr_html_()
        self.assertIn("&lt;b", html)
        self.assertNotIn("<b>", html)

    def test_errors_have_codes(self):
        for options, code, words in [
            ({"prompt": ""}, "PROMPT_EMPTY", "at least a word"),
            ({"prompt": "x", "layers": [99]}, "BAD_USER_INPUT", "layers 0 to 5"),
            ({"prompt": " word" * 300}, "PROMPT_TOO_LONG", "256"),
        ]:
            with self.assertRaisesRegex(infoflow.InfoflowError, words) as caught:
                infoflow.flow(**options)
            self.assertEqual(caught.exception.code, code)
        with self.assertRaisesRegex(TypeError, "no such option"):
            infoflow.flow("x", by_leyer=True)
        with self.assertRaises(infoflow.InfoflowError) as caught:
            infoflow.connect("http://127.0.0.1:9").flow("x")
        self.assertEqual(caught.exception.code, "SERVER_NOT_FOUND")

    def test_many_prompts_in_their_order_and_errors_are_rows(self):
        prompts = [f"Mary gave John {at} carts" for at in range(40)]
        prompts[7], prompts[9] = "", " word" * 400
        rows = [row for batch in infoflow.flows(prompts, batch_size=16, in_flight=2) for row in batch.to_pylist()]
        self.assertEqual([row["index"] for row in rows], list(range(40)))
        self.assertEqual([row["code"] for row in rows if row["code"]], ["PROMPT_EMPTY", "PROMPT_TOO_LONG"])
        for at in (0, 39):
            flow = infoflow.flow(prompts[at])
            self.assertEqual((rows[at]["answer_id"], rows[at]["tokens"]), (flow.id, flow.tokens))
            np.testing.assert_array_equal(np.asarray(rows[at]["flow"], dtype=np.float32), flow.values)

    def test_tables_and_frames_are_asked_too_and_their_columns_come_back(self):
        table = pa.table({"source": ["a", "b"], "prompt": ["Hello world", "Hello again, world"]})
        for rows in (table, table.to_pandas(), iter(table.to_batches())):
            answers = pa.Table.from_batches(list(infoflow.flows(rows, by_layer=True)))
            self.assertEqual(answers["source"].to_pylist(), ["a", "b"])
            self.assertEqual(len(answers["flow"][1].as_py()), 6)
        ids = infoflow.flow("Hello world").ids
        self.assertEqual([batch.num_rows for batch in infoflow.flows([[50256, *ids]])], [1])
        for wrong, words in [({"flow": ["a"], "prompt": ["b"]}, "Cannot carry the column flow"), ({"nope": ["a"]}, "no column prompt")]:
            with self.assertRaisesRegex(infoflow.InfoflowError, words):
                list(infoflow.flows(pa.table(wrong)))
        with self.assertRaisesRegex(TypeError, "one text"):
            list(infoflow.flows("Hello"))

    def test_a_row_that_no_request_has_room_for_is_a_row_that_says_so(self):
        prompts = pa.table({"prompt": ["Hello world", "x" * 10 * 2**20, None, "again"], "n": [1, 2, 3, 4]})
        rows = [row for batch in infoflow.flows(prompts) for row in batch.to_pylist()]
        self.assertEqual([(row["index"], row["n"]) for row in rows], [(0, 1), (1, 2), (2, 3), (3, 4)])
        self.assertEqual([row["code"] for row in rows], [None, "BODY_TOO_LARGE", "PROMPT_EMPTY", None])
        self.assertIn("the limit is 8,388,608: shorten its prompt", rows[1]["message"])

    def test_a_million_rows_of_one_word_are_computed_once(self):
        # As an iterator: rows are neither sent nor kept all at once. A hundred thousand here, for the time.
        answers = {}
        for batch in infoflow.flows(("word" for _ in range(100_000)), batch_size=4096, progress=False):
            for name in batch.column("answer_id").unique().to_pylist():
                answers[name] = answers.get(name, 0) + batch.num_rows
        self.assertEqual(list(answers.values()), [100_000])

    def test_between_machines_bodies_are_compressed(self):
        client = infoflow.connect()
        plain = list(client.flows(["Hello world", "again"]))
        with unittest.mock.patch.object(type(client._transport), "is_loopback", False):
            sent = []
            request = client._transport.request
            client._transport.request = lambda method, path, body, headers: sent.append((body, headers)) or request(method, path, body, headers)
            self.assertEqual(list(client.flows(["Hello world", "again"])), plain)
        self.assertEqual(sent[0][1]["content-encoding"], "zstd")
        self.assertEqual(sent[0][0][:4], b"\x28\xb5\x2f\xfd")

    def test_statistics_of_heads(self):
        prompts = [f"Mary gave John the {word}" for word in "cart book map lamp".split()] + ["", " word" * 300]
        statistics = infoflow.head_statistics(prompts, top=3)
        self.assertEqual((len(statistics.table), statistics.table["targets"][0].as_py()), (48, 20))
        # The mean over all targets is that of each prompt's scores, by its targets; here all have as many.
        scores = [infoflow.head_scores(prompt).to_pandas() for prompt in prompts[:4]]
        np.testing.assert_allclose(statistics.table["bos_mean"], np.mean([it["bos"] for it in scores], 0), atol=1e-6)
        self.assertEqual(statistics._repr_html_().count("<td"), 48)
        best = statistics.examples(5, 1)
        self.assertEqual(len(best), 3)
        weights = infoflow.attention(best[0]["text"], layers=5, heads=1).values[0, 0]
        self.assertAlmostEqual(best[0]["weight"], float(weights[best[0]["target"], best[0]["source"]]), places=6)
        with tempfile.TemporaryDirectory() as folder:
            table = pa.table({"text": prompts})
            kept = infoflow.head_statistics(table, column="text", top=3, out=f"{folder}/out")
            self.assertEqual(kept.table, statistics.table)
            Path(folder, "a.txt").write_text("\n".join(prompts[:4]))
            self.assertEqual(infoflow.head_statistics(files=f"{folder}/a.txt").table["bos_mean"], statistics.table["bos_mean"])
            with self.assertRaisesRegex(infoflow.InfoflowError, "has another run") as caught:
                infoflow.head_statistics(["other"], out=f"{folder}/out")
            self.assertEqual(caught.exception.code, "BAD_USER_INPUT")
            with self.assertRaisesRegex(infoflow.InfoflowError, "no column nope: there are text"):
                infoflow.head_statistics(table, column="nope")
        with self.assertRaisesRegex(TypeError, "prompts or files"):
            infoflow.head_statistics()

    @unittest.skipUnless(importlib.util.find_spec("datasets"), "datasets is not installed")
    def test_datasets_map(self):
        import datasets

        def flows(rows):
            table = pa.table({"prompt": rows["text"]})
            return pa.Table.from_batches(list(infoflow.flows(table, layout="flat"))).to_pydict()

        texts = ["Hello world", "", "Mary and John went", "again and again"]
        answered = datasets.Dataset.from_dict({"text": texts, "label": [1, 2, 3, 4]}).map(flows, batched=True, batch_size=3)
        self.assertEqual((answered["text"][:], answered["label"][:]), (texts, [1, 2, 3, 4]))
        self.assertEqual(answered["code"][:], [None, "PROMPT_EMPTY", None, None])
        for at in (0, 3):
            flow = np.float32(answered[at]["flow"]).reshape(answered[at]["shape"])
            np.testing.assert_array_equal(flow, infoflow.flow(texts[at]).values)

    def test_an_old_server_is_told_from_a_wrong_question(self):
        class Old(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/graphql":
                    status, answer = 200, {"errors": [{"message": 'Unknown argument "method" on field "Query.infoFlow".'}]}
                else:
                    status, answer = 405, {"code": "METHOD_NOT_ALLOWED", "title": "Cannot answer POST as this path takes GET, HEAD"}
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json" if status == 200 else "application/problem+json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Old) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with infoflow.connect(f"http://127.0.0.1:{server.server_port}") as client:
                for ask in (lambda: list(client.flows(["a"])), lambda: client.flow("a", method="ALTI")):
                    with self.assertRaisesRegex(infoflow.InfoflowError, "older than this package") as caught:
                        ask()
                    self.assertEqual(caught.exception.code, "SERVER_TOO_OLD")
            server.shutdown()

    def test_an_answer_that_breaks_off_is_never_taken_for_whole(self):
        client = infoflow.connect()
        batches = list(client.flows(["a b", "c d"]))
        for cut in (0, 1, 2):

            class Cut(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    self.rfile.read(int(self.headers["content-length"]))
                    sink = pa.BufferOutputStream()
                    writer = pa.ipc.new_stream(sink, batches[0].schema)
                    for batch in batches[:1] * (cut > 0):
                        writer.write_batch(batch.slice(0, 1))  # at a batch's end: some readers take it for whole
                    data = sink.getvalue().to_pybytes()
                    self.send_response(200)
                    self.send_header("content-type", "application/vnd.apache.arrow.stream")
                    self.send_header("content-length", str(len(data) + (100 if cut == 2 else 0)))
                    self.end_headers()
                    self.wfile.write(data)
                    self.close_connection = True

                def log_message(self, *args):
                    pass

            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cut) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                with infoflow.connect(f"http://127.0.0.1:{server.server_port}") as other:
                    with self.assertRaises(infoflow.InfoflowError) as caught:
                        list(other.flows(["a b", "c d"]))
                    self.assertEqual(caught.exception.code, "INCOMPLETE", cut)
                server.shutdown()

    def test_coroutines(self):
        async def both():
            batches = [batch.num_rows async for batch in infoflow.aio.flows(["a", "b"])]
            return *await asyncio.gather(infoflow.aio.flow("Hello"), infoflow.aio.next_tokens("Hello", k=1)), batches

        flow, tokens, batches = asyncio.run(both())
        self.assertEqual((flow.shape, len(tokens), sum(batches)), ((1, 1), 1, 2))


class Servers(unittest.TestCase):
    def test_processes_that_this_one_starts_ask_the_same_server(self):
        _, url = ask("a b")
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                self.assertEqual(pool.map(ask, ["a", "b c"]), [((1, 1), url), ((2, 2), url)])
        self.assertEqual(ask("a b")[1], url)

    def test_no_server_is_left_behind_when_python_is_killed(self):
        program = (
            "import infoflow, os, signal; infoflow.flow('a b'); print(os.environ['INFOFLOW_URL'], flush=True);"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        done = subprocess.run([sys.executable, "-c", program], env=own_environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        self.assert_ends(done.stdout.strip())

    def test_no_server_is_left_behind_when_what_started_it_is_killed(self):
        server = infoflow.Server()
        os.kill(server.pid, signal.SIGKILL)
        self.assert_ends(server.url)
        server.stop()

    def test_no_command_over_a_corpus_is_left_behind_when_python_is_killed(self):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            program = f"import infoflow; infoflow.head_statistics((f'row {{i}}' for i in range(60_000)), out={str(out)!r}, part_rows=50)"
            child = subprocess.Popen([sys.executable, "-c", program], env=own_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not list(out.glob("part-*")):
                self.assertIsNone(child.poll(), "it ended before anything happened to it")
                time.sleep(0.05)
            self.assertEqual(len(commands_with(str(out))), 2)  # the other is Python
            child.kill()
            child.wait()
            for _ in range(200):
                if not commands_with(str(out)):
                    return
                time.sleep(0.1)
            self.fail("the command goes on")

    def assert_ends(self, url):
        """Asserts that a server is soon gone."""
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=1).read()
            except OSError:
                return
            time.sleep(0.1)
        self.fail(f"{url} still answers")

    def test_what_keeps_a_server_from_starting_is_said(self):
        with self.assertRaisesRegex(infoflow.InfoflowError, "gpt5") as caught:
            infoflow.Server("--model", "gpt5")
        self.assertEqual(caught.exception.code, "SERVER_NOT_FOUND")

    def test_the_command_says_what_there_is(self):
        done = subprocess.run([sys.executable, "-m", "infoflow"], capture_output=True, text=True)
        self.assertIn("infoflow serve", done.stdout)
        self.assertEqual(subprocess.run([sys.executable, "-m", "infoflow", "dance"], capture_output=True).returncode, 2)


if __name__ == "__main__":
    unittest.main()
