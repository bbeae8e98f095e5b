"""{{title}}: reads products, stock and prices; makes orders that were sold elsewhere, and reads what becomes of them.

In this order: what it says of itself, reading, writing, looking for what may have been written.
"""

from __future__ import annotations

from itertools import chain

import tradepost_sdk as sdk
from tradepost_sdk import Api, ConnectorError, connector, each, outcomes, records, sales, source, target, text

import mapping
from mapping import MAIN, Json

# Most rows per request.
MOST = 200

LISTS = {
    records.Kind.PRODUCT: "/items",
    records.Kind.PRICE: "/items",
    records.Kind.STOCK: "/stock",
    records.Kind.ORDER: "/orders",
    records.Kind.SHIPMENT: "/deliveries",
}


def api() -> Api:
    """The ERP's interface."""
    return Api(f"{sdk.settings()['url']}/v1", credential="api", explain=mapping.explain)


def writing(facets: list[str], events: list[connector.OrderHappening], marker: int | None = None) -> connector.Writing:
    """Orders are made once and never changed: what happens to them later comes as an event."""
    return connector.Writing(
        facets=facets, events=events, create=True, update=False, removals=[], max_batch=1, idempotent=True, marker=marker,
        create_done=False, figure=None,
    )


class Connector(sdk.Connector):
    def describe(self) -> connector.Description:
        def reading(present: bool = False, figure: connector.StockFigure | None = None) -> connector.Reading:
            return connector.Reading(changes=True, ids=True, present=present, writes=False, figure=figure)

        happening = connector.OrderHappening
        at_once = connector.Lookup(0)
        orders = writing(["placed", "state", "payment"], [happening.PLACED], marker=64)
        events = writing(["event"], [happening.PAID, happening.CANCELLED])
        return connector.Description(
            id="{{id}}",
            version="0.1.0",
            name=text("{{title}}"),
            vendor="{{vendor}}",
            about=text("Products, stock and prices of {{title}}; orders go there, deliveries come back."),
            id_space="{{name}}",
            mapping_revision=1,
            storage_version=1,
            abilities=[
                connector.Ability(records.Kind.PRODUCT, reading(present=True), None, None),
                connector.Ability(records.Kind.STOCK, reading(figure=connector.StockFigure.AVAILABLE), None, None),
                connector.Ability(records.Kind.PRICE, reading(), None, None),
                connector.Ability(records.Kind.ORDER, reading(), orders, at_once),
                connector.Ability(records.Kind.ORDER_EVENT, None, events, at_once),
                connector.Ability(records.Kind.SHIPMENT, reading(), None, None),
            ],
            settings_schema=sdk.settings_schema({
                "url": {
                    "type": "string", "format": "uri", "title": "Address of the ERP",
                    "description": "Without /v1 and without a slash at the end, e.g. https://erp.example.com.",
                },
            }),
            origins=[connector.Origin("https", "{url}", None, text("The ERP's interface."))],
            credentials=[
                connector.Credential(
                    "api", text("Key of the ERP's interface"), connector.Scheme_Header("x-api-key"), [0], required=True
                )
            ],
            rates=[connector.Rate("api", per_second="5", burst=10, concurrent=2, remaining_header=None)],
            files=False,
        )

    def check(self) -> connector.Account:
        company = about_company()
        environment = connector.Environment.TEST if company["test"] else connector.Environment.LIVE
        channel = connector.Channel(
            id=MAIN, name=company["name"], currency=company["currency"], basis=sdk.types.TaxBasis.NET,
            languages=[company["language"]], countries=[company["country"]], zone=company["zone"],
        )
        return connector.Account(
            id=company["id"], name=company["name"], environment=environment, zone=company["zone"], now=sdk.utc(company["now"]),
            channels=[channel], warehouses=[connector.Warehouse(one["id"], one["name"]) for one in company["warehouses"]],
        )


class Source(sdk.Source):
    def pull(self, request: source.Request) -> source.Page:
        if request.kind not in LISTS:
            raise ConnectorError.unsupported(f"the ERP has no {request.kind.name.lower()} to be read")
        query: dict[str, object] = {"limit": min(request.limit, MOST), "cursor": request.cursor}
        if request.kind == records.Kind.ORDER:
            # A draft is no order yet: it has no number.
            query["confirmed"] = "true"
        scope = request.scope
        if isinstance(scope, source.Scope_Changed):
            query |= {"modified_from": scope.value.since, "modified_to": scope.value.until}
        elif isinstance(scope, source.Scope_Ids):
            if not scope.value:
                return sdk.page()
            query["ids"] = ",".join(scope.value)
        answer = api().get(LISTS[request.kind], **query)
        rows, next = answer["data"], answer["cursor"]
        if isinstance(scope, source.Scope_Present):
            return sdk.page(present=[records.Present(sdk.remote(row["id"]), None, row["sku"]) for row in rows], next=next)
        read, unreadable = converted(request.kind, rows)
        return sdk.page(read, unreadable=unreadable, next=next)


def about_company() -> Json:
    """What the ERP says of itself; without it every row would be unreadable, for no fault of theirs."""
    own: Json = api().get("/company")
    if "currency" not in own or "language" not in own:
        raise ConnectorError.unavailable("the ERP says nothing of itself")
    return own


