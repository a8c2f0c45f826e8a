"""Questions to a server."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Any, Iterator

import pyarrow as pa

from ._arguments import TYPES, to_arguments
from ._batches import DEFAULT_BATCH, Prompts, ask_in_batches, post_batch, table_of
from ._cache import ActivationCache
from ._results import Answer, Matrix
from ._server import Server, say
from ._transport import Transport, arrow_bytes

#: Fields whose answer has a matrix beside other numbers.
WITH_MATRIX = ("patching", "headEffects", "featureFlow")


class Client:
    """A server's questions as methods. Threads may share a client.

    >>> with infoflow.connect("http://127.0.0.1:8000") as client:      # doctest: +SKIP
    ...     client.flow("Hello world").values
    """

    def __init__(self, url: str, token: str | None = None, *, timeout: float = 120) -> None:
        """
        Args:
            url: Where the server is, such as ``http://127.0.0.1:8000``.
            token: What it was started with as ``INFOFLOW_TOKEN``, if anything.
            timeout: Seconds that an answer may take.

        Raises:
            ValueError: If the URL is none of a server.
        """
        self._transport = Transport(url, token, timeout)

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._transport.url

    def flow(self, prompt: str | None = None, **options: Any) -> Matrix:
        """Which tokens feed which: see docs/api.md, ``infoFlow``.

        Args:
            prompt: Any text up to the model's context; or ``ids=``, token ids as the model reads them.
            options: ``by_layer``, ``aggregation``, ``bos``, ``layers``, ``heads``, ``method``, ``ablate``,
                ``interventions``, ``difference``, ``targets``, ``cells``, ``model``.

        Returns:
            A matrix of (target, source); by layer of (layer, target, source).

        Raises:
            InfoflowError: With the server's code.
        """
        return self._matrix("infoFlow", prompt, options)

    def attention(self, prompt: str | None = None, **options: Any) -> Matrix:
        """Attention patterns head by head, (layer, head, target, source): ``layers``, ``heads``, ``bos``, ``cells``."""
        return self._matrix("attention", prompt, options)

    def next_tokens(self, prompt: str | None = None, **options: Any) -> Answer:
        """The likeliest next tokens: ``k``, ``tokens``, ``position``, ``ablate``, ``interventions``."""
        return self._table("nextTokens", prompt, options)

    def logit_lens(self, prompt: str | None = None, **options: Any) -> Answer:
        """What each position would predict after each layer: ``k``, ``positions``."""
        return self._table("logitLens", prompt, options)

    def attribution(self, prompt: str | None = None, token: str | int | None = None, **options: Any) -> Answer:
        """Which heads and MLPs made a token's logit: ``token``, ``against``, ``position``, ``interventions``."""
        return self._table("attribution", prompt, {"token": token, **options})

    def head_scores(self, prompt: str | None = None, **options: Any) -> Answer:
        """Previous-token, BOS and induction scores of every head."""
        return self._table("headScores", prompt, options)

    def routes(self, prompt: str | None = None, **options: Any) -> Answer:
        """What carries the prediction at one target: ``target``, ``threshold``, ``strongest``."""
        return self._table("routes", prompt, options)

    def patching(self, clean: str | None = None, corrupted: str | None = None, *, answer: str | int, **options: Any) -> Answer:
        """Activation patching: a grid of what each site carries from the clean run.

        Args:
            clean: The prompt with the right answer, or ``clean_ids=``.
            corrupted: The other prompt, or ``corrupted_ids=``.
            answer: The token that the clean prompt leads to.
            options: ``against``, ``site``, ``by``, ``direction``, ``metric``, ``normalize``, ``model``.
        """
        return self._answer("patching", {"clean": clean, "corrupted": corrupted, "answer": answer, **options})

    def head_effects(self, prompt: str | None = None, *, answer: str | int, **options: Any) -> Answer:
        """What ablating each head alone does to the prediction: ``against``, ``action``."""
        return self._answer("headEffects", {"prompt": prompt, "answer": answer, **options})

    def features(self, prompt: str | None = None, *, sae: str, **options: Any) -> Answer:
        """Which features of a sparse autoencoder a prompt turns on: ``k``, ``features``, ``min_activation``, ``scale``, ``bos``, ``loss_effect``."""
        return self._answer("features", {"prompt": prompt, "sae": sae, **options})

    def feature_flow(self, prompt: str | None = None, *, sae: str, feature: int, **options: Any) -> Answer:
        """Which tokens fed a feature: ``target``."""
        return self._answer("featureFlow", {"prompt": prompt, "sae": sae, "feature": feature, **options})

    def run_with_cache(self, prompt: str | None = None, **options: Any) -> ActivationCache:
        """The attention patterns of a prompt under TransformerLens' names; each layer is fetched when it is asked for."""
        return ActivationCache(self, prompt, options)

    def flows(
        self,
        prompts: Prompts,
        *,
        batch_size: int = DEFAULT_BATCH,
        in_flight: int = 3,
        progress: bool | None = None,
        **options: Any,
    ) -> Iterator[pa.RecordBatch]:
        """Flows of many prompts, in their order.

        Args:
            prompts: Texts; or an Arrow table, a pandas or polars frame, or record batches with a column ``prompt`` or
                ``ids``. Further columns come back beside the answers.
            batch_size: Rows of a request.
            in_flight: Requests at a time.
            progress: Whether a progress bar is shown; by default where the number of rows is known, is large, and tqdm
                is installed.
            options: As for :meth:`flow`; ``layout="flat"`` for readers without nested lists.

        Yields:
            Record batches with a row for each prompt. A prompt that can't be answered is a row with ``code`` and
            ``message``.

        Raises:
            InfoflowError: INCOMPLETE if the server answered with fewer rows than it was given.
        """
        yield from self.map("info-flow", prompts, batch_size=batch_size, in_flight=in_flight, progress=progress, **options)

    def map(self, name: str, prompts: Prompts, **options: Any) -> Iterator[pa.RecordBatch]:
        """As :meth:`flows`, for another question by the name of its link, such as ``"head-scores"``."""
        how = {key: options.pop(key) for key in ("batch_size", "in_flight", "progress") if key in options}
        yield from ask_in_batches(self._transport, name, prompts, options, **how)

    def batch(self, name: str, rows: pa.Table, **options: Any) -> pa.Table:
        """Answers the rows of one request: for a cell of an engine such as Ray, Daft or ``datasets.map``."""
        return pa.Table.from_batches(post_batch(self._transport, name, table_of(rows), options))

    def models(self) -> list[dict[str, Any]]:
        """The models that can be asked: name, layers, heads, channels, context, vocabulary, fingerprint,
        and weights, how they are kept on the device: F32 or F16."""
        selection = "{ name layers heads channels context vocabulary fingerprint weights }"
        return self._transport.ask("models", selection, {}, TYPES)

    def saes(self) -> list[dict[str, Any]]:
        """The sparse autoencoders that can be asked."""
        return self._transport.ask("saes", "{ name model hook layer site architecture features conversion }", {}, TYPES)

    def close(self) -> None:
        self._transport.forget()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<infoflow.Client of {self.url}>"

    def _matrix(self, field: str, prompt: str | None, options: dict[str, Any]) -> Matrix:
        arguments = to_arguments({"prompt": prompt, **options})
        answer = self._transport.ask(field, "{ matrix { arrow(layout: TENSOR) } }", arguments, TYPES)
        data = answer if isinstance(answer, bytes) else answer["matrix"]["arrow"]
        return Matrix(_read(data))

    def _table(self, field: str, prompt: str | None, options: dict[str, Any]) -> Answer:
        return self._answer(field, {"prompt": prompt, **options})

    def _answer(self, field: str, options: dict[str, Any]) -> Answer:
        selection = "{ matrix { arrow(layout: TIDY) } }" if field in WITH_MATRIX else "{ arrow }"
        answer = self._transport.ask(field, selection, to_arguments(options), TYPES)
        data = answer if isinstance(answer, bytes) else answer["matrix"]["arrow"] if "matrix" in answer else answer["arrow"]
        return Answer(_read(data))


