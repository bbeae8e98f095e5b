"""What the host lends: in a component the real one, in a test a stand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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


class Unanswered(Exception):
    """A request that got no answer; `code` is the host's reason."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the request got no answer: {code}")
        self.code = code


class Component:
    """The host of a component."""

    def __init__(self) -> None:
        from wit_world.imports import files, platform, report, storage

        self.platform: Any = platform
        self.report: Any = report
        self.storage: Any = storage
        self.files: Any = files

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        """Sends a request by wasi:http."""
        from . import wasi

        return wasi.send(method, url, headers, body)


_current: Any = None


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
