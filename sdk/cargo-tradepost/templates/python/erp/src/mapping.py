"""Conversions between the ERP's shapes and the contract's: pure, so that most tests are about this file."""

from __future__ import annotations

from typing import Any

from tradepost_sdk import (
    ConnectorError, catalog, decimal, from_minor, head, read_head, remote, sales, texts, to_minor, types, utc,
)

# The ERP has one channel.
MAIN = "main"

Json = dict[str, Any]


def amount(hundredths: int) -> str:
    """Hundredths as the amount or percentage they are."""
    return from_minor(hundredths, 2)


def hundredths(text: str, path: str) -> int:
    """An amount or percentage in hundredths, which the ERP calculates in; `path` says where it stands."""
    return to_minor(text, 2, path)


def explain(status: int, body: Any) -> str | ConnectorError | None:
    """What the ERP says where it refuses."""
    if not isinstance(body, dict):
        return None
    issues = [types.Issue(one["field"], str(status), one["message"]) for one in body.get("errors", [])]
    return ConnectorError(types.Error_Rejected(issues)) if issues else body.get("message")


def percent(rate: int | None) -> str | None:
    """A tax rate that may be missing."""
    return None if rate is None else amount(rate)


def product(row: Json, language: str) -> catalog.Product:
    """An item is a product with one variant."""
    weight = None if row["weight_g"] is None else from_minor(row["weight_g"], 3)
    variant = catalog.Variant(
        remote=remote(row["id"]), sku=row["sku"], gtin=row["barcode"], mpn=None, active=row["active"], tax_class=None,
        tax_percent=percent(row["tax_rate"]), choices=[], weight_kg=weight, pictures=None, extra=[],
    )
    parts = [head.Part(head.PartKind.VARIANT, row["sku"], str(row["id"]))]
    return catalog.Product(
        head=read_head(row["id"], updated=utc(row["modified_at"]), parts=parts),
        base=catalog.ProductBase(number=row["sku"], form=catalog.Form.GOODS, active=row["active"], manufacturer=None, unit=None),
        texts=[texts(language, row["name"], long_html=row["description"])],
        # What the ERP does not have says nothing.
        pictures=None,
        categories=None,
        attributes=None,
        variants=[variant],
        extra=[],
    )


def stock(row: Json) -> list[catalog.StockLevel]:
    """What each warehouse has of an item."""
    return [
        catalog.StockLevel(
            head=read_head(row["id"], updated=utc(row["modified_at"])), variant=types.Link(str(row["id"]), row["sku"]),
            warehouse=level["warehouse"], quantity=decimal(level["available"]), unlimited=False, taken=None,
        )
        for level in row["levels"]
    ]


def price(row: Json, currency: str) -> catalog.Price:
    """Price of an item."""
    return catalog.Price(
        head=read_head(row["id"], updated=utc(row["modified_at"])), variant=types.Link(str(row["id"]), row["sku"]), channel=MAIN,
        kind=catalog.PriceKind.BASE, currency=currency, basis=types.TaxBasis.NET, amount=amount(row["net_price"]),
        from_quantity="1", valid_from=None, valid_to=None,
    )


_STATES = {
    "confirmed": sales.OrderState.OPEN,
    "partly_shipped": sales.OrderState.PARTLY_SHIPPED,
    "shipped": sales.OrderState.SHIPPED,
    "closed": sales.OrderState.COMPLETED,
    "cancelled": sales.OrderState.CANCELLED,
}


def order(row: Json) -> sales.Order:
    """An order. Who sold it elsewhere knows it by its marker."""
    if row["number"] is None:
        raise ConnectorError.rejected("number", "A draft has no number yet.")
    if row["state"] not in _STATES:
        raise ConnectorError.rejected("state", f"The state `{row['state']}` is not known.")
    billing = address("billing", row["billing_address"])
    to = row["delivery_address"]
    return sales.Order(
        head=read_head(row["id"], updated=utc(row["modified_at"]), marker=row["external_reference"], parts=parts(row)),
        number=row["number"], other_number=row["customer_reference"], channel=MAIN, placed=utc(row["ordered_at"]),
        state=_STATES[row["state"]], payment_state=payment_state(row), currency=row["currency"], basis=types.TaxBasis.NET,
        customer=types.Link(None, row["email"] or row["number"]),
        buyer=sales.CustomerBase(
            number=None, email=row["email"], phone=None, company=billing.company, first_name=billing.first_name,
            last_name=billing.last_name, vat_id=None, language=None, group=None, guest=True, active=True,
        ),
        billing=billing, shipping=address("shipping", to) if to else None, lines=[line(one) for one in row["lines"]],
        taxes=[sales.Tax(amount(tax["tax_rate"]), amount(tax["net"]), amount(tax["tax"])) for tax in row["taxes"]],
        payments=[
            sales.Payment(
                id=one["reference"], method=one["method"], state=sales.PaymentState.PAID, amount=amount(one["amount"]),
                transaction=one["transaction"], at=one["paid_at"] and utc(one["paid_at"]),
            )
            for one in row["payments"]
        ],
        delivery=None, total=amount(row["gross"]), note=row["note"], extra=[],
    )


