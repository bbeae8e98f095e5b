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
from tradepost_sdk import ConnectorError, head, outcomes, records, sales, source, target, types
from tradepost_sdk.testing import Err, TestHost

import mapping
from connector import Connector, Source, Target
from simulator.erp import KEY, Erp
from simulator.server import Simulator

EVERYTHING = source.Scope_Changed(source.Window(None, "2999-01-01T00:00:00Z"))


def fixture(name: str) -> mapping.Json:
    rows: list[mapping.Json] = json.loads((ROOT / "fixtures" / name).read_text())
    return rows[0]


class Maps(unittest.TestCase):
    def test_fixtures_become_records(self) -> None:
        levels = [(one.warehouse, one.quantity) for one in mapping.stock(fixture("stock.json"))]
        self.assertEqual(levels, [("HAM", "7"), ("MUC", "0.5")])
        order = mapping.order(fixture("orders.json"))
        self.assertEqual([line.total for line in order.lines], ["21.01", "4.12"])
        self.assertEqual((order.head.marker, order.total, order.placed), ("shop-1001", "29.90", "2026-01-31T08:00:00Z"))
        shipment = mapping.shipment(fixture("deliveries.json"))
        (parcel,) = shipment.parcels
        self.assertEqual((shipment.order.key, parcel.tracking, parcel.lines[0].line), ("SO-1009", "00340434", "901"))

    def test_amounts_are_exact_or_refused(self) -> None:
        self.assertEqual([mapping.hundredths(text, "") for text in ("-0.05", "29.900", "7")], [-5, 2990, 700])
        with self.assertRaises(ConnectorError) as raised:
            mapping.hundredths("29.905", "total")
        self.assertEqual(raised.exception.case, "rejected")


