//! What a fake platform holds, and what its own users do there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::script::{Fault, Misfortune, Side, Verb};
use super::{body, dec, key};
use crate::model::catalog::{Form, Price, ProductHead, StockLevel, TaxBasis, Texts, VariantHead};
use crate::model::description::Account;
use crate::model::sales::{
    Address, AmountOf, CustomerHead, Line, LineKind, OrderState, Parcel, Payment, PaymentFacet, PaymentState, Placed,
    Shipment, Tax,
};
use crate::model::{FacetKey, Facets, Kind, Link, RemoteRef};

/// Changes a value as the platform does when it stores it.
pub(crate) type Clean = Arc<dyn Fn(&FacetKey, &mut Value) + Send + Sync>;

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) marker: Option<String>,
    /// Idempotency key of the create, empty for what the platform's own users made.
    pub(crate) item: String,
    pub(crate) facets: Facets,
    pub(crate) variants: Vec<Variant>,
    /// Order that the host made: id of a line there -> its id here.
    pub(crate) lines: Vec<(String, String)>,
    /// Shipment: id of its order.
    pub(crate) of: Option<String>,
    pub(crate) whole: bool,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) deleted: bool,
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variant {
    pub(crate) id: String,
    pub(crate) sku: String,
    pub(crate) facets: Facets,
}

/// A facet of a variant that is read as a record of its own: stock or price.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) body: Value,
    pub(crate) updated: Timestamp,
}

/// An event that was applied to an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Applied {
    pub(crate) order: String,
    pub(crate) item: String,
    pub(crate) body: Value,
    pub(crate) at: Timestamp,
}

/// Work whose answer was lost and that ends later.
pub(crate) type Late = Box<dyn FnOnce(&mut World) + Send>;

/// Everything a fake holds.
pub(crate) struct World {
    pub(crate) account: Account,
    pub(crate) objects: Vec<Object>,
    pub(crate) stock: BTreeMap<(String, FacetKey), Figure>,
    pub(crate) prices: BTreeMap<(String, FacetKey), Figure>,
    pub(crate) applied: Vec<Applied>,
    /// Requests that changed something here on behalf of the host.
    pub(crate) writes: u64,
    /// All requests of the host.
    pub(crate) requests: u64,
    pub(crate) calls: BTreeMap<Verb, u32>,
    pub(crate) script: Vec<Fault>,
    /// Ends the host at this request.
    pub(crate) crash_at: Option<(u64, Side)>,
    pub(crate) crashed: bool,
    /// Seconds after which `find` sees a new object.
    pub(crate) lookup_lag: i64,
    pub(crate) clean: Option<Clean>,
    /// Kinds whose creates take several requests.
    pub(crate) multi_step: BTreeSet<Kind>,
    /// Kinds that are read in batches to be acknowledged.
    pub(crate) batched: BTreeSet<Kind>,
    pub(crate) batch_queue: BTreeMap<Kind, VecDeque<String>>,
    pub(crate) batch_open: BTreeMap<Kind, (String, Vec<String>)>,
    /// What is shipped leaves the stock, as where that is what lies there.
    pub(crate) shipments_take_stock: bool,
    /// Every list is empty, as after a bad release of the platform.
    pub(crate) empty_lists: bool,
    pub(crate) now: Timestamp,
    late: Vec<(Timestamp, Late)>,
    next_id: u64,
    next_line: u64,
}

impl World {
    pub(super) fn new(account: Account) -> Self {
        Self {
            account,
            objects: Vec::new(),
            stock: BTreeMap::new(),
            prices: BTreeMap::new(),
            applied: Vec::new(),
            writes: 0,
            requests: 0,
            calls: BTreeMap::new(),
            script: Vec::new(),
            crash_at: None,
            crashed: false,
            lookup_lag: 0,
            clean: None,
            multi_step: BTreeSet::new(),
            batched: BTreeSet::new(),
            batch_queue: BTreeMap::new(),
            batch_open: BTreeMap::new(),
            shipments_take_stock: false,
            empty_lists: false,
            now: Timestamp::UNIX_EPOCH,
            late: Vec::new(),
            next_id: 1,
            next_line: 1,
        }
    }

