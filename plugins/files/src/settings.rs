//! What the operator sets, and what follows from it.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use jiff::tz::TimeZone;
use serde::Deserialize;
use tradepost_sdk::records::Kind;
use tradepost_sdk::types::{Error, Issue, TaxBasis};

use crate::map;

/// The settings as they are entered; see the schema in `describe`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) account: String,
    pub(crate) environment: Environment,
    pub(crate) zone: String,
    pub(crate) currency: String,
    pub(crate) basis: Basis,
    pub(crate) language: String,
    pub(crate) country: String,
    pub(crate) warehouses: String,
    pub(crate) encoding: Charset,
    pub(crate) delimiter: String,
    pub(crate) decimal: String,
    pub(crate) date_formats: String,
    pub(crate) list_separator: String,
    pub(crate) texts: Markup,
    pub(crate) settle_seconds: u32,
    pub(crate) export_seconds: u32,
    pub(crate) order_format: OrderFormat,
    pub(crate) category_files: String,
    pub(crate) product_files: String,
    pub(crate) price_files: String,
    pub(crate) stock_files: String,
    pub(crate) customer_files: String,
    pub(crate) order_files: String,
    pub(crate) shipment_files: String,
    pub(crate) category_columns: String,
    pub(crate) product_columns: String,
    pub(crate) price_columns: String,
    pub(crate) stock_columns: String,
    pub(crate) customer_columns: String,
    pub(crate) order_columns: String,
    pub(crate) shipment_columns: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: "files".into(),
            environment: Environment::Live,
            zone: "UTC".into(),
            currency: "EUR".into(),
            basis: Basis::Net,
            language: "en".into(),
            country: String::new(),
            warehouses: "main".into(),
            encoding: Charset::Utf8,
            delimiter: ";".into(),
            decimal: ".".into(),
            date_formats: "%Y-%m-%d %H:%M:%S | %Y-%m-%d %H:%M | %Y-%m-%d".into(),
            list_separator: "|".into(),
            texts: Markup::Text,
            settle_seconds: 3,
            export_seconds: 60,
            order_format: OrderFormat::Json,
            category_files: "categories*".into(),
            product_files: "products*".into(),
            price_files: "prices*".into(),
            stock_files: "stock*".into(),
            customer_files: "customers*".into(),
            order_files: "order-numbers*".into(),
            shipment_files: "shipments*".into(),
            category_columns: String::new(),
            product_columns: String::new(),
            price_columns: String::new(),
            stock_columns: String::new(),
            customer_columns: String::new(),
            order_columns: String::new(),
            shipment_columns: String::new(),
        }
    }
}

/// Files do not show whether an ERP is a live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Environment {
    Live,
    Test,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Basis {
    Net,
    Gross,
}

impl From<Basis> for TaxBasis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::Net => Self::Net,
            Basis::Gross => Self::Gross,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Charset {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What descriptions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Markup {
    Text,
    Html,
}

/// What orders are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OrderFormat {
    Json,
    Csv,
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) settings: Settings,
    pub(crate) zone: TimeZone,
    pub(crate) encoding: &'static Encoding,
    pub(crate) delimiter: u8,
    pub(crate) decimal: char,
    pub(crate) date_formats: Vec<String>,
    kinds: Vec<(Kind, KindSetup)>,
}

/// How the files of one kind look.
#[derive(Debug, Clone)]
struct KindSetup {
    patterns: Vec<String>,
    /// The file's name of a column, folded, and ours.
    columns: BTreeMap<String, String>,
}

