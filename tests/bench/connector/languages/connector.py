"""The connector of the benchmarks in Python: reads the products that `src/lib.rs` reads, and says the same of them."""

from __future__ import annotations

from typing import Any

import tradepost_sdk as sdk
from tradepost_sdk import Api, ConnectorError, catalog, connector, decimal, read_head, records, remote, source, text, texts, types


class Connector(sdk.Connector):
    def describe(self) -> connector.Description:
        reading = connector.Reading(changes=True, ids=False, present=False, writes=False, figure=None)
        return connector.Description(
            id="org.tradepost.bench",
            version="0.1.0",
            name=text("Bench"),
            vendor="Tradepost",
            about=text("A fast local platform."),
            id_space="bench",
            mapping_revision=1,
            storage_version=1,
            abilities=[connector.Ability(records.Kind.PRODUCT, reading, None, None)],
            settings_schema=sdk.settings_schema({"url": {"type": "string", "format": "uri", "title": "Address"}}),
            origins=[connector.Origin("https", "{url}", None, text("The platform."))],
            credentials=[],
            rates=[],
            files=False,
        )

    def check(self) -> connector.Account:
        channel = connector.Channel(
            id="main", name="Main", currency="EUR", basis=types.TaxBasis.GROSS, languages=["de", "en"], countries=["DE"], zone="UTC",
        )
        return connector.Account(
            id=sdk.settings()["url"], name="bench", environment=connector.Environment.TEST, zone="UTC", now=None,
            channels=[channel], warehouses=[connector.Warehouse("main", "Main")],
        )


class Source(sdk.Source):
    def pull(self, request: source.Request) -> source.Page:
        scope = request.scope
        if request.kind != records.Kind.PRODUCT or not isinstance(scope, source.Scope_Changed):
            raise ConnectorError.unsupported("only changes of products")
        answer = Api(sdk.settings()["url"]).get(
            "/products", page=request.cursor or "1", per_page=request.limit, updated_since=scope.value.since
        )
        products, unreadable = sdk.read_rows(answer["data"], product)
        return sdk.page(records.Records_Products(products), unreadable=unreadable, next=answer["next"])


def attribute(name: str, value: str) -> catalog.Attribute:
    """An attribute in German."""
    return catalog.Attribute(name, value, language="de", unit=None)


def product(row: dict[str, Any]) -> catalog.Product:
    """A product with its one variant."""
    return catalog.Product(
        head=read_head(row["id"], updated=row["updated_at"]),
        base=catalog.ProductBase(
            number=row["sku"], form=catalog.Form.GOODS, active=row["active"], manufacturer=row["manufacturer"], unit=None
        ),
        texts=[texts("de", row["name_de"], long_html=row["description"]), texts("en", row["name_en"])],
        pictures=[catalog.Medium("main", catalog.Content(blob=None, url=row["image"]), [])],
        categories=None,
        attributes=[attribute("colour", row["color"]), attribute("size", row["size"])],
        variants=[
            catalog.Variant(
                remote=remote(row["id"]), sku=row["sku"], gtin=row["ean"], mpn=None, active=row["active"], tax_class=None,
                tax_percent=decimal(str(row["tax"])), choices=[], weight_kg=decimal(str(row["weight"])), pictures=None, extra=[],
            )
        ],
        extra=[],
    )
