"""The connector's own code over an exchange folder in memory."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from tradepost_sdk import head, records, sales, source, target, types
from tradepost_sdk.testing import Err, TestHost

from connector import Connector, Source, Target

PRODUCTS = (Path(__file__).parent.parent / "fixtures/products.json").read_text()
EVERYTHING = source.Scope_Changed(source.Window(None, "2999-01-01T00:00:00Z"))


def order(number: str) -> sales.Order:
    buyer = sales.CustomerBase(None, "ada@example.com", None, None, None, None, None, None, None, True, True)
    line = sales.Line(
        "1", sales.LineKind.PRODUCT, types.Link(None, "A-1"), "Cup", "2", "12.50", "25.00", "19", None, None, []
    )
    address = sales.Address("billing", None, None, None, [], "10115", "Berlin", None, "DE", None)
    return sales.Order(
        head.Head(head.Op.CREATE, "i-1", None, None, [], None), number, None, "main", "2026-01-31T08:00:00Z", sales.OrderState.OPEN,
        sales.PaymentState.PAID, "EUR", types.TaxBasis.GROSS, types.Link(None, "ada@example.com"), buyer, address, None, [line], [], [],
        None, "25.00", None, [],
    )


class Files(unittest.TestCase):
    def setUp(self) -> None:
        self.host = TestHost(settings={"account": "main"}, files={"inbox/products-1.json": PRODUCTS, "inbox/products-2.json": "[]"})

    def test_a_file_is_a_page_and_moves_once_it_is_durable(self) -> None:
        page = Source().pull(source.Request(records.Kind.PRODUCT, EVERYTHING, None, 100))
        (products,) = page.records
        self.assertEqual([one.head.remote.id for one in products.value if one.head.remote], ["3", "4"])
        self.assertIn("inbox/products-1.json", self.host.folder)
        Source().acknowledge(records.Kind.PRODUCT, page.receipt or "")
        self.assertIn("done/products-1.json", self.host.folder)
        last = Source().pull(source.Request(records.Kind.PRODUCT, EVERYTHING, page.next, 100))
        self.assertEqual((last.receipt, last.next), ("products-2.json", None))

    def test_an_order_is_one_file_however_often_it_is_pushed(self) -> None:
        for _ in range(2):
            Target().push(records.Records_Orders([order("R/1")]))
        written = [path for path in self.host.folder if path.startswith("outbox/")]
        self.assertEqual(written, ["outbox/order-R%2F1+i-1.json"])
        self.assertEqual(json.loads(self.host.folder[written[0]])["lines"][0]["sku"], "A-1")
        ((found,),) = Target().find(records.Kind.ORDER, [target.Probe("i-1", None, None, [types.Field("number", "R/1")])])
        self.assertEqual(found.remote.id, "order-R%2F1+i-1.json")
        # The ERP has taken it: it is not written again.
        host = TestHost(settings={"account": "main"}, files={"done/order-R%2F1+i-1.json": "{}"})
        Target().push(records.Records_Orders([order("R/1")]))
        self.assertNotIn("outbox/order-R%2F1+i-1.json", host.folder)

    def test_a_file_that_is_no_list_and_a_row_that_is_no_product_stop_no_other(self) -> None:
        rows = json.dumps([{"id": "9"}, *json.loads(PRODUCTS)])
        TestHost(settings={"account": "main"}, files={"inbox/products-1.json": "oops", "inbox/products-2.json": rows})
        first = Source().pull(source.Request(records.Kind.PRODUCT, EVERYTHING, None, 100))
        self.assertEqual((len(first.unreadable), first.receipt), (1, "products-1.json"))
        last = Source().pull(source.Request(records.Kind.PRODUCT, EVERYTHING, first.next, 100))
        (products,) = last.records
        self.assertEqual(([one.id for one in last.unreadable], len(products.value)), (["9"], 2))

    def test_other_kinds_are_refused(self) -> None:
        with self.assertRaises(Err):
            Source().pull(source.Request(records.Kind.STOCK, EVERYTHING, None, 100))
        self.assertTrue(Connector().describe().files)

    def test_the_version_is_that_of_the_project(self) -> None:
        project = (Path(__file__).parent.parent / "pyproject.toml").read_text()
        self.assertIn(f'version = "{Connector().describe().version}"', project.splitlines())


if __name__ == "__main__":
    unittest.main()