def converted(kind: records.Kind, rows: list[Json]) -> tuple[records.Records, list[records.Unreadable]]:
    """Rows of the ERP as records; one that cannot be converted stops no other."""
    if kind == records.Kind.STOCK:
        # A row has the levels of all warehouses, which are a record each.
        levels, unreadable = sdk.read_rows(rows, mapping.stock)
        return records.Records_Stock(list(chain.from_iterable(levels))), unreadable
    if kind == records.Kind.ORDER:
        orders, unreadable = sdk.read_rows(rows, mapping.order)
        return records.Records_Orders(orders), unreadable
    if kind == records.Kind.SHIPMENT:
        shipments, unreadable = sdk.read_rows(rows, mapping.shipment)
        return records.Records_Shipments(shipments), unreadable
    company = about_company()
    if kind == records.Kind.PRICE:
        prices, unreadable = sdk.read_rows(rows, lambda row: mapping.price(row, company["currency"]))
        return records.Records_Prices(prices), unreadable
    products, unreadable = sdk.read_rows(rows, lambda row: mapping.product(row, company["language"]))
    return records.Records_Products(products), unreadable


class Target(sdk.Target):
    def push(self, batch: records.Records) -> None:
        if isinstance(batch, records.Records_Orders):
            each(batch.value, write_order)
        elif isinstance(batch, records.Records_OrderEvents):
            each(batch.value, write_event)
        else:
            raise ConnectorError.unsupported(f"the ERP takes no {type(batch).__name__.removeprefix('Records_').lower()}")

    def find(self, kind: records.Kind, probes: list[target.Probe]) -> list[list[target.Found]]:
        if kind == records.Kind.ORDER:
            return [orders_of(probe) for probe in probes]
        if kind == records.Kind.ORDER_EVENT:
            return [applied(probe) for probe in probes]
        raise ConnectorError.unsupported(f"no {kind.name.lower()} is written")


def write_order(order: sales.Order) -> outcomes.Outcome:
    """Two steps: a draft, which the ERP makes once per external reference, and its confirmation."""
    if order.head.remote:
        # It was cut off between the two.
        row = api().get(f"/orders/{order.head.remote.id}")
    else:
        row = api().post("/orders", mapping.new_order(order))
    # From here on a cut ends in a resume.
    sdk.settle(order.head.item, sdk.partial(sdk.remote(row["id"]), parts=mapping.parts(row), total=mapping.amount(row["gross"])))
    if row["state"] == "draft":
        row = api().post(f"/orders/{row['id']}/confirm", {})
    return sdk.done(sdk.remote(row["id"]), parts=mapping.parts(row), total=mapping.amount(row["gross"]))


def write_event(event: sales.OrderEvent) -> outcomes.Outcome:
    """Notes a payment of an order, or cancels it."""
    id = event.head.remote.id if event.head.remote else event.order.id
    if id is None:
        raise ConnectorError.bug("an event without its order's id")
    row, what = api().get(f"/orders/{id}"), event.what
    if has(row, event.head.item, isinstance(what, sales.Happening_Cancelled)):
        return sdk.unchanged(sdk.remote(row["id"]))
    if isinstance(what, sales.Happening_Paid):
        api().post(f"/orders/{id}/payments", mapping.payment(what.value, event.head.item))
    elif isinstance(what, sales.Happening_Cancelled):
        if what.value.lines:
            raise ConnectorError.rejected("lines", "The ERP cancels whole orders only. Change the order there by hand.")
        api().post(f"/orders/{id}/cancel", {"reason": what.value.reason})
    else:
        raise ConnectorError.unsupported("only payments and cancellations are written")
    return sdk.done(sdk.remote(row["id"]))


def has(row: Json, item: str, cancelled: bool) -> bool:
    """Whether an order has what an event says: it is cancelled, or has a payment with the item as its reference."""
    if cancelled:
        return bool(row["state"] == "cancelled")
    return any(payment["reference"] == item for payment in row["payments"])


def orders_of(probe: target.Probe) -> list[target.Found]:
    """Orders that a probe finds. Two shops may have the same number: it counts only where there is no marker."""
    numbers = [key.value for key in probe.keys if key.name == "number"]
    if not probe.marker and not numbers:
        return []
    query = {"external_reference": probe.marker} if probe.marker else {"customer_reference": numbers[0]}
    rows = api().get("/orders", **query)["data"]
    return [
        target.Found(sdk.remote(row["id"]), row["external_reference"], row["state"] != "draft", mapping.parts(row)) for row in rows
    ]


def applied(probe: target.Probe) -> list[target.Found]:
    """The order of an event that was applied to it."""
    if probe.of is None:
        return []
    try:
        row = api().get(f"/orders/{probe.of.id}")
    except ConnectorError as error:
        if error.case == "not-found":
            return []
        raise
    cancelled = any(key.name == "event" and key.value.startswith('{"cancelled"') for key in probe.keys)
    return [target.Found(sdk.remote(row["id"]), None, True, [])] if has(row, probe.item, cancelled) else []