impl Setup {
    /// # Errors
    /// `rejected`, naming every setting that cannot be used.
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let mut issues = Vec::new();
        let mut wrong = |name: &str, message: String| {
            issues.push(Issue { path: format!("settings.{name}"), code: None, message });
        };
        let zone = TimeZone::get(settings.zone.trim()).unwrap_or_else(|error| {
            wrong("zone", format!("{error}; use an IANA name such as Europe/Berlin"));
            TimeZone::UTC
        });
        let delimiter = match settings.delimiter.as_str() {
            "tab" | "\\t" => b'\t',
            other if other.len() == 1 && !matches!(other, "\"" | "\r" | "\n") => other.as_bytes()[0],
            other => {
                wrong("delimiter", format!("`{other}` is not one character; use ; or , or | or the word tab"));
                b';'
            }
        };
        let decimal = match settings.decimal.as_str() {
            "," => ',',
            "." => '.',
            other => {
                wrong("decimal", format!("`{other}` is neither . nor ,"));
                '.'
            }
        };
        if settings.list_separator.is_empty() {
            wrong("list_separator", "it is empty; use a character that no value contains, such as |".into());
        }
        let date_formats: Vec<String> = settings
            .date_formats
            .split('|')
            .map(|format| format.trim().to_owned())
            .filter(|format| !format.is_empty())
            .collect();
        let sample = jiff::civil::date(2026, 11, 22).at(8, 30, 0, 0);
        for format in &date_formats {
            if let Err(error) = jiff::fmt::strtime::format(format, sample) {
                wrong("date_formats", format!("`{format}`: {error}; an example is %d.%m.%Y"));
            }
        }
        let sources = [
            (Kind::Category, "category", &settings.category_files, &settings.category_columns),
            (Kind::Product, "product", &settings.product_files, &settings.product_columns),
            (Kind::Price, "price", &settings.price_files, &settings.price_columns),
            (Kind::Stock, "stock", &settings.stock_files, &settings.stock_columns),
            (Kind::Customer, "customer", &settings.customer_files, &settings.customer_columns),
            (Kind::Order, "order", &settings.order_files, &settings.order_columns),
            (Kind::Shipment, "shipment", &settings.shipment_files, &settings.shipment_columns),
        ];
        let mut kinds = Vec::new();
        for (kind, name, patterns, columns) in sources {
            let columns = columns_of(kind, columns).unwrap_or_else(|why| {
                wrong(&format!("{name}_columns"), why);
                BTreeMap::new()
            });
            let patterns = patterns.split(',').map(|p| p.trim().to_lowercase()).filter(|p| !p.is_empty()).collect();
            kinds.push((kind, KindSetup { patterns, columns }));
        }
        if !issues.is_empty() {
            return Err(Error::Rejected(issues));
        }
        let encoding = match settings.encoding {
            Charset::Utf8 => UTF_8,
            Charset::Windows1252 => WINDOWS_1252,
        };
        Ok(Self { settings, zone, encoding, delimiter, decimal, date_formats, kinds })
    }

    fn of(&self, kind: Kind) -> Option<&KindSetup> {
        self.kinds.iter().find(|(of, _)| *of == kind).map(|(_, setup)| setup)
    }

    /// The kind whose pattern fits a file's name; the first one where several do.
    pub(crate) fn kind_of(&self, name: &str) -> Option<Kind> {
        let name = name.to_lowercase();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let fits = |setup: &KindSetup| setup.patterns.iter().any(|p| fits(p, &name) || fits(p, stem));
        self.kinds.iter().find(|(_, setup)| fits(setup)).map(|(kind, _)| *kind)
    }

    /// Our name of a column; empty when it means nothing here.
    pub(crate) fn column(&self, kind: Kind, theirs: &str) -> String {
        let Some(setup) = self.of(kind) else { return String::new() };
        let theirs = theirs.trim();
        if let Some(ours) = setup.columns.get(&theirs.to_lowercase()) {
            return ours.clone();
        }
        let ours = canonical(theirs);
        // A column that was given another name is not found under ours any more.
        if setup.columns.values().any(|taken| *taken == ours) { String::new() } else { ours }
    }

    /// The file's name of a column.
    pub(crate) fn theirs(&self, kind: Kind, ours: &str) -> String {
        let columns = self.of(kind).map(|setup| &setup.columns);
        let given = columns.and_then(|columns| columns.iter().find(|(_, named)| *named == ours));
        given.map_or(ours, |(theirs, _)| theirs).to_owned()
    }
}

/// `Valid-From` is `valid_from`; behind a colon stands a name that is kept as it is.
fn canonical(name: &str) -> String {
    let (name, rest) = name.split_once(':').map_or((name, None), |(name, rest)| (name, Some(rest)));
    let name = name.trim().to_lowercase().replace([' ', '-'], "_");
    match rest {
        Some(rest) => format!("{name}:{}", rest.trim()),
        None => name,
    }
}

/// `sku=Article no.; name=Title`.
fn columns_of(kind: Kind, text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut columns = BTreeMap::new();
    for pair in text.split([';', '\n']).map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((ours, theirs)) = pair.split_once('=') else {
            return Err(format!("`{pair}` is not of the form column=name in the file"));
        };
        let (ours, theirs) = (canonical(ours), theirs.trim().to_lowercase());
        let (known, families) = map::columns(kind);
        let family = ours.split_once(':').is_some_and(|(name, _)| families.contains(&name));
        if !family && !known.contains(&ours.as_str()) {
            return Err(format!("there is no column `{ours}`; there are {}", known.join(", ")));
        }
        if columns.insert(theirs.clone(), ours).is_some() {
            return Err(format!("`{theirs}` is there twice"));
        }
    }
    Ok(columns)
}

/// `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn setup(value: serde_json::Value) -> Result<Setup, Error> {
        Setup::new(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_name_says_the_kind() {
        let setup = setup(json!({"stock_files": "bestand_*.csv, lager"})).unwrap();
        assert_eq!(setup.kind_of("Products-2026-11.csv"), Some(Kind::Product));
        assert_eq!(setup.kind_of("bestand_1.csv"), Some(Kind::Stock));
        assert_eq!(setup.kind_of("bestand_1.json"), None);
        assert_eq!(setup.kind_of("lager.json"), Some(Kind::Stock));
        assert_eq!(setup.kind_of("order-numbers.csv"), Some(Kind::Order));
        assert_eq!(setup.kind_of("notes.txt"), None);
    }

    #[test]
    fn columns_have_the_names_of_the_file() {
        let setup = setup(json!({"product_columns": "sku=Artikel-Nr.; choice:Colour=Farbe"})).unwrap();
        assert_eq!(setup.column(Kind::Product, " ARTIKEL-NR. "), "sku");
        assert_eq!(setup.column(Kind::Product, "Farbe"), "choice:Colour");
        assert_eq!(setup.column(Kind::Product, "sku"), "", "it was given another name");
        assert_eq!(setup.column(Kind::Product, "Tax Class"), "tax_class");
        assert_eq!(setup.column(Kind::Product, "Name:de"), "name:de");
        assert_eq!(setup.theirs(Kind::Product, "sku"), "artikel-nr.");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let wrong = json!({"zone": "Mars", "delimiter": "ab", "decimal": "x", "date_formats": "%!",
            "stock_columns": "qty=Menge"});
        let Err(Error::Rejected(issues)) = setup(wrong) else { panic!() };
        let paths: Vec<&str> = issues.iter().map(|issue| issue.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "settings.zone",
                "settings.delimiter",
                "settings.decimal",
                "settings.date_formats",
                "settings.stock_columns"
            ]
        );
        assert!(
            issues[4].message.contains("there is no column `qty`; there are sku, quantity"),
            "{}",
            issues[4].message
        );
    }
}
