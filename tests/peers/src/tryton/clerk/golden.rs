//! Records that must be read just so.

use anyhow::{Context, Result, bail, ensure};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Clerk, Draft, Sold, TEMPLATE, id};
use crate::money::{to_typed, typed_decimal};

/// Rules that there are records for.
pub(super) const CASES: &[&str] = &[
    "golden-records",
    "zero-amounts",
    "huge-amounts",
    "decimal-places",
    "currencies-without-decimals",
    "leap-days",
    "order-totals-add-up",
];
/// Currencies that the company does not have of itself: code, decimal places, smallest unit.
const CURRENCIES: [(&str, u32, &str); 2] = [("JPY", 0, "1"), ("KWD", 3, "0.001")];

impl Clerk {
    /// Makes the records of a case.
    pub(super) async fn records_of(&self, case: &str) -> Result<Vec<Value>> {
        match case {
            "golden-records" => self.product().await,
            "zero-amounts" => self.priced(&[Decimal::ZERO]).await,
            // As many digits as nobody asks for, and all the decimal places that the ERP is set to.
            "huge-amounts" => self.priced(&["98765432109876.5432".parse()?]).await,
            "decimal-places" => {
                let amounts = [Decimal::new(7, 0), Decimal::new(75, 1), Decimal::new(725, 2), Decimal::new(7_125, 3)];
                self.priced(&[&amounts[..], &[Decimal::new(70_625, 4)]].concat()).await
            }
            "currencies-without-decimals" => self.foreign_orders().await,
            "leap-days" => self.shipment_of_a_leap_day().await,
            "order-totals-add-up" => Ok([self.taxed_orders().await?, self.foreign_orders().await?].concat()),
            other => bail!("there are no records of `{other}`"),
        }
    }

    fn stock(&self, variant: i64, pieces: &str) -> Value {
        let facet = format!("stock:{}", self.warehouse);
        json!({"kind": "stock", "id": variant.to_string(), "facets": {facet: {"quantity": pieces}}})
    }

    async fn product(&self) -> Result<Vec<Value>> {
        let code = format!("GOLD-{}", self.number());
        let (name, html) = ("Plain cup", "<p>Fired <b>twice</b>.</p>");
        let net = Decimal::new(12_5050, 4);
        let draft = Draft { name, code: &code, suffixes: &["-S", "-L"], net };
        let template = self.erp.create_all(TEMPLATE, vec![self.pattern.product(draft)]).await?;
        let variants = self.variants(&template).await?;
        for variant in &variants {
            self.write("product.product", &variant.to_string(), json!({"description": html})).await?;
        }
        self.erp.count_products(self.store, &variants[..1], 7).await?;
        let variant = |suffix: &str| {
            let sku = format!("{code}{suffix}");
            json!({"sku": sku, "facets": {"head": {"sku": sku, "tax_percent": "19", "active": true}}})
        };
        let mut records = vec![json!({"kind": "product", "id": template[0].to_string(), "facets": {
            "head": {"number": code, "form": "goods", "active": true},
            "texts:en": {"name": name, "long_html": html},
        }, "variants": [variant("-S"), variant("-L")]})];
        for (variant, pieces) in variants.into_iter().zip(["7", "0"]) {
            records.extend([self.stock(variant, pieces), price(variant, net)]);
        }
        Ok(records)
    }

    /// Articles that cost so much, of which none is there.
    async fn priced(&self, amounts: &[Decimal]) -> Result<Vec<Value>> {
        let mut records = Vec::new();
        for net in amounts {
            let code = format!("GOLD-{}", self.number());
            let draft = Draft { name: &code, code: &code, suffixes: &[""], net: *net };
            let sold = self.sold(draft, 19).await?;
            records.extend([self.stock(sold.product, "0"), price(sold.product, *net)]);
        }
        Ok(records)
    }

    /// Sales with two taxes whose lines do not divide evenly, with the carrier's costs.
    async fn taxed_orders(&self) -> Result<Vec<Value>> {
        let (full, reduced) = (format!("GOLD-{}", self.number()), format!("GOLD-{}", self.number()));
        let draft = |code, net| Draft { name: code, code, suffixes: &[""], net };
        let full = self.sold(draft(&full, Decimal::new(3_3333, 4)), 19).await?;
        let reduced = self.sold(draft(&reduced, Decimal::new(9_905, 4)), 7).await?;
        let sales = [1, 3, 7].map(|pieces| self.sale_of(&[(full, pieces), (reduced, 3)]));
        self.stated(sales.to_vec()).await
    }

    /// Sales in currencies of none and of three decimal places.
    async fn foreign_orders(&self) -> Result<Vec<Value>> {
        let mut sales = Vec::new();
        for (code, digits, unit) in CURRENCIES {
            let found = self.erp.read("currency.currency", json!([["code", "=", code]]), &["code"]).await?;
            let currency = match found.first() {
                Some(found) => id(found)?,
                None => {
                    let rate = json!({"rate": to_typed(Decimal::ONE)});
                    let values = json!({
                        "name": code, "code": code, "symbol": code, "digits": digits, "rounding": to_typed(unit.parse()?),
                        "rates": [["create", [rate]]],
                    });
                    id(&self.erp.post("currency.currency", values).await?)?
                }
            };
            let line = (Sold { net: Decimal::new(333_3333, 4), ..self.ordered }, 3);
            let mut sale = self.sale_of(&[line]);
            sale["currency"] = json!(currency);
            sales.push(sale);
        }
        self.stated(sales).await
    }

    /// Quotes sales and says what the ERP says they cost.
    async fn stated(&self, sales: Vec<Value>) -> Result<Vec<Value>> {
        let ids = self.quotations(sales).await?;
        let fields = ["total_amount", "currency.code", "lines.product.code"];
        let mut records = Vec::new();
        for sale in self.erp.read("sale.sale", json!([["id", "in", ids]]), &fields).await? {
            let lines = sale["lines"].as_array().context("a sale without lines")?;
            let shipped = lines.iter().any(|line| line["product"]["code"] == "SHIP");
            ensure!(shipped, "the ERP put no line for shipping into a sale: {sale}");
            let total = typed_decimal(&sale["total_amount"])?.to_string();
            let placed = json!({"total": total, "currency": sale["currency"]["code"]});
            records.push(json!({"kind": "order", "id": id(&sale)?.to_string(), "facets": {"placed": placed}}));
        }
        Ok(records)
    }

    async fn shipment_of_a_leap_day(&self) -> Result<Vec<Value>> {
        let shipments = self.waiting(1).await?;
        let shipment = shipments[0].to_string();
        let day = json!({"__class__": "date", "year": 2024, "month": 2, "day": 29});
        self.write("stock.shipment.out", &shipment, json!({"effective_date": day})).await?;
        self.erp.ship_whole(&shipments, &format!("TRACK-{}", self.number())).await?;
        let facets = json!({"shipment": {"shipped": "2024-02-29T12:00:00Z"}});
        Ok(vec![json!({"kind": "shipment", "id": shipment, "facets": facets})])
    }
}

fn price(variant: i64, net: Decimal) -> Value {
    let amount = json!({"amount": net.to_string(), "currency": "EUR", "basis": "net"});
    json!({"kind": "price", "id": variant.to_string(), "facets": {"price:base:main": amount}})
}
