"""{{title}}: reads and writes products, stock and prices, reads orders.

In this order: what it says of itself, reading, writing, looking for what may have been written.
"""

from __future__ import annotations

from typing import Any

import tradepost_sdk as sdk
from tradepost_sdk import Api, ConnectorError, catalog, connector, each, head, outcomes, records, source, target, text, types

import mapping
from mapping import MAIN, Json

# Most records per request.
MOST = 100


def api() -> Api:
    """The shop's interface."""
    return Api(f"{sdk.settings()['url']}/api", credential="api", explain=mapping.explain)


def writing(*facets: str, **more: Any) -> connector.Writing:
    """How a kind is written, unless `more` says otherwise."""
    values: dict[str, Any] = {
        "events": [], "create": False, "update": True, "removals": [], "max_batch": 1, "idempotent": False, "marker": None,
        "create_done": False, "figure": None,
    }
    return connector.Writing(facets=list(facets), **(values | more))


class Connector(sdk.Connector):
    def describe(self) -> connector.Description:
        def reading(present: bool = False, figure: connector.StockFigure | None = None) -> connector.Reading:
            return connector.Reading(changes=True, ids=True, present=present, writes=False, figure=figure)

        available = connector.StockFigure.AVAILABLE
        at_once = connector.Lookup(0)
        products = writing(
            "head", "texts:*", "grouping", create=True, removals=[records.Removal.DEACTIVATE, records.Removal.DELETE], marker=128,
            idempotent=True,
        )
        return connector.Description(
            id="{{id}}",
            version="0.1.0",
            name=text("{{title}}"),
            vendor="{{vendor}}",
            about=text("Keeps products, stock, prices and orders of {{title}} in step."),
            id_space="{{name}}",
            mapping_revision=1,
            storage_version=1,
            abilities=[
                connector.Ability(records.Kind.PRODUCT, reading(present=True), products, at_once),
                connector.Ability(
                    records.Kind.STOCK, reading(figure=available), writing("stock:*", figure=available), at_once
                ),
                connector.Ability(records.Kind.PRICE, reading(), writing("price:base:*"), at_once),
                connector.Ability(records.Kind.ORDER, reading(), None, None),
            ],
            settings_schema=sdk.settings_schema({
                "url": {
                    "type": "string", "format": "uri", "title": "Address of the shop",
                    "description": "Without /api and without a slash at the end, e.g. https://shop.example.com.",
                },
            }),
            origins=[connector.Origin("https", "{url}", None, text("The shop's interface."))],
            credentials=[
                connector.Credential("api", text("Token of the shop's interface"), connector.Scheme_Bearer(), [0], required=True)
            ],
            rates=[connector.Rate("api", per_second="10", burst=20, concurrent=4, remaining_header=None)],
            files=False,
        )

    def check(self) -> connector.Account:
        shop = about_shop()
        environment = connector.Environment.TEST if shop["test"] else connector.Environment.LIVE
        channel = connector.Channel(
            id=MAIN, name=shop["name"], currency=shop["currency"], basis=mapping.basis(shop), languages=[shop["language"]],
            countries=[shop["country"]], zone=shop["zone"],
        )
        return connector.Account(
            id=shop["id"], name=shop["name"], environment=environment, zone=shop["zone"], now=sdk.utc(shop["now"]),
            channels=[channel], warehouses=[connector.Warehouse(MAIN, shop["name"])],
        )


class Source(sdk.Source):
    def pull(self, request: source.Request) -> source.Page:
        query: dict[str, object] = {"limit": min(request.limit, MOST), "after": request.cursor}
        scope = request.scope
        if isinstance(scope, source.Scope_Changed):
            query |= {"changed_since": scope.value.since, "changed_until": scope.value.until}
        elif isinstance(scope, source.Scope_Ids):
            if not scope.value:
                return sdk.page()
            query["ids"] = ",".join(scope.value)
        path = "/orders" if request.kind == records.Kind.ORDER else "/products"
        answer = api().get(path, **query)
        rows, next = answer["items"], answer["next"]
        if isinstance(scope, source.Scope_Present):
            present = [records.Present(sdk.remote(row["id"]), row["reference"], row["sku"]) for row in rows]
            return sdk.page(present=present, next=next)
        read, unreadable = converted(request.kind, rows)
        return sdk.page(read, unreadable=unreadable, next=next)


def about_shop() -> Json:
    """What the shop says of itself; without it every row would be unreadable, for no fault of theirs."""
    own: Json = api().get("/shop")
    if "currency" not in own or "language" not in own:
        raise ConnectorError.unavailable("the shop says nothing of itself")
    return own