def payment_state(row: Json) -> sales.PaymentState:
    """What the payments come to."""
    paid = sum(payment["amount"] for payment in row["payments"])
    if paid >= row["gross"]:
        return sales.PaymentState.PAID
    return sales.PaymentState.PARTLY_PAID if paid > 0 else sales.PaymentState.UNPAID


def address(key: str, row: Json) -> sales.Address:
    """Where somebody is."""
    return sales.Address(
        key=key, company=row["company"], first_name=row["first_name"], last_name=row["last_name"], lines=row["lines"],
        postcode=row["postcode"], city=row["city"], region=None, country=row["country"], phone=None,
    )


def line(row: Json) -> sales.Line:
    """One line of an order."""
    charge = sales.LineKind.DISCOUNT if row["net"] < 0 else sales.LineKind.FEE
    kinds = {"item": sales.LineKind.PRODUCT, "shipping": sales.LineKind.SHIPPING, "charge": charge, "text": sales.LineKind.TEXT}
    if row["kind"] not in kinds:
        raise ConnectorError.rejected("lines", f"The kind of line `{row['kind']}` is not known.")
    return sales.Line(
        id=str(row["id"]), kind=kinds[row["kind"]],
        variant=None if row["item_id"] is None else types.Link(str(row["item_id"]), row["sku"] or ""), name=row["name"],
        quantity=decimal(row["quantity"]), unit_price=decimal(row["unit_price"]), total=amount(row["net"]),
        tax_percent=percent(row["tax_rate"]), tax=None, tax_code=None, extra=[],
    )


def parts(row: Json) -> list[head.Part]:
    """Which of the order's lines is which here, so that deliveries can name them."""
    named = [one for one in row["lines"] if one["reference"] is not None]
    return [head.Part(head.PartKind.LINE, one["reference"], str(one["id"])) for one in named]


def shipment(row: Json) -> sales.Shipment:
    """Goods that left."""
    parcels = [
        sales.Parcel(
            number=number, carrier=one["carrier"], tracking=one["tracking_code"], tracking_url=None, weight_kg=None,
            lines=[sales.AmountOf(str(packed["line_id"]), decimal(packed["quantity"])) for packed in one["lines"]],
        )
        for number, one in enumerate(row["parcels"], 1)
    ]
    return sales.Shipment(
        head=read_head(row["id"], updated=utc(row["modified_at"])), order=types.Link(str(row["order_id"]), row["order_number"]),
        shipped=utc(row["shipped_at"]), parcels=parcels, completes=row["completes_order"], extra=[],
    )


def new_order(record: sales.Order) -> Json:
    """A new order as the ERP takes it."""
    if record.basis != types.TaxBasis.NET:
        raise ConnectorError.rejected("basis", "The ERP takes amounts without tax.")
    return {
        "external_reference": record.head.marker,
        "customer_reference": record.number,
        "currency": record.currency,
        "ordered_at": record.placed,
        "email": record.buyer.email,
        "note": record.note,
        "billing_address": new_address(record.billing),
        "delivery_address": new_address(record.shipping) if record.shipping else None,
        "lines": [new_line(one, f"lines[{at}]") for at, one in enumerate(record.lines)],
        "gross": hundredths(record.total, "total"),
        "payments": [payment(one) for one in record.payments if one.state == sales.PaymentState.PAID],
    }


def new_address(of: sales.Address) -> Json:
    """An address as the ERP takes it."""
    return {
        "company": of.company, "first_name": of.first_name, "last_name": of.last_name, "lines": of.lines, "postcode": of.postcode,
        "city": of.city, "country": of.country,
    }


_KINDS = {sales.LineKind.PRODUCT: "item", sales.LineKind.SHIPPING: "shipping", sales.LineKind.TEXT: "text"}


def new_line(of: sales.Line, path: str) -> Json:
    """A line as the ERP takes it."""
    item = of.variant.id if of.variant else None
    return {
        "reference": of.id,
        "kind": _KINDS.get(of.kind, "charge"),
        "item_id": int(item) if item and item.isdigit() else None,
        "sku": of.variant.key if of.variant else None,
        "name": of.name,
        "quantity": of.quantity,
        "unit_price": of.unit_price,
        "net": hundredths(of.total, f"{path}.total"),
        "tax_rate": None if of.tax_percent is None else hundredths(of.tax_percent, f"{path}.tax-percent"),
    }


def payment(of: sales.Payment, reference: str | None = None) -> Json:
    """A payment as the ERP takes it; one that comes with the order needs no reference."""
    return {
        "reference": reference, "method": of.method, "amount": hundredths(of.amount, "amount"), "transaction": of.transaction,
        "paid_at": of.at,
    }
