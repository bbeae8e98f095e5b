"""What the SDK adds to the contract, without a component: `python3 -m unittest discover -s sdk/pypi/tests`."""

import subprocess
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

import tradepost_sdk as sdk  # noqa: E402
from tradepost_sdk import ConnectorError, catalog, connector, outcomes, records, types  # noqa: E402
from tradepost_sdk.error import contract_error  # noqa: E402
from tradepost_sdk.host import Component  # noqa: E402
from tradepost_sdk.testing import Err, TestHost  # noqa: E402
from wit_world.imports import http  # noqa: E402


class Worlds(unittest.TestCase):
    def test_a_connector_that_only_reads_or_only_writes_has_no_contract_for_the_rest(self) -> None:
        for ability, missing in (("Source", "target"), ("Target", "source")):
            # As componentize-py makes the contract for the world `reader` or `writer`.
            program = f"""
import sys
sys.path.insert(0, {str(Path(sdk.__file__).parent.parent)!r})
import wit_world.exports as exports
del exports.{missing}, exports.{missing.capitalize()}
sys.modules["wit_world.exports.{missing}"] = None
import tradepost_sdk as sdk
class Connector(sdk.Connector): ...
class {ability}(sdk.{ability}): ...
assert sdk.{missing} is None
"""
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)


def answering(status: int, body: bytes) -> TestHost:
    return TestHost(send=lambda method, url, headers, sent: sdk.Response(status, {}, body))


def item(name: str) -> SimpleNamespace:
    return SimpleNamespace(head=SimpleNamespace(item=name))


class Writes(unittest.TestCase):
    def test_a_defect_after_a_write_that_was_taken_leaves_open_what_was_done(self) -> None:
        host, api = answering(200, b"{}"), sdk.Api("https://shop.example")

        def write(record: SimpleNamespace) -> outcomes.Outcome:
            answer = api.post("/products", {}) if record.head.item == "made" else api.get("/products/1")
            return sdk.done(sdk.remote(answer["id"]))

        sdk.each([item("made"), item("read")], write)
        told = {name: type(outcome.value) for name, outcome in host.settled}
        self.assertEqual(told, {"made": types.Error_Timeout, "read": types.Error_Bug})

    def test_what_the_next_item_would_meet_too_ends_the_call(self) -> None:
        host, api = answering(503, b"later"), sdk.Api("https://shop.example")
        with self.assertRaises(ConnectorError):
            sdk.each([item("one"), item("two")], lambda record: api.get("/products/1"))
        self.assertEqual([name for name, _ in host.settled], ["one"])

    def test_a_reference_names_an_object(self) -> None:
        self.assertEqual(sdk.remote(7).id, "7")
        for nothing in (None, ""):
            with self.assertRaises(ConnectorError):
                sdk.remote(nothing)


class Reads(unittest.TestCase):
    def test_a_row_that_cannot_be_read_stops_no_other(self) -> None:
        read, unreadable = sdk.read_rows([{"id": 1, "price": "2"}, {"id": 2}], lambda row: row["price"])
        self.assertEqual((read, [(row.id, row.raw) for row in unreadable]), (["2"], [("2", '{"id": 2}')]))

    def test_an_answer_that_cannot_be_read_is_not_quoted_where_it_is_data(self) -> None:
        data = b'[{"iban": "DE02120300000000202051", "note": "' + b"x" * 100
        for body, words in ((b"<h1>Back soon</h1>", "Back soon"), (data, "characters of JSON")):
            answering(200, body)
            with self.assertRaisesRegex(ConnectorError, words) as raised:
                sdk.Api("https://shop.example").get("/orders")
            self.assertNotIn("DE02", str(raised.exception))

    def test_a_status_is_raised_as_what_it_means(self) -> None:
        for status, case in ((401, "auth"), (404, "not-found"), (409, "conflict"), (429, "throttled"), (422, "rejected"), (500, "unavailable")):
            answering(status, b"words")
            with self.assertRaises(ConnectorError) as raised:
                sdk.Api("https://shop.example").get("/x")
            self.assertEqual(raised.exception.case, case)

    def test_the_platforms_own_words_are_read_by_who_knows_them(self) -> None:
        def explain(status: int, body: Any) -> str | ConnectorError | None:
            return ConnectorError.rejected(body["field"], body["error"], "taken") if status == 409 else dict(body).get("error")

        def fails(status: int, body: bytes) -> Any:
            answering(status, body)
            with self.assertRaises(ConnectorError) as raised:
                sdk.Api("https://shop.example", explain=explain).post("/x", {})
            return raised.exception.value

        self.assertEqual(fails(409, b'{"field": "sku", "error": "taken"}').value, [types.Issue("sku", "taken", "taken")])
        self.assertEqual(fails(422, b'{"error": "price is a number"}').value[0].message, "HTTP 422: price is a number")

    def test_words_are_no_version(self) -> None:
        host = answering(409, b"words")
        with self.assertRaises(ConnectorError) as raised:
            sdk.Api("https://shop.example").put("/x", {})
        self.assertEqual(raised.exception.value, types.Error_Conflict(None))
        self.assertEqual(host.lines, ["HTTP 409: words"])


