"""Requests to a platform's JSON interface, with its answers judged."""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from wit_world.imports import report

from .contract import whole
from .error import ConnectorError
from .host import Response, Taken, host

Query = Mapping[str, object]
# Reads what the platform says with a status that is not 2xx: its body is JSON where it is, else text. A text takes the place of the
# body in the error; a `ConnectorError` is raised as it is; `None` leaves both to `Api`.
Explain = Callable[[int, Any], "str | ConnectorError | None"]


class Api:
    """A platform's interface under one address.

    A status that is not 2xx is raised as what it means: 401 and 403 `auth`, 404 and 410 `not-found`, 409 and 412
    `conflict`, 429 `throttled`, other 4xx `rejected` with the platform's words; 5xx is `unavailable` for a read and
    `timeout` for a write, which may have been done. `conflict` means that somebody changed the record meanwhile, and is tried
    again: a platform that says 409 of a SKU that is taken needs an `explain` that makes it `rejected`.
    """

    def __init__(
        self, base: str, *, credential: str | None = None, rate: str | None = None, headers: Mapping[str, str] | None = None,
        explain: Explain | None = None,
    ) -> None:
        self._base = base.rstrip("/")
        self._credential = credential
        self._rate = rate
        self._headers = dict(headers or {})
        self._explain = explain

    def get(self, path: str, **query: object) -> Any:
        """Reads."""
        return self.request("GET", path, query=query)

    def post(self, path: str, json: object, *, headers: Mapping[str, str] | None = None, repeat: str | None = None) -> Any:
        """Writes, sent once; `repeat="safe"` where it only reads."""
        return self.request("POST", path, json=json, headers=headers, repeat=repeat)

    def put(self, path: str, json: object, *, headers: Mapping[str, str] | None = None) -> Any:
        """Writes, sent once."""
        return self.request("PUT", path, json=json, headers=headers)

    def patch(self, path: str, json: object, *, headers: Mapping[str, str] | None = None) -> Any:
        """Writes, sent once."""
        return self.request("PATCH", path, json=json, headers=headers)

    def delete(self, path: str) -> Any:
        """Removes, sent once."""
        return self.request("DELETE", path)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        json: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        repeat: str | None = None,
    ) -> Any:
        """Sends and reads the answer as JSON; `None` for an empty one with status 202 or 204, or to DELETE. Other answers
        that say nothing are none: use `send` for a platform that gives them. Numbers with a point become `Decimal`."""
        response = self.send(method, path, query=query, json=json, body=body, headers=headers, repeat=repeat)
        if not response.body:
            if method == "DELETE" or response.status in (202, 204):
                return None
            words = f"HTTP {response.status} without an answer"
            raise ConnectorError.unavailable(words) if _is_read(method, repeat) else ConnectorError.timeout(words)
        try:
            return _json.loads(response.text, parse_float=Decimal)
        except ValueError as error:
            words = f"unreadable answer ({error}): {_quoted(response.text)}"
            raise (ConnectorError.unavailable if _is_read(method, repeat) else ConnectorError.timeout)(words) from error

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        json: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        repeat: str | None = None,
    ) -> Response:
        """Sends and gives the answer where its status is 2xx, for its headers or a body that is not JSON."""
        all_headers = {"accept": "application/json", **self._headers, **(headers or {})}
        if self._credential:
            all_headers["tradepost-credential"] = self._credential
        if self._rate:
            all_headers["tradepost-rate"] = self._rate
        if repeat:
            all_headers["tradepost-repeat"] = repeat
        if json is not None:
            body = _json.dumps(json, ensure_ascii=False).encode()
            all_headers.setdefault("content-type", "application/json")
        safe = _is_read(method, repeat)
        # The host says by the contract's error what was done of a request without an answer.
        response: Response = host().send(method, f"{self._base}{path}{_query(query)}", all_headers, body)
        if 200 <= response.status <= 299:
            Taken.writes += not safe
            return response
        raise _refusal(response, safe, self._explain)


def _quoted(text: str) -> str:
    """An answer that cannot be read, for words that stay in logs: a long one in JSON is data, which may hold whatever the
    platform keeps to itself."""
    if len(text) > 100 and text.lstrip()[:1] in ("{", "["):
        return f"{len(text)} characters of JSON"
    return text[:500]


def _is_read(method: str, repeat: str | None) -> bool:
    return repeat == "safe" or (repeat != "never" and method in ("GET", "HEAD"))


def _query(query: Query | None) -> str:
    pairs = [(name, value) for name, value in (query or {}).items() if value is not None]
    text = "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in pairs)
    return f"?{text}" if text else ""


def _parsed(text: str) -> Any:
    """A body as JSON, or as the text that it is."""
    try:
        return _json.loads(text, parse_float=Decimal)
    except ValueError:
        return text


def _refusal(response: Response, safe: bool, explain: Explain | None) -> ConnectorError:
    """What a status means for a REST platform; the platform's words are kept, as `explain` reads them."""
    status = response.status
    told = explain(status, _parsed(response.text)) if explain else None
    if isinstance(told, ConnectorError):
        return told
    words = f"HTTP {status}: {told or response.text[:500]}"
    if status in (401, 403):
        return ConnectorError.auth(words)
    if status in (404, 410):
        return ConnectorError.not_found(words)
    if status in (409, 412):
        # The error has room for the current version alone, and it is not known.
        host().report.log(report.Level.WARN, whole(words), [])
        return ConnectorError.conflict()
    if status == 429:
        after = response.headers.get("retry-after", "")
        return ConnectorError.throttled(int(after) if after.isdigit() else 60)
    if 400 <= status < 500 and status != 408:
        return ConnectorError.rejected("", words, str(status))
    return ConnectorError.unavailable(words) if safe else ConnectorError.timeout(words)
