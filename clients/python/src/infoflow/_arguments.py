"""From Python's arguments to those of the server's questions."""

from __future__ import annotations

from typing import Any

#: The GraphQL types of all arguments, by their names there.
TYPES = {
    "prompt": "String!",
    "ids": "[Int!]!",
    "model": "String!",
    "specialTokens": "Boolean!",
    "bos": "BosPolicy!",
    "byLayer": "Boolean!",
    "aggregation": "Aggregation!",
    "method": "Method!",
    "layers": "[Int!]!",
    "heads": "[Int!]!",
    "targets": "[Int!]!",
    "cells": "Int!",
    "ablate": "[HeadInput!]!",
    "interventions": "[InterventionInput!]!",
    "difference": "Boolean!",
    "k": "Int!",
    "tokens": "[TokenName!]!",
    "token": "TokenName!",
    "against": "TokenName!",
    "position": "Int!",
    "positions": "[Int!]!",
    "target": "Int!",
    "threshold": "Float!",
    "strongest": "Int!",
    "answer": "TokenName!",
    "clean": "String!",
    "cleanIds": "[Int!]!",
    "corrupted": "String!",
    "corruptedIds": "[Int!]!",
    "site": "Site!",
    "by": "PatchGrid!",
    "direction": "PatchDirection!",
    "metric": "PatchMetric!",
    "normalize": "Boolean!",
    "action": "Action!",
    "sae": "String!",
    "feature": "Int!",
    "minActivation": "Float!",
    "scale": "ActivationScale!",
}


def to_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """Names options as the server does and leaves out what is None.

    >>> to_arguments({"by_layer": True, "layers": None, "ablate": [(3, 1)]})
    {'byLayer': True, 'ablate': [{'layer': 3, 'head': 1}]}

    Raises:
        TypeError: If there is no such option.
    """
    arguments = {}
    for name, value in options.items():
        if value is None:
            continue
        camel = _camel(name)
        if camel not in TYPES:
            raise TypeError(f"Cannot ask with {name}: there is no such option")
        if camel in ("layers", "heads", "targets", "positions", "ids", "cleanIds", "corruptedIds"):
            value = [value] if isinstance(value, int) else [int(it) for it in value]
        elif camel == "ablate":
            value = [_head(it) for it in value]
        elif camel == "interventions":
            value = [{_camel(key): _plain(it) for key, it in one.items()} for one in value]
        arguments[camel] = value
    return arguments


def _head(head: Any) -> dict[str, int]:
    if isinstance(head, str):
        head = head.split(".")
    if isinstance(head, dict):
        return head
    layer, number = head
    return {"layer": int(layer), "head": int(number)}


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
