//! {{title}}: reads and writes products, stock and prices, reads orders.
//!
//! In this order: what it says of itself, reading, writing, looking for what may have been written. `wire` has the shop's
//! shapes, `map` the conversions.

pub mod map;
pub mod wire;

use serde_json::{Map, Value, json};
use tradepost_sdk::paging;
use tradepost_sdk::prelude::*;
use tradepost_sdk::report;

use wire::{List, OrderRow, Row, Shop};

/// Most records per request.
const MOST: u32 = 100;

/// What the operator enters.
#[derive(Debug, Settings)]
pub struct Config {
    /// Address of the shop
    ///
    /// Without /api and without a slash at the end, e.g. https://shop.example.com.
    #[setting(origin = "The shop's interface")]
    url: String,
    /// Token of the shop's interface
    #[setting(bearer, to = "url")]
    token: Secret,
}

/// The connector. A fresh one serves every call.
pub struct {{type}} {
    api: Http,
}

impl Connector for {{type}} {
    type Settings = Config;

    fn describe() -> Description {
        let reading = || Reading::new().changes().ids();
        let products = Writing::of(["head", "texts:*", "grouping"])
            .create()
            .removals([Removal::Deactivate, Removal::Delete])
            .idempotent()
            .marker(128);
        let figure = StockFigure::Available;
        let stock = Ability::new(Kind::Stock).reading(reading().figure(figure));
        Description::new("{{id}}", version!())
            .name("{{title}}")
            .vendor("{{vendor}}")
            .about("Keeps products, stock, prices and orders of {{title}} in step.")
            .id_space("{{name}}")
            .ability(Ability::new(Kind::Product).reading(reading().present()).writing(products).lookup(0))
            .ability(stock.writing(Writing::of(["stock:*"]).figure(figure)).lookup(0))
            .ability(Ability::new(Kind::Price).reading(reading()).writing(Writing::of(["price:base:*"])).lookup(0))
            .ability(Ability::new(Kind::Order).reading(reading()))
            .rate(Rate::new("api", "10").burst(20).concurrent(4))
    }

    fn open(config: Config) -> Result<Self, Error> {
        Ok(Self { api: Http::new(format!("{}/api", config.url)).credential(config.token) })
    }

    fn check(&self) -> Result<Account, Error> {
        let shop = self.shop()?;
        let channel = Channel::main(&shop.currency, map::basis(&shop)).languages([&shop.language]);
        let channel = channel.countries([&shop.country]).zone(&shop.zone);
        let account =
            Account::new(&shop.id, &shop.name).zone(&shop.zone).channel(channel).warehouse("main", &shop.name);
        let account = account.now(tradepost_sdk::time::instant(&shop.now)?);
        Ok(if shop.test { account.test() } else { account })
    }
}

impl Source for {{type}} {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        let list = if request.kind == Kind::Order { "/orders" } else { "/products" };
        let after: Option<u64> = paging::resume(&request)?;
        let mut asked = self.api.get(list).query("limit", request.limit.clamp(1, MOST)).query_if("after", after);
        match &request.scope {
            Scope::Changed(window) => {
                asked = asked.query_if("changed_since", window.since.as_ref()).query("changed_until", &window.until);
            }
            Scope::Ids(ids) if ids.is_empty() => return Ok(Page::empty()),
            Scope::Ids(ids) => asked = asked.query("ids", ids.join(",")),
            Scope::Present => {}
        }
        let List { items, next } = asked.read()?;
        let next = next.map(|id| paging::cursor(&Some(id))).transpose()?;
        if matches!(request.scope, Scope::Present) {
            let mut page = Page::empty().next(next);
            for row in items {
                let row: Row = serde_json::from_str(row.get()).map_err(|error| Error::Bug(error.to_string()))?;
                let remote = RemoteRef::new(row.id);
                page.present.push(Present { remote, marker: row.reference, key: Some(row.sku) });
            }
            return Ok(page);
        }
        let shop = self.shop()?;
        let page = match request.kind {
            Kind::Product => Page::read(items, |row: Row| map::product(row, &shop.language)),
            Kind::Stock => Page::read(items, map::stock),
            Kind::Price => Page::read(items, |row: Row| map::price(row, &shop)),
            Kind::Order => Page::read(items, |row: OrderRow| map::order(row, &shop)),
            other => Err(unsupported(other)),
        };
        Ok(page?.next(next))
    }
}

