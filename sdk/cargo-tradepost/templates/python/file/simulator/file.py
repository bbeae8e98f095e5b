"""The ERP of docs/files.md, which works in an exchange folder: `python -m simulator.file [--port 8080]`. Port 0 takes a free one.

Under /_control it does what the conformance suite asks of a simulator; a reset says where the folder is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulator.server import Answer, main

Json = dict[str, Any]

PRODUCTS = 2
"""Products of one file."""

NAMES = {"golden-records": "Plain cup", "unicode-texts": "Tasse 😀 𝒳 für Gäste, 東京の茶碗, e\u0301"}


class Erp:
    """What it knows."""

    def __init__(self) -> None:
        self.last = 0
        self.reset("")

    def reset(self, folder: str) -> None:
        self.folder = Path(folder)
        self.products: dict[str, Json] = {}
        self.files: list[tuple[str, list[Json]]] = []
        self.orders = 0

    def answer(self, method: str, path: list[str], query: dict[str, str], headers: Any, body: Json) -> Answer:
        area, what, *_ = path
        answer = self.control(what, body) if area == "_control" else None
        return (404, {"message": "There is no such thing."}) if answer is None else (200, answer)

    def control(self, what: str, body: Json) -> Json | None:
        if what == "":
            product = {"make": True, "change": True, "count": True, "spoil": True}
            return {"protocol": 1, "kinds": {"product": product, "order": {"count": True}}, "golden": list(NAMES)}
        if what == "reset":
            self.reset(body["folder"])
            return {}
        if what == "make":
            rows = [self.product("Cup") for _ in range(body["count"])]
            self.write(rows)
            return {"ids": [row["id"] for row in rows]}
        if what == "change" and body["id"] in self.products:
            self.write([{**self.products[body["id"]], "name": "Changed"}])
            return {}
        if what == "spoil":
            return self.spoil(body["id"])
        if what == "count":
            self.take()
            return {"objects": self.orders if body["kind"] == "order" else len(self.products), "writes": self.orders}
        if what == "golden" and body["case"] in NAMES:
            row = self.product(NAMES[body["case"]])
            self.write([row])
            facets = {
                "head": {"number": row["sku"], "active": True},
                "texts:en": {"name": row["name"], "long_html": row["description"]},
            }
            variant = {"sku": row["sku"], "facets": {"head": {"sku": row["sku"], "weight_kg": row["weight_kg"]}}}
            return {"records": [{"kind": "product", "id": row["id"], "facets": facets, "variants": [variant]}]}
        return None

    def number(self) -> int:
        self.last += 1
        return self.last

    def product(self, name: str) -> Json:
        id = str(self.number())
        return {
            "id": id, "sku": f"A-{id}", "name": name, "description": "<p>Holds coffee.</p>", "active": True,
            "weight_kg": "0.350", "tax_percent": "19",
        }

    def write(self, rows: list[Json]) -> None:
        """Into files whose names are in the order of time."""
        for at in range(0, len(rows), PRODUCTS):
            name, some = f"products-{self.number():06}.json", rows[at : at + PRODUCTS]
            self.put(name, some)
            self.products.update((row["id"], row) for row in some)
            self.files.append((name, some))

    def put(self, name: str, rows: list[Json]) -> None:
        """Under another name, then renamed: nobody reads half a file."""
        partial = self.folder / "inbox" / f".{name}.tmp"
        partial.write_text(json.dumps(rows), encoding="utf-8")
        partial.rename(self.folder / "inbox" / name)

    def spoil(self, id: str) -> Json | None:
        """A word takes the place of the weight in the file that waits."""
        for at, (name, rows) in reversed(list(enumerate(self.files))):
            if any(row["id"] == id for row in rows):
                spoilt = [{**row, "weight_kg": "heavy"} if row["id"] == id else row for row in rows]
                self.files[at] = (name, spoilt)
                self.put(name, spoilt)
                return {}
        return None

    def take(self) -> None:
        """Takes the orders in, and moves their files as docs/files.md asks for."""
        for path in sorted((self.folder / "outbox").glob("order-*.json")):
            order = json.loads(path.read_text(encoding="utf-8"))
            place = "done" if isinstance(order.get("number"), str) else "failed"
            self.orders += place == "done"
            path.rename(self.folder / place / path.name)


if __name__ == "__main__":
    main(Erp)