def product(row: dict[str, Any]) -> catalog.Product:
    return catalog.Product(sdk.read_head(row["id"]), None, [sdk.texts("en", row["title"])], None, None, None, None, [])


class Contract(unittest.TestCase):
    def test_a_row_whose_record_is_not_the_contracts_is_unreadable_and_stops_no_other(self) -> None:
        rows = [{"id": 1, "title": "Cup"}, {"id": 2, "title": None}, {"id": 3, "title": "half \ud83d"}, {"id": 4, "title": "Pot"}]
        read, unreadable = sdk.read_rows(rows, product)
        self.assertEqual([one.head.remote.id for one in read if one.head.remote], ["1", "4"])
        self.assertEqual(unreadable[0], records.Unreadable("2", '{"id": 2, "title": null}', "texts[0].name: expected text, found None"))
        self.assertEqual((unreadable[1].id, unreadable[1].why), ("3", "texts[0].name: the text has half a character in it"))
        self.assertTrue(unreadable[1].raw.encode())

    def test_a_row_that_makes_many_records_is_unreadable_as_a_whole(self) -> None:
        rows = [{"id": 1, "title": "Cup"}, {"id": 2, "title": None}]
        read, unreadable = sdk.read_rows(rows, lambda row: [product({"id": 9, "title": "x"}), product(row)])
        self.assertEqual((len(read), [one.id for one in unreadable]), (1, ["2"]))

    def test_what_is_of_no_row_is_refused_with_its_place(self) -> None:
        bad = product({"id": 2, "title": None})

        class Bad(sdk.Connector, sdk.Source):
            def check(self) -> connector.Account:
                channel = connector.Channel("main", "A", "EUR", types.TaxBasis.NET, ["en"], [], "UTC")
                return connector.Account("a", "A", connector.Environment.TEST, None, None, [channel], [])  # type: ignore[arg-type]

            def pull(self, request: Any) -> Any:
                return sdk.page(records.Records_Products([bad]))

            def describe(self) -> Any:
                return None

        for call, words in (
            (lambda: Bad().check(), "check.zone: expected text, found None"),
            (lambda: Bad().pull(None), "page.records[0].value[0].texts[0].name: expected text, found None"),
        ):
            with self.assertRaises(Err) as raised:
                call()
            self.assertIn(words, raised.exception.value.value)
        with self.assertRaisesRegex(TypeError, "describe: expected a Description, found None"):
            Bad().describe()

    def test_what_an_item_came_to_is_compared_too(self) -> None:
        host = TestHost()
        wrong = types.RemoteRef(7, None, None)  # type: ignore[arg-type]
        sdk.each([item("a"), item("b")], lambda one: sdk.done(wrong if one.head.item == "a" else sdk.remote(7)))
        self.assertEqual([type(outcome) for _, outcome in host.settled], [outcomes.Outcome_Failed, outcomes.Outcome_Done])
        self.assertIn("outcome.value.remote.id: expected text, found int 7", host.settled[0][1].value.value)

    def test_an_error_that_is_none_of_the_contracts_says_what_it_meant(self) -> None:
        wrong = contract_error(ConnectorError.rejected("sku", None))  # type: ignore[arg-type]
        self.assertIsInstance(wrong, types.Error_Bug)
        self.assertIn("value[0].message: expected text, found None", wrong.value)
        self.assertEqual(contract_error(ConnectorError.auth("cut \ud83d")), types.Error_Auth("cut \ufffd"))

    def test_a_tests_settings_have_the_defaults_of_the_form(self) -> None:
        program = f"""
import sys
sys.path.insert(0, {str(Path(sdk.__file__).parent.parent)!r})
import types, tradepost_sdk as sdk
from tradepost_sdk.testing import TestHost
schema = sdk.settings_schema({{"url": {{"type": "string"}}, "lot": {{"type": "integer", "default": 5}}}})
class Connector(sdk.Connector):
    def describe(self):
        return sdk.connector.Description("a", "1", [], "v", [], "i", 1, 1, [], schema, [], [], [], False)
    def check(self): ...
TestHost(settings={{"url": "http://shop"}})
assert sdk.settings() == {{"url": "http://shop", "lot": 5}}, sdk.settings()
TestHost(settings={{"url": "http://shop", "lot": 9}})
assert sdk.settings()["lot"] == 9
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


class Headers(unittest.TestCase):
    written = {"Tradepost-Credential": "api", "TRADEPOST-RATE": "slow", "tradepost-Repeat": "never", "X-Shop": "7"}

    def test_what_is_for_the_host_becomes_fields_however_it_is_written(self) -> None:
        sent: list[http.Request] = []

        def send(request: http.Request) -> http.Response:
            sent.append(request)
            return http.Response(200, [], http.Answer_Bytes(b""), request.url)

        component = Component()
        component._http = SimpleNamespace(**{**vars(http), "send": send})
        component.send("GET", "https://shop.example", self.written, b"")
        component.send("GET", "https://shop.example", {"Tradepost-Credentials": "api"}, b"")
        first, second = sent
        self.assertEqual((first.credential, first.rate, first.repeat), ("api", "slow", http.Repeat.NEVER))
        self.assertEqual([(field.name, field.value) for field in first.headers], [("X-Shop", "7")])
        self.assertEqual([field.name for field in second.headers], ["Tradepost-Credentials"], "the host refuses it")

    def test_a_test_sends_what_the_host_would_send(self) -> None:
        sent: list[dict[str, str]] = []
        host = TestHost(
            secrets={"api": {"authorization": "Bearer t0ken"}},
            send=lambda method, url, headers, body: sent.append(headers) or sdk.Response(200),  # type: ignore[func-returns-value]
        )
        host.send("GET", "https://shop.example", self.written, b"")
        self.assertEqual(sent, [{"X-Shop": "7", "authorization": "Bearer t0ken"}])
        with self.assertRaises(ConnectorError) as raised:
            host.send("GET", "https://shop.example", {"Tradepost-Credentials": "api"}, b"")
        self.assertEqual((raised.exception.case, len(sent)), ("denied", 1))


class Values(unittest.TestCase):
    def test_smallest_units_and_decimals_are_the_same_amounts(self) -> None:
        self.assertEqual([sdk.currency_digits(code) for code in ("EUR", "JPY", "KWD", "CLF")], [2, 0, 3, 4])
        pairs: list[tuple[int, str | int, str]] = [
            (1050, "EUR", "10.50"), (-5, "EUR", "-0.05"), (0, "EUR", "0.00"), (700, "JPY", "700"), (1, "KWD", "0.001"), (350, 3, "0.350"),
        ]
        for units, unit, amount in pairs:
            self.assertEqual(sdk.from_minor(units, unit), amount)
            self.assertEqual(sdk.to_minor(amount, unit), units)
        self.assertEqual([sdk.to_minor(text, "EUR") for text in ("29.900", "7", "-0", "-0.05")], [2990, 700, 0, -5])
        with self.assertRaises(ConnectorError) as raised:
            sdk.to_minor("29.905", "EUR", "total")
        self.assertEqual(raised.exception.value.value[0].path, "total")
        for wrong in (10.5, "1", None, True):
            with self.assertRaises(TypeError):
                sdk.from_minor(wrong, "EUR")  # type: ignore[arg-type]

    def test_a_text_is_a_text(self) -> None:
        self.assertEqual(sdk.as_text("Cup", "name"), "Cup")
        with self.assertRaises(ConnectorError) as raised:
            sdk.as_text(None, "name")
        self.assertEqual(raised.exception.value.value[0].message, "name: expected text, found None")

    def test_an_id_is_never_rounded(self) -> None:
        self.assertEqual(sdk.remote(9007199254740993).id, "9007199254740993")
        with self.assertRaises(ConnectorError):
            sdk.remote(9007199254740993.0)

    def test_amounts_are_never_floats(self) -> None:
        self.assertEqual(sdk.decimal("12.50"), "12.50")
        for wrong in (0.1, "1e3", "", "1,5"):
            with self.assertRaises((TypeError, ValueError)):
                sdk.decimal(wrong)

    def test_times_are_utc(self) -> None:
        self.assertEqual(sdk.utc("2026-03-29T03:00:00+02:00"), "2026-03-29T01:00:00Z")
        with self.assertRaises(ValueError):
            sdk.utc("2026-03-29T03:00:00")


if __name__ == "__main__":
    unittest.main()
