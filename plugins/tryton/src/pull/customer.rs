//! Customers: parties with their addresses and contact mechanisms, without the company itself and the carriers.

use serde::Deserialize;
use serde_json::json;
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::records::Records;
use tradepost_sdk::sales::{Customer, CustomerBase};
use tradepost_sdk::source::Page;
use tradepost_sdk::types::Error;

use super::{Reading, Rows, What, empty, filled, remote};
use crate::api::{Api, Id, Search};
use crate::map::{self, address, some, texts};
use crate::value::Instant;

const PARTS: &[&str] = &["", "addresses.", "contact_mechanisms.", "identifiers."];

/// A party.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    code: Option<String>,
    pub(crate) active: bool,
    lang: Option<Language>,
    #[serde(default)]
    pub(crate) addresses: Vec<address::Row>,
    #[serde(default)]
    pub(crate) contact_mechanisms: Vec<Mechanism>,
    tax_identifier: Option<Code>,
    write_date: Option<Instant>,
    create_date: Option<Instant>,
}

/// A way to reach a party.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Mechanism {
    pub(crate) id: u64,
    pub(crate) r#type: String,
    pub(crate) value: Option<String>,
    pub(crate) active: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Language {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Code {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Carrier {
    party: Id,
}

/// Fields of a party.
pub(crate) fn fields() -> Vec<String> {
    let own = [
        "name",
        "code",
        "active",
        "lang.code",
        "contact_mechanisms.type",
        "contact_mechanisms.value",
        "contact_mechanisms.active",
        "tax_identifier.code",
        "write_date",
        "create_date",
    ];
    let addresses = address::FIELDS.iter().map(|field| format!("addresses.{field}"));
    own.iter().map(|field| (*field).to_owned()).chain(addresses).collect()
}

pub(super) fn pull(reading: &Reading<'_>) -> Result<Page, Error> {
    let fields = fields();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let search = Search::of("party.party", &fields).with(json!(["id", "not in", ours(reading.api)?])).all();
    if reading.what == What::Present {
        return reading.present(search, |row| row["code"].as_str().map(str::to_owned));
    }
    let Rows { rows, deleted, next } = reading.rows(search, PARTS)?;
    let mut page = empty();
    page.deleted = deleted;
    let records = Reading::convert(&rows, &mut page, |row: Row| Ok(Some(customer(&row))));
    filled(&mut page, Records::Customers(records));
    reading.finish(page, next)
}

/// Parties that buy nothing: the company and the carriers.
fn ours(api: &Api<'_>) -> Result<Vec<u64>, Error> {
    let mut parties = vec![api.company()?.party.id];
    if api.has("carrier")? {
        let carriers: Vec<Carrier> = api.find(&Search::of("carrier", &["party.id"]).all())?;
        parties.extend(carriers.into_iter().map(|carrier| carrier.party.id));
    }
    Ok(parties)
}

fn customer(row: &Row) -> Customer {
    let addresses: Vec<_> = {
        let used = row.addresses.iter().filter(|address| address.active != Some(false) && address.filled());
        used.map(|address| address.address(row.name.as_deref().unwrap_or_default())).collect()
    };
    let mut head = map::read(remote(row.id), row.write_date.or(row.create_date));
    let part = |id: &String| Part { what: PartKind::Address, key: id.clone(), id: id.clone() };
    head.parts = addresses.iter().map(|address| part(&address.key)).collect();
    Customer { head, base: Some(row.base()), addresses: Some(addresses), extra: Vec::new() }
}

impl Row {
    /// The first mechanism of one of these types, in the order of the types.
    pub(crate) fn mechanism(&self, types: &[&str]) -> Option<&Mechanism> {
        let mut mechanisms: Vec<&Mechanism> =
            self.contact_mechanisms.iter().filter(|mechanism| mechanism.active != Some(false)).collect();
        mechanisms.sort_by_key(|mechanism| mechanism.id);
        types.iter().find_map(|wanted| mechanisms.iter().find(|mechanism| mechanism.r#type == *wanted).copied())
    }

    /// Who the party is.
    pub(crate) fn base(&self) -> CustomerBase {
        let value = |types: &[&str]| self.mechanism(types).and_then(|mechanism| some(mechanism.value.as_deref()));
        let vat_id = self.tax_identifier.as_ref().and_then(|identifier| some(Some(&identifier.code)));
        let name = self.name.clone().unwrap_or_default();
        // Tryton has one name for companies and people; a tax number tells a company.
        let (company, (first_name, last_name)) = match &vat_id {
            Some(_) => (some(Some(&name)), (None, None)),
            None => (None, address::split(&name)),
        };
        CustomerBase {
            number: some(self.code.as_deref()),
            email: value(&["email"]),
            phone: value(&["phone", "mobile"]),
            company,
            first_name,
            last_name,
            vat_id,
            language: self.lang.as_ref().map(|language| texts::tag(&language.code)),
            group: None,
            guest: false,
            active: self.active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties() -> Vec<Row> {
        serde_json::from_str(include_str!("../../fixtures/parties.json")).unwrap()
    }

    #[test]
    fn a_party_is_a_customer() {
        let parties = parties();
        let zoe = customer(&parties[0]);
        let base = zoe.base.unwrap();
        assert_eq!(base.email.as_deref(), Some("zoe@example.com"));
        assert_eq!((base.first_name.as_deref(), base.last_name.as_deref()), (Some("Zoë"), Some("O'Brien")));
        assert_eq!(base.number.as_deref(), Some("3"));
        assert_eq!(base.phone.as_deref(), Some("+49 30 123456"), "the inactive number before it is not used");
        let addresses = zoe.addresses.unwrap();
        assert_eq!(addresses.len(), 1, "empty and inactive addresses are not shown");
        assert_eq!((addresses[0].city.as_str(), addresses[0].country.as_str()), ("München", "DE"));
        assert_eq!(addresses[0].last_name.as_deref(), Some("O'Brien"), "the party's name where the address has none");
        assert_eq!(zoe.head.parts.len(), 1);
    }

    #[test]
    fn a_tax_number_makes_a_company() {
        let base = parties()[1].base();
        assert_eq!(base.company.as_deref(), Some("Ünit & Söhne"));
        assert_eq!((base.vat_id.as_deref(), base.last_name), (Some("DE136695976"), None));
    }
}
