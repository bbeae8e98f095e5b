//! The ERP's clerk at the suite's bidding.

mod golden;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tradepost::model::Kind;

use super::{Draft, Pattern, Tryton, id};
use crate::{
    hand::Hand,
    money::{to_typed, typed_decimal},
    setup::SPECIAL_PRICES,
};

/// The article that sales are made of: it is never put away.
const ORDERED: &str = "CONF-ORDERED";
/// Net price of an article that nobody says more about, in cents.
const CENTS: i64 = 1000;
/// What is put away, in an order in which nothing hangs on what goes.
const PASSING: [&str; 4] = ["sale.sale", "party.party", TEMPLATE, "product.category"];
const TEMPLATE: &str = "product.template";

/// An article as sales need it.
#[derive(Debug, Clone, Copy)]
struct Sold {
    product: i64,
    tax: i64,
    net: Decimal,
}

/// Acts on the ERP for the suite.
#[derive(Debug)]
pub struct Clerk {
    erp: Tryton,
    pattern: Pattern,
    /// Accounting category and tax by percent.
    taxes: BTreeMap<u32, (i64, i64)>,
    store: i64,
    warehouse: i64,
    country: i64,
    /// What all sales have in common: who buys, and where it goes.
    sale: Value,
    ordered: Sold,
    /// The last record of each model that was there before the suite.
    seeded: BTreeMap<&'static str, i64>,
    /// What could not be put away, by model.
    kept: Mutex<BTreeSet<(&'static str, i64)>>,
    next: AtomicU64,
}

impl Clerk {
    /// Looks around in the ERP and takes what is there for what stays.
    pub async fn of(erp: Tryton) -> Result<Self> {
        let mut taxes = BTreeMap::new();
        let fields = ["customer_taxes.rate"];
        for category in erp.read("product.category", json!([["accounting", "=", true]]), &fields).await? {
            let tax = &category["customer_taxes"][0];
            let percent = typed_decimal(&tax["rate"])? * Decimal::ONE_HUNDRED;
            taxes.insert(percent.try_into().context("whole percents in the seed")?, (id(&category)?, id(tax)?));
        }
        let warehouse = erp.one("stock.location", json!([["type", "=", "warehouse"]]), &["code"]).await?;
        let country = erp.one("country.country", json!([["code", "=", "DE"]]), &["code"]).await?;
        let mut clerk = Self {
            pattern: erp.pattern().await?,
            taxes,
            store: erp.store().await?,
            warehouse: id(&warehouse)?,
            country: id(&country)?,
            sale: Value::Null,
            ordered: Sold { product: 0, tax: 0, net: Decimal::ZERO },
            seeded: BTreeMap::new(),
            kept: Mutex::default(),
            next: AtomicU64::new(1),
            erp,
        };
        let draft = Draft { name: "Ordered", code: ORDERED, suffixes: &[""], net: Decimal::new(CENTS, 2) };
        clerk.ordered = clerk.sold(draft, 19).await?;
        clerk.erp.count_products(clerk.store, &[clerk.ordered.product], 100_000).await?;
        clerk.sale = clerk.buyer().await?;
        // The connector is set to read one, and without it reads no prices at all.
        clerk.erp.price_list(SPECIAL_PRICES).await?;
        for model in PASSING {
            let last = clerk.erp.search(model, json!([])).await?.last().copied();
            clerk.seeded.insert(model, last.unwrap_or_default());
        }
        Ok(clerk)
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Somebody who buys, as the head of a sale.
    async fn buyer(&self) -> Result<Value> {
        let party = self.customers(1).await?[0];
        let address = id(&self.erp.one("party.address", json!([["party", "=", party]]), &["city"]).await?)?;
        let terms = self.erp.read("account.invoice.payment_term", json!([]), &["name"]).await?;
        let carrier = id(&self.erp.one("carrier", json!([]), &["party.name"]).await?)?;
        Ok(json!({
            "party": party, "invoice_address": address, "shipment_address": address, "carrier": carrier,
            "payment_term": id(terms.first().context("the ERP has no payment term")?)?,
            "invoice_method": "manual", "shipment_method": "order",
        }))
    }

    async fn customers(&self, count: usize) -> Result<Vec<i64>> {
        let one = |_| {
            let address = json!({
                "street_unstructured": "Ringweg 1", "postal_code": "10115", "city": "Berlin", "country": self.country,
            });
            let email = json!({"type": "email", "value": format!("customer-{}@example.com", self.number())});
            json!({
                "name": "Ada Lovelace", "addresses": [["create", [address]]],
                "contact_mechanisms": [["create", [email]]],
            })
        };
        self.erp.create_all("party.party", (0..count).map(one).collect()).await
    }

    /// Products of one variant each; ids of the templates.
    async fn products(&self, count: usize) -> Result<Vec<i64>> {
        let one = |_| {
            let code = format!("CONF-{}", self.number());
            let name = format!("Product {code}");
            self.pattern.product(Draft { name: &name, code: &code, suffixes: &[""], net: Decimal::new(CENTS, 2) })
        };
        self.erp.create_all(TEMPLATE, (0..count).map(one).collect()).await
    }

    /// The variants of these templates.
    async fn variants(&self, templates: &[i64]) -> Result<Vec<i64>> {
        self.erp.search("product.product", json!([["template", "in", templates]])).await
    }

    /// A product that bears a tax.
    async fn sold(&self, draft: Draft<'_>, percent: u32) -> Result<Sold> {
        let (accounting, tax) =
            *self.taxes.get(&percent).with_context(|| format!("the ERP has no tax of {percent} %"))?;
        let values = Pattern { accounting, ..self.pattern }.product(draft);
        let made = self.erp.create_all(TEMPLATE, vec![values]).await?;
        let product = self.variants(&made).await?.pop().context("a product without variants")?;
        Ok(Sold { product, tax, net: draft.net })
    }

    fn sale_of(&self, lines: &[(Sold, i64)]) -> Value {
        let line = |(sold, pieces): &(Sold, i64)| {
            json!({
                "type": "line", "product": sold.product, "unit": self.pattern.unit, "quantity": pieces,
                "unit_price": to_typed(sold.net), "taxes": [["add", [sold.tax]]],
            })
        };
        let mut sale = self.sale.clone();
        sale["reference"] = json!(format!("WEB-{}", self.number()));
        sale["lines"] = json!([["create", lines.iter().map(line).collect::<Vec<_>>()]]);
        sale
    }

    /// Sales that wait to be confirmed.
    async fn quotations(&self, sales: Vec<Value>) -> Result<Vec<i64>> {
        let ids = self.erp.create_all("sale.sale", sales).await?;
        self.erp.press("sale.sale", &ids, "quote").await?;
        Ok(ids)
    }

    fn orders(&self, count: usize) -> Vec<Value> {
        (0..count).map(|_| self.sale_of(&[(self.ordered, 2)])).collect()
    }

    /// Goods of so many sales that wait to be sent.
    async fn waiting(&self, count: usize) -> Result<Vec<i64>> {
        let sales = self.quotations(self.orders(count)).await?;
        self.erp.press("sale.sale", &sales, "confirm").await?;
        let found = self.erp.read("sale.sale", json!([["id", "in", sales]]), &["shipments.id"]).await?;
        found.iter().map(|sale| id(&sale["shipments"][0])).collect()
    }

    async fn shipments(&self, count: usize) -> Result<Vec<i64>> {
        let shipments = self.waiting(count).await?;
        self.erp.ship_whole(&shipments, &format!("TRACK-{}", self.number())).await?;
        Ok(shipments)
    }

    async fn template_of(&self, variant: &str) -> Result<i64> {
        let variant: i64 = variant.parse().with_context(|| format!("{variant} is no variant"))?;
        id(&self.erp.one("product.product", json!([["id", "=", variant]]), &["template.id"]).await?["template"])
    }

    async fn write(&self, model: &str, id: &str, values: Value) -> Result<()> {
        self.erp.put(&format!("{model}/{id}"), values).await.map(drop)
    }

    /// Deletes what can be deleted, takes out of use what can be taken out of use, and remembers the rest.
    async fn put_away(&self, model: &'static str) -> Result<()> {
        let mut clause = json!([["id", ">", self.seeded[model]]]);
        if model == "sale.sale" {
            let open = json!([clause[0], ["state", "in", ["draft", "quotation"]]]);
            let open = self.erp.search(model, open).await?;
            self.erp.press(model, &open, "cancel").await?;
            // What was confirmed stays for good.
            clause = json!([clause[0], ["state", "=", "cancelled"]]);
        }
        let mut ids = self.erp.search(model, clause).await?;
        ids.retain(|id| !self.kept().contains(&(model, *id)));
        if self.erp.delete_all(model, &ids).await.is_ok() {
            return Ok(());
        }
        // What hangs on another record was made after it.
        for id in ids.into_iter().rev() {
            if self.erp.delete_all(model, &[id]).await.is_err() {
                self.kept().insert((model, id));
                if model == TEMPLATE {
                    self.deactivate_template(id).await?;
                }
            }
        }
        Ok(())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeSet<(&'static str, i64)>> {
        self.kept.lock().expect("nothing panics while it holds this")
    }

    /// Takes a product out of the range; nothing of it may lie on the shelf.
    async fn deactivate_template(&self, template: i64) -> Result<()> {
        self.erp.count_products(self.store, &self.variants(&[template]).await?, 0).await?;
        self.write(TEMPLATE, &template.to_string(), json!({"active": false})).await
    }
}

impl Hand for Clerk {
    fn cases(&self) -> &'static [&'static str] {
        golden::CASES
    }

    async fn reset(&self) -> Result<()> {
        for model in PASSING {
            self.put_away(model).await?;
        }
        Ok(())
    }

    async fn make(&self, kind: Kind, count: usize) -> Result<Vec<String>> {
        let ids = match kind {
            Kind::Product => self.products(count).await?,
            Kind::Stock | Kind::Price => self.variants(&self.products(count).await?).await?,
            Kind::Category => {
                let one = |_| json!({"name": format!("Category {}", self.number())});
                self.erp.create_all("product.category", (0..count).map(one).collect()).await?
            }
            Kind::Customer => self.customers(count).await?,
            Kind::Order => self.quotations(self.orders(count)).await?,
            Kind::Shipment => self.shipments(count).await?,
            Kind::OrderEvent => bail!("nobody makes a {kind}"),
        };
        Ok(ids.iter().map(ToString::to_string).collect())
    }

    async fn change(&self, kind: Kind, id: &str) -> Result<()> {
        let name = json!({"name": format!("Changed {}", self.number())});
        match kind {
            Kind::Product => self.write(TEMPLATE, id, name).await,
            Kind::Category => self.write("product.category", id, name).await,
            Kind::Customer => self.write("party.party", id, json!({"name": "Augusta Lovelace"})).await,
            Kind::Stock => self.erp.count_products(self.store, &[id.parse()?], 77).await,
            Kind::Price => {
                let values = json!({"list_price": to_typed(Decimal::new(2005, 2))});
                self.write(TEMPLATE, &self.template_of(id).await?.to_string(), values).await
            }
            Kind::Order => self.erp.press("sale.sale", &[id.parse()?], "confirm").await,
            Kind::Shipment => {
                let package = json!([["shipment", "=", format!("stock.shipment.out,{id}")]]);
                let package = super::id(&self.erp.one("stock.package", package, &["number"]).await?)?;
                let values = json!({"shipping_reference": format!("CHANGED-{}", self.number())});
                self.write("stock.package", &package.to_string(), values).await
            }
            Kind::OrderEvent => bail!("nobody changes a {kind}"),
        }
    }

    async fn remove(&self, kind: Kind, id: &str) -> Result<()> {
        let (model, id) = match kind {
            Kind::Product => (TEMPLATE, id.parse()?),
            // A variant that is taken away takes its stock and its price along.
            Kind::Stock | Kind::Price => ("product.product", id.parse()?),
            Kind::Category => ("product.category", id.parse()?),
            Kind::Customer => ("party.party", id.parse()?),
            Kind::Order | Kind::Shipment | Kind::OrderEvent => bail!("the ERP keeps every {kind}"),
        };
        if self.erp.delete_all(model, &[id]).await.is_ok() {
            return Ok(());
        }
        match model {
            TEMPLATE => self.deactivate_template(id).await,
            model => self.write(model, &id.to_string(), json!({"active": false})).await,
        }
    }

    async fn count(&self, kind: Kind) -> Result<u64> {
        let model = match kind {
            Kind::Category => "product.category",
            Kind::Product => TEMPLATE,
            Kind::Stock | Kind::Price => "product.product",
            Kind::Customer => "party.party",
            Kind::Order => "sale.sale",
            Kind::Shipment => "stock.shipment.out",
            Kind::OrderEvent => bail!("nobody counts a {kind}"),
        };
        self.erp.count(model, json!([])).await
    }

    async fn golden(&self, case: &str) -> Result<Vec<Value>> {
        self.records_of(case).await
    }
}
