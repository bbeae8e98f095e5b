//! Building a description and an account, without naming every field.

use crate::connector::{
    Ability, Account, Channel, Credential, Description, Environment, Lookup, OrderHappening, Origin, Rate, Reading,
    Scheme, StockFigure, Warehouse, Writing,
};
use crate::records::{Kind, Removal};
use crate::settings::Form;
use crate::types::{TaxBasis, Text};

/// Words that an operator reads, in one language or several.
///
/// ```
/// use tradepost_sdk::Caption;
///
/// let caption: Caption = "Orders".into();
/// assert_eq!(caption.0[0].language, "en");
/// let caption: Caption = [("en", "Orders"), ("de", "Aufträge")].into();
/// assert_eq!(caption.0[1].value, "Aufträge");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Caption(pub Vec<Text>);

impl From<&str> for Caption {
    fn from(english: &str) -> Self {
        [("en", english)].into()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Caption {
    fn from(texts: [(&str, &str); N]) -> Self {
        let text = |(language, value): (&str, &str)| Text { language: language.into(), value: value.into() };
        Self(texts.map(text).into())
    }
}

impl From<Vec<Text>> for Caption {
    fn from(texts: Vec<Text>) -> Self {
        Self(texts)
    }
}

/// Built step by step; what the settings declare is added by itself.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// let description = Description::new("org.example.shop", "1.0.0")
///     .name("Little Shop")
///     .vendor("Example Ltd")
///     .about([("en", "Reads products."), ("de", "Liest Produkte.")])
///     .origin(Origin::https("api.shop.example", "The shop's API"))
///     .credential(Credential::new("token", "API token", Scheme::Bearer))
///     .rate(Rate::new("api", "10"))
///     .ability(Ability::new(Kind::Product).reading(Reading::new().changes().ids()));
/// assert_eq!(description.id_space, "org.example.shop");
/// assert_eq!(description.rates[0].burst, 10);
/// ```
impl Description {
    /// A connector with its reverse domain name, which never changes, and the version of this build.
    #[must_use]
    pub fn new(id: &str, version: &str) -> Self {
        Self {
            id: id.into(),
            version: version.into(),
            name: Caption::from(id).0,
            vendor: String::new(),
            about: Vec::new(),
            id_space: id.into(),
            mapping_revision: 1,
            storage_version: 1,
            abilities: Vec::new(),
            settings_schema: String::new(),
            origins: Vec::new(),
            credentials: Vec::new(),
            rates: Vec::new(),
            files: false,
        }
    }

    /// What people call the platform.
    #[must_use]
    pub fn name(mut self, name: impl Into<Caption>) -> Self {
        self.name = name.into().0;
        self
    }

    /// Who made the connector.
    #[must_use]
    pub fn vendor(mut self, vendor: &str) -> Self {
        self.vendor = vendor.into();
        self
    }

    /// What it is for, in a sentence.
    #[must_use]
    pub fn about(mut self, about: impl Into<Caption>) -> Self {
        self.about = about.into().0;
        self
    }

    /// Who shares remote ids; the connector's id unless it says otherwise.
    #[must_use]
    pub fn id_space(mut self, id_space: &str) -> Self {
        self.id_space = id_space.into();
        self
    }

    /// Raised when the connector maps values differently; 1 unless it says otherwise.
    #[must_use]
    pub fn mapping_revision(mut self, revision: u32) -> Self {
        self.mapping_revision = revision;
        self
    }

    /// Raised when an older build could not read keys or cursors any more; 1 unless it says otherwise.
    #[must_use]
    pub fn storage_version(mut self, version: u32) -> Self {
        self.storage_version = version;
        self
    }

    /// Adds what it does for one kind.
    #[must_use]
    pub fn ability(mut self, ability: Ability) -> Self {
        self.abilities.push(ability);
        self
    }

    /// Adds a place that requests go to.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origins.push(origin);
        self
    }

    /// Adds a credential; one that names no origins may go to all that are declared.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// Adds a rate; the first one holds for requests that name none.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rates.push(rate);
        self
    }