def converted(kind: records.Kind, rows: list[Json]) -> tuple[records.Records, list[records.Unreadable]]:
    """Rows of the shop as records; one that cannot be converted stops no other."""
    if kind == records.Kind.STOCK:
        stock, unreadable = sdk.read_rows(rows, mapping.stock)
        return records.Records_Stock(stock), unreadable
    shop = about_shop()
    if kind == records.Kind.PRODUCT:
        products, unreadable = sdk.read_rows(rows, lambda row: mapping.product(row, shop["language"]))
        return records.Records_Products(products), unreadable
    if kind == records.Kind.PRICE:
        prices, unreadable = sdk.read_rows(rows, lambda row: mapping.price(row, shop))
        return records.Records_Prices(prices), unreadable
    if kind == records.Kind.ORDER:
        orders, unreadable = sdk.read_rows(rows, lambda row: mapping.order(row, shop))
        return records.Records_Orders(orders), unreadable
    raise ConnectorError.unsupported(f"the shop has no {kind.name.lower()}")


class Target(sdk.Target):
    def push(self, batch: records.Records) -> None:
        if isinstance(batch, records.Records_Products):
            each(batch.value, write_product)
        elif isinstance(batch, records.Records_Stock):
            each(batch.value, lambda level: write_members(level.head, {"stock": level.quantity}))
        elif isinstance(batch, records.Records_Prices):
            each(batch.value, write_price)
        else:
            raise ConnectorError.unsupported(f"the shop takes no {type(batch).__name__.removeprefix('Records_').lower()}")

    def remove(self, kind: records.Kind, items: list[target.Doomed], how: records.Removal) -> None:
        if kind != records.Kind.PRODUCT:
            raise ConnectorError.unsupported(f"no {kind.name.lower()} can be removed")
        for doomed in items:
            try:
                if how == records.Removal.DELETE:
                    api().delete(f"/products/{doomed.remote.id}")
                else:
                    api().patch(f"/products/{doomed.remote.id}", {"active": False})
            except ConnectorError as error:
                # It is gone already: that is what was wanted.
                if error.case != "not-found":
                    sdk.settle(doomed.item, outcomes.Outcome_Failed(error.value))
                    continue
            sdk.settle(doomed.item, sdk.done(doomed.remote))

    def find(self, kind: records.Kind, probes: list[target.Probe]) -> list[list[target.Found]]:
        if kind == records.Kind.ORDER:
            raise ConnectorError.unsupported("orders are placed in the shop")
        return [matches(probe) for probe in probes]


def write_product(record: catalog.Product) -> outcomes.Outcome:
    """Makes or changes a product."""
    body = mapping.body(record, about_shop()["language"])
    if record.head.op in (head.Op.CREATE, head.Op.CREATE_DONE):
        body["reference"] = record.head.marker
        # The key makes a repeated request harmless: the shop answers with the product that the first one made.
        made = api().post("/products", body, headers={"idempotency-key": record.head.item})
        return sdk.done(sdk.remote(made["id"]), parts=mapping.parts(made))
    return write_members(record.head, body)


def write_price(price: catalog.Price) -> outcomes.Outcome:
    """Changes a price."""
    if price.kind != catalog.PriceKind.BASE:
        raise ConnectorError.unsupported("the shop has no special prices")
    if price.amount is None:
        raise ConnectorError.rejected("amount", "The shop cannot sell a product without a price.")
    return write_members(price.head, {"price": price.amount})


def write_members(of: head.Head, wanted: Json) -> outcomes.Outcome:
    """Writes what is different, and nothing where all is as it should be."""
    if of.remote is None:
        raise ConnectorError.bug("an update without the product's id")
    path = f"/products/{of.remote.id}"
    there = api().get(path)
    body = mapping.changes(wanted, there)
    if not body:
        return sdk.unchanged(sdk.remote(there["id"]))
    now = api().patch(path, body)
    return sdk.done(sdk.remote(now["id"]), parts=mapping.parts(now))


def matches(probe: target.Probe) -> list[target.Found]:
    """Products that a probe finds: by the marker that we wrote on them, else by their SKU."""
    queries: list[dict[str, str]] = [{"reference": probe.marker}] if probe.marker else []
    queries += [{"sku": key.value} for key in probe.keys if key.name in ("sku", "number")]
    for query in queries:
        if rows := api().get("/products", **query)["items"]:
            return [target.Found(sdk.remote(row["id"]), row["reference"], True, mapping.parts(row)) for row in rows]
    return []
