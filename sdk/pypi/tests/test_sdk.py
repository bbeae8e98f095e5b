"""What the SDK adds to the contract, without a component: `python3 -m unittest discover -s sdk/pypi/tests`."""

import subprocess
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

import tradepost_sdk as sdk  # noqa: E402
from tradepost_sdk import ConnectorError, outcomes, types  # noqa: E402
from tradepost_sdk.host import Component  # noqa: E402
from tradepost_sdk.testing import TestHost  # noqa: E402
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
