//! {{title}}: reads products, stock and prices; makes orders that were sold elsewhere, and reads what becomes of them.
//!
//! In this order: what it says of itself, reading, writing, looking for what may have been written. `wire` has the ERP's
//! shapes, `map` the conversions.

pub mod map;
pub mod wire;

use serde_json::{Value, json};
use tradepost_sdk::paging::Token;
use tradepost_sdk::prelude::*;
use tradepost_sdk::report;

use wire::{Company, ItemRow, List, OrderRow, StockRow};

/// Most rows per request.
const MOST: u32 = 200;

/// What the operator enters.
#[derive(Debug, Settings)]
pub struct Config {
    /// Address of the ERP
    ///
    /// Without /v1 and without a slash at the end, e.g. https://erp.example.com.
    #[setting(origin = "The ERP's interface")]
    url: String,
    /// Key of the ERP's interface
    #[setting(header = "x-api-key", to = "url")]
    key: Secret,
}

/// The connector. A fresh one serves every call.
pub struct {{type}} {
    api: Http,
}

impl Connector for {{type}} {
    type Settings = Config;

    fn describe() -> Description {
        let reading = || Reading::new().changes().ids();
        // An order is made once and never changed: what happens to it later comes as an event.
        let orders = Writing { events: vec![OrderHappening::Placed], ..Writing::of(["placed", "state", "payment"]) };
        let orders = orders.create().never_updates().marker(64).idempotent();
        let events = Writing::events([OrderHappening::Paid, OrderHappening::Cancelled]);
        let events = Writing { facets: vec!["event".into()], ..events }.idempotent();
        Description::new("{{id}}", version!())
            .name("{{title}}")
            .vendor("{{vendor}}")
            .about("Products, stock and prices of {{title}}; orders go there, deliveries come back.")
            .id_space("{{name}}")
            .ability(Ability::new(Kind::Product).reading(reading().present()))
            .ability(Ability::new(Kind::Stock).reading(reading().figure(StockFigure::Available)))
            .ability(Ability::new(Kind::Price).reading(reading()))
            .ability(Ability::new(Kind::Order).reading(reading()).writing(orders).lookup(0))
            .ability(Ability::new(Kind::OrderEvent).writing(events).lookup(0))
            .ability(Ability::new(Kind::Shipment).reading(reading()))
            .rate(Rate::new("api", "5").burst(10).concurrent(2))
    }

    fn open(config: Config) -> Result<Self, Error> {
        Ok(Self { api: Http::new(format!("{}/v1", config.url)).credential(config.key) })
    }

    fn check(&self) -> Result<Account, Error> {
        let company = self.company()?;
        let channel = Channel::main(&company.currency, TaxBasis::Net).languages([&company.language]);
        let channel = channel.countries([&company.country]).zone(&company.zone);
        let account = Account::new(&company.id, &company.name).zone(&company.zone).channel(channel);
        let account = account.now(tradepost_sdk::time::instant(&company.now)?);
        let account = company.warehouses.iter().fold(account, |account, one| account.warehouse(&one.id, &one.name));
        Ok(if company.test { account.test() } else { account })
    }
}

impl Source for {{type}} {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        let list = match request.kind {
            Kind::Product | Kind::Price => "/items",
            Kind::Stock => "/stock",
            Kind::Order => "/orders",
            Kind::Shipment => "/deliveries",
            other => return Err(unsupported(other)),
        };
        let at = Token::resume(&request, MOST)?;
        let mut asked = self.api.get(list).query("limit", at.size).query_if("cursor", at.token.as_ref());
        // A draft is no order yet: it has no number.
        asked = asked.query_if("confirmed", (request.kind == Kind::Order).then_some(true));
        match &request.scope {
            Scope::Changed(window) => {
                asked = asked.query_if("modified_from", window.since.as_ref()).query("modified_to", &window.until);
            }
            Scope::Ids(ids) if ids.is_empty() => return Ok(Page::empty()),
            Scope::Ids(ids) => asked = asked.query("ids", ids.join(",")),
            Scope::Present => {}
        }
        let List { data, cursor } = asked.read()?;
        let next = at.next(cursor)?;
        if matches!(request.scope, Scope::Present) {
            let mut page = Page::empty().next(next);
            for row in data {
                let row: ItemRow = serde_json::from_str(row.get()).map_err(|error| Error::Bug(error.to_string()))?;
                page.present(row.id, Some(row.sku));
            }
            return Ok(page);
        }
        let page = match request.kind {
            Kind::Stock => levels(data),
            Kind::Order => Page::read(data, map::order),
            Kind::Shipment => Page::read(data, map::shipment),
            Kind::Price => {
                let company = self.company()?;
                Page::read(data, |row| map::price(row, &company))
            }
            _ => {
                let company = self.company()?;
                Page::read(data, |row| map::product(row, &company.language))
            }
        };
        Ok(page?.next(next))
    }
}

/// A row has the levels of all warehouses, which are a record each.
fn levels(rows: Vec<Box<Raw>>) -> Result<Page, Error> {
    let (mut page, mut levels) = (Page::empty(), Vec::new());
    for row in rows {
        let read = serde_json::from_str::<StockRow>(row.get()).map_err(|error| Error::Bug(error.to_string()));
        match read.and_then(map::stock) {
            Ok(all) => levels.extend(all),
            Err(error) => page.unread(id(&row), row.get(), error)?,
        }
    }
    page.records.push(levels.into());
    Ok(page)
}

