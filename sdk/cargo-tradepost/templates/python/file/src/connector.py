"""{{title}}: reads products from files, writes orders to files."""

from __future__ import annotations

import json
from urllib.parse import quote

import tradepost_sdk as sdk
from tradepost_sdk import ConnectorError, connector, each, outcomes, records, sales, source, target, text

import mapping

LANGUAGE = "en"


class Connector(sdk.Connector):
    def describe(self) -> connector.Description:
        reading = connector.Reading(changes=True, ids=False, present=False, writes=False, figure=None)
        writing = connector.Writing(
            facets=["placed"], events=[connector.OrderHappening.PLACED], create=True, update=False, removals=[], max_batch=1,
            # The same order goes to the same file.
            idempotent=True, marker=None, create_done=False, figure=None,
        )
        return connector.Description(
            id="{{id}}", version="0.1.0", name=text("{{title}}"), vendor="{{vendor}}",
            about=text("Products come from files, orders go to files."), id_space="{{name}}", mapping_revision=1, storage_version=1,
            abilities=[
                connector.Ability(records.Kind.PRODUCT, reading, None, None),
                connector.Ability(records.Kind.ORDER, None, writing, connector.Lookup(0)),
            ],
            settings_schema=sdk.settings_schema({
                "account": {"type": "string", "title": "Name", "description": "Another name is taken for another account.", "default": "main"},
            }),
            origins=[], credentials=[], rates=[], files=True,
        )

    def check(self) -> connector.Account:
        # Fails where the folder is not granted.
        sdk.files.entries("inbox")
        channel = connector.Channel(
            id="main", name="{{title}}", currency="EUR", basis=sdk.types.TaxBasis.GROSS, languages=[LANGUAGE], countries=[], zone="UTC"
        )
        return connector.Account(
            id=sdk.settings()["account"], name="{{title}}", environment=connector.Environment.TEST, zone="UTC", now=None,
            channels=[channel], warehouses=[],
        )


class Source(sdk.Source):
    def pull(self, request: source.Request) -> source.Page:
        if request.kind != records.Kind.PRODUCT or not isinstance(request.scope, source.Scope_Changed):
            raise ConnectorError.unsupported("products are read as their files come")
        names = [entry.name for entry in sdk.files.entries("inbox") if entry.name.startswith("products-")]
        left = [name for name in names if name > (request.cursor or "")]
        if not left:
            return sdk.page()
        # A file is a page; it is moved once the page is durable.
        name = left[0]
        rows = json.loads(sdk.files.read(f"inbox/{name}"))
        products = [mapping.product(row, LANGUAGE) for row in rows]
        return sdk.page(records.Records_Products(products), next=name if len(left) > 1 else None, receipt=name)

    def acknowledge(self, kind: records.Kind, receipt: str) -> None:
        sdk.files.rename(f"inbox/{receipt}", f"done/{receipt}")


def path(number: str) -> str:
    """The file of an order."""
    return f"outbox/order-{quote(number, safe='')}.json"


class Target(sdk.Target):
    def push(self, batch: records.Records) -> None:
        if not isinstance(batch, records.Records_Orders):
            raise ConnectorError.unsupported("only orders go out")
        each(batch.value, write)

    def find(self, kind: records.Kind, probes: list[target.Probe]) -> list[list[target.Found]]:
        there = {entry.name for entry in sdk.files.entries("outbox")}

        def matches(probe: target.Probe) -> list[target.Found]:
            numbers = [key.value for key in probe.keys if key.name == "number"]
            written = [number for number in numbers if path(number).removeprefix("outbox/") in there]
            return [target.Found(sdk.remote(number), None, True, []) for number in written]

        return [matches(probe) for probe in probes]


def write(order: sales.Order) -> outcomes.Outcome:
    """One order, one file."""
    sdk.files.write(path(order.number), json.dumps(mapping.order(order), ensure_ascii=False, indent=1))
    return sdk.done(sdk.remote(order.number))
