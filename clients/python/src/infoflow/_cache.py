"""Attention patterns under TransformerLens' names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Iterator, Mapping

import numpy as np

if TYPE_CHECKING:
    from ._client import Client


class ActivationCache(Mapping[str, np.ndarray]):
    """What ``HookedTransformer.run_with_cache`` calls the cache, for attention patterns.

    >>> cache = infoflow.run_with_cache("Hello world")        # doctest: +SKIP
    >>> cache["pattern", 5].shape                             # (heads, target, source), BOS first
    (8, 3, 3)
    >>> cache["blocks.5.attn.hook_pattern"] is cache["pattern", 5]
    True
    """

    def __init__(self, client: Client, prompt: str | None, options: dict[str, Any]) -> None:
        self._client = client
        self._prompt = prompt
        self._options = {"bos": "KEEP", **options}
        self._patterns: dict[int, np.ndarray] = {}
        first = client.attention(prompt, layers=[0], **self._options)
        self._patterns[0] = first.values[0]
        #: The tokens along both axes, BOS first.
        self.tokens: list[str] = first.tokens
        self._model = next(model for model in client.models() if model["name"] == first.model)

    @property
    def layers(self) -> int:
        return self._model["layers"]

    def __getitem__(self, key: str | tuple[str, int] | tuple[str, int, str]) -> np.ndarray:
        """The patterns of a layer, (head, target, source), float32.

        Args:
            key: ``("pattern", layer)``, ``("attn", layer)``, ``("pattern", layer, "attn")`` or
                ``"blocks.LAYER.attn.hook_pattern"``. A negative layer counts from the last.

        Raises:
            KeyError: For another name, with those that there are.
        """
        layer = self._layer_of(key)
        if layer not in self._patterns:
            self._patterns[layer] = self._client.attention(self._prompt, layers=[layer], **self._options).values[0]
        return self._patterns[layer]

    def __iter__(self) -> Iterator[str]:
        return (f"blocks.{layer}.attn.hook_pattern" for layer in range(self.layers))

    def __len__(self) -> int:
        return self.layers

    def __repr__(self) -> str:
        return f"<ActivationCache of {self._model['name']}: patterns of {self.layers} layers, {len(self.tokens)} tokens>"

    def _layer_of(self, key: Any) -> int:
        if isinstance(key, str):
            match = re.fullmatch(r"blocks\.(\d+)\.attn\.hook_pattern", key)
            layer = int(match[1]) if match else None
        else:
            name, layer, *_ = (*key, None)
            layer = layer if name in ("pattern", "attn") else None
        if layer is not None and layer < 0:
            layer += self.layers
        if layer is None or not 0 <= layer < self.layers:
            raise KeyError(
                f"{key!r}: the names are ('pattern', layer) and 'blocks.LAYER.attn.hook_pattern', layers are 0 to {self.layers - 1}"
            )
        return layer