    /// Moves the platform's clock, and ends the work that was late.
    pub(super) fn advance_to(&mut self, now: Timestamp) {
        self.now = now;
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = later;
        for (_, work) in due {
            work(self);
        }
    }

    pub(super) fn later(&mut self, seconds: i64, work: Late) {
        let at = self.now + jiff::SignedDuration::from_secs(seconds);
        self.late.push((at, work));
    }

    pub(super) fn begin(&mut self, verb: Verb) -> u32 {
        let calls = self.calls.entry(verb).or_default();
        *calls += 1;
        *calls
    }

    /// The scripted misfortune of this place, which then is used up.
    pub(super) fn strike(&mut self, verb: Verb, call: u32, item: Option<u32>, step: u32) -> Option<Misfortune> {
        let at =
            self.script.iter().position(|f| f.verb == verb && f.call == call && f.item == item && f.step == step)?;
        Some(self.script.remove(at).what)
    }

    pub(super) fn new_id(&mut self, prefix: &str) -> String {
        let id = format!("{prefix}{}", self.next_id);
        self.next_id += 1;
        id
    }

    /// Gives the lines of an order ids of their own, counted over all orders; returns the old and the new ones.
    pub(super) fn number_lines(&mut self, placed: &mut Value) -> Vec<(String, String)> {
        let mut numbered = Vec::new();
        for line in placed["lines"].as_array_mut().into_iter().flatten() {
            let id = self.next_line.to_string();
            self.next_line += 1;
            numbered.push((line["id"].as_str().unwrap_or_default().to_owned(), id.clone()));
            line["id"] = id.into();
        }
        numbered
    }

    pub(super) fn cleaned(&self, facets: &Facets) -> Facets {
        let clean = |(key, body): (&FacetKey, &Value)| {
            let mut body = body.clone();
            if let Some(clean) = &self.clean {
                clean(key, &mut body);
            }
            (key.clone(), body)
        };
        facets.iter().map(clean).collect()
    }

    /// Objects of the kind that are there.
    pub(crate) fn all(&self, kind: Kind) -> Vec<&Object> {
        self.objects.iter().filter(|object| object.kind == kind && !object.deleted).collect()
    }