impl Target for {{type}} {
    fn push(&self, batch: Records) -> Result<(), Error> {
        match batch {
            Records::Products(all) => settle_each(&all, |product| self.write_product(product)),
            Records::Stock(all) => {
                settle_each(&all, |level| self.write_members(&level.head, members("stock", json!(level.quantity))))
            }
            Records::Prices(all) => settle_each(&all, |price| self.write_price(price)),
            other => Err(unsupported(other.kind())),
        }
    }

    fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        if kind != Kind::Product {
            return Err(unsupported(kind));
        }
        for Doomed { item, remote } in items {
            let path = format!("/products/{}", remote.id);
            let sent = match how {
                Removal::Delete => self.api.delete(&path).send(),
                Removal::Deactivate => self.api.patch(&path).json(&json!({"active": false})).send(),
            };
            let outcome = match sent.and_then(Response::success) {
                // It is gone already: that is what was wanted.
                Ok(_) | Err(Error::NotFound(_)) => Outcome::done(remote),
                Err(error) => Outcome::Failed(error),
            };
            report::settle(&item, &outcome);
        }
        Ok(())
    }

    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        if kind == Kind::Order {
            return Err(unsupported(kind));
        }
        probes.iter().map(|probe| self.matches(probe)).collect()
    }
}

impl {{type}} {
    fn shop(&self) -> Result<Shop, Error> {
        self.api.get("/shop").read()
    }

    fn write_product(&self, product: &Product) -> Result<Outcome, Error> {
        let mut body = map::body(product, &self.shop()?.language)?;
        if !matches!(product.head.op, Op::Create | Op::CreateDone) {
            return self.write_members(&product.head, body);
        }
        body.insert("reference".to_owned(), json!(product.head.marker));
        // The key makes a repeated request harmless: the shop answers with the product that the first one made.
        let request = self.api.post("/products").header("idempotency-key", &product.head.item).json(&body);
        let made: Row = request.read().map_err(map::taken)?;
        Ok(Outcome::Done(Written::new(made.id).parts(vec![map::part(&made)])))
    }

    fn write_price(&self, price: &Price) -> Result<Outcome, Error> {
        if price.kind != PriceKind::Base {
            return Err(Error::Unsupported("the shop has no special prices".into()));
        }
        let Some(amount) = &price.amount else {
            return Err(invalid("amount", "The shop cannot sell a product without a price."));
        };
        self.write_members(&price.head, members("price", json!(amount)))
    }

    /// Writes what is different, and nothing where all is as it should be.
    fn write_members(&self, head: &Head, wanted: Map<String, Value>) -> Result<Outcome, Error> {
        let Some(remote) = &head.remote else {
            return Err(Error::Bug("an update without the product's id".into()));
        };
        let path = format!("/products/{}", remote.id);
        let there: Row = self.api.get(&path).read()?;
        let body = map::changes(wanted, &there);
        if body.is_empty() {
            return Ok(Outcome::Unchanged(RemoteRef::new(there.id)));
        }
        let now: Row = self.api.patch(&path).json(&body).read().map_err(map::taken)?;
        Ok(Outcome::Done(Written::new(now.id).parts(vec![map::part(&now)])))
    }

    /// Products that a probe finds: by the marker that we wrote on them, else by their SKU.
    fn matches(&self, probe: &Probe) -> Result<Vec<Found>, Error> {
        let marker = probe.marker.iter().map(|marker| ("reference", marker));
        let keys = probe.keys.iter().filter(|key| key.name == "sku" || key.name == "number");
        for (name, value) in marker.chain(keys.map(|key| ("sku", &key.value))) {
            let List { items, .. } = self.api.get("/products").query(name, value).read()?;
            let rows: Result<Vec<Row>, _> = items.iter().map(|row| serde_json::from_str(row.get())).collect();
            let rows = rows.map_err(|error| Error::Bug(error.to_string()))?;
            if !rows.is_empty() {
                let found = |row: &Row| Found { parts: vec![map::part(row)], ..Found::new(row.id) };
                return Ok(rows.iter().map(|row| found(row).marked(row.reference.clone())).collect());
            }
        }
        Ok(Vec::new())
    }
}

fn members(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

tradepost_sdk::export!({{type}}: Source + Target);
