//! The shop's merchant and customers at the suite's bidding.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tradepost::model::Kind;

use super::{Address, Basket, Vendure, catalogue::text};
use crate::hand::Hand;

/// What the article that orders are made of is called: it is never put away.
const ORDERED: &str = "CONF-ORDERED";
const HOME: Address =
    Address { name: "Ada Lovelace", street: "Ringweg 1", postal_code: "10115", city: "Berlin", country: "DE" };
/// Lists whose elements can be put away: the list, the type of its elements, the mutation.
const LISTS: [(Kind, &str, &str, &str); 3] = [
    (Kind::Product, "products", "Product", "deleteProducts"),
    (Kind::Category, "collections", "Collection", "deleteCollections"),
    (Kind::Customer, "customers", "Customer", "deleteCustomers"),
];

/// Acts on the shop for the suite.
#[derive(Debug)]
pub struct Merchant {
    shop: Vendure,
    channel: String,
    location: String,
    /// Tax categories by percent.
    taxes: BTreeMap<u32, String>,
    /// The article that orders are made of: product and variant.
    ordered: (String, String),
    next: AtomicU64,
}

impl Merchant {
    /// Looks around in the shop and empties it: what it was seeded with is not what the suite is about.
    pub async fn of(shop: Vendure) -> Result<Self> {
        let found = shop
            .admin("{activeChannel{id} stockLocations{items{id}} taxRates{items{value category{id}}}}", json!({}))
            .await?;
        let mut taxes = BTreeMap::new();
        for rate in found["taxRates"]["items"].as_array().into_iter().flatten() {
            let percent = rate["value"].as_f64().context("a tax rate without value")?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole percents in the seed")]
            taxes.insert(percent as u32, text(&rate["category"]["id"])?);
        }
        let mut merchant = Self {
            channel: text(&found["activeChannel"]["id"])?,
            location: text(&found["stockLocations"]["items"][0]["id"])?,
            taxes,
            shop,
            ordered: (String::new(), String::new()),
            next: AtomicU64::new(1),
        };
        merchant.reset().await?;
        merchant.ordered = merchant.product(&Article { sku: ORDERED, on_hand: 100_000, ..Article::default() }).await?;
        Ok(merchant)
    }