    pub(crate) fn object(&self, kind: Kind, id: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.kind == kind && object.id == id && !object.deleted)
    }

    pub(crate) fn object_mut(&mut self, kind: Kind, id: &str) -> Option<&mut Object> {
        self.objects.iter_mut().find(|object| object.kind == kind && object.id == id && !object.deleted)
    }

    /// Variant by SKU: product id and variant.
    pub(crate) fn variant(&self, sku: &str) -> Option<(&Object, &Variant)> {
        self.objects
            .iter()
            .filter(|object| object.kind == Kind::Product && !object.deleted)
            .find_map(|object| object.variants.iter().find(|v| v.sku == sku).map(|v| (object, v)))
    }

    /// Orders by the number that their shop gave them.
    pub(crate) fn orders(&self, number: &str) -> Vec<&Object> {
        self.all(Kind::Order)
            .into_iter()
            .filter(|object| object.facets.get(&key("placed")).is_some_and(|placed| placed["number"] == number))
            .collect()
    }

    /// Stock of a SKU in a warehouse.
    pub(crate) fn stock_of(&self, sku: &str, warehouse: &str) -> Option<Decimal> {
        let (_, variant) = self.variant(sku)?;
        let figure = self.stock.get(&(variant.id.clone(), FacetKey::new("stock", &[warehouse])))?;
        figure.body["quantity"].as_str()?.parse().ok()
    }

    /// Amount of a price of a SKU.
    pub(crate) fn price_of(&self, sku: &str, facet: &str) -> Option<Decimal> {
        let (_, variant) = self.variant(sku)?;
        let figure = self.prices.get(&(variant.id.clone(), key(facet)))?;
        figure.body["amount"].as_str()?.parse().ok()
    }

    fn touched(&mut self, kind: Kind, id: &str) {
        if self.batched.contains(&kind) {
            self.batch_queue.entry(kind).or_default().push_back(id.to_owned());
        }
    }

    // What the platform's own users do.

    /// A new object; returns its id.
    pub(crate) fn add(&mut self, kind: Kind, facets: Facets) -> String {
        let id = self.new_id(&kind.as_str()[..1]);
        let object = Object {
            kind,
            id: id.clone(),
            marker: None,
            item: String::new(),
            facets,
            variants: Vec::new(),
            lines: Vec::new(),
            of: None,
            whole: true,
            created: self.now,
            updated: self.now,
            deleted: false,
        };
        self.objects.push(object);
        self.touched(kind, &id);
        id
    }

    /// A product with one variant per SKU at 19 %, and no prices or stock.
    pub(crate) fn add_product(&mut self, name: &str, skus: &[&str]) -> String {
        let head = ProductHead {
            number: Some(name.into()),
            form: Form::Goods,
            active: true,
            manufacturer: None,
            unit: None,
            extra: Vec::new(),
        };
        let texts = Texts { name: name.into(), ..Texts::default() };
        let id = self.add(Kind::Product, [(key("head"), body(&head)), (key("texts:de"), body(&texts))].into());
        for sku in skus {
            self.add_variant(&id, sku);
        }
        id
    }

    /// One more variant of a product.
    pub(crate) fn add_variant(&mut self, product: &str, sku: &str) -> String {
        let variant = self.new_id("v");
        let head = VariantHead {
            sku: sku.into(),
            gtin: None,
            mpn: None,
            active: true,
            tax_class: None,
            tax_percent: Some(dec("19")),
            choices: Vec::new(),
            weight_kg: None,
            extra: Vec::new(),
        };
        let now = self.now;
        let object = self.object_mut(Kind::Product, product).expect("the product is there");
        object.variants.push(Variant {
            id: variant.clone(),
            sku: sku.into(),
            facets: [(key("head"), body(&head))].into(),
        });
        object.updated = now;
        self.touched(Kind::Product, product);
        variant
    }

    /// Changes a facet of an object.
    pub(crate) fn edit(&mut self, kind: Kind, id: &str, facet: &str, value: Value) {
        let now = self.now;
        let object = self.object_mut(kind, id).expect("the object is there");
        object.facets.insert(key(facet), value);
        object.updated = now;
        self.touched(kind, id);
    }

    /// Deletes an object.
    pub(crate) fn delete(&mut self, kind: Kind, id: &str) {
        let now = self.now;
        let object = self.object_mut(kind, id).expect("the object is there");
        object.deleted = true;
        object.updated = now;
    }

    /// Sets the stock of a SKU.
    pub(crate) fn set_stock(&mut self, sku: &str, warehouse: &str, quantity: &str) {
        let id = self.variant(sku).expect("the variant is there").1.id.clone();
        let level = StockLevel { quantity: dec(quantity), unlimited: false };
        let figure = Figure { body: body(&level), updated: self.now };
        self.stock.insert((id.clone(), FacetKey::new("stock", &[warehouse])), figure);
        self.touched(Kind::Stock, &id);
    }

    /// Sets a base price in channel `main`.
    pub(crate) fn set_price(&mut self, sku: &str, amount: &str) {
        let basis = self.account.channels[0].basis;
        let price =
            Price { currency: "EUR".into(), basis, amount: Some(dec(amount)), valid_from: None, valid_to: None };
        self.set_price_facet(sku, "price:base:main", &price);
    }

    /// Sets any price.
    pub(crate) fn set_price_facet(&mut self, sku: &str, facet: &str, price: &Price) {
        let id = self.variant(sku).expect("the variant is there").1.id.clone();
        self.prices.insert((id.clone(), key(facet)), Figure { body: body(price), updated: self.now });
        self.touched(Kind::Price, &id);
    }

    /// A customer.
    pub(crate) fn add_customer(&mut self, email: &str) -> String {
        let head = CustomerHead { email: Some(email.into()), active: true, ..CustomerHead::default() };
        self.add(Kind::Customer, [(key("head"), body(&head)), (key("addresses"), json!([]))].into())
    }

    /// A paid order of (SKU, pieces, gross price of one) at 19 %; the customer is made where new. Returns its id.
    pub(crate) fn place_order(&mut self, number: &str, email: &str, lines: &[(&str, &str, &str)]) -> String {
        let known = self
            .all(Kind::Customer)
            .into_iter()
            .find(|object| object.facets[&key("head")]["email"] == email)
            .map(|object| object.id.clone());
        let customer = known.unwrap_or_else(|| self.add_customer(email));
        let buyer = CustomerHead { email: Some(email.into()), active: true, ..CustomerHead::default() };
        let line = |(n, (sku, quantity, price)): (usize, &(&str, &str, &str))| {
            let total = dec(quantity) * dec(price);
            Line {
                id: format!("{}", n + 1),
                kind: LineKind::Product,
                variant: Some(Link {
                    id: self.variant(sku).map(|(_, variant)| variant.id.clone()),
                    key: (*sku).into(),
                }),
                name: (*sku).into(),
                quantity: dec(quantity),
                unit_price: dec(price),
                total,
                tax_percent: Some(dec("19")),
                tax: Some(cents(total * dec("19") / dec("119"))),
                tax_code: None,
                extra: Vec::new(),
            }
        };
        let lines: Vec<Line> = lines.iter().enumerate().map(line).collect();
        let total: Decimal = lines.iter().map(|line| line.total).sum();
        let tax = cents(total * dec("19") / dec("119"));
        let placed = Placed {
            number: number.into(),
            other_number: None,
            channel: "main".into(),
            placed: self.now,
            currency: "EUR".into(),
            basis: TaxBasis::Gross,
            customer: Link { id: Some(customer), key: email.into() },
            buyer,
            billing: Address {
                lines: vec!["Weg 1".into()],
                postcode: "80331".into(),
                city: "München".into(),
                country: "DE".into(),
                ..Address::default()
            },
            shipping: None,
            lines,
            taxes: vec![Tax { percent: dec("19"), base: total - tax, amount: tax }],
            delivery: None,
            total,
            note: None,
            extra: Vec::new(),
        };
        let paid = Payment {
            id: Some(format!("pay-{number}")),
            method: "card".into(),
            state: PaymentState::Paid,
            amount: total,
            transaction: None,
            at: Some(self.now),
        };
        let payment = PaymentFacet { state: PaymentState::Paid, payments: vec![paid] };
        let facets =
            [(key("placed"), body(&placed)), (key("payment"), body(&payment)), (key("state"), body(&OrderState::Open))];
        self.add(Kind::Order, facets.into())
    }

    /// Sets the state of an order.
    pub(crate) fn set_order_state(&mut self, order: &str, state: OrderState) {
        self.edit(Kind::Order, order, "state", body(&state));
    }

    /// Ships all of an order in one parcel; returns the shipment's id.
    pub(crate) fn ship(&mut self, order: &str, tracking: &str) -> String {
        let lines = self.lines_of(order).into_iter().map(|(_, line)| line).collect();
        let id = self.ship_lines(order, tracking, lines, true);
        self.set_order_state(order, OrderState::Shipped);
        id
    }

    /// The goods of an order: SKU, and line with its pieces.
    pub(crate) fn lines_of(&self, order: &str) -> Vec<(String, AmountOf)> {
        let placed = &self.object(Kind::Order, order).expect("the order is there").facets[&key("placed")];
        let placed: Placed = serde_json::from_value(placed.clone()).expect("an order has lines");
        let goods = placed.lines.into_iter().filter(|line| line.kind == LineKind::Product);
        goods
            .map(|line| {
                let sku = line.variant.map(|variant| variant.key).unwrap_or_default();
                (sku, AmountOf { line: line.id, quantity: line.quantity })
            })
            .collect()
    }

    /// Ships some lines in one parcel; returns the shipment's id.
    pub(crate) fn ship_lines(&mut self, order: &str, tracking: &str, lines: Vec<AmountOf>, completes: bool) -> String {
        let parcel = Parcel {
            number: 1,
            carrier: Some("post".into()),
            tracking: Some(tracking.into()),
            tracking_url: None,
            weight_kg: None,
            lines,
        };
        let shipment = Shipment { shipped: self.now, parcels: vec![parcel], completes, extra: Vec::new() };
        let id = self.add(Kind::Shipment, [(key("shipment"), body(&shipment))].into());
        self.object_mut(Kind::Shipment, &id).expect("just made").of = Some(order.to_owned());
        id
    }
}

/// Rounded to cents, halves away from zero.
pub(super) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Reference to an object.
pub(super) fn remote(id: &str) -> RemoteRef {
    RemoteRef::new(id)
}
