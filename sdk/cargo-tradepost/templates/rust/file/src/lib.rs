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
        // An order that is there, or was taken, is not written again.
        let orders = Writing { events: vec![OrderHappening::Placed], ..Writing::of(["placed"]) };
        let orders = orders.create().never_updates().idempotent();
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
        let bytes = files::read_all(&format!("inbox/{name}"))?;
        let page = match serde_json::from_slice::<Vec<Box<Raw>>>(&bytes) {
            Ok(rows) => Page::read(rows, |row: map::Row| Ok(map::product(row, LANGUAGE)))?,
            // A person looks at it, and the next file is read all the same.
            Err(error) => {
                let mut page = Page::empty();
                let raw = String::from_utf8_lossy(&bytes);
                page.unreadable(Some(name.clone()), raw, format!("The file holds no list: {error}."));
                page
            }
        };
        Ok(page.next(left.next().map(|_| name.clone())).receipt(name))
    }

    fn acknowledge(&self, _kind: Kind, receipt: String) -> Result<(), Error> {
        files::rename(&format!("inbox/{receipt}"), &format!("done/{receipt}"))
    }
}

/// What all files of orders with a number begin with; what is escaped has no `+`.
fn start(number: &str) -> String {
    format!("order-{}+", escaped(number))
}

/// The file of an order. Two orders may have one number; the item is the order's own.
fn file(number: &str, item: &str) -> String {
    format!("{}{}.json", start(number), escaped(item))
}

/// Whether a file was written. Looked for in the order in which the ERP moves it, so that it is not missed between two.
fn written(file: &str) -> Result<bool, Error> {
    for folder in ["outbox", "done", "failed"] {
        match files::read(&format!("{folder}/{file}"), 0, 1) {
            Ok(_) => return Ok(true),
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

impl Target for {{type}} {
    fn push(&self, batch: Records) -> Result<(), Error> {
        let Records::Orders(orders) = batch else {
            return Err(Error::Unsupported("only orders go out".into()));
        };
        settle_each(&orders, |order| {
            let file = file(&order.number, &order.head.item);
            if !written(&file)? {
                files::write(&format!("outbox/{file}"), map::order(order).to_string().as_bytes())?;
            }
            Ok(Outcome::done(file))
        })
    }

    fn find(&self, _kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        let there: Vec<String> = files::entries("outbox")?.into_iter().map(|entry| entry.name).collect();
        let matches = |probe: &Probe| {
            for number in probe.keys.iter().filter(|key| key.name == "number") {
                let own = file(&number.value, &probe.item);
                if written(&own)? {
                    return Ok(vec![Found::new(own)]);
                }
            }
            let starts: Vec<String> =
                probe.keys.iter().filter(|key| key.name == "number").map(|key| start(&key.value)).collect();
            let with_number = there.iter().filter(|file| starts.iter().any(|start| file.starts_with(start)));
            Ok(with_number.map(|file| Found::new(file.as_str())).collect())
        };
        probes.iter().map(matches).collect()
    }
}

tradepost_sdk::export!({{type}}: Source + Target);