    async fn ids(&self, list: &str, of: &str) -> Result<Vec<String>> {
        self.shop.list(list, of, "id").await?.iter().map(|one| text(&one["id"])).collect()
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A product with one variant; ids of both.
    async fn product(&self, article: &Article<'_>) -> Result<(String, String)> {
        let Article { sku, name, html, cents, tax, on_hand } = article;
        let name = if name.is_empty() { format!("Product {sku}") } else { (*name).to_owned() };
        let texts = json!([{"languageCode": "en", "name": name, "slug": sku.to_lowercase(), "description": html}]);
        let input = json!({"i": {"enabled": true, "translations": texts}});
        let made = self.shop.admin("mutation($i:CreateProductInput!){createProduct(input:$i){id}}", input).await?;
        let product = text(&made["createProduct"]["id"])?;
        let input = json!({"i": [{
            "productId": product, "sku": sku, "price": cents, "trackInventory": "TRUE",
            "taxCategoryId": self.taxes.get(tax).with_context(|| format!("the shop has no tax of {tax} %"))?,
            "stockLevels": [{"stockLocationId": self.location, "stockOnHand": on_hand}],
            "translations": [{"languageCode": "en", "name": name}],
        }]});
        let made = self
            .shop
            .admin("mutation($i:[CreateProductVariantInput!]!){createProductVariants(input:$i){id}}", input)
            .await?;
        Ok((product, text(&made["createProductVariants"][0]["id"])?))
    }

    async fn category(&self) -> Result<String> {
        let name = format!("Category {}", self.number());
        let slug = name.to_lowercase().replace(' ', "-");
        let texts = json!([{"languageCode": "en", "name": name, "slug": slug, "description": "<p>Plain.</p>"}]);
        let input = json!({"i": {"translations": texts, "filters": []}});
        let made =
            self.shop.admin("mutation($i:CreateCollectionInput!){createCollection(input:$i){id}}", input).await?;
        text(&made["createCollection"]["id"])
    }

    async fn customer(&self) -> Result<String> {
        let email = format!("customer-{}@example.com", self.number());
        let input = json!({"i": {"firstName": "Ada", "lastName": "Lovelace", "emailAddress": email}});
        let made = self
            .shop
            .admin(
                "mutation($i:CreateCustomerInput!){createCustomer(input:$i){__typename ... on Customer{id} ... on ErrorResult{errorCode message}}}",
                input,
            )
            .await?;
        let id = text(&made["createCustomer"]["id"])?;
        let address = json!({"c": id, "i": HOME.input()});
        self.shop
            .admin(
                "mutation($c:ID!,$i:CreateAddressInput!){createCustomerAddress(customerId:$c,input:$i){id}}",
                address,
            )
            .await?;
        Ok(id)
    }

    /// An order of variants that waits for its money; its code.
    async fn order(&self, lines: &[(&str, i64)]) -> Result<String> {
        let email = format!("buyer-{}@example.com", self.number());
        let basket = Basket {
            email: &email,
            first_name: "Ada",
            last_name: "Lovelace",
            lines,
            ship_to: HOME,
            bill_to: HOME,
            coupon: None,
        };
        self.shop.check_out(basket).await
    }

    /// A fulfilment that has left, of one piece of an order that has more of them; the id that the connector gives it.
    async fn shipment(&self) -> Result<String> {
        let code = self.order(&[(&self.ordered.1, 5)]).await?;
        self.shop.settle(&code).await?;
        let order = self.shop.order(&code).await?.id;
        let found = self.shop.admin("query($o:ID!){order(id:$o){lines{id}}}", json!({"o": order})).await?;
        let arguments = json!([
            {"name": "method", "value": "DHL"}, {"name": "trackingCode", "value": format!("TRACK-{}", self.number())},
        ]);
        let input = json!({"i": {
            "lines": [{"orderLineId": found["order"]["lines"][0]["id"], "quantity": 1}],
            "handler": {"code": "manual-fulfillment", "arguments": arguments},
        }});
        let made = self
            .shop
            .admin(
                "mutation($i:FulfillOrderInput!){addFulfillmentToOrder(input:$i){__typename ... on Fulfillment{id} ... on ErrorResult{errorCode message}}}",
                input,
            )
            .await?;
        let fulfilment = text(&made["addFulfillmentToOrder"]["id"])?;
        self.fulfilment_to(&fulfilment, "Shipped").await?;
        Ok(format!("{order}/{fulfilment}"))
    }

    async fn fulfilment_to(&self, fulfilment: &str, state: &str) -> Result<()> {
        self.shop
            .admin(
                "mutation($f:ID!,$s:String!){transitionFulfillmentToState(id:$f,state:$s){__typename ... on ErrorResult{errorCode message}}}",
                json!({"f": fulfilment, "s": state}),
            )
            .await?;
        Ok(())
    }

    async fn one(&self, kind: Kind) -> Result<String> {
        let sku = format!("CONF-{}", self.number());
        let article = Article { sku: &sku, ..Article::default() };
        Ok(match kind {
            Kind::Product => self.product(&article).await?.0,
            Kind::Stock | Kind::Price => self.product(&article).await?.1,
            Kind::Category => self.category().await?,
            Kind::Customer => self.customer().await?,
            Kind::Order => {
                let code = self.order(&[(&self.ordered.1, 2)]).await?;
                self.shop.order(&code).await?.id
            }
            Kind::Shipment => self.shipment().await?,
            Kind::OrderEvent => bail!("nobody makes a {kind}"),
        })
    }

    async fn update_variant(&self, mut input: Value, id: &str) -> Result<()> {
        input["id"] = json!(id);
        self.shop
            .admin(
                "mutation($i:[UpdateProductVariantInput!]!){updateProductVariants(input:$i){id}}",
                json!({"i": [input]}),
            )
            .await?;
        Ok(())
    }

    async fn delete(&self, mutation: &str, ids: &[String]) -> Result<()> {
        let query = format!("mutation($i:[ID!]!){{{mutation}(ids:$i){{result message}}}}");
        let done = self.shop.admin(&query, json!({"i": ids})).await?;
        let refused = done[mutation].as_array().into_iter().flatten().find(|one| one["result"] != "DELETED");
        ensure!(refused.is_none(), "{mutation}: {refused:?}");
        Ok(())
    }

    async fn golden_records(&self) -> Result<Vec<Value>> {
        let sku = format!("GOLD-{}", self.number());
        let article = Article {
            sku: &sku,
            name: "Plain cup",
            html: "<p>Fired <b>twice</b>.</p>",
            cents: 1250,
            tax: 19,
            on_hand: 7,
        };
        let (product, variant) = self.product(&article).await?;
        let (stock, price) = (format!("stock:{}", self.location), format!("price:base:{}", self.channel));
        Ok(vec![
            json!({"kind": "product", "id": product, "facets": {
                "head": {"form": "goods", "active": true},
                "texts:en": {"name": article.name, "long_html": article.html},
            }, "variants": [{"sku": sku, "facets": {"head": {"sku": sku, "tax_percent": "19", "active": true}}}]}),
            json!({"kind": "stock", "id": variant, "facets": {stock: {"quantity": "7"}}}),
            json!({"kind": "price", "id": variant, "facets": {price: {"amount": "12.50", "currency": "EUR"}}}),
        ])
    }

    /// Orders of two tax rates whose lines do not divide evenly, and what the shop says they cost.
    async fn golden_orders(&self) -> Result<Vec<Value>> {
        let (full, reduced) = (format!("GOLD-{}", self.number()), format!("GOLD-{}", self.number()));
        let (_, full) = self.product(&Article { sku: &full, cents: 333, ..Article::default() }).await?;
        let (_, reduced) = self.product(&Article { sku: &reduced, cents: 99, tax: 7, ..Article::default() }).await?;
        let mut records = Vec::new();
        for pieces in [1, 3, 7] {
            let code = self.order(&[(&full, pieces), (&reduced, 3)]).await?;
            let order = self.shop.order(&code).await?;
            let total = order.gross.to_string();
            records.push(json!({"kind": "order", "id": order.id, "facets": {"placed": {"total": total}}}));
        }
        Ok(records)
    }
}

/// A product of one variant to be made.
struct Article<'a> {
    sku: &'a str,
    name: &'a str,
    html: &'a str,
    cents: i64,
    tax: u32,
    on_hand: i64,
}

