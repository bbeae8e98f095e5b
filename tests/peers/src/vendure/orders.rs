//! Orders of the shop, as its merchant sees them.

use anyhow::{Context, Result};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Vendure, catalogue::text};
use crate::money::minor_units;

/// One order with what the scenario compares.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub code: String,
    pub state: String,
    pub gross: Decimal,
    pub net: Decimal,
    pub shipping_gross: Decimal,
    /// SKU and pieces as ordered (a cancelled order keeps them).
    pub lines: Vec<(String, i64)>,
    pub ship_to_city: String,
    pub bill_to_city: String,
    pub fulfilments: Vec<Fulfilment>,
    /// Notes in the order's history, newest last.
    pub notes: Vec<String>,
    payments: Vec<String>,
}

/// One parcel the shop knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfilment {
    pub state: String,
    pub tracking: String,
    /// SKU and pieces, by SKU.
    pub lines: Vec<(String, i64)>,
}

const ORDER: &str = "id code state total totalWithTax shippingWithTax \
    shippingAddress{city} billingAddress{city} payments{id} \
    lines{id orderPlacedQuantity productVariant{sku}} \
    fulfillments{state trackingCode lines{orderLineId quantity}} \
    history(options:{take:100,sort:{createdAt:ASC}}){items{type data}}";

impl Vendure {
    /// One order by its code.
    pub async fn order(&self, code: &str) -> Result<Order> {
        let query = format!("query($c:String!){{orders(options:{{filter:{{code:{{eq:$c}}}}}}){{items{{{ORDER}}}}}}}");
        let found = self.admin(&query, json!({ "c": code })).await?;
        order(found["orders"]["items"].get(0).with_context(|| format!("the shop has no order {code}"))?)
    }

    /// Takes the money that was authorized.
    pub async fn settle(&self, code: &str) -> Result<()> {
        for payment in self.order(code).await?.payments {
            self.admin(
                "mutation($id:ID!){settlePayment(id:$id){__typename ... on ErrorResult{errorCode message}}}",
                json!({ "id": payment }),
            )
            .await?;
        }
        Ok(())
    }

    pub async fn cancel(&self, code: &str) -> Result<()> {
        let input = json!({ "i": { "orderId": self.order(code).await?.id, "reason": "customer request", "cancelShipping": true } });
        self.admin(
            "mutation($i:CancelOrderInput!){cancelOrder(input:$i){__typename ... on ErrorResult{errorCode message}}}",
            input,
        )
        .await?;
        Ok(())
    }
}

fn order(item: &Value) -> Result<Order> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let lines = list(&item["lines"]);
    let sku_of = |id: &Value| -> Result<String> {
        let line = lines.iter().find(|line| line["id"] == *id).with_context(|| format!("no order line {id}"))?;
        text(&line["productVariant"]["sku"])
    };
    let mut fulfilments = Vec::new();
    for parcel in list(&item["fulfillments"]) {
        let mut inside = Vec::new();
        for line in list(&parcel["lines"]) {
            inside.push((sku_of(&line["orderLineId"])?, line["quantity"].as_i64().context("quantity")?));
        }
        inside.sort();
        fulfilments.push(Fulfilment {
            state: text(&parcel["state"])?,
            tracking: parcel["trackingCode"].as_str().unwrap_or_default().to_owned(),
            lines: inside,
        });
    }
    fulfilments.sort_by(|a, b| a.tracking.cmp(&b.tracking));
    let mut ordered = Vec::new();
    for line in &lines {
        ordered.push((
            text(&line["productVariant"]["sku"])?,
            line["orderPlacedQuantity"].as_i64().context("orderPlacedQuantity")?,
        ));
    }
    ordered.sort();
    let notes = list(&item["history"]["items"]);
    Ok(Order {
        id: text(&item["id"])?,
        code: text(&item["code"])?,
        state: text(&item["state"])?,
        gross: minor_units(&item["totalWithTax"])?,
        net: minor_units(&item["total"])?,
        shipping_gross: minor_units(&item["shippingWithTax"])?,
        lines: ordered,
        ship_to_city: item["shippingAddress"]["city"].as_str().unwrap_or_default().to_owned(),
        bill_to_city: item["billingAddress"]["city"].as_str().unwrap_or_default().to_owned(),
        fulfilments,
        notes: notes
            .iter()
            .filter(|n| n["type"] == "ORDER_NOTE")
            .filter_map(|n| n["data"]["note"].as_str().map(str::to_owned))
            .collect(),
        payments: list(&item["payments"]).iter().map(|p| text(&p["id"])).collect::<Result<_>>()?,
    })
}
