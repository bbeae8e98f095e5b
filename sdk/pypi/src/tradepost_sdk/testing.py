"""A host for tests that run in Python itself: no component, no sandbox, the connector's own code against a simulator."""

from __future__ import annotations

import inspect
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

# What a connector's methods raise, for tests that expect it.
from componentize_py_types import Err as Err
from wit_world.imports import outcomes, types

from .contract import fitting
from .error import ConnectorError
from .host import FOR_THE_HOST, Response, for_the_host, set_host

Send = Callable[[str, str, dict[str, str], bytes], Response]


class TestHost:
    """Stands in the host's place and notes what it sees. Settings that are left out have their default.

    `secrets` has the headers by credential, as the host would place them: `{"api": {"authorization": "Bearer t0ken"}}`.
    """

    __test__ = False

    def __init__(
        self,
        *,
        settings: Mapping[str, object] | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        now: str = "2026-01-01T12:00:00Z",
        preview: bool = False,
        files: Mapping[str, bytes | str] | None = None,
        send: Send | None = None,
    ) -> None:
        self.time = now
        self.secrets = dict(secrets or {})
        self.settled: list[tuple[str, outcomes.Outcome]] = []
        self.lines: list[str] = []
        self.requests: list[tuple[str, str, bytes]] = []
        self.stored: dict[str, bytes] = {}
        self.folder = {path: data.encode() if isinstance(data, str) else data for path, data in (files or {}).items()}
        self._send = send or over_the_network
        self.platform: Any = SimpleNamespace(
            settings=lambda: json.dumps({**_defaults(), **(settings or {})}), preview=lambda: preview, now=lambda: self.time
        )
        self.report: Any = SimpleNamespace(
            log=lambda level, message, fields: self.lines.append(message),
            progress=lambda done, total, current: None,
            settle=self._settle,
        )
        self.storage: Any = SimpleNamespace(
            get=self.stored.get,
            set=self.stored.__setitem__,
            remove=lambda key: self.stored.pop(key, None),
            keys=lambda prefix, after, limit: sorted(
                key for key in self.stored if key.startswith(prefix) and (after is None or key > after)
            )[:limit],
        )
        self.files: Any = SimpleNamespace(
            entries=self._entries, read=self._read, write=self.folder.__setitem__, rename=self._rename
        )
        set_host(self)

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        """Places the secret and sends; refuses what the host would."""
        own, sent = for_the_host(headers)
        if refused := next((name for name in sent if name.lower().startswith("tradepost-")), None):
            words = f"the header `{refused}` is not sent: for the host there are {', '.join(FOR_THE_HOST)}"
            raise ConnectorError(types.Error_Denied(words))
        self.requests.append((method, url, body))
        if credential := own.get("tradepost-credential"):
            sent.update(self.secrets[credential])
        return self._send(method, url, sent, body)

    def _settle(self, item: str, outcome: outcomes.Outcome) -> None:
        fitting(outcomes.Outcome, outcome, "outcome")
        self.settled.append((item, outcome))

    def _entries(self, folder: str) -> list[Any]:
        names = sorted(path for path in self.folder if path.startswith(f"{folder}/"))
        return [
            SimpleNamespace(name=path.removeprefix(f"{folder}/"), folder=False, size=len(self.folder[path]), modified=self.time)
            for path in names
        ]

    def _read(self, path: str, offset: int, length: int) -> bytes:
        if path not in self.folder:
            raise ConnectorError(types.Error_NotFound(path))
        return self.folder[path][offset : offset + length]

    def _rename(self, path: str, to: str) -> None:
        if path in self.folder:
            self.folder[to] = self.folder.pop(path)


def _defaults() -> dict[str, object]:
    """What the form of the connector that was defined last fills in."""
    import tradepost_sdk

    made = [one for one in tradepost_sdk.Connector.__subclasses__() if not inspect.isabstract(one)]
    if not made:
        return {}
    properties = json.loads(made[-1]().describe().settings_schema).get("properties", {})
    return {name: one["default"] for name, one in properties.items() if "default" in one}


def over_the_network(method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
    """Sends with Python's own client, past proxies: simulators run on this machine."""
    request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, {name.lower(): value for name, value in error.headers.items()}, error.read())
    except urllib.error.URLError as error:
        refused = isinstance(error.reason, ConnectionRefusedError)
        raise (ConnectorError.unavailable if refused else ConnectorError.timeout)(str(error.reason)) from error
