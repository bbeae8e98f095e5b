"""The contract's errors as exceptions."""

from __future__ import annotations

import dataclasses
import functools
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from componentize_py_types import Err
from wit_world.imports import types

from .contract import misfit, whole

F = TypeVar("F", bound=Callable[..., Any])


class ConnectorError(Exception):
    """How a call or an item failed. What the host does next follows from the case alone."""

    def __init__(self, value: types.Error) -> None:
        super().__init__(f"{case(value)}: {getattr(value, 'value', '')}")
        self.value = value

    @property
    def case(self) -> str:
        """`auth`, `rejected` and so on."""
        return case(self.value)

    @staticmethod
    def auth(message: str) -> ConnectorError:
        """Credentials refused: pauses the platform."""
        return ConnectorError(types.Error_Auth(message))

    @staticmethod
    def throttled(seconds: int) -> ConnectorError:
        """Ask again after so many seconds; nothing was done."""
        return ConnectorError(types.Error_Throttled(seconds))

    @staticmethod
    def unavailable(message: str) -> ConnectorError:
        """Platform away and nothing was done: tried again."""
        return ConnectorError(types.Error_Unavailable(message))

    @staticmethod
    def timeout(message: str) -> ConnectorError:
        """Answer unknown, it may have been done: the host asks `find` before it repeats."""
        return ConnectorError(types.Error_Timeout(message))

    @staticmethod
    def rejected(path: str, message: str, code: str | None = None) -> ConnectorError:
        """Wrong data, nothing was done: waits for a person. `path` says where, e.g. `variants[0].sku`."""
        return ConnectorError(types.Error_Rejected([types.Issue(path=path, code=code, message=message)]))

    @staticmethod
    def mapping_missing(table: str, value: str, label: str | None = None) -> ConnectorError:
        """A value that the operator has to map first."""
        return ConnectorError(types.Error_MappingMissing(types.Missing(table=table, value=value, label=label)))

    @staticmethod
    def conflict(version: str | None = None) -> ConnectorError:
        """Somebody changed it meanwhile, nothing was done."""
        return ConnectorError(types.Error_Conflict(version))

    @staticmethod
    def not_found(message: str) -> ConnectorError:
        """The record is not on the platform."""
        return ConnectorError(types.Error_NotFound(message))

    @staticmethod
    def unsupported(message: str) -> ConnectorError:
        """The connector cannot do this."""
        return ConnectorError(types.Error_Unsupported(message))

    @staticmethod
    def denied(message: str) -> ConnectorError:
        """The host refused."""
        return ConnectorError(types.Error_Denied(message))

    @staticmethod
    def bug(message: str) -> ConnectorError:
        """A defect of the connector."""
        return ConnectorError(types.Error_Bug(message))


def case(value: types.Error) -> str:
    """Name of an error's case."""
    name = type(value).__name__.removeprefix("Error_")
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name).lstrip("-")


def contract_error(thrown: BaseException) -> types.Error:
    """The contract's value for anything that was raised. An error that is none itself is a defect that names its field."""
    error: types.Error = _repaired(_told(thrown))
    wrong = misfit(types.Error, error)
    return types.Error_Bug(whole(f"an error that the contract does not have: {wrong}; it says: {thrown}"[:4000])) if wrong else error


def _repaired(value: Any) -> Any:
    """Halves of characters, as a cut through a text leaves them, are no reason to lose an error."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_repaired(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = {field.name: _repaired(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **made)
    return value


def _told(thrown: BaseException) -> types.Error:
    if isinstance(thrown, ConnectorError):
        return thrown.value
    if isinstance(thrown, Err):
        value: types.Error = thrown.value
        return value
    lines = traceback.format_exception(thrown)
    return types.Error_Bug("".join(lines)[-4000:])


def ends_the_call(error: types.Error) -> bool:
    """Whether the next item would fare the same."""
    return case(error) in ("auth", "throttled", "unavailable", "denied")


def raising(function: F) -> F:
    """Raises errors as the contract has them. An exception that nobody expected is a bug with its traceback, not a crash."""

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except Exception as thrown:
            raise Err(contract_error(thrown)) from thrown

    return run  # type: ignore[return-value]
