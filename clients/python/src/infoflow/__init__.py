"""Which earlier tokens fed each token of a prompt? GPT-2 on WebGPU, answers as Apache Arrow.

>>> import infoflow                                                     # doctest: +SKIP
>>> f = infoflow.flow("Mary and John went to the store. John gave the cart to", by_layer=True)
>>> f.values.shape, f.tokens[:3]
((6, 13, 13), ['Mary', ' and', ' John'])
>>> infoflow.plot_info_flow("Mary and John went to the store.")

The functions ask the server that ``INFOFLOW_URL`` names. Where that is not set, the first call starts one on this
machine, with the small model that comes with this package; it ends with this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

import pyarrow as pa

from . import aio
from ._batches import Prompts
from ._cache import ActivationCache
from ._client import Client, connect, default_client, start_server
from ._corpus import HeadStatistics, head_statistics
from ._errors import InfoflowError
from ._results import Answer, Matrix
from ._server import Server

if TYPE_CHECKING:
    import plotly.graph_objects

__version__ = "0.1.0"
__all__ = [
    "ActivationCache",
    "Answer",
    "Client",
    "HeadStatistics",
    "InfoflowError",
    "Matrix",
    "Server",
    "aio",
    "attention",
    "attribution",
    "connect",
    "feature_flow",
    "features",
    "flow",
    "flows",
    "head_effects",
    "head_scores",
    "head_statistics",
    "logit_lens",
    "next_tokens",
    "patching",
    "plot_info_flow",
    "routes",
    "run_with_cache",
    "start_server",
]


def flow(prompt: str | None = None, **options: Any) -> Matrix:
    """Which tokens feed which, see :meth:`Client.flow`."""
    return default_client().flow(prompt, **options)


def attention(prompt: str | None = None, **options: Any) -> Matrix:
    """Attention patterns head by head, see :meth:`Client.attention`."""
    return default_client().attention(prompt, **options)


def next_tokens(prompt: str | None = None, **options: Any) -> Answer:
    """The likeliest next tokens, see :meth:`Client.next_tokens`."""
    return default_client().next_tokens(prompt, **options)


def logit_lens(prompt: str | None = None, **options: Any) -> Answer:
    """What each position would predict after each layer, see :meth:`Client.logit_lens`."""
    return default_client().logit_lens(prompt, **options)


def attribution(prompt: str | None = None, token: str | int | None = None, **options: Any) -> Answer:
    """Which heads and MLPs made a token's logit, see :meth:`Client.attribution`."""
    return default_client().attribution(prompt, token, **options)


def head_scores(prompt: str | None = None, **options: Any) -> Answer:
    """Previous-token, BOS and induction scores of every head, see :meth:`Client.head_scores`."""
    return default_client().head_scores(prompt, **options)


def routes(prompt: str | None = None, **options: Any) -> Answer:
    """What carries the prediction at one target, see :meth:`Client.routes`."""
    return default_client().routes(prompt, **options)


def patching(clean: str | None = None, corrupted: str | None = None, *, answer: str | int, **options: Any) -> Answer:
    """Activation patching, see :meth:`Client.patching`."""
    return default_client().patching(clean, corrupted, answer=answer, **options)


def head_effects(prompt: str | None = None, *, answer: str | int, **options: Any) -> Answer:
    """What ablating each head alone does, see :meth:`Client.head_effects`."""
    return default_client().head_effects(prompt, answer=answer, **options)


def features(prompt: str | None = None, *, sae: str, **options: Any) -> Answer:
    """Which features of a sparse autoencoder a prompt turns on, see :meth:`Client.features`."""
    return default_client().features(prompt, sae=sae, **options)


def feature_flow(prompt: str | None = None, *, sae: str, feature: int, **options: Any) -> Answer:
    """Which tokens fed a feature, see :meth:`Client.feature_flow`."""
    return default_client().feature_flow(prompt, sae=sae, feature=feature, **options)


def run_with_cache(prompt: str | None = None, **options: Any) -> ActivationCache:
    """Attention patterns under TransformerLens' names, see :meth:`Client.run_with_cache`."""
    return default_client().run_with_cache(prompt, **options)


def flows(prompts: Prompts, **options: Any) -> Iterator[pa.RecordBatch]:
    """Flows of many prompts, see :meth:`Client.flows`."""
    return default_client().flows(prompts, **options)


def plot_info_flow(prompt: str, by_layer: bool = False, **options: Any) -> plotly.graph_objects.Figure:
    """Draws the flow of a prompt as the notebook does that Infoflow grew out of: one heatmap, or one for each layer.

    Args:
        prompt: Any text.
        by_layer: A heatmap for each layer.
        options: As for :func:`flow`. ``aggregation`` is ``"NOTEBOOK"`` unless it is given, what the notebook computes;
            ``"MEAN"`` is what it says that it computes.

    Returns:
        The figure, which shows itself in a notebook.
    """
    return flow(prompt, **{"by_layer": by_layer, "aggregation": "NOTEBOOK", **options}).plot()
