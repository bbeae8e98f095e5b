"""What the host lends: in a component the real one, in a test a stand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Here and not where they are used: a component has only the modules that were imported when it was made.
from wit_world.imports import files, http, platform, report, storage
from wit_world.imports.types import Field


@dataclass
class Response:
    """An answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


FOR_THE_HOST = ("tradepost-credential", "tradepost-rate", "tradepost-repeat")
"""Headers that are for the host: it takes them, and they go no further."""


def for_the_host(headers: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What is for the host, by its name in lower case, and the headers that are left. Others that begin with
    `tradepost-` are among these: the host refuses them and says why."""
    own = {name.lower(): value for name, value in headers.items() if name.lower() in FOR_THE_HOST}
    return own, {name: value for name, value in headers.items() if name.lower() not in FOR_THE_HOST}


class Component:
    """The host of a component."""

    def __init__(self) -> None:
        self.platform: Any = platform
        self.report: Any = report
        self.storage: Any = storage
        self.files: Any = files
        self._http: Any = http

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        """Sends a request.

        The headers tradepost-credential, tradepost-rate and tradepost-repeat are for the host and go no further; others
        that begin with tradepost- it refuses.
        Raises: `componentize_py_types.Err(wit_world.imports.types.Error)`
        """
        http = self._http
        own, left = for_the_host(headers)
        repeat = own.get("tradepost-repeat", "by-method").upper().replace("-", "_")
        request = http.Request(
            method=method,
            url=url,
            headers=[Field(name, value) for name, value in left.items()],
            body=http.Body_Bytes(body) if body else None,
            credential=own.get("tradepost-credential"),
            repeat=http.Repeat[repeat],
            rate=own.get("tradepost-rate"),
            timeout_ms=None,
            to_blob=False,
        )
        answer = http.send(request)
        return Response(answer.status, {field.name: field.value for field in answer.headers}, bytes(answer.body.value))


_current: Any = None


class Taken:
    """How many writes the platform has taken."""

    writes = 0


def host() -> Any:
    """The host of this process."""
    global _current
    if _current is None:
        _current = Component()
    return _current


def set_host(new: Any) -> None:
    """Puts a host in place."""
    global _current
    _current = new
