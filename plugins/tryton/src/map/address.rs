//! Postal addresses and the names on them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tradepost_sdk::sales::{Address, CustomerBase};

use super::some;

/// Fields of an address below a path.
pub(crate) const FIELDS: &[&str] = &[
    "party_name",
    "attn",
    "street_unstructured",
    "street",
    "postal_code",
    "city",
    "country.code",
    "subdivision.code",
    "active",
];

/// An address of Tryton.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: u64,
    party_name: Option<String>,
    attn: Option<String>,
    street_unstructured: Option<String>,
    street: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    country: Option<Coded>,
    subdivision: Option<Coded>,
    pub(crate) active: Option<bool>,
    /// Whose it is, where that was asked for.
    party: Option<Owner>,
}

#[derive(Debug, Clone, Deserialize)]
struct Owner {
    name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Coded {
    code: Option<String>,
}

/// What an address says, for comparing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    party_name: String,
    attn: String,
    street: String,
    postal_code: String,
    city: String,
    country: String,
}

impl Content {
    /// An address without a name bears that of its party.
    fn of(mut self, party: &str) -> Self {
        if self.party_name.is_empty() && self.attn.is_empty() {
            self.party_name = folded(party);
        }
        self
    }
}

impl Row {
    /// Whether there is anything in it: Tryton makes an empty one for every new party.
    pub(crate) fn filled(&self) -> bool {
        let content = self.content("");
        !(content.street.is_empty() && content.city.is_empty() && content.postal_code.is_empty())
    }

    /// Name of the party, where it was asked for.
    pub(crate) fn owner(&self) -> &str {
        self.party.as_ref().and_then(|party| party.name.as_deref()).unwrap_or_default()
    }

    /// What it says as an address of a party with this name.
    pub(crate) fn content(&self, party: &str) -> Content {
        let text = |text: &Option<String>| folded(text.as_deref().unwrap_or_default());
        let street = some(self.street_unstructured.as_deref()).or_else(|| some(self.street.as_deref()));
        let country = self.country.as_ref().and_then(|country| country.code.clone());
        Content {
            party_name: text(&self.party_name),
            attn: text(&self.attn),
            street: text(&street),
            postal_code: text(&self.postal_code),
            city: text(&self.city),
            country: country.unwrap_or_default(),
        }
        .of(party)
    }

    /// The address of a party with this name.
    pub(crate) fn address(&self, party: &str) -> Address {
        let street = some(self.street_unstructured.as_deref()).or_else(|| some(self.street.as_deref()));
        let on_it = some(self.party_name.as_deref());
        let (company, person) = match (on_it, some(self.attn.as_deref())) {
            (company, Some(person)) => (company, person),
            (Some(person), None) => (None, person),
            (None, None) => (None, party.to_owned()),
        };
        let (first_name, last_name) = split(&person);
        let region = self.subdivision.as_ref().and_then(|subdivision| subdivision.code.as_deref());
        Address {
            key: self.id.to_string(),
            company,
            first_name,
            last_name,
            lines: street.iter().flat_map(|street| street.lines()).filter_map(|line| some(Some(line))).collect(),
            postcode: some(self.postal_code.as_deref()).unwrap_or_default(),
            city: some(self.city.as_deref()).unwrap_or_default(),
            // Tryton's codes begin with the country.
            region: region.map(|code| code.split_once('-').map_or(code, |(_, region)| region).to_owned()),
            country: self.country.as_ref().and_then(|country| country.code.clone()).unwrap_or_default(),
            phone: None,
        }
    }
}

/// What a pushed address will say in Tryton as one of a party with this name.
pub(crate) fn content(address: &Address, party: &str) -> Content {
    let (party_name, attn) = names(address);
    Content {
        party_name: folded(&party_name.unwrap_or_default()),
        attn: folded(&attn.unwrap_or_default()),
        street: folded(&address.lines.join("\n")),
        postal_code: folded(&address.postcode),
        city: folded(&address.city),
        country: address.country.clone(),
    }
    .of(party)
}