def _read(data: Any) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(arrow_bytes(data))).read_all()


_lock = threading.Lock()
_default: tuple[int, Client] | None = None
_server: Server | None = None


def connect(url: str | None = None, token: str | None = None, *, timeout: float = 120) -> Client:
    """A client of a server that runs, by default the one that ``INFOFLOW_URL`` names."""
    url = url or os.environ.get("INFOFLOW_URL")
    if not url:
        raise ValueError("Cannot connect as there is no url, and INFOFLOW_URL is not set")
    return Client(url, token or os.environ.get("INFOFLOW_TOKEN"), timeout=timeout)


def default_client() -> Client:
    """The client of this process: of the server at ``INFOFLOW_URL``, or else of one that is started now.

    The server that is started ends with this process. Processes that it starts find it by ``INFOFLOW_URL``.
    """
    global _default, _server
    with _lock:
        if _server is not None and _server.is_own and not _server.is_running:
            # It died: the next one takes its place.
            _server = _default = None
            os.environ.pop("INFOFLOW_URL", None)
        if _default is None or _default[0] != os.getpid():
            if not os.environ.get("INFOFLOW_URL"):
                say("starting a server of the small bundled model; INFOFLOW_MODEL=gpt2 names another")
                _server = Server()
                os.environ["INFOFLOW_URL"], os.environ["INFOFLOW_TOKEN"] = _server.url, _server.token
            _default = os.getpid(), connect()
        return _default[1]


def start_server(*flags: str) -> Server:
    """Starts a server for this program, such as ``start_server("--model", "gpt2")``; the functions of this package ask it."""
    global _default, _server
    with _lock:
        _server, _default = Server(*flags), None
        os.environ["INFOFLOW_URL"], os.environ["INFOFLOW_TOKEN"] = _server.url, _server.token
        return _server


