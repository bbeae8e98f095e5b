"""What a connector is written with.

The types of the contract are generated from its WIT: `catalog.Product`, `sales.Order` and so on.
"""

from __future__ import annotations

import functools as _functools
import importlib as _importlib
import json as _json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from wit_world import exports as _exports
from wit_world.exports import connector
from wit_world.imports import catalog, head, outcomes, records, report, sales, types

from .api import Api
from .contract import Misfit as _Misfit, fitting as _fitting, whole as _whole
from .error import ConnectorError, contract_error as _contract_error, ends_the_call as _ends_the_call, raising as _raising
from .host import Response, Taken as _Taken, host as _host
from .values import as_text, currency_digits, decimal, from_minor, to_minor, utc

if TYPE_CHECKING:
    from wit_world.exports import Source as _Source, Target as _Target, source, target
else:

    def _of_this_world(name: str) -> Any:
        """What only readers or only writers have is generated for these alone."""
        module = f"wit_world.exports.{name}"
        try:
            return _importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            return None

    source, target = _of_this_world("source"), _of_this_world("target")
    _Source, _Target = getattr(_exports, "Source", object), getattr(_exports, "Target", object)

__all__ = [
    "Api", "Connector", "ConnectorError", "Response", "Source", "Target", "as_text", "catalog", "connector",
    "currency_digits", "decimal", "done", "each", "files", "from_minor", "head", "log", "now", "outcomes", "page",
    "partial", "preview", "progress", "read_head", "read_rows", "records", "remote", "report", "sales", "settings",
    "settings_schema", "settle", "source", "storage", "target", "text", "texts", "to_minor", "types", "unchanged", "utc",
]


def _results() -> dict[str, Any]:
    """What methods give, as far as the connector's world has them."""
    given: dict[str, Any] = {"describe": connector.Description, "check": connector.Account}
    if source is not None:
        given["pull"] = source.Page
    if target is not None:
        given["find"] = list[list[target.Found]]
    return given


