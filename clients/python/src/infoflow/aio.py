"""The same functions as coroutines.

>>> matrix = await infoflow.aio.flow("Hello world")        # doctest: +SKIP
>>> async for batch in infoflow.aio.flows(prompts): ...
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, AsyncIterator

import pyarrow as pa

if TYPE_CHECKING:
    from ._batches import Prompts
    from ._cache import ActivationCache
    from ._client import Client
    from ._corpus import HeadStatistics
    from ._results import Answer, Matrix


async def _ask(name: str, *args: Any, client: Client | None = None, **options: Any) -> Any:
    from ._client import default_client

    def ask() -> Any:
        return getattr(client or default_client(), name)(*args, **options)

    return await asyncio.to_thread(ask)


async def flow(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Matrix:
    """Which tokens feed which, see :meth:`infoflow.Client.flow`."""
    return await _ask("flow", prompt, client=client, **options)


async def attention(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Matrix:
    """Attention patterns head by head, see :meth:`infoflow.Client.attention`."""
    return await _ask("attention", prompt, client=client, **options)


async def next_tokens(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """The likeliest next tokens, see :meth:`infoflow.Client.next_tokens`."""
    return await _ask("next_tokens", prompt, client=client, **options)


async def logit_lens(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """What each position would predict after each layer, see :meth:`infoflow.Client.logit_lens`."""
    return await _ask("logit_lens", prompt, client=client, **options)


async def attribution(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """Which heads and MLPs made a token's logit, see :meth:`infoflow.Client.attribution`."""
    return await _ask("attribution", prompt, client=client, **options)


async def head_scores(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """Previous-token, BOS and induction scores of every head, see :meth:`infoflow.Client.head_scores`."""
    return await _ask("head_scores", prompt, client=client, **options)


async def routes(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """What carries the prediction at one target, see :meth:`infoflow.Client.routes`."""
    return await _ask("routes", prompt, client=client, **options)


async def patching(clean: str | None = None, corrupted: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """Activation patching, see :meth:`infoflow.Client.patching`."""
    return await _ask("patching", clean, corrupted, client=client, **options)


async def head_effects(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """What ablating each head alone does, see :meth:`infoflow.Client.head_effects`."""
    return await _ask("head_effects", prompt, client=client, **options)


async def features(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """Which features of a sparse autoencoder a prompt turns on, see :meth:`infoflow.Client.features`."""
    return await _ask("features", prompt, client=client, **options)


async def feature_flow(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> Answer:
    """Which tokens fed a feature, see :meth:`infoflow.Client.feature_flow`."""
    return await _ask("feature_flow", prompt, client=client, **options)


async def run_with_cache(prompt: str | None = None, *, client: Client | None = None, **options: Any) -> ActivationCache:
    """Attention patterns under TransformerLens' names, see :meth:`infoflow.Client.run_with_cache`."""
    return await _ask("run_with_cache", prompt, client=client, **options)


async def flows(prompts: Prompts, *, client: Client | None = None, **options: Any) -> AsyncIterator[pa.RecordBatch]:
    """Flows of many prompts, see :meth:`infoflow.Client.flows`."""
    batches = await _ask("flows", prompts, client=client, **options)
    end = object()
    try:
        while (batch := await asyncio.to_thread(next, batches, end)) is not end:
            yield batch
    finally:
        await asyncio.to_thread(batches.close)


async def head_statistics(prompts: Prompts | None = None, **options: Any) -> HeadStatistics:
    """What every head does over a corpus, see :func:`infoflow.head_statistics`."""
    from ._corpus import head_statistics

    return await asyncio.to_thread(head_statistics, prompts, **options)
