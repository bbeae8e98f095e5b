"""Compares what a connector gives with the contract.

The engine that runs components ends the whole call at a value of another type, and names neither record nor field.
"""

from __future__ import annotations

import functools
import re
import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Union

# Gives nothing, or where and how a value differs: the place is put together only where one does.
Wrong = Union[tuple[str, str], None]
Compared = Callable[[Any], Wrong]

_HALVES = re.compile("[\ud800-\udfff]")


class Misfit(TypeError):
    """A value is not what the contract has."""


def misfit(hint: Any, value: object, path: str = "") -> str | None:
    """Where a value differs from a type of the contract, in a sentence: `texts[0].name: expected text, found None`."""
    wrong = _compare(hint)(value)
    if not wrong:
        return None
    place, words = _below(path, wrong) if path else wrong
    return f"{place or 'the value'}: {words}"


def fitting(hint: Any, value: object, path: str = "") -> None:
    """Raises a sentence that begins with where the value differs."""
    if wrong := misfit(hint, value, path):
        raise Misfit(wrong)


def whole(text: str) -> str:
    """The text with halves of characters replaced, as a cut through an emoji leaves them: the contract has none."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


@functools.cache
def _compare(hint: Any) -> Compared:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is str:
        return _text
    if origin in (Union, types.UnionType):
        return _one_of([one for one in args if one is not type(None)], type(None) in args)
    if origin is list:
        return _list(_compare(args[0]))
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    if isinstance(hint, type):
        named = {bool: "True or False", int: "a whole number"}.get(hint, hint.__name__)
        names = f"one of {hint.__name__}" if issubclass(hint, Enum) else named
        # A bool is an int to Python, and none to the contract.
        exact = hint in (bool, int)
        return lambda value: None if (type(value) is hint if exact else isinstance(value, hint)) else _says(names, value)
    raise TypeError(f"the contract has no {hint}")


def _text(value: Any) -> Wrong:
    if not isinstance(value, str):
        return _says("text", value)
    if not value.isascii() and _HALVES.search(value):
        return "", "the text has half a character in it"
    return None


def _one_of(hints: list[Any], optional: bool) -> Compared:
    if len(hints) == 1:
        only = _compare(hints[0])
        return lambda value: None if optional and value is None else only(value)

    def compared(value: Any) -> Wrong:
        if optional and value is None:
            return None
        for hint in hints:
            if isinstance(value, hint):
                return _compare(hint)(value)
        return _says(f"one of {', '.join(hint.__name__ for hint in hints)}", value)

    return compared


def _list(each: Compared) -> Compared:
    def compared(value: Any) -> Wrong:
        if not isinstance(value, list):
            return _says("a list", value)
        for at, one in enumerate(value):
            if wrong := each(one):
                return _below(f"[{at}]", wrong)
        return None

    return compared


def _record(hint: type) -> Compared:
    # When there is a value, not before: a type may be reached from itself.
    @functools.cache
    def members() -> list[tuple[str, Compared]]:
        hints = typing.get_type_hints(hint)
        return [(field.name, _compare(hints[field.name])) for field in fields(hint)]

    def compared(value: Any) -> Wrong:
        if not isinstance(value, hint):
            return _says(f"a {hint.__name__}", value)
        for name, member in members():
            if wrong := member(getattr(value, name)):
                return _below(name, wrong)
        return None

    return compared


def _below(place: str, wrong: tuple[str, str]) -> tuple[str, str]:
    path, words = wrong
    return f"{place}{'' if not path or path.startswith('[') else '.'}{path}", words


def _says(expected: str, found: object) -> tuple[str, str]:
    if isinstance(found, str):
        shown = f"the text `{whole(found[:60])}`"
    elif isinstance(found, (bool, int, float)):
        shown = f"{type(found).__name__} {found}"
    else:
        shown = "None" if found is None else f"a {type(found).__name__}"
    return "", f"expected {expected}, found {shown}"
