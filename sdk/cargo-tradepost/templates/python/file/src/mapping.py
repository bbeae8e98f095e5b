"""Conversions between the files' shapes and the contract's: pure, so that most tests are about this file."""

from __future__ import annotations

from typing import Any

from tradepost_sdk import catalog, decimal, head, read_head, remote, sales, texts

Json = dict[str, Any]


def product(row: Json, language: str) -> catalog.Product:
    """A product with its one variant."""
    variant = catalog.Variant(
        remote=remote(row["id"]), sku=row["sku"], gtin=None, mpn=None, active=row["active"], tax_class=None,
        tax_percent=maybe(row["tax_percent"]), choices=[], weight_kg=maybe(row["weight_kg"]), pictures=None, extra=[],
    )
    return catalog.Product(
        head=read_head(row["id"], parts=[head.Part(head.PartKind.VARIANT, row["sku"], str(row["id"]))]),
        base=catalog.ProductBase(number=row["sku"], form=catalog.Form.GOODS, active=row["active"], manufacturer=None, unit=None),
        texts=[texts(language, row["name"], long_html=row["description"])],
        # What the files do not have says nothing.
        pictures=None, categories=None, attributes=None, variants=[variant], extra=[],
    )


def maybe(value: str | None) -> str | None:
    """A decimal that may be missing."""
    return None if value is None else decimal(value)


def order(record: sales.Order) -> Json:
    """An order as it goes out."""
    lines = [
        {"sku": line.variant.key if line.variant else None, "name": line.name, "quantity": line.quantity, "total": line.total}
        for line in record.lines
    ]
    return {
        "number": record.number, "item": record.head.item, "placed": record.placed, "currency": record.currency,
        "total": record.total, "email": record.buyer.email, "lines": lines,
    }
