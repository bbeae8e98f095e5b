"""The ERP of docs/erp-api.md, in memory: `python -m simulator.erp [--port 8080]`. Port 0 takes a free one.

Under /_control it does what the conformance suite asks of a simulator.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from simulator.server import Answer, Json, main, normal, parsed

KEY = "k3y-of-the-simulator"

# Objects as the suite's rules want them, and how they must be read.
GOLDEN = Path(__file__).parent.parent / "fixtures" / "golden.json"

Objects = dict[int, Json]


class Erp:
    """State and API."""

    def __init__(self) -> None:
        self.last = 0
        self.reset()

    def reset(self) -> None:
        self.items: Objects = {}
        self.orders: Objects = {}
        self.deliveries: Objects = {}
        self.writes = 0
        self.offset = 0

    def now(self) -> str:
        return normal(datetime.now(timezone.utc) + timedelta(seconds=self.offset))

    def answer(self, method: str, path: list[str], query: dict[str, str], headers: Any, body: Json) -> Answer:
        area, what, id, verb, *_ = path
        if area == "_control":
            return self.control(method, what, body)
        if headers.get("x-api-key") != KEY:
            return refusal(401, "The key is missing or wrong.")
        if (area, what) == ("v1", "company"):
            return 200, self.company()
        lists = {"items": self.items, "stock": self.items, "orders": self.orders, "deliveries": self.deliveries}
        if area != "v1" or what not in lists:
            return refusal(404, "There is nothing here.")
        all = lists[what]
        if method == "GET" and not id:
            return 200, page(all, what, query)
        if (method, what, id) == ("POST", "orders", ""):
            return self.make(body)
        there = all.get(int(id)) if id.isdigit() else None
        if there is None:
            return refusal(404, f"There is no such object: {id}.")
        if (method, what, verb) == ("GET", "orders", ""):
            return 200, there
        if (method, what) == ("POST", "orders") and verb in ("confirm", "payments", "cancel"):
            return self.act(there, verb, body)
        return refusal(405, "That cannot be done here.")

    def company(self) -> Json:
        return {
            "id": "simulated", "name": "{{title}}", "currency": "EUR", "language": "en", "country": "DE", "zone": "Europe/Berlin",
            "test": True, "now": self.now(), "warehouses": [{"id": "HAM", "name": "Hamburg"}, {"id": "MUC", "name": "Munich"}],
        }

    def make(self, body: Json) -> Answer:
        """Makes a draft, once per external reference."""
        reference = body.get("external_reference")
        for before in self.orders.values():
            if reference and before["external_reference"] == reference:
                return 200, before
        id = self.last + 1
        lines: list[Json] = []
        for at, line in enumerate(body.get("lines") or []):
            same = [one for one in self.items.values() if one["id"] == line["item_id"] or one["sku"] == line["sku"]]
            if line["kind"] == "item" and not same:
                words = f"There is no item {line['item_id']} with the SKU {line['sku']}."
                return refusal(422, words, f"lines[{at}].item_id")
            item = same[0]["id"] if line["kind"] == "item" else line["item_id"]
            lines.append({**line, "id": id * 100 + at + 1, "item_id": item})
        taxes, gross = totals(lines)
        if body.get("gross") != gross:
            return refusal(422, f"The lines and their taxes come to {gross}, the order says {body.get('gross')}.", "gross")
        own = {"id": id, "number": None, "state": "draft", "lines": lines, "taxes": taxes, "modified_at": self.now()}
        self.last = id
        self.orders[id] = {**body, **own}
        self.writes += 1
        return 201, self.orders[id]

    def act(self, order: Json, verb: str, body: Json) -> Answer:
        """Confirms, pays or cancels an order; what it is already stays as it is."""
        if verb == "confirm":
            if order["state"] != "draft":
                return 200, order
            order.update(state="confirmed", number=f"SO-{1000 + order['id']}")
        elif verb == "payments":
            if body.get("reference") and any(one["reference"] == body["reference"] for one in order["payments"]):
                return 200, order
            order["payments"].append(body)
        elif order["state"] == "cancelled":
            return 200, order
        elif order["state"] in ("draft", "confirmed"):
            order["state"] = "cancelled"
        else:
            return refusal(422, f"An order that is {order['state']} cannot be cancelled.", "state")
        order["modified_at"] = self.now()
        self.writes += 1
        return 200, order

    def control(self, method: str, what: str, body: Json) -> Answer:
        """The conformance suite's hand; see the documentation of `cargo tradepost conformance`."""
        golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
        if (method, what) == ("GET", ""):
            hand = {"make": True, "change": True, "remove": True, "count": True, "spoil": True}
            kinds = {kind: hand for kind in ("product", "stock", "price", "order", "shipment")}
            return 200, {"protocol": 1, "kinds": kinds, "golden": list(golden), "clock": True, "secrets": [KEY]}
        kind = str(body.get("kind"))
        all = self.all(kind)
        there = all.get(int(body.get("id") or 0))
        if what == "reset":
            self.reset()
        elif what == "clock":
            self.offset = int(body.get("offset-seconds") or 0)
        elif what == "make":
            return 200, {"ids": [str(self.put(kind)) for _ in range(int(body.get("count") or 1))]}
        elif what == "golden":
            records = golden[body["case"]]
            for record in records:
                record["id"] = str(self.put(record["kind"], record.pop("members")))
            return 200, {"records": records}
        elif what == "count":
            return 200, {"objects": len(all), "writes": self.writes}
        elif there is None:
            return refusal(404, "There is no such object.")
        elif what == "change":
            there["modified_at"] = self.now()
            if kind == "order":
                there["state"] = "shipped"
            elif kind == "stock":
                there["levels"][0]["available"] = "77"
            elif kind == "price":
                there["net_price"] = 2005
            elif kind == "shipment":
                there["parcels"][0]["tracking_code"] = "0034-2"
            else:
                there["name"] += " (new)"
        elif what == "spoil":
            # As an import or a plugin leaves it.
            if kind == "stock":
                there["levels"][0]["available"] = "some"
            else:
                there.update(SPOILT[kind])
        elif what == "remove":
            del all[there["id"]]
        else:
            return refusal(404, "The simulator cannot do that.")
        return 200, {}

    def all(self, kind: str) -> Objects:
        return {"order": self.orders, "shipment": self.deliveries}.get(kind, self.items)

    def put(self, kind: str, members: Json | None = None) -> int:
        """Makes an object that has these members, and what it needs."""
        if kind == "order":
            made = order(next(iter(self.items), 0) or self.put("product"))
            made["number"] = f"SO-{1001 + self.last}"
        elif kind == "shipment":
            made = delivery(self.put("order", {"state": "shipped"}))
        else:
            made = item(self.last + 1)
        self.last += 1
        self.all(kind)[self.last] = {"id": self.last, "modified_at": self.now(), **made, **(members or {})}
        return self.last