def _compared(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose result is compared with the contract: an error says where it differs."""
    hint = _results().get(name)

    @_functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        given = function(*args, **named)
        if hint is not None:
            _fitting(hint, given, "page" if name == "pull" else name)
        return given

    return run


class _Wrapped:
    """Methods give what the contract has, and raise errors as it has them, whatever was raised in them."""

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        for name in ("describe", "check", "pull", "acknowledge", "push", "remove", "find"):
            if name in vars(cls):
                made = _compared(name, vars(cls)[name])
                # `describe` has no error to give.
                setattr(cls, name, made if name == "describe" else _raising(made))


class Connector(_Wrapped, _exports.Connector):
    """What every connector has: `describe` and `check`."""


class Source(_Wrapped, _Source):
    """Reading from the platform: `pull`, and `acknowledge` where reading leaves something to acknowledge."""

    def acknowledge(self, kind: records.Kind, receipt: str) -> None:
        """Reading leaves nothing to acknowledge."""


class Target(_Wrapped, _Target):
    """Writing to the platform: `push`, and `remove` and `find` where they are declared."""

    @_raising
    def remove(self, kind: records.Kind, items: list[target.Doomed], how: records.Removal) -> None:
        """Nothing can be removed."""
        raise ConnectorError.unsupported("nothing can be removed here")

    @_raising
    def find(self, kind: records.Kind, probes: list[target.Probe]) -> list[list[target.Found]]:
        """Nothing can be looked up."""
        raise ConnectorError.unsupported("nothing can be looked up here")


def settings() -> dict[str, Any]:
    """The platform's settings, valid by the declared schema, defaults filled in."""
    values: dict[str, Any] = _json.loads(_host().platform.settings(), parse_float=Decimal)
    return values


def now() -> str:
    """The host's clock."""
    text: str = _host().platform.now()
    return text


def preview() -> bool:
    """In a preview requests that are not reads are refused."""
    return bool(_host().platform.preview())


def log(message: str, level: report.Level = report.Level.INFO, **fields: object) -> None:
    """A line for the host's log; secrets are masked there."""
    _host().report.log(level, _whole(message), [types.Field(name, _whole(str(value))) for name, value in fields.items()])


def progress(done: int, total: int | None = None, current: str = "") -> None:
    """Says how far a long call is."""
    _host().report.progress(done, total, current)


class _Storage:
    """Texts by key, private to the platform. They commit with the call's result."""

    def get(self, key: str) -> str | None:
        """The text of a key."""
        value = _host().storage.get(key)
        return None if value is None else bytes(value).decode()

    def set(self, key: str, text: str) -> None:
        """Keeps a text."""
        _host().storage.set(key, text.encode())

    def remove(self, key: str) -> None:
        """Forgets a key."""
        _host().storage.remove(key)

    def keys(self, prefix: str = "", after: str | None = None, limit: int = 1000) -> list[str]:
        """Keys with the prefix, sorted."""
        return list(_host().storage.keys(prefix, after, limit))


class _Files:
    """The exchange folder, where the connector asks for one: `inbox`, `outbox`, `done`, `failed`."""

    def entries(self, folder: str) -> list[Any]:
        """What is in a folder, sorted by name."""
        return list(_host().files.entries(folder))

    def read(self, path: str) -> bytes:
        """A whole file."""
        chunks: list[bytes] = []
        offset = 0
        while chunk := bytes(_host().files.read(path, offset, 4 << 20)):
            chunks.append(chunk)
            offset += len(chunk)
        return b"".join(chunks)

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        try:
            _host().files.read(path, 0, 1)
        except Exception as thrown:
            if isinstance(_contract_error(thrown), types.Error_NotFound):
                return False
            raise
        return True

    def write(self, path: str, data: bytes | str) -> None:
        """Writes a file, whole or not at all."""
        _host().files.write(path, data.encode() if isinstance(data, str) else data)

    def rename(self, path: str, to: str) -> None:
        """Only in `acknowledge`."""
        _host().files.rename(path, to)


storage = _Storage()
files = _Files()


def settle(item: str, outcome: outcomes.Outcome) -> None:
    """Says what became of a pushed item."""
    _fitting(str, item, "item")
    _fitting(outcomes.Outcome, outcome, "outcome")
    _host().report.settle(item, outcome)


class _HasHead(Protocol):
    head: head.Head


R = TypeVar("R", bound=_HasHead)
Row = TypeVar("Row")
Made = TypeVar("Made")


def each(all: Iterable[R], write: Callable[[R], outcomes.Outcome]) -> None:
    """Writes item by item and settles each by what its function gives or raises. Ends where the next would fare the same.

    A defect, or a platform that went away, after the platform has taken a write of the item says nothing of that write:
    the item is settled as `timeout`, so that the host asks `find` before it repeats.
    """
    for record in all:
        before = _Taken.writes
        try:
            outcome = write(record)
            _fitting(outcomes.Outcome, outcome, "outcome")
        except Exception as thrown:
            error = _contract_error(thrown)
            told = error
            if _Taken.writes > before and isinstance(error, types.Error_Bug | types.Error_Unavailable):
                told = types.Error_Timeout(f"after a write: {error.value}")
            settle(record.head.item, outcomes.Outcome_Failed(told))
            if _ends_the_call(error):
                raise
            continue
        settle(record.head.item, outcome)


def _written(
    remote: types.RemoteRef, parts: Sequence[head.Part], total: str | None, warnings: Sequence[types.Issue]
) -> outcomes.Written:
    return outcomes.Written(remote=remote, parts=list(parts), total=total, warnings=list(warnings))


def done(
    remote: types.RemoteRef, *, parts: Sequence[head.Part] = (), total: str | None = None, warnings: Sequence[types.Issue] = ()
) -> outcomes.Outcome:
    """The object exists and all is written."""
    return outcomes.Outcome_Done(_written(remote, parts, total, warnings))


def partial(
    remote: types.RemoteRef, *, parts: Sequence[head.Part] = (), total: str | None = None, warnings: Sequence[types.Issue] = ()
) -> outcomes.Outcome:
    """The object exists, steps are missing."""
    return outcomes.Outcome_Partial(_written(remote, parts, total, warnings))


def unchanged(remote: types.RemoteRef) -> outcomes.Outcome:
    """Nothing had to be written."""
    return outcomes.Outcome_Unchanged(remote)


def remote(id: object, *, parent: object = None, version: str | None = None) -> types.RemoteRef:
    """A reference to an object on the platform."""
    if id is None or id == "":
        raise ConnectorError.bug("the platform's answer names no id")
    if isinstance(id, float) or isinstance(parent, float):
        raise ConnectorError.bug(f"the id {id} is a float, which may have been rounded")
    return types.RemoteRef(id=str(id), parent=None if parent is None else str(parent), version=version)


def read_head(
    id: object, *, parent: object = None, updated: str | None = None, marker: str | None = None, parts: Sequence[head.Part] = ()
) -> head.Head:
    """The head of a record that was read."""
    return head.Head(op=head.Op.READ, item="", marker=marker, remote=remote(id, parent=parent), parts=list(parts), updated=updated)


def page(
    *all: records.Records,
    deleted: Sequence[records.Deletion] = (),
    unreadable: Sequence[records.Unreadable] = (),
    present: Sequence[records.Present] = (),
    next: object = None,
    watermark: str | None = None,
    receipt: str | None = None,
    total: int | None = None,
) -> source.Page:
    """One page; what is left out is empty."""
    return source.Page(
        records=list(all), deleted=list(deleted), unreadable=list(unreadable), present=list(present),
        next=None if next is None else str(next), watermark=watermark, receipt=receipt, total=total,
    )


def read_rows(rows: Iterable[Row], convert: Callable[[Row], Made]) -> tuple[list[Made], list[records.Unreadable]]:
    """Rows as records, and what could not be converted: that is handed over raw, for a person to look at, and stops no other.

    So is a row whose record is not what the contract has: `name=None` where a text is due. Errors that concern more than this
    row are raised: all but `rejected` and defects.
    """
    read: list[Made] = []
    unreadable: list[records.Unreadable] = []
    for row in rows:
        try:
            made = convert(row)
            for one in made if isinstance(made, list) else [made]:
                _fitting(type(one), one)
            read.append(made)
        except Exception as thrown:
            error = _contract_error(thrown)
            if isinstance(error, types.Error_Rejected):
                why = " ".join(issue.message for issue in error.value)
            elif isinstance(error, types.Error_Bug):
                why = str(thrown) if isinstance(thrown, _Misfit) else f"{type(thrown).__name__}: {thrown}"
            else:
                raise
            own = row.get("id") if isinstance(row, dict) else None
            raw = _whole(_json.dumps(row, default=str, ensure_ascii=False))
            unreadable.append(records.Unreadable(None if own is None else _whole(str(own)), raw, _whole(why)))
    return read, unreadable


def texts(language: str, name: str, *, short_html: str | None = None, long_html: str | None = None) -> catalog.Texts:
    """Texts of one language of a product or category."""
    return catalog.Texts(
        language=language, name=name, short_html=short_html, long_html=long_html, slug=None, meta_title=None,
        meta_description=None, keywords=[],
    )


def text(english: str, **others: str) -> list[types.Text]:
    """A text in English, and in other languages where there are some: `text("Shop", de="Laden")`."""
    return [types.Text("en", english), *(types.Text(language, value) for language, value in others.items())]


def settings_schema(properties: Mapping[str, Mapping[str, object]]) -> str:
    """A JSON Schema of settings: what has no default is needed, unless it says `"optional": True`."""
    required = [name for name, one in properties.items() if "default" not in one and not one.get("optional")]
    shown = {name: {key: value for key, value in one.items() if key != "optional"} for name, one in properties.items()}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": False,
        "required": required, "properties": shown,
    }
    return _json.dumps(schema)
