"""What goes wrong, with a code."""

from __future__ import annotations

from typing import Any


class InfoflowError(Exception):
    """An error that a server, or this package, gives a code.

    Attributes:
        code: Such as ``PROMPT_TOO_LONG``, see docs/api.md. ``SERVER_NOT_FOUND``, ``SERVER_TOO_OLD`` and ``INCOMPLETE``
            are this package's own.
        details: What the error says beside its sentence, such as ``tokens`` and ``limit``.
    """

    def __init__(self, message: str, code: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.code, self.details)


def too_old(url: str, why: str) -> InfoflowError:
    """The error of a server that doesn't have a field or an argument that this package asks for."""
    return InfoflowError(f"Cannot ask the server at {url} as it is older than this package: {why}", "SERVER_TOO_OLD")
