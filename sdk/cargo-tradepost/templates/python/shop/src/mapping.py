"""Conversions between the shop's shapes and the contract's: pure, so that most tests are about this file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tradepost_sdk import ConnectorError, catalog, decimal, head, read_head, remote, sales, texts, types, utc

# The shop has one channel and one warehouse.
MAIN = "main"

Json = dict[str, Any]


def explain(status: int, body: Any) -> str | ConnectorError | None:
    """What the shop says where it refuses. Its 409 is a SKU that is taken, and nobody else's change."""
    error = body.get("error") if isinstance(body, dict) else None
    if not error:
        return None
    if status in (409, 422):
        return ConnectorError.rejected(error["field"] or "", error["message"], error["code"])
    return str(error["message"])


def parts(there: Json) -> list[head.Part]:
    """The parts that the host should remember of a product."""
    return [head.Part(head.PartKind.VARIANT, there["sku"], str(there["id"]))]


def basis(shop: Json) -> types.TaxBasis:
    """Whether the shop's amounts contain tax."""
    return types.TaxBasis.GROSS if shop["prices_include_tax"] else types.TaxBasis.NET


def maybe(value: str | None) -> str | None:
    """A decimal that may be missing."""
    return None if value is None else decimal(value)


def product(row: Json, language: str) -> catalog.Product:
    """A product with its one variant."""
    return catalog.Product(
        head=read_head(row["id"], updated=utc(row["updated_at"]), marker=row["reference"], parts=parts(row)),
        base=catalog.ProductBase(number=row["sku"], form=catalog.Form.GOODS, active=row["active"], manufacturer=None, unit=None),
        texts=[texts(language, row["name"], long_html=row["description"])],
        # What the shop does not have says nothing.
        pictures=None,
        categories=None,
        attributes=None,
        variants=[
            catalog.Variant(
                remote=remote(row["id"]), sku=row["sku"], gtin=row["gtin"], mpn=None, active=row["active"], tax_class=None,
                tax_percent=maybe(row["tax_percent"]), choices=[], weight_kg=maybe(row["weight_kg"]), pictures=None, extra=[],
            )
        ],
        extra=[],
    )


def stock(row: Json) -> catalog.StockLevel:
    """Stock of a product."""
    return catalog.StockLevel(
        head=read_head(row["id"], updated=utc(row["updated_at"])), variant=types.Link(str(row["id"]), row["sku"]),
        warehouse=MAIN, quantity=decimal(row["stock"]), unlimited=False, taken=None,
    )


def price(row: Json, shop: Json) -> catalog.Price:
    """Price of a product."""
    return catalog.Price(
        head=read_head(row["id"], updated=utc(row["updated_at"])), variant=types.Link(str(row["id"]), row["sku"]), channel=MAIN,
        kind=catalog.PriceKind.BASE, currency=shop["currency"], basis=basis(shop), amount=decimal(row["price"]), from_quantity="1",
        valid_from=None, valid_to=None,
    )


_STATES = {
    "open": sales.OrderState.OPEN,
    "shipped": sales.OrderState.SHIPPED,
    "completed": sales.OrderState.COMPLETED,
    "cancelled": sales.OrderState.CANCELLED,
}


def order(row: Json, shop: Json) -> sales.Order:
    """An order with its lines; shipping is one of them."""
    paid = sales.PaymentState.PAID if row["paid"] else sales.PaymentState.UNPAID
    to = row["address"]
    address = sales.Address(
        key="billing", company=None, first_name=to["first_name"], last_name=to["last_name"], lines=[to["street"]],
        postcode=to["postcode"], city=to["city"], region=None, country=to["country"], phone=None,
    )
    lines = [
        line(str(one["id"]), sales.LineKind.PRODUCT, one, decimal(one["quantity"]), decimal(one["unit_price"]),
             types.Link(str(one["product_id"]), one["sku"]))
        for one in row["lines"]
    ]
    lines.append(line("shipping", sales.LineKind.SHIPPING, row["shipping"], "1", decimal(row["shipping"]["total"]), None))
    return sales.Order(
        head=read_head(row["id"], updated=utc(row["updated_at"])),
        number=row["number"], other_number=None, channel=MAIN, placed=utc(row["placed_at"]),
        state=_STATES.get(row["state"], sales.OrderState.OPEN), payment_state=paid, currency=row["currency"], basis=basis(shop),
        customer=types.Link(None, row["email"]),
        buyer=sales.CustomerBase(
            number=None, email=row["email"], phone=None, company=None, first_name=to["first_name"], last_name=to["last_name"],
            vat_id=None, language=shop["language"], group=None, guest=True, active=True,
        ),
        billing=address, shipping=None, lines=lines, taxes=[],
        payments=[
            sales.Payment(
                id=None, method=row["payment"]["method"], state=paid, amount=decimal(row["payment"]["amount"]),
                transaction=row["payment"]["transaction"], at=None,
            )
        ],
        delivery=None, total=decimal(row["total"]), note=row["note"], extra=[],
    )


def line(id: str, kind: sales.LineKind, row: Json, quantity: str, unit: str, variant: types.Link | None) -> sales.Line:
    """One line of an order."""
    return sales.Line(
        id=id, kind=kind, variant=variant, name=row["name"], quantity=quantity, unit_price=unit, total=decimal(row["total"]),
        tax_percent=maybe(row["tax_percent"]), tax=None, tax_code=None, extra=[],
    )


def body(record: catalog.Product, language: str) -> Json:
    """What is to be written of a product: the facets that are present, and nothing of the others."""
    made: Json = {}
    if record.base:
        made["active"] = record.base.active
    for words in record.texts:
        if words.language == language:
            made.update(name=words.name, description=words.long_html)
    if record.variants is not None:
        if len(record.variants) != 1:
            message = "The shop has only products without variants. Give each variant a product of its own."
            raise ConnectorError.rejected("variants", message)
        only = record.variants[0]
        made.update(sku=only.sku, gtin=only.gtin, weight_kg=only.weight_kg)
        # A head that was not sent says nothing: a hidden product stays hidden.
        if not only.active:
            made["active"] = False
        if only.tax_percent:
            made["tax_percent"] = only.tax_percent
    return made


_NUMBERS = ("price", "stock", "tax_percent", "weight_kg")


def changes(wanted: Json, there: Json) -> Json:
    """What is different from what is there; what is the same needs no write."""

    def same(name: str, value: Any) -> bool:
        before = there.get(name)
        if name in _NUMBERS and value is not None and before is not None:
            return Decimal(value) == Decimal(before)
        return bool(value == before)

    return {name: value for name, value in wanted.items() if not same(name, value)}
