"""The connector's own code against the simulator. `cargo tradepost test` runs this and then tries the built component in the
host's runtime."""

from __future__ import annotations

import dataclasses
import json
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# First: outside of a component it is the SDK that knows where the contract's types are.
from tradepost_sdk import catalog, head, outcomes, records, source, target, types
from tradepost_sdk.testing import Err, TestHost

import mapping
from connector import Connector, Source, Target
from simulator.server import Simulator
from simulator.shop import TOKEN, Shop

SHOP = {"currency": "EUR", "prices_include_tax": True, "language": "en"}
EVERYTHING = source.Scope_Changed(source.Window(None, "2999-01-01T00:00:00Z"))


def fixture(name: str) -> list[mapping.Json]:
    rows: list[mapping.Json] = json.loads((ROOT / "fixtures" / name).read_text())
    return rows


def new_product(item: str, sku: str) -> catalog.Product:
    read = mapping.product({**fixture("products.json")[0], "sku": sku}, "en")
    return dataclasses.replace(read, head=head.Head(head.Op.CREATE, item, f"tp-{item}", None, [], None))


class Maps(unittest.TestCase):
    def test_fixtures_become_records(self) -> None:
        product = mapping.product(fixture("products.json")[0], "en")
        assert product.variants
        self.assertEqual(product.variants[0].weight_kg, "0.350")
        order = mapping.order(fixture("orders.json")[0], SHOP)
        self.assertEqual([line.total for line in order.lines], ["25.00", "4.90"])
        self.assertEqual(order.total, "29.90")

    def test_the_same_number_is_no_change(self) -> None:
        self.assertEqual(mapping.changes({"price": "5.0"}, {"price": "5.00"}), {})
        self.assertEqual(mapping.changes({"price": "5.1"}, {"price": "5.00"}), {"price": "5.1"})


class WithSimulator(unittest.TestCase):
    def setUp(self) -> None:
        self.shop = Shop()
        self.simulator = Simulator(self.shop).__enter__()
        self.addCleanup(self.simulator.__exit__)
        secrets = {"api": {"authorization": f"Bearer {TOKEN}"}}
        self.host = TestHost(settings={"url": self.simulator.address}, secrets=secrets)

    def make(self, kind: str, count: int) -> None:
        self.shop.control("POST", "make", {"kind": kind, "count": count})

    def outcomes(self) -> list[str]:
        return [type(outcome).__name__.removeprefix("Outcome_") for _, outcome in self.host.settled]

    def test_check_says_whose_shop_it_is(self) -> None:
        self.assertEqual(Connector().check().id, "simulated")

    def test_pages_follow_each_other_without_a_gap(self) -> None:
        self.make("product", 7)
        ids: list[str] = []
        cursor = None
        while True:
            page = Source().pull(source.Request(records.Kind.PRODUCT, EVERYTHING, cursor, 3))
            (products,) = page.records
            assert isinstance(products, records.Records_Products)
            ids += [one.head.remote.id for one in products.value if one.head.remote]
            cursor = page.next
            if cursor is None:
                break
        self.assertEqual(len(set(ids)), 7)
        self.assertEqual(len(ids), 7)

    def test_a_product_is_made_once_however_often_it_is_pushed(self) -> None:
        batch = records.Records_Products([new_product("i-1", "NEW-1")])
        Target().push(batch)
        Target().push(batch)
        self.assertEqual(len(self.shop.products), 1)
        self.assertEqual(self.outcomes(), ["Done", "Done"])
        ((found,),) = Target().find(records.Kind.PRODUCT, [target.Probe("i-1", "tp-i-1", None, [])])
        self.assertEqual(found.marker, "tp-i-1")

    def test_what_is_the_same_is_not_written(self) -> None:
        self.make("product", 1)
        (row,) = self.shop.products.values()
        Target().push(records.Records_Stock([dataclasses.replace(mapping.stock(row), quantity="5.0")]))
        self.assertEqual((self.shop.writes, self.outcomes()), (0, ["Unchanged"]))

    def test_one_bad_product_fails_alone_in_the_shops_words(self) -> None:
        self.make("product", 1)
        (row,) = self.shop.products.values()
        Target().push(records.Records_Products([new_product("i-1", row["sku"]), new_product("i-2", "NEW-2")]))
        self.assertEqual(self.outcomes(), ["Failed", "Done"])
        # A person has to look at it: it is nobody else's change, which would be tried again.
        issue = types.Issue("sku", "sku_taken", "There is a product with this SKU.")
        self.assertEqual(self.host.settled[0][1], outcomes.Outcome_Failed(types.Error_Rejected([issue])))

    def test_a_record_that_cannot_be_read_stops_no_other(self) -> None:
        for kind in (records.Kind.PRODUCT, records.Kind.STOCK, records.Kind.PRICE, records.Kind.ORDER):
            self.shop.control("POST", "reset", {})
            name = kind.name.lower()
            _, made = self.shop.control("POST", "make", {"kind": name, "count": 3})
            first, spoilt, last = made["ids"]
            self.shop.control("POST", "spoil", {"kind": name, "id": spoilt})
            page = Source().pull(source.Request(kind, EVERYTHING, None, 10))
            self.assertEqual([one.head.remote.id for one in page.records[0].value if one.head.remote], [first, last])
            self.assertEqual([one.id for one in page.unreadable], [spoilt])

    def test_the_version_is_that_of_the_project(self) -> None:
        project = (ROOT / "pyproject.toml").read_text()
        self.assertIn(f'version = "{Connector().describe().version}"', project.splitlines())

    def test_a_wrong_token_is_the_operators_matter(self) -> None:
        TestHost(settings={"url": self.simulator.address}, secrets={"api": {"authorization": "Bearer wrong"}})
        with self.assertRaises(Err) as raised:
            Connector().check()
        self.assertEqual(type(raised.exception.value).__name__, "Error_Auth")


if __name__ == "__main__":
    unittest.main()