/// Which item a row is of that cannot be read.
fn id(row: &Raw) -> Option<String> {
    let row: Value = serde_json::from_str(row.get()).ok()?;
    row["id"].as_u64().map(|id| id.to_string())
}

impl Target for {{type}} {
    fn push(&self, batch: Records) -> Result<(), Error> {
        match batch {
            Records::Orders(all) => settle_each(&all, |order| self.write_order(order)),
            Records::OrderEvents(all) => settle_each(&all, |event| self.write_event(event)),
            other => Err(unsupported(other.kind())),
        }
    }

    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        match kind {
            Kind::Order => probes.iter().map(|probe| self.orders_of(probe)).collect(),
            Kind::OrderEvent => probes.iter().map(|probe| self.applied(probe)).collect(),
            other => Err(unsupported(other)),
        }
    }
}

impl {{type}} {
    fn company(&self) -> Result<Company, Error> {
        self.api.get("/company").read()
    }

    fn order(&self, id: &str) -> Result<OrderRow, Error> {
        self.api.get(&format!("/orders/{id}")).read()
    }

    /// Two steps: a draft, which the ERP makes once per external reference, and its confirmation.
    fn write_order(&self, order: &Order) -> Result<Outcome, Error> {
        let mut row: OrderRow = match &order.head.remote {
            // It was cut off between the two.
            Some(remote) => self.order(&remote.id)?,
            None => self.api.post("/orders").json(&map::document(order)?).read()?,
        };
        // From here on a cut ends in a resume.
        report::settle(&order.head.item, &Outcome::Partial(written(&row)));
        if row.state == "draft" {
            row = self.api.post(&format!("/orders/{}/confirm", row.id)).json(&json!({})).read()?;
        }
        Ok(Outcome::Done(written(&row)))
    }

    fn write_event(&self, event: &OrderEvent) -> Result<Outcome, Error> {
        let remote = event.head.remote.as_ref().map(|remote| &remote.id).or(event.order.id.as_ref());
        let id = remote.ok_or_else(|| Error::Bug("an event without its order's id".into()))?;
        let row = self.order(id)?;
        if has(&row, &event.head.item, matches!(event.what, Happening::Cancelled(_))) {
            return Ok(Outcome::Unchanged(RemoteRef::new(row.id)));
        }
        let (verb, body) = match &event.what {
            Happening::Paid(payment) => ("payments", map::payment(payment, Some(&event.head.item))?),
            Happening::Cancelled(all) if all.lines.is_empty() => ("cancel", json!({"reason": all.reason})),
            Happening::Cancelled(_) => {
                return Err(invalid("lines", "The ERP cancels whole orders only. Change the order there by hand."));
            }
            _ => return Err(Error::Unsupported("only payments and cancellations are written".into())),
        };
        let now: OrderRow = self.api.post(&format!("/orders/{id}/{verb}")).json(&body).read()?;
        Ok(Outcome::done(now.id))
    }

    /// Orders that a probe finds. Two shops may have the same number: it counts only where there is no marker.
    fn orders_of(&self, probe: &Probe) -> Result<Vec<Found>, Error> {
        let number = probe.keys.iter().find(|key| key.name == "number");
        let (name, value) = match (&probe.marker, number) {
            (Some(marker), _) => ("external_reference", marker),
            (None, Some(number)) => ("customer_reference", &number.value),
            (None, None) => return Ok(Vec::new()),
        };
        let List { data, .. } = self.api.get("/orders").query(name, value).read()?;
        let rows: Result<Vec<OrderRow>, _> = data.iter().map(|row| serde_json::from_str(row.get())).collect();
        let found = |row: OrderRow| {
            let found = Found { parts: map::parts(&row), ..Found::new(row.id) }.marked(row.external_reference);
            if row.state == "draft" { found.cut_off() } else { found }
        };
        Ok(rows.map_err(|error| Error::Bug(error.to_string()))?.into_iter().map(found).collect())
    }

    /// The order of an event that was applied to it.
    fn applied(&self, probe: &Probe) -> Result<Vec<Found>, Error> {
        let Some(of) = &probe.of else { return Ok(Vec::new()) };
        let row = match self.order(&of.id) {
            Err(Error::NotFound(_)) => return Ok(Vec::new()),
            row => row?,
        };
        let cancelled = probe.keys.iter().any(|key| key.name == "event" && key.value.starts_with("{\"cancelled\""));
        Ok(if has(&row, &probe.item, cancelled) { vec![Found::new(row.id)] } else { Vec::new() })
    }
}

/// Whether an order has what an event says: it is cancelled, or has a payment with the item as its reference.
fn has(row: &OrderRow, item: &str, cancelled: bool) -> bool {
    if cancelled {
        return row.state == "cancelled";
    }
    row.payments.iter().any(|payment| payment.reference.as_deref() == Some(item))
}

fn written(row: &OrderRow) -> Written {
    Written::new(row.id).parts(map::parts(row)).total(map::amount(row.gross))
}

tradepost_sdk::export!({{type}}: Source + Target);
