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
            # An order that is there, or was taken, is not written again.
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
        next = name if len(left) > 1 else None
        raw = sdk.files.read(f"inbox/{name}")
        try:
            rows = json.loads(raw)
            if not isinstance(rows, list):
                raise ValueError("it holds no list")
        except ValueError as error:
            # A person looks at it, and the next file is read all the same.
            bad = records.Unreadable(name, raw.decode("utf-8", "replace"), f"The file cannot be read: {error}.")
            return sdk.page(unreadable=[bad], next=next, receipt=name)
        products, unreadable = sdk.read_rows(rows, lambda row: mapping.product(row, LANGUAGE))
        return sdk.page(records.Records_Products(products), unreadable=unreadable, next=next, receipt=name)

    def acknowledge(self, kind: records.Kind, receipt: str) -> None:
        sdk.files.rename(f"inbox/{receipt}", f"done/{receipt}")


def start(number: str) -> str:
    """What all files of orders with a number begin with; what is quoted has no `+`."""
    return f"order-{quote(number, safe='')}+"


def file(number: str, item: str) -> str:
    """The file of an order. Two orders may have one number; the item is the order's own."""
    return f"{start(number)}{quote(item, safe='')}.json"


def written(name: str) -> bool:
    """Whether a file was written. Looked for in the order in which the ERP moves it, so that it is not missed between two."""
    return any(sdk.files.exists(f"{folder}/{name}") for folder in ("outbox", "done", "failed"))


class Target(sdk.Target):
    def push(self, batch: records.Records) -> None:
        if not isinstance(batch, records.Records_Orders):
            raise ConnectorError.unsupported("only orders go out")
        each(batch.value, write)

    def find(self, kind: records.Kind, probes: list[target.Probe]) -> list[list[target.Found]]:
        there = [entry.name for entry in sdk.files.entries("outbox")]

        def matches(probe: target.Probe) -> list[target.Found]:
            numbers = [key.value for key in probe.keys if key.name == "number"]
            own = [name for name in (file(number, probe.item) for number in numbers) if written(name)]
            names = own or [name for name in there if any(name.startswith(start(number)) for number in numbers)]
            return [target.Found(sdk.remote(name), None, True, []) for name in names]

        return [matches(probe) for probe in probes]


def write(order: sales.Order) -> outcomes.Outcome:
    """One order, one file."""
    name = file(order.number, order.head.item)
    if not written(name):
        sdk.files.write(f"outbox/{name}", json.dumps(mapping.order(order), ensure_ascii=False, indent=1))
    return sdk.done(sdk.remote(name))