# What cannot be read of a record of each kind.
SPOILT: dict[str, Json] = {
    "product": {"name": None}, "price": {"net_price": None}, "order": {"ordered_at": "yesterday"},
    "shipment": {"shipped_at": "yesterday"},
}


def totals(lines: list[Json]) -> tuple[list[Json], int]:
    """The tax of each rate, and what the lines come to with it."""
    nets: dict[int, int] = {}
    for line in lines:
        rate = line["tax_rate"] or 0
        nets[rate] = nets.get(rate, 0) + line["net"]
    # Half a hundredth is rounded up.
    taxes = [{"tax_rate": rate, "net": net, "tax": (2 * net * rate + 10000) // 20000} for rate, net in nets.items()]
    return [one for one in taxes if one["tax_rate"] > 0], sum(one["net"] + one["tax"] for one in taxes)


def page(all: Objects, what: str, query: dict[str, str]) -> Json:
    limit = min(int(query.get("limit", 50)), 200)
    after = int(query.get("cursor", "c0")[1:], 16)
    ids = [int(id) for id in query["ids"].split(",")] if "ids" in query else None
    begin, end = (normal(parsed(query[name])) if name in query else None for name in ("modified_from", "modified_to"))

    def fits(one: Json) -> bool:
        modified = normal(parsed(one["modified_at"]))
        return (
            one["id"] > after
            and (ids is None or one["id"] in ids)
            and (query.get("confirmed") != "true" or one["state"] != "draft")
            and all_equal(one, query, "external_reference", "customer_reference")
            and (begin is None or modified >= begin)
            and (end is None or modified <= end)
        )

    found = [one for _, one in sorted(all.items()) if fits(one)]
    rows = found[:limit]
    cursor = f"c{rows[-1]['id']:x}" if len(found) > limit else None
    return {"data": [shown(what, row) for row in rows], "cursor": cursor}


def all_equal(one: Json, query: dict[str, str], *names: str) -> bool:
    return all(name not in query or one.get(name) == query[name] for name in names)


def shown(what: str, row: Json) -> Json:
    """An item without its stock, or the stock of an item."""
    if what == "items":
        return {name: value for name, value in row.items() if name != "levels"}
    if what == "stock":
        return {name: row[name] for name in ("id", "sku", "levels", "modified_at")}
    return row


def refusal(status: int, message: str, field: str | None = None) -> Answer:
    return status, {"message": message, "errors": [{"field": field, "message": message}] if field else []}


def item(id: int) -> Json:
    return {
        "sku": f"SKU-{id}", "name": f"Item {id}", "description": None, "active": True, "barcode": None, "weight_g": None,
        "tax_rate": 1900, "net_price": 1000,
        "levels": [{"warehouse": "HAM", "available": "5"}, {"warehouse": "MUC", "available": "0"}],
    }


def order(item: int) -> Json:
    address = {
        "company": None, "first_name": "Ada", "last_name": "Lovelace", "lines": ["Ringweg 1"], "postcode": "10115", "city": "Berlin",
        "country": "DE",
    }
    return {
        "state": "confirmed", "external_reference": None, "customer_reference": None, "currency": "EUR",
        "ordered_at": "2026-01-31T09:00:00+01:00", "email": "ada@example.com", "note": None, "billing_address": address,
        "delivery_address": None,
        "lines": [
            {
                "id": 1, "reference": None, "kind": "item", "item_id": item, "sku": f"SKU-{item}", "name": "Cup", "quantity": "2",
                "unit_price": "10.5042", "net": 2101, "tax_rate": 1900,
            },
            {
                "id": 2, "reference": None, "kind": "shipping", "item_id": None, "sku": None, "name": "Parcel", "quantity": "1",
                "unit_price": "4.12", "net": 412, "tax_rate": 1900,
            },
        ],
        "taxes": [{"tax_rate": 1900, "net": 2513, "tax": 477}], "gross": 2990,
        "payments": [
            {"reference": None, "method": "card", "amount": 2990, "transaction": "t-1", "paid_at": "2026-01-31T09:01:00+01:00"}
        ],
    }


def delivery(order: int) -> Json:
    return {
        "number": f"D-{order}", "order_id": order, "order_number": f"SO-{1000 + order}", "shipped_at": "2026-02-01T15:00:00+01:00",
        "completes_order": True,
        "parcels": [{"carrier": "DHL", "tracking_code": "00340434", "lines": [{"line_id": 1, "quantity": "2"}]}],
    }


if __name__ == "__main__":
    main(Erp)
