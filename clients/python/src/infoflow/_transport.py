"""HTTP to one server."""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
from typing import Any, Iterator
from urllib.parse import urlsplit

from ._errors import InfoflowError, too_old

ARROW = "application/vnd.apache.arrow.stream"
#: The beginnings of GraphQL's errors for a field or an argument that the server doesn't have.
UNKNOWN = "Unknown argument|Unknown type|Cannot query field|Value .* does not exist in"


class _Held:
    """A connection that is closed when its thread ends."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Transport:
    """Connections to a server, one for each thread, which are kept open between requests."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"Cannot connect as a server's URL must begin with http:// or https://: current value is {url}")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._parts = parts
        self._path = parts.path.rstrip("/")
        self._timeout = timeout
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._local = threading.local()

    def ask(self, field: str, selection: str, arguments: dict[str, Any], types: dict[str, str]) -> Any:
        """Asks in GraphQL.

        Returns:
            What the server answers for the field, or the bytes of Arrow where it prefers those.
        """
        declared = ", ".join(f"${name}: {types[name]}" for name in arguments)
        passed = ", ".join(f"{name}: ${name}" for name in arguments)
        query = f"query({declared}) {{ {field}({passed}) {selection} }}" if arguments else f"{{ {field} {selection} }}"
        body = json.dumps({"query": query, "variables": arguments}).encode()
        headers = {"content-type": "application/json"}
        if selection.startswith("{ matrix"):
            headers["accept"] = f"{ARROW}, application/json;q=0.5"
        response = self.request("POST", "/graphql", body, headers)
        data = response.read()
        if response.headers.get_content_type() == ARROW:
            return data
        answer = _json(data, response.status)
        if answer.get("errors"):
            error = _error_of(answer["errors"][0])
            # The arguments were checked against what this package knows.
            if re.match(UNKNOWN, str(error)):
                raise too_old(self.url, str(error)) from error
            raise error
        return answer["data"][field]

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, with no network between."""
        host = str(self._parts.hostname)
        return host in ("localhost", "::1") or host.startswith("127.")

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        """Sends a request; the caller reads the response whole.

        Raises:
            InfoflowError: If no server is there, or the response is no success.
        """
        headers = {**self._headers, **(headers or {})}
        for attempt in range(2):
            connection, is_new = self._connection()
            try:
                connection.request(method, self._path + path, body, headers)
                response = connection.getresponse()
                break
            except (http.client.BadStatusLine, ConnectionError, TimeoutError, OSError) as error:
                self.forget()
                # The server may have closed a connection that was open for long.
                if is_new or attempt == 1 or isinstance(error, TimeoutError):
                    raise InfoflowError(f"Cannot reach the server at {self.url}: {error}", "SERVER_NOT_FOUND") from error
        if response.status >= 400 and response.headers.get_content_type() != "application/graphql-response+json":
            problem = _json(response.read(), response.status)
            raise _error_of(problem["errors"][0]) if problem.get("errors") else _problem(problem, response.status)
        return response

    def forget(self) -> None:
        """Closes this thread's connection."""
        held = getattr(self._local, "held", None)
        if held is not None:
            held.connection.close()
            self._local.held = None

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        held = getattr(self._local, "held", None)
        if held is not None:
            return held.connection, False
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname, self._parts.port, timeout=self._timeout)
        self._local.held = _Held(connection)
        return connection, True


def arrow_bytes(value: Any) -> bytes:
    """The bytes of an Arrow stream, which come as they are or in base64."""
    return value if isinstance(value, bytes) else base64.b64decode(value)


def read_in_pieces(response: http.client.HTTPResponse, size: int = 2**16) -> Iterator[bytes]:
    """Reads a response piece by piece.

    Raises:
        InfoflowError: INCOMPLETE if it breaks off.
    """
    try:
        while piece := response.read(size):
            yield piece
    except (http.client.IncompleteRead, ConnectionError) as error:
        raise InfoflowError(f"The server broke off its answer: {error}", "INCOMPLETE") from error


def _json(data: bytes, status: int) -> dict[str, Any]:
    try:
        answer = json.loads(data)
        if isinstance(answer, dict):
            return answer
    except ValueError:
        pass
    text = data[:200].decode(errors="replace").strip()
    raise InfoflowError(f"The server answered {status} with something that is not Infoflow's: {text}", "SERVER_NOT_FOUND")


def _error_of(error: dict[str, Any]) -> InfoflowError:
    extensions = dict(error.get("extensions") or {})
    code = extensions.pop("code", "BAD_USER_INPUT")
    return InfoflowError(error["message"], code, extensions)


def _problem(problem: dict[str, Any], status: int) -> InfoflowError:
    code = problem.pop("code", "INTERNAL_SERVER_ERROR")
    return InfoflowError(problem.pop("detail", None) or problem.pop("title", f"status {status}"), code, problem)
