//! Sales, shipments and parties of the ERP.

use anyhow::{Context, Result, ensure};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Tryton, catalogue::pieces, id};
use crate::money::typed_decimal;

/// One sale with what the scenario compares.
#[derive(Debug, Clone)]
pub struct Sale {
    pub id: i64,
    pub number: String,
    pub state: String,
    pub total: Decimal,
    pub untaxed: Decimal,
    /// Code and pieces of the goods, by code.
    pub goods: Vec<(String, Decimal)>,
    pub party: i64,
    pub ship_to_city: String,
    pub bill_to_city: String,
    pub shipments: Vec<(i64, String)>,
    pub invoices: Vec<String>,
}

/// Somebody who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub id: i64,
    pub name: String,
    pub cities: Vec<String>,
    pub contacts: Vec<String>,
}

impl Tryton {
    /// Every sale that carries a shop order's code in its reference.
    pub async fn sales_of(&self, order_code: &str) -> Result<Vec<Sale>> {
        let fields = [
            "number",
            "state",
            "total_amount",
            "untaxed_amount",
            "party.id",
            "shipment_address.city",
            "invoice_address.city",
            "shipments.id",
            "shipments.state",
            "invoices.state",
            "lines.product.code",
            "lines.product.template.type",
            "lines.quantity",
        ];
        let found = self.read("sale.sale", json!([["reference", "ilike", format!("%{order_code}%")]]), &fields).await?;
        found.iter().map(sale).collect()
    }

    /// The one sale of a shop order.
    pub async fn sale_of(&self, order_code: &str) -> Result<Sale> {
        let mut found = self.sales_of(order_code).await?;
        ensure!(found.len() == 1, "the ERP has {} sales of order {order_code}", found.len());
        found.pop().context("counted above")
    }

    /// Ships a sale in as many parcels as there are tracking numbers, article by article, each article in the parcel of its turn.
    /// Gives per parcel its tracking number and what is inside.
    pub async fn ship(&self, sale: &Sale, tracking: &[&str]) -> Result<Vec<(String, Vec<(String, i64)>)>> {
        let shipment = sale.shipments.first().with_context(|| format!("sale {} has no shipment", sale.number))?.0;
        self.pick(&[shipment]).await?;
        let fields = ["outgoing_moves.id", "outgoing_moves.product.code", "outgoing_moves.quantity"];
        let picked = self.one("stock.shipment.out", json!([["id", "=", shipment]]), &fields).await?;
        let mut moves = picked["outgoing_moves"].as_array().cloned().unwrap_or_default();
        moves.sort_by_key(|one| one["product"]["code"].as_str().unwrap_or_default().to_owned());
        ensure!(
            moves.len() >= tracking.len(),
            "sale {} has too few articles for {} parcels",
            sale.number,
            tracking.len()
        );
        let kind = self.package_type().await?;
        let mut parcels = Vec::new();
        for (turn, number) in tracking.iter().enumerate() {
            let inside: Vec<&Value> = moves.iter().skip(turn).step_by(tracking.len()).collect();
            let ids = inside.iter().map(|one| id(one)).collect::<Result<Vec<_>>>()?;
            self.post("stock.package", package(kind, shipment, number, &ids)).await?;
            let mut contents = Vec::new();
            for one in inside {
                let quantity = pieces(&one["quantity"])?.normalize().to_string().parse().context("whole pieces")?;
                contents.push((one["product"]["code"].as_str().unwrap_or_default().to_owned(), quantity));
            }
            parcels.push(((*number).to_owned(), contents));
        }
        self.hand_over(&[shipment]).await?;
        parcels.sort();
        Ok(parcels)
    }

    /// Ships each of these shipments in a parcel of its own; the tracking numbers begin with `tracking`.
    pub async fn ship_whole(&self, shipments: &[i64], tracking: &str) -> Result<()> {
        self.pick(shipments).await?;
        let kind = self.package_type().await?;
        let picked = self.read("stock.shipment.out", json!([["id", "in", shipments]]), &["outgoing_moves.id"]).await?;
        let mut packages = Vec::new();
        for one in &picked {
            let moves = one["outgoing_moves"].as_array().context("a shipment without goods")?;
            let moves = moves.iter().map(id).collect::<Result<Vec<_>>>()?;
            let shipment = id(one)?;
            packages.push(package(kind, shipment, &format!("{tracking}-{shipment}"), &moves));
        }
        self.create_all("stock.package", packages).await?;
        self.hand_over(shipments).await
    }

    /// Takes the goods from the shelf.
    async fn pick(&self, shipments: &[i64]) -> Result<()> {
        for button in ["wait", "assign_try", "pick"] {
            self.press("stock.shipment.out", shipments, button).await?;
        }
        Ok(())
    }

    /// Closes the parcels and gives them away.
    async fn hand_over(&self, shipments: &[i64]) -> Result<()> {
        for button in ["pack", "do"] {
            self.press("stock.shipment.out", shipments, button).await?;
        }
        Ok(())
    }

    async fn package_type(&self) -> Result<i64> {
        match self.read("stock.package.type", json!([]), &["name"]).await?.first() {
            Some(found) => id(found),
            None => id(&self.post("stock.package.type", json!({ "name": "Box" })).await?),
        }
    }

    /// Everybody with this e-mail address.
    pub async fn parties_with(&self, email: &str) -> Result<Vec<Party>> {
        let fields = ["name", "addresses.city", "contact_mechanisms.value"];
        let found = self.read("party.party", json!([["contact_mechanisms.value", "=", email]]), &fields).await?;
        found.iter().map(party).collect()
    }

    pub async fn count_parties(&self) -> Result<usize> {
        Ok(self.read("party.party", json!([]), &["name"]).await?.len())
    }

    pub async fn count_sales(&self) -> Result<usize> {
        Ok(self.read("sale.sale", json!([]), &["number"]).await?.len())
    }
}

/// A parcel to be made of goods that were picked.
fn package(kind: i64, shipment: i64, tracking: &str, moves: &[i64]) -> Value {
    let shipment = format!("stock.shipment.out,{shipment}");
    json!({ "type": kind, "shipment": shipment, "shipping_reference": tracking, "moves": [["add", moves]] })
}

fn sale(item: &Value) -> Result<Sale> {
    let list = |field: &str| item[field].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut goods = Vec::new();
    for line in list("lines") {
        if line["product"]["template"]["type"] == "goods" {
            goods.push((text(&line["product"]["code"]), pieces(&line["quantity"])?.normalize()));
        }
    }
    goods.sort();
    Ok(Sale {
        id: id(item)?,
        number: text(&item["number"]),
        state: text(&item["state"]),
        total: typed_decimal(&item["total_amount"])?,
        untaxed: typed_decimal(&item["untaxed_amount"])?,
        goods,
        party: id(&item["party"])?,
        ship_to_city: text(&item["shipment_address"]["city"]),
        bill_to_city: text(&item["invoice_address"]["city"]),
        shipments: list("shipments").iter().map(|one| Ok((id(one)?, text(&one["state"])))).collect::<Result<_>>()?,
        invoices: list("invoices").iter().map(|one| text(&one["state"])).collect(),
    })
}

fn party(item: &Value) -> Result<Party> {
    let all = |field: &str, of: &str| -> Vec<String> {
        let list = item[field].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|one| one[of].as_str().map(str::to_owned)).collect()
    };
    Ok(Party {
        id: id(item)?,
        name: item["name"].as_str().unwrap_or_default().to_owned(),
        cities: all("addresses", "city"),
        contacts: all("contact_mechanisms", "value"),
    })
}