class WithSimulator(unittest.TestCase):
    def setUp(self) -> None:
        self.erp = Erp()
        self.simulator = Simulator(self.erp).__enter__()
        self.addCleanup(self.simulator.__exit__)
        self.host = TestHost(settings={"url": self.simulator.address}, secrets={"api": {"x-api-key": KEY}})

    def make(self, kind: str, count: int) -> None:
        self.erp.control("POST", "make", {"kind": kind, "count": count})

    def sold(self, item: str, sku: str | None = None) -> sales.Order:
        """An order that was sold elsewhere."""
        self.make("product", 1)
        read = mapping.order(fixture("orders.json"))
        first, *others = read.lines
        link = types.Link(None, sku or next(iter(self.erp.items.values()))["sku"])
        return dataclasses.replace(
            read, head=head.Head(head.Op.CREATE, item, f"shop-{item}", None, [], None), number="1001",
            lines=[dataclasses.replace(first, variant=link), *others],
        )

    def outcomes(self) -> list[str]:
        names = [type(outcome).__name__.removeprefix("Outcome_") for _, outcome in self.host.settled]
        return [name for name in names if name != "Partial"]

    def only_order(self) -> mapping.Json:
        (order,) = self.erp.orders.values()
        return order

    def test_check_says_whose_erp_it_is(self) -> None:
        account = Connector().check()
        self.assertEqual((account.id, len(account.warehouses)), ("simulated", 2))

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
        self.assertEqual((len(ids), len(set(ids))), (7, 7))

    def test_an_order_is_made_once_however_often_it_is_pushed(self) -> None:
        batch = records.Records_Orders([self.sold("i-1")])
        Target().push(batch)
        Target().push(batch)
        self.assertEqual((len(self.erp.orders), self.outcomes()), (1, ["Done", "Done"]))
        self.assertEqual(self.only_order()["state"], "confirmed")

    def test_a_draft_that_was_left_is_finished_and_not_made_again(self) -> None:
        order = self.sold("i-1")
        Target().push(records.Records_Orders([order]))
        self.only_order().update(state="draft", number=None)
        (read,) = Source().pull(source.Request(records.Kind.ORDER, EVERYTHING, None, 10)).records
        self.assertEqual(read, records.Records_Orders([]))
        ((found,),) = Target().find(records.Kind.ORDER, [target.Probe("i-1", "shop-i-1", None, [])])
        self.assertFalse(found.whole)
        resumed = dataclasses.replace(order.head, op=head.Op.RESUME, remote=found.remote)
        Target().push(records.Records_Orders([dataclasses.replace(order, head=resumed)]))
        self.assertEqual(self.only_order()["state"], "confirmed")

    def test_one_bad_order_fails_alone_in_the_erps_words(self) -> None:
        Target().push(records.Records_Orders([self.sold("i-1", "NOBODY"), self.sold("i-2")]))
        self.assertEqual(self.outcomes(), ["Failed", "Done"])
        failed = self.host.settled[0][1]
        assert isinstance(failed, outcomes.Outcome_Failed) and isinstance(failed.value, types.Error_Rejected)
        self.assertEqual(failed.value.value[0].path, "lines[0].item_id")
        self.assertTrue(failed.value.value[0].message.startswith("There is no item"))

    def test_a_record_that_cannot_be_read_stops_no_other(self) -> None:
        kinds = (records.Kind.PRODUCT, records.Kind.STOCK, records.Kind.PRICE, records.Kind.ORDER, records.Kind.SHIPMENT)
        for kind in kinds:
            self.erp.control("POST", "reset", {})
            name = kind.name.lower()
            _, made = self.erp.control("POST", "make", {"kind": name, "count": 3})
            first, spoilt, last = made["ids"]
            self.erp.control("POST", "spoil", {"kind": name, "id": spoilt})
            page = Source().pull(source.Request(kind, EVERYTHING, None, 10))
            self.assertEqual({one.head.remote.id for one in page.records[0].value if one.head.remote}, {first, last})
            self.assertEqual([one.id for one in page.unreadable], [spoilt])

    def test_the_version_is_that_of_the_project(self) -> None:
        project = (ROOT / "pyproject.toml").read_text()
        self.assertIn(f'version = "{Connector().describe().version}"', project.splitlines())

    def test_events_are_applied_once_and_found(self) -> None:
        Target().push(records.Records_Orders([self.sold("i-1")]))
        of = types.RemoteRef(str(self.only_order()["id"]), None, None)

        def event(item: str, what: sales.Happening) -> sales.OrderEvent:
            own = head.Head(head.Op.UPDATE, item, None, of, [], None)
            return sales.OrderEvent(own, types.Link(of.id, "1001"), "2026-02-01T08:00:00Z", what)

        payment = sales.Payment(None, "card", sales.PaymentState.PAID, "1.00", None, None)
        paid = event("i-2", sales.Happening_Paid(payment))
        batch = records.Records_OrderEvents([paid, event("i-3", sales.Happening_Cancelled(sales.Cancellation([], None)))])
        probes = [
            target.Probe("i-2", None, of, [types.Field("event", '{"paid":{"amount":"1"}}')]),
            target.Probe("i-3", None, of, [types.Field("event", '{"cancelled":{"lines":[]}}')]),
        ]
        self.assertEqual(Target().find(records.Kind.ORDER_EVENT, probes), [[], []])
        Target().push(batch)
        self.assertEqual([len(found) for found in Target().find(records.Kind.ORDER_EVENT, probes)], [1, 1])
        writes = self.erp.writes
        Target().push(batch)
        self.assertEqual((self.outcomes()[-2:], self.erp.writes), (["Unchanged", "Unchanged"], writes))

    def test_a_wrong_key_is_the_operators_matter(self) -> None:
        TestHost(settings={"url": self.simulator.address}, secrets={"api": {"x-api-key": "wrong"}})
        with self.assertRaises(Err) as raised:
            Connector().check()
        self.assertEqual(type(raised.exception.value).__name__, "Error_Auth")


if __name__ == "__main__":
    unittest.main()
