"""The shop of docs/shop-api.md, in memory: `python -m simulator.shop [--port 8080]`. Port 0 takes a free one.

Under /_control it does what the conformance suite asks of a simulator.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from simulator.server import Answer, main, normal, parsed

TOKEN = "t0ken-of-the-simulator"


class Shop:
    """State and API."""

    def __init__(self) -> None:
        self.offset = 0
        self.last = 0
        self.reset()

    def reset(self) -> None:
        self.products: dict[int, dict[str, Any]] = {}
        self.orders: dict[int, dict[str, Any]] = {}
        self.made: dict[str, int] = {}
        self.writes = 0
        self.offset = 0

    def now(self) -> str:
        return normal(datetime.now(timezone.utc) + timedelta(seconds=self.offset))

    def answer(self, method: str, path: list[str], query: dict[str, str], headers: Any, body: dict[str, Any]) -> Answer:
        area, what, id, *_ = path
        if area == "_control":
            return self.control(method, what, body)
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(401, "token", "The token is missing or wrong.")
        if (area, what) == ("api", "shop"):
            return 200, {
                "id": "simulated", "name": "{{title}}", "currency": "EUR", "prices_include_tax": True, "language": "en",
                "country": "DE", "zone": "Europe/Berlin", "test": True, "now": self.now(),
            }
        if area != "api" or what not in ("products", "orders"):
            return refusal(404, "address", "There is nothing here.")
        all = self.products if what == "products" else self.orders
        if method == "GET" and not id:
            return 200, page(all, query)
        if (method, what, id) == ("POST", "products", ""):
            return self.make(headers.get("idempotency-key"), body)
        there = all.get(int(id)) if id.isdigit() else None
        if there is None:
            return refusal(404, "unknown", f"There is no such object: {id}.")
        if method == "GET":
            return 200, there
        if (method, what) == ("PATCH", "products"):
            return self.change(there, body)
        if (method, what) == ("DELETE", "products"):
            del all[there["id"]]
            self.writes += 1
            return 204, None
        return refusal(405, "method", "That cannot be done here.")

    def make(self, key: str | None, body: dict[str, Any]) -> Answer:
        before = self.products.get(self.made.get(key or "", 0))
        if before:
            return 200, before
        if wrong := self.wrong(body, None):
            return wrong
        if not body.get("sku"):
            return refusal(422, "missing", "A product needs a SKU.", "sku")
        self.last += 1
        self.products[self.last] = {**blank(self.last), **body, "id": self.last, "updated_at": self.now()}
        if key:
            self.made[key] = self.last
        self.writes += 1
        return 201, self.products[self.last]

    def change(self, there: dict[str, Any], body: dict[str, Any]) -> Answer:
        if wrong := self.wrong(body, there["id"]):
            return wrong
        there.update(body, id=there["id"], updated_at=self.now())
        self.writes += 1
        return 200, there

    def wrong(self, body: dict[str, Any], own: int | None) -> Answer | None:
        for name in body:
            if name not in blank(0):
                return refusal(422, "unknown_field", f"A product has no {name}.", name)
        for name in ("price", "stock", "tax_percent", "weight_kg"):
            value = body.get(name)
            if value is not None and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value)):
                return refusal(422, "no_number", f"{name} is a decimal number as text.", name)
        if any(one["sku"] == body.get("sku") and one["id"] != own for one in self.products.values()):
            return refusal(409, "sku_taken", "There is a product with this SKU.", "sku")
        return None

    def control(self, method: str, what: str, body: dict[str, Any]) -> Answer:
        """The conformance suite's hand; see the documentation of `cargo tradepost conformance`."""
        hand = {"make": True, "change": True, "remove": True, "count": True, "spoil": True}
        if (method, what) == ("GET", ""):
            kinds = {"product": hand, "stock": hand, "price": hand, "order": hand}
            return 200, {"protocol": 1, "kinds": kinds, "golden": [], "clock": True, "secrets": [TOKEN]}
        kind = body.get("kind")
        all = self.orders if kind == "order" else self.products
        there = all.get(int(body.get("id") or 0))
        if what == "reset":
            self.reset()
        elif what == "clock":
            self.offset = int(body.get("offset-seconds") or 0)
        elif what == "make":
            ids = range(self.last + 1, self.last + 1 + int(body.get("count") or 1))
            for id in ids:
                all[id] = order(id, self.now()) if kind == "order" else {**blank(id), "updated_at": self.now()}
                self.last = id
            return 200, {"ids": [str(id) for id in ids]}
        elif what == "count":
            return 200, {"objects": len(all), "writes": self.writes}
        elif there is None:
            return refusal(404, "unknown", "There is no such object.")
        elif what == "change":
            changes = {"order": {"state": "shipped"}, "stock": {"stock": "77"}, "price": {"price": "20.05"}}
            there.update(changes.get(str(kind), {"name": f"{there.get('name')} (new)"}), updated_at=self.now())
        elif what == "spoil":
            # As an import or a plugin leaves it.
            there.update(SPOILT[str(kind)])
        elif what == "remove":
            del all[there["id"]]
        else:
            return refusal(404, "unknown", "The simulator cannot do that.")
        return 200, {}


