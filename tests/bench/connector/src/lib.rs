//! A connector for the benchmarks: a plain paged REST platform, read and written with the full world and as little of its
//! own as possible, so that what is measured is the host.
//!
//! `GET /products?page=1&per_page=500` and `/orders` answer `{"data": [..], "next": 2}`; `POST /products/batch` takes
//! `{"items": [..]}` and answers `{"ids": [..]}`; `POST /products/find` tells which idempotency keys it knows.

pub mod map;
pub mod wire;

use tradepost_sdk::connector::{
    Ability, Account, Channel, Description, Environment, Lookup, Reading, Warehouse, Writing,
};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::source::{Page, PullRequest, Scope};
use tradepost_sdk::target::{Found, Probe};
use tradepost_sdk::types::{Error, RemoteRef, TaxBasis};
use tradepost_sdk::{Connector, Request, Settings, Source, Target, platform, report, text};

/// The component.
#[derive(Debug)]
pub struct Bench {
    settings: Config,
}

/// What the operator chooses.
#[derive(Debug, Settings)]
pub struct Config {
    /// Address
    #[setting(origin = "the platform")]
    url: String,
}

impl Connector for Bench {
    type Settings = Config;

    fn describe() -> Description {
        let reading = || Reading { changes: true, ids: false, present: false, writes: false, figure: None };
        Description {
            id: "org.tradepost.bench".into(),
            version: option_env!("TRADEPOST_CONNECTOR_VERSION").unwrap_or(env!("CARGO_PKG_VERSION")).into(),
            name: text("Bench", "Messstand"),
            vendor: "Tradepost".into(),
            about: text("A fast local platform.", "Eine schnelle lokale Plattform."),
            id_space: "bench".into(),
            mapping_revision: 1,
            storage_version: 1,
            abilities: vec![
                Ability {
                    kind: Kind::Product,
                    reading: Some(reading()),
                    writing: Some(Writing {
                        facets: ["head", "texts:*", "attributes", "grouping"].map(Into::into).to_vec(),
                        events: Vec::new(),
                        create: true,
                        update: true,
                        removals: Vec::new(),
                        max_batch: 500,
                        idempotent: true,
                        marker: None,
                        create_done: false,
                        figure: None,
                    }),
                    lookup: Some(Lookup { lag_seconds: 0 }),
                },
                Ability { kind: Kind::Order, reading: Some(reading()), writing: None, lookup: None },
            ],
            settings_schema: String::new(),
            origins: Vec::new(),
            credentials: Vec::new(),
            rates: Vec::new(),
            files: false,
        }
    }

    fn open(settings: Config) -> Result<Self, Error> {
        Ok(Self { settings })
    }

    fn check(&self) -> Result<Account, Error> {
        let url = &self.settings.url;
        Ok(Account {
            id: url.clone(),
            name: "bench".into(),
            environment: Environment::Test,
            zone: "UTC".into(),
            now: Some(platform::now()),
            channels: vec![Channel {
                id: "main".into(),
                name: "Main".into(),
                currency: "EUR".into(),
                basis: TaxBasis::Gross,
                languages: vec!["de".into(), "en".into()],
                countries: vec!["DE".into()],
                zone: "UTC".into(),
            }],
            warehouses: vec![Warehouse { id: "main".into(), name: "Main".into() }],
        })
    }
}

impl Source for Bench {
    fn pull(&self, asked: PullRequest) -> Result<Page, Error> {
        let Scope::Changed(window) = asked.scope else { return Err(Error::Unsupported("only changes".into())) };
        let url = &self.settings.url;
        let name = match asked.kind {
            Kind::Product => "products",
            Kind::Order => "orders",
            other => return Err(Error::Unsupported(format!("{other:?}"))),
        };
        let since = window.since.map(|since| format!("&updated_since={since}")).unwrap_or_default();
        let page = asked.cursor.as_deref().unwrap_or("1");
        let response = Request::get(format!("{url}/{name}?page={page}&per_page={}{since}", asked.limit)).send()?;
        let response = response.success()?;
        let (records, next) = if asked.kind == Kind::Product {
            let answer: wire::Answer<wire::Product<'_>> = wire::read(response.bytes())?;
            (Records::Products(answer.data.into_iter().map(map::product).collect()), answer.next)
        } else {
            let answer: wire::Answer<wire::Order<'_>> = wire::read(response.bytes())?;
            (Records::Orders(answer.data.into_iter().map(map::order).collect()), answer.next)
        };
        Ok(Page {
            records: vec![records],
            deleted: Vec::new(),
            unreadable: Vec::new(),
            present: Vec::new(),
            next: next.map(|page| page.to_string()),
            watermark: None,
            receipt: None,
            total: None,
        })
    }
}

impl Target for Bench {
    fn push(&self, batch: Records) -> Result<(), Error> {
        let Records::Products(products) = batch else { return Err(Error::Unsupported("only products".into())) };
        let url = &self.settings.url;
        let items: Vec<_> = products.iter().map(map::offer).collect();
        let response = Request::new("POST", format!("{url}/products/batch")).json(&wire::Batch { items }).send()?;
        let answer: wire::Made = response.success()?.json()?;
        if answer.ids.len() != products.len() {
            return Err(Error::Timeout("the platform answered for another number of products".into()));
        }
        for (product, id) in products.iter().zip(answer.ids) {
            let parts = product.variants.iter().flatten().map(|variant| map::part(&variant.sku, &id)).collect();
            let remote = RemoteRef { id, parent: None, version: None };
            let written = Written { remote, parts, total: None, warnings: Vec::new() };
            report::settle(&product.head.item, &Outcome::Done(written));
        }
        Ok(())
    }

    fn find(&self, _kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        let url = &self.settings.url;
        let keys = probes.iter().map(|probe| probe.item.as_str()).collect();
        let asked = Request::new("POST", format!("{url}/products/find")).safe().json(&wire::Asked { keys });
        let answer: wire::There = asked.send()?.success()?.json()?;
        let found = |id: Option<String>| {
            let remote = |id| RemoteRef { id, parent: None, version: None };
            id.map(|id| Found { remote: remote(id), marker: None, whole: true, parts: Vec::new() })
                .into_iter()
                .collect()
        };
        Ok(answer.ids.into_iter().map(found).collect())
    }
}

tradepost_sdk::export!(Bench: Source + Target);
