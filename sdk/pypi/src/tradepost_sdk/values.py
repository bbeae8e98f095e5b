"""Values that must survive: amounts, times, texts."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal

from .error import ConnectorError

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")

# Decimals of currencies that have not two: ISO 4217.
_DIGITS = {
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0, "KWD": 3,
    "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}


def decimal(value: str | int | Decimal) -> str:
    """A decimal number of the platform as the contract has it. Floats are refused."""
    if isinstance(value, float):
        raise TypeError(f"{value} is a float; read amounts as text or Decimal")
    text = format(value, "f") if isinstance(value, Decimal) else str(value).strip()
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"`{value}` is not a decimal number")
    return text


def currency_digits(currency: str) -> int:
    """How many decimals the smallest unit of a currency has: 2 for `EUR`, 0 for `JPY`, 3 for `KWD`."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(f"`{currency}` is no currency")
    return _DIGITS.get(currency, 2)


def _digits(unit: str | int) -> int:
    digits = unit if isinstance(unit, int) else currency_digits(unit)
    if not 0 <= digits <= 9:
        raise ValueError(f"{digits} is no number of decimals")
    return digits


def from_minor(units: int, unit: str | int) -> str:
    """Smallest units as the decimal that they are: `from_minor(1050, "EUR")` is `10.50`; `from_minor(350, 3)` is `0.350`."""
    if type(units) is not int:
        raise TypeError(f"`{units}` is no whole number of smallest units")
    digits = _digits(unit)
    figures = str(abs(units)).rjust(digits + 1, "0")
    point = len(figures) - digits
    return decimal(f"{'-' if units < 0 else ''}{figures[:point]}{'.' if digits else ''}{figures[point:]}")


def to_minor(amount: str, unit: str | int, path: str = "") -> int:
    """A decimal in smallest units: `to_minor("10.5", "EUR")` is 1050. What has more decimals than the unit is `rejected`."""
    digits = _digits(unit)
    whole, _, fraction = decimal(amount).partition(".")
    if fraction[digits:].strip("0"):
        message = f"{amount} has more than the {digits} decimals that the platform calculates with."
        raise ConnectorError.rejected(path, message)
    return int(whole + fraction[:digits].ljust(digits, "0"))


def as_text(value: object, path: str) -> str:
    """A text of the platform: anything else is `rejected` at `path`, so that the row waits for a person."""
    if isinstance(value, str):
        return value
    found = "None" if value is None else f"a {type(value).__name__}"
    raise ConnectorError.rejected(path, f"{path}: expected text, found {found}")


def utc(time: str) -> str:
    """A time with an offset as the contract has it: UTC with a `Z`."""
    read = datetime.fromisoformat(time.replace("Z", "+00:00"))
    if read.tzinfo is None:
        raise ValueError(f"`{time}` says no offset")
    return read.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
