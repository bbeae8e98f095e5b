//! {{title}}: reads products from files, writes orders to files.

pub mod map;

use tradepost_sdk::files;
use tradepost_sdk::prelude::*;
use tradepost_sdk::request::escaped;

const LANGUAGE: &str = "en";

/// What the operator enters.
#[derive(Debug, Settings)]
pub struct Config {
    /// Name
    ///
    /// Another name is taken for another account.
    #[setting(default = "main")]
    account: String,
}

/// The connector. A fresh one serves every call.
pub struct {{type}} {
    account: String,
}

impl Connector for {{type}} {
    type Settings = Config;

    fn describe() -> Description {
        // The same order goes to the same file.
        let orders =
            Writing::of(["placed"]).events([OrderHappening::Placed]).create().never_updates().idempotent();
        Description::new("{{id}}", version!())
            .name("{{title}}")
            .vendor("{{vendor}}")
            .about("Products come from files, orders go to files.")
            .id_space("{{name}}")
            .ability(Ability::new(Kind::Product).reading(Reading::new().changes()))
            .ability(Ability::new(Kind::Order).writing(orders).lookup(0))
            .files()
    }

    fn open(config: Config) -> Result<Self, Error> {
        Ok(Self { account: config.account })
    }

    fn check(&self) -> Result<Account, Error> {
        // Fails where the folder is not granted.
        files::entries("inbox")?;
        let channel = Channel::main("EUR", TaxBasis::Gross).languages([LANGUAGE]);
        Ok(Account::new(&self.account, "{{title}}").channel(channel).test())
    }
}

impl Source for {{type}} {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        if request.kind != Kind::Product || !matches!(request.scope, Scope::Changed(_)) {
            return Err(Error::Unsupported("products are read as their files come".into()));
        }
        let names = files::entries("inbox")?.into_iter().map(|entry| entry.name);
        let after = request.cursor.unwrap_or_default();
        let mut left = names.filter(|name| name.starts_with("products-") && *name > after);
        let Some(name) = left.next() else { return Ok(Page::empty()) };
        // A file is a page; it is moved once the page is durable.
        let rows: Vec<Box<Raw>> = serde_json::from_slice(&files::read_all(&format!("inbox/{name}"))?)
            .map_err(|error| invalid(&name, format!("The file holds no list: {error}.")))?;
        let page = Page::read(rows, |row: map::Row| Ok(map::product(row, LANGUAGE)))?;
        Ok(page.next(left.next().map(|_| name.clone())).receipt(name))
    }

    fn acknowledge(&self, _kind: Kind, receipt: String) -> Result<(), Error> {
        files::rename(&format!("inbox/{receipt}"), &format!("done/{receipt}"))
    }
}

/// The file of an order, in `outbox`.
fn file(number: &str) -> String {
    format!("order-{}.json", escaped(number))
}

impl Target for {{type}} {
    fn push(&self, batch: Records) -> Result<(), Error> {
        let Records::Orders(orders) = batch else {
            return Err(Error::Unsupported("only orders go out".into()));
        };
        settle_each(&orders, |order| {
            files::write(&format!("outbox/{}", file(&order.number)), map::order(order).to_string().as_bytes())?;
            Ok(Outcome::done(order.number.as_str()))
        })
    }

    fn find(&self, _kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        let there: Vec<String> = files::entries("outbox")?.into_iter().map(|entry| entry.name).collect();
        let matches = |probe: &Probe| {
            let numbers = probe.keys.iter().filter(|key| key.name == "number" && there.contains(&file(&key.value)));
            numbers.map(|number| Found::new(number.value.as_str())).collect()
        };
        Ok(probes.iter().map(matches).collect())
    }
}

tradepost_sdk::export!({{type}}: Source + Target);