impl Default for Article<'_> {
    fn default() -> Self {
        Self { sku: "", name: "", html: "<p>Plain.</p>", cents: 1990, tax: 19, on_hand: 50 }
    }
}

impl Hand for Merchant {
    fn cases(&self) -> &'static [&'static str] {
        &["golden-records", "order-totals-add-up"]
    }

    async fn reset(&self) -> Result<()> {
        for (_, list, of, mutation) in LISTS {
            let mut ids = self.ids(list, of).await?;
            ids.retain(|id| *id != self.ordered.0);
            if !ids.is_empty() {
                self.delete(mutation, &ids).await?;
            }
        }
        Ok(())
    }

    async fn make(&self, kind: Kind, count: usize) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.one(kind).await?);
        }
        Ok(ids)
    }

    async fn change(&self, kind: Kind, id: &str) -> Result<()> {
        let name = json!([{"languageCode": "en", "name": format!("Changed {}", self.number())}]);
        match kind {
            Kind::Product => self.shop.update_product(json!({"id": id, "translations": name})).await,
            Kind::Stock => {
                let level = json!([{"stockLocationId": self.location, "stockOnHand": 77}]);
                self.update_variant(json!({"stockLevels": level}), id).await
            }
            Kind::Price => self.update_variant(json!({"price": 2005}), id).await,
            Kind::Category => {
                let input = json!({"i": {"id": id, "translations": name}});
                self.shop
                    .admin("mutation($i:UpdateCollectionInput!){updateCollection(input:$i){id}}", input)
                    .await
                    .map(drop)
            }
            Kind::Customer => {
                let input = json!({"i": {"id": id, "firstName": "Augusta"}});
                self.shop
                    .admin(
                        "mutation($i:UpdateCustomerInput!){updateCustomer(input:$i){__typename ... on ErrorResult{errorCode message}}}",
                        input,
                    )
                    .await
                    .map(drop)
            }
            Kind::Order => {
                let found = self.shop.admin("query($o:ID!){order(id:$o){code}}", json!({"o": id})).await?;
                self.shop.settle(&text(&found["order"]["code"])?).await
            }
            Kind::Shipment => {
                let (_, fulfilment) = id.split_once('/').with_context(|| format!("{id} is no shipment"))?;
                self.fulfilment_to(fulfilment, "Delivered").await
            }
            Kind::OrderEvent => bail!("nobody changes a {kind}"),
        }
    }

    async fn remove(&self, kind: Kind, id: &str) -> Result<()> {
        let (kind, id) = match kind {
            // A variant that is taken away takes its stock and its price along.
            Kind::Stock | Kind::Price => return self.delete("deleteProductVariants", &[id.to_owned()]).await,
            kind => (kind, id.to_owned()),
        };
        let list = LISTS.iter().find(|(of, ..)| *of == kind);
        let (.., mutation) = list.with_context(|| format!("the shop keeps every {kind}"))?;
        self.delete(mutation, &[id]).await
    }

    async fn count(&self, kind: Kind) -> Result<u64> {
        let list = match kind {
            Kind::Category => "collections",
            Kind::Product => "products",
            Kind::Stock | Kind::Price => "productVariants",
            Kind::Customer => "customers",
            Kind::Order => "orders",
            Kind::Shipment => {
                let orders = self.shop.list("orders", "Order", "fulfillments{id}").await?;
                let fulfilments = orders.iter().filter_map(|order| order["fulfillments"].as_array());
                return Ok(fulfilments.map(Vec::len).sum::<usize>() as u64);
            }
            Kind::OrderEvent => bail!("nobody counts a {kind}"),
        };
        let found = self.shop.admin(&format!("{{{list}{{totalItems}}}}"), json!({})).await?;
        found[list]["totalItems"].as_u64().context("a list without totalItems")
    }

    async fn golden(&self, case: &str) -> Result<Vec<Value>> {
        match case {
            "golden-records" => self.golden_records().await,
            "order-totals-add-up" => self.golden_orders().await,
            other => bail!("there are no records of `{other}`"),
        }
    }
}