/// The fields of a pushed address. The country is looked up by the caller.
pub(crate) fn values(address: &Address, country: Option<u64>) -> Map<String, Value> {
    let (party_name, attn) = names(address);
    let values = json!({
        "party_name": party_name,
        "attn": attn,
        "street_unstructured": some(Some(&address.lines.join("\n"))),
        "postal_code": some(Some(&address.postcode)),
        "city": some(Some(&address.city)),
        "country": country,
    });
    match values {
        Value::Object(values) => values,
        _ => Map::new(),
    }
}

/// Name of a party for a buyer: the company, else the person, else what is left.
pub(crate) fn party_name(base: &CustomerBase, address: Option<&Address>) -> String {
    let on_address = address.and_then(|address| some(address.company.as_deref()).or_else(|| person(address)));
    some(base.company.as_deref())
        .or_else(|| join(base.first_name.as_deref(), base.last_name.as_deref()))
        .or(on_address)
        .or_else(|| some(base.email.as_deref()))
        .or_else(|| some(base.number.as_deref()))
        .unwrap_or_default()
}

/// A name as first and last name; a single word is a last name.
pub(crate) fn split(name: &str) -> (Option<String>, Option<String>) {
    match name.trim().rsplit_once(' ') {
        Some((first, last)) => (some(Some(first)), some(Some(last))),
        None => (None, some(Some(name))),
    }
}

/// Who is on the first line, and for whose attention.
fn names(address: &Address) -> (Option<String>, Option<String>) {
    match some(address.company.as_deref()) {
        Some(company) => (Some(company), person(address)),
        None => (person(address), None),
    }
}

fn person(address: &Address) -> Option<String> {
    join(address.first_name.as_deref(), address.last_name.as_deref())
}

fn join(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let names: Vec<String> = [some(first), some(last)].into_iter().flatten().collect();
    some(Some(&names.join(" ")))
}

/// Space and line ends do not make two addresses of one.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(company: Option<&str>) -> Address {
        Address {
            key: "b".into(),
            company: company.map(str::to_owned),
            first_name: Some("Zoë".into()),
            last_name: Some("O'Brien".into()),
            lines: vec!["Hauptstraße 5".into(), "2. OG".into()],
            postcode: "80331".into(),
            city: "München".into(),
            region: None,
            country: "DE".into(),
            phone: None,
        }
    }

    fn stored(values: Map<String, Value>) -> Row {
        let mut values = Value::Object(values);
        values["id"] = json!(7);
        values["country"] = json!({"id": 1, "code": "DE"});
        Row::deserialize(&values).unwrap()
    }

    #[test]
    fn an_address_comes_back_as_it_went() {
        for company in [None, Some("Ünit & Söhne")] {
            let sent = address(company);
            let row = stored(values(&sent, Some(1)));
            assert_eq!(row.content(""), content(&sent, ""));
            let back = row.address("somebody else");
            assert_eq!(Address { key: "b".into(), ..back }, sent);
        }
    }

    #[test]
    fn another_street_or_name_is_another_address() {
        let row = stored(values(&address(None), Some(1)));
        let mut other = address(None);
        other.lines[0] = "Hauptstraße 6".into();
        assert_ne!(row.content(""), content(&other, ""));
        let other = Address { last_name: Some("Müller".into()), ..address(None) };
        assert_ne!(row.content(""), content(&other, ""));
        let spaced = Address { city: " München ".into(), ..address(None) };
        assert_eq!(row.content(""), content(&spaced, ""));
    }

    #[test]
    fn an_address_without_a_name_is_its_partys() {
        let mut values = values(&address(None), Some(1));
        values.insert("party_name".into(), Value::Null);
        let row = stored(values);
        let read = row.address("Zoë O'Brien");
        assert_eq!(row.content("Zoë O'Brien"), content(&read, "Zoë O'Brien"));
        assert_ne!(row.content("Anna Berg"), content(&read, "Anna Berg"), "it was another's");
    }

    #[test]
    fn the_address_made_for_a_new_party_is_empty() {
        let row = stored(Map::new());
        assert!(!row.filled());
        assert!(stored(values(&address(None), None)).filled());
    }

    #[test]
    fn names_are_split_at_the_last_space() {
        assert_eq!(split("Anna Maria Berg"), (Some("Anna Maria".into()), Some("Berg".into())));
        assert_eq!(split("Cher"), (None, Some("Cher".into())));
        assert_eq!(split(" "), (None, None));
    }
}