    /// Asks for an exchange folder.
    #[must_use]
    pub fn files(mut self) -> Self {
        self.files = true;
        self
    }

    /// The same with all that the settings declare. A schema that is there already stays.
    pub(crate) fn with(mut self, form: &Form) -> Self {
        if self.settings_schema.is_empty() {
            self.settings_schema = form.schema();
        }
        self.origins.extend(form.origins.iter().cloned());
        let all: Vec<u32> = (0u32..).take(self.origins.len()).collect();
        for credential in self.credentials.iter_mut().filter(|credential| credential.origins.is_empty()) {
            credential.origins.clone_from(&all);
        }
        for secret in &form.secrets {
            let only = |setting: &str| {
                let host = format!("{{{setting}}}");
                self.origins.iter().position(|origin| origin.host == host).map(|at| at as u32)
            };
            // One that is meant for an address that is not declared goes nowhere, never to all the others.
            let origins = match secret.to {
                Some(setting) => only(setting).into_iter().collect(),
                None => all.clone(),
            };
            self.credentials.push(Credential {
                name: secret.name.into(),
                title: secret.title.0.clone(),
                scheme: secret.scheme.clone(),
                origins,
                required: secret.required,
            });
        }
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let ability = Ability::new(Kind::Order).reading(Reading::new().changes()).lookup(2);
/// assert!(ability.writing.is_none());
/// assert_eq!(ability.lookup.unwrap().lag_seconds, 2);
/// ```
impl Ability {
    /// Nothing yet for this kind.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, reading: None, writing: None, lookup: None }
    }

    /// It is read.
    #[must_use]
    pub fn reading(mut self, reading: Reading) -> Self {
        self.reading = Some(reading);
        self
    }

    /// It is written.
    #[must_use]
    pub fn writing(mut self, writing: Writing) -> Self {
        self.writing = Some(writing);
        self
    }

    /// It is found again, at the latest after so many seconds.
    #[must_use]
    pub fn lookup(mut self, lag_seconds: u32) -> Self {
        self.lookup = Some(Lookup { lag_seconds });
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let reading = Reading::new().changes().ids().present();
/// assert!(reading.changes && reading.ids && reading.present && !reading.writes);
/// let stock = Reading::new().figure(StockFigure::Available);
/// assert_eq!(stock.figure, Some(StockFigure::Available));
/// ```
impl Reading {
    /// Full lists alone.
    #[must_use]
    pub fn new() -> Self {
        Self { changes: false, ids: false, present: false, writes: false, figure: None }
    }

    /// Changes since a time are understood.
    #[must_use]
    pub fn changes(mut self) -> Self {
        self.changes = true;
        self
    }

    /// Records can be fetched by id.
    #[must_use]
    pub fn ids(mut self) -> Self {
        self.ids = true;
        self
    }

    /// All ids can be listed.
    #[must_use]
    pub fn present(mut self) -> Self {
        self.present = true;
        self
    }

    /// Reading changes the platform.
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.writes = true;
        self
    }

    /// Which stock figure is read.
    #[must_use]
    pub fn figure(mut self, figure: StockFigure) -> Self {
        self.figure = Some(figure);
        self
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self::new()
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let writing = Writing::of(["head", "texts:*"]).create().removals([Removal::Delete]).marker(128);
/// assert!(writing.create && writing.update && !writing.idempotent);
/// assert_eq!(writing.max_batch, 1);
/// let events = Writing::events([OrderHappening::Paid]);
/// assert!(events.create && !events.update);
/// ```
impl Writing {
    /// Updates of these facets, one record per call.
    #[must_use]
    pub fn of<const N: usize>(facets: [&str; N]) -> Self {
        Self {
            facets: facets.map(Into::into).into(),
            events: Vec::new(),
            create: false,
            update: true,
            removals: Vec::new(),
            max_batch: 1,
            idempotent: false,
            marker: None,
            create_done: false,
            figure: None,
        }
    }

    /// Order events: they are applied, never changed.
    #[must_use]
    pub fn events<const N: usize>(events: [OrderHappening; N]) -> Self {
        Self { events: events.into(), create: true, update: false, ..Self::of([]) }
    }

    /// New objects can be made.
    #[must_use]
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// Objects that are there cannot be changed.
    #[must_use]
    pub fn never_updates(mut self) -> Self {
        self.update = false;
        self
    }

    /// Ways to take an object away.
    #[must_use]
    pub fn removals<const N: usize>(mut self, removals: [Removal; N]) -> Self {
        self.removals = removals.into();
        self
    }

    /// The platform takes so many records in one request.
    #[must_use]
    pub fn max_batch(mut self, records: u32) -> Self {
        self.max_batch = records;
        self
    }

    /// The platform does nothing when the same write comes again.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// The object has a free field for a marker of so many characters.
    #[must_use]
    pub fn marker(mut self, characters: u32) -> Self {
        self.marker = Some(characters);
        self
    }

    /// Finished business can be made.
    #[must_use]
    pub fn create_done(mut self) -> Self {
        self.create_done = true;
        self
    }

    /// Which stock figure is written.
    #[must_use]
    pub fn figure(mut self, figure: StockFigure) -> Self {
        self.figure = Some(figure);
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// assert_eq!(Origin::https("*.shop.example", "Pictures").scheme, "https");
/// assert_eq!(Origin::setting("url", "The shop").host, "{url}");
/// ```
impl Origin {
    /// A host that is known, or `*.` and a domain.
    #[must_use]
    pub fn https(host: &str, why: impl Into<Caption>) -> Self {
        Self { scheme: "https".into(), host: host.into(), port: None, why: why.into().0 }
    }

    /// Scheme, host and port of a setting that is a URL.
    #[must_use]
    pub fn setting(name: &str, why: impl Into<Caption>) -> Self {
        Self::https(&format!("{{{name}}}"), why)
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let key = Credential::new("key", "API key", Scheme::Header("x-api-key".into())).optional();
/// assert!(!key.required);
/// ```
impl Credential {
    /// A required one that may go to every declared origin. Settings declare theirs by themselves, see
    /// [`settings`](mod@crate::settings).
    #[must_use]
    pub fn new(name: &str, title: impl Into<Caption>, scheme: Scheme) -> Self {
        Self { name: name.into(), title: title.into().0, scheme, origins: Vec::new(), required: true }
    }

    /// It may be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let rate = Rate::new("api", "2.5").burst(40).concurrent(4).remaining_header("x-ratelimit-remaining");
/// assert_eq!(rate.burst, 40);
/// assert_eq!(Rate::new("slow", "0.2").burst, 1);
/// ```
impl Rate {
    /// So many requests per second, as a decimal number; as many at once.
    #[must_use]
    pub fn new(name: &str, per_second: &str) -> Self {
        let whole = per_second.split('.').next().and_then(|whole| whole.parse::<u32>().ok()).unwrap_or(1);
        let burst = whole.max(1);
        Self { name: name.into(), per_second: per_second.into(), burst, concurrent: None, remaining_header: None }
    }

    /// So many at once after a pause.
    #[must_use]
    pub fn burst(mut self, requests: u32) -> Self {
        self.burst = requests;
        self
    }

    /// Never more than so many side by side.
    #[must_use]
    pub fn concurrent(mut self, requests: u32) -> Self {
        self.concurrent = Some(requests);
        self
    }

    /// Answer header with the requests left.
    #[must_use]
    pub fn remaining_header(mut self, name: &str) -> Self {
        self.remaining_header = Some(name.into());
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let account = Account::new("shop-7", "Little Shop")
///     .test()
///     .zone("Europe/Berlin")
///     .channel(Channel::main("EUR", TaxBasis::Gross).languages(["de", "en"]).countries(["DE"]))
///     .warehouse("main", "Shop");
/// assert_eq!(account.channels[0].zone, "Europe/Berlin");
/// ```
impl Account {
    /// A live account in UTC. It needs at least one channel.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            environment: Environment::Live,
            zone: "UTC".into(),
            now: None,
            channels: Vec::new(),
            warehouses: Vec::new(),
        }
    }

    /// It is for trying things out.
    #[must_use]
    pub fn test(mut self) -> Self {
        self.environment = Environment::Test;
        self
    }

    /// IANA name of the platform's time zone, for the account and its channels that name none.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        let before = std::mem::replace(&mut self.zone, zone.into());
        for channel in self.channels.iter_mut().filter(|channel| channel.zone == before) {
            channel.zone = zone.into();
        }
        self
    }

    /// The platform's clock.
    #[must_use]
    pub fn now(mut self, now: impl ToString) -> Self {
        self.now = Some(now.to_string());
        self
    }

    /// Adds a sales place; in the account's zone unless it has its own.
    #[must_use]
    pub fn channel(mut self, mut channel: Channel) -> Self {
        if channel.zone.is_empty() {
            channel.zone.clone_from(&self.zone);
        }
        self.channels.push(channel);
        self
    }

    /// Adds a warehouse.
    #[must_use]
    pub fn warehouse(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.warehouses.push(Warehouse { id: id.into(), name: name.into() });
        self
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let channel = Channel::new("b2b", "Trade", "CHF", TaxBasis::Net).zone("Europe/Zurich");
/// assert_eq!((channel.id.as_str(), channel.currency.as_str()), ("b2b", "CHF"));
/// ```
impl Channel {
    /// A sales place with the currency of its prices, and whether they contain tax.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>, currency: impl Into<String>, basis: TaxBasis) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            currency: currency.into(),
            basis,
            languages: Vec::new(),
            countries: Vec::new(),
            zone: String::new(),
        }
    }

    /// The only sales place of a platform.
    #[must_use]
    pub fn main(currency: impl Into<String>, basis: TaxBasis) -> Self {
        Self::new("main", "Main", currency, basis)
    }

    /// Languages of its texts.
    #[must_use]
    pub fn languages<T: Into<String>>(mut self, languages: impl IntoIterator<Item = T>) -> Self {
        self.languages = languages.into_iter().map(Into::into).collect();
        self
    }

    /// Countries it sells to.
    #[must_use]
    pub fn countries<T: Into<String>>(mut self, countries: impl IntoIterator<Item = T>) -> Self {
        self.countries = countries.into_iter().map(Into::into).collect();
        self
    }

    /// IANA name of its time zone.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        self.zone = zone.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SecretField;

    #[test]
    fn a_secret_goes_where_it_is_meant_to_or_nowhere() {
        let secret = |name| SecretField::new(name, "Key", Scheme::Bearer);
        let form = Form::new()
            .origin(Origin::setting("url", "API"))
            .secret(secret("one").to("url"))
            .secret(secret("misspelt").to("ulr"))
            .secret(secret("everywhere"));
        let description = Description::new("org.example.shop", "1.0.0")
            .origin(Origin::https("cdn.example", "Pictures"))
            .credential(Credential::new("by-hand", "Key", Scheme::Bearer))
            .with(&form);
        let bound = |name: &str| {
            description.credentials.iter().find(|one| one.name == name).map(|one| one.origins.as_slice()).unwrap()
        };
        assert_eq!((bound("one"), bound("misspelt")), (&[1][..], &[][..]));
        assert_eq!((bound("everywhere"), bound("by-hand")), (&[0, 1][..], &[0, 1][..]));
    }
}