# What cannot be read of a record of each kind.
SPOILT: dict[str, dict[str, Any]] = {
    "product": {"name": None}, "stock": {"stock": "some"}, "price": {"price": "cheap"}, "order": {"placed_at": "yesterday"},
}


def page(all: dict[int, dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    limit = min(int(query.get("limit", 50)), 100)
    ids = [int(id) for id in query["ids"].split(",")] if "ids" in query else None
    since, until = (normal(parsed(query[name])) if name in query else None for name in ("changed_since", "changed_until"))

    def fits(one: dict[str, Any]) -> bool:
        return (
            one["id"] > int(query.get("after", 0))
            and (ids is None or one["id"] in ids)
            and all_equal(one, query, "sku", "reference")
            and (since is None or one["updated_at"] > since)
            and (until is None or one["updated_at"] <= until)
        )

    found = [one for _, one in sorted(all.items()) if fits(one)]
    items = found[:limit]
    return {"items": items, "next": items[-1]["id"] if len(found) > limit else None}


def all_equal(one: dict[str, Any], query: dict[str, str], *names: str) -> bool:
    return all(name not in query or one.get(name) == query[name] for name in names)


def refusal(status: int, code: str, message: str, field: str | None = None) -> Answer:
    return status, {"error": {"code": code, "field": field, "message": message}}


def blank(id: int) -> dict[str, Any]:
    return {
        "id": id, "sku": f"SKU-{id}", "name": f"Product {id}", "description": None, "active": True, "gtin": None,
        "weight_kg": None, "tax_percent": "19", "price": "10.00", "stock": "5", "reference": None,
        "updated_at": "2026-01-01T00:00:00.000000Z",
    }


def order(id: int, now: str) -> dict[str, Any]:
    return {
        "id": id, "number": f"R-{1000 + id}", "state": "open", "paid": True, "currency": "EUR", "placed_at": now, "updated_at": now,
        "email": "ada@example.com", "note": None, "payment": {"method": "card", "amount": "29.90", "transaction": f"t-{id}"},
        "address": {
            "first_name": "Ada", "last_name": "Lovelace", "street": "Ringweg 1", "postcode": "10115", "city": "Berlin", "country": "DE",
        },
        "lines": [{
            "id": 1, "product_id": 1, "sku": "SKU-1", "name": "Cup", "quantity": "2", "unit_price": "12.50", "total": "25.00",
            "tax_percent": "19",
        }],
        "shipping": {"name": "Parcel", "total": "4.90", "tax_percent": "19"}, "total": "29.90",
    }


if __name__ == "__main__":
    main(Shop)
