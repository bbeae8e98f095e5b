//! Takes other people's data out of what is handed to a developer: e-mail addresses, names, telephone numbers, streets,
//! bank accounts and the like in JSON, XML and forms, known by the names of their fields in English, German and Hungarian;
//! log-ins and tokens that the platform handed out; documents in Base64; and whole bodies in which nothing can be known (no
//! UTF-8, tables). Equal values get equal stand-ins, so that what belongs together still does, and a stand-in has the shape of
//! the value: an address that reaches nobody, an IBAN with valid check digits, words of as many letters. Without the key nobody
//! gets back from a stand-in to its value.
//!
//! Not known are names of people in lists without names of fields (`[["Anna", "Weber"]]`), and in free text those that stand in
//! no field anywhere in the call: whoever hands on a case or tape of real customers reads it first.
//!
//! Words are replaced one by one, so that `Anna Weber` made of `Anna` and `Weber` by a connector is `Xxxx Yyyyy` here too.

mod file;
mod json;
mod stand_in;
#[cfg(test)]
mod tests;
mod text;
mod xml;

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;
use url::Url;

use super::{Body, Exchange};
use stand_in::StandIns;

/// Shorter values of digits are not looked for in other texts: they may be anything there.
const LONG: usize = 7;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Email,
    /// Words: names, streets, places.
    Words,
    /// What somebody wrote freely: its words say nothing elsewhere.
    Remark,
    /// Opens something: tokens, passwords.
    Secret,
    /// Digits: telephone numbers, postal codes, accounts.
    Digits,
    Iban,
    Birthday,
    Address,
}

/// Replaces personal data. First it [learns](Self::learn) what there is, then it replaces it wherever it stands.
pub struct Redactor {
    stand_ins: StandIns,
    /// Words that stand in a personal field somewhere, in lower case: they are replaced in other texts too.
    words: BTreeSet<String>,
    /// Whole values of other personal fields, long enough to be known anywhere, with their stand-ins.
    values: BTreeMap<String, String>,
    /// Finds those values.
    finder: Option<AhoCorasick>,
}

impl Redactor {
    /// With this key; the same key gives the same stand-ins.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { stand_ins: StandIns::new(key), words: BTreeSet::new(), values: BTreeMap::new(), finder: None }
    }

    /// Learns the words of the personal fields of all of these.
    pub fn learn(&mut self, exchanges: &[Exchange]) {
        for Exchange { request, response, .. } in exchanges {
            if let Ok(url) = Url::parse(&request.url) {
                for (name, value) in url.query_pairs() {
                    self.learn_field(&[&name], &value);
                }
            }
            for body in [Some(&request.body), response.as_ref().map(|response| &response.body)].into_iter().flatten() {
                if let Ok(text) = std::str::from_utf8(body.bytes()) {
                    self.learn_fields(text);
                }
            }
        }
        self.find_values();
    }

    /// Learns from a text of whatever format.
    pub fn learn_text(&mut self, text: &str) {
        self.learn_fields(text);
        self.find_values();
    }

    fn find_values(&mut self) {
        let builder = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(self.values.keys());
        // Only fails beyond millions of values; they stay in free texts then.
        self.finder = if self.values.is_empty() { None } else { builder().ok() };
    }

    fn learn_fields(&mut self, text: &str) {
        let mut found = Vec::new();
        text::walk(text, &mut |path, value| {
            found.push((path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>(), value.to_owned()));
            None
        });
        for (path, value) in found {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.learn_field(&path, &value);
        }
    }

    fn learn_field(&mut self, path: &[&str], value: &str) {
        let class = classify(path);
        if let Some(class @ (Class::Digits | Class::Iban | Class::Birthday | Class::Address | Class::Secret)) = class
            && value.len() >= LONG
        {
            self.values.insert(value.to_owned(), self.stand_ins.of(class, value));
        }
        if class == Some(Class::Words) {
            let long = |word: &&str| word.chars().count() >= 4 && word.chars().any(char::is_alphabetic);
            let words = value.split(|c: char| !c.is_alphanumeric()).filter(long).map(str::to_lowercase);
            // A customer named Price makes no price unreadable.
            self.words.extend(words.filter(|word| !OURS.contains(&word.as_str())));
        }
    }

    /// The exchanges without personal data. Lengths change, so what says them goes.
    #[must_use]
    pub fn exchanges(&self, exchanges: &[Exchange]) -> Vec<Exchange> {
        let redacted = |exchange: &Exchange| {
            let mut exchange = exchange.clone();
            exchange.request.url = self.url(&exchange.request.url);
            self.headers(&mut exchange.request.headers);
            // Nothing tells what in other bodies is personal. A replay knows a request by its body's hash; that of an answer could
            // only be guessed from.
            let asked = self.body(&exchange.request.body);
            exchange.request.body = asked.unwrap_or_else(|| Body::omitting(exchange.request.body.bytes()));
            if let Some(response) = &mut exchange.response {
                self.headers(&mut response.headers);
                let answered = self.body(&response.body);
                response.body = answered.unwrap_or_else(|| self.stand_ins.body(response.body.bytes()));
            }
            // Its shape is the contract's, its words are the platform's.
            let error = exchange.error.as_ref().and_then(|error| serde_json::to_value(error).ok());
            exchange.error = error.and_then(|error| serde_json::from_value(self.json(&error)).ok());
            exchange
        };
        exchanges.iter().map(redacted).collect()
    }

    /// A JSON value without personal data.
    #[must_use]
    pub fn json(&self, value: &Value) -> Value {
        // A text of JSON stays one.
        serde_json::from_str(&self.text(&value.to_string())).unwrap_or_default()
    }

    /// A text of whatever format without personal data.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        text::walk(text, &mut |path, value| Some(self.field(path, value))).unwrap_or_else(|| self.free(text))
    }

    fn field(&self, path: &[&str], value: &str) -> String {
        match classify(path) {
            Some(class) => self.stand_ins.of(class, value),
            None => self.free(value),
        }
    }

    /// A text that is not known to be personal: addresses, accounts and learnt words in it.
    fn free(&self, text: &str) -> String {
        let url = |run: &str| self.url(run);
        let Some(finder) = self.finder.as_ref().filter(|finder| finder.is_match(text)) else {
            return text::free(text, &self.words, &self.stand_ins, &url);
        };
        let stand_ins: Vec<&String> = self.values.values().collect();
        text::free(&finder.replace_all(text, &stand_ins), &self.words, &self.stand_ins, &url)
    }

    /// Where an address leads to stays: settings and requests have to agree in it. What is not personal stays as it was
    /// written.
    fn url(&self, url: &str) -> String {
        // `mailto:` and the like have no path.
        let Some(mut parsed) = Url::parse(url).ok().filter(|url| !url.cannot_be_a_base()) else {
            return self.relative(url);
        };
        let mut changed = false;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            // Fails for addresses that cannot have any.
            let _ = parsed.set_username("user");
            let _ = parsed.set_password(None);
            changed = true;
        }
        if let Some(old) = parsed.fragment() {
            let new = text::walk(old, &mut |path, value| Some(self.field(path, value)));
            let new = new.unwrap_or_else(|| text::of_run(old, &self.words, &self.stand_ins));
            if new != old {
                parsed.set_fragment(Some(&new));
                changed = true;
            }
        }
        let pairs: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
        let new: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| (name.clone(), self.field(&[name], value))).collect();
        if pairs != new {
            parsed.query_pairs_mut().clear().extend_pairs(new);
            changed = true;
        }
        if let Some(segments) = parsed.path_segments() {
            let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
            let old: Vec<String> = segments.map(decode).collect();
            let new: Vec<String> = old.iter().map(|part| self.free(part)).collect();
            if old != new
                && let Ok(mut segments) = parsed.path_segments_mut()
            {
                segments.clear().extend(new);
                changed = true;
            }
        }
        if changed { parsed.to_string() } else { url.to_owned() }
    }

    /// A path with a query, as platforms write where the next page is.
    fn relative(&self, url: &str) -> String {
        let of_run = |run: &str| text::of_run(run, &self.words, &self.stand_ins);
        let Some((path, query)) = url.split_once('?') else { return of_run(url) };
        let fields = text::walk(query, &mut |path, value| Some(self.field(path, value)));
        format!("{}?{}", of_run(path), fields.unwrap_or_else(|| of_run(query)))
    }

    fn headers(&self, headers: &mut Vec<(String, String)>) {
        headers.retain(|(name, _)| name != "content-length" && name != "set-cookie" && name != "cookie");
        for (name, value) in headers {
            let opens = ["auth", "token", "key", "secret", "signature", "session", "password", "jwt"];
            let secret = opens.iter().any(|part| name.contains(part)) && !name.starts_with("idempotency");
            *value = if secret { "***".into() } else { self.free(value) };
        }
    }

    /// A body of a format that is known.
    fn body(&self, body: &Body) -> Option<Body> {
        match body {
            Body::Bytes(bytes) => Some(Body::Bytes(self.known(std::str::from_utf8(bytes).ok()?)?.into())),
            Body::Omitted(_) => Some(body.clone()),
        }
    }

    /// A text in which personal data is found; `None` for a table and the like.
    fn known(&self, text: &str) -> Option<String> {
        let fields = text::walk(text, &mut |path, value| Some(self.field(path, value)));
        fields.or_else(|| (text.len() <= SENTENCE && !text.trim().contains('\n')).then(|| self.free(text)))
    }

    /// A value that was stored under a key. A key that says what its value is counts like a field's name.
    #[must_use]
    pub fn stored(&self, key: &str, value: &str) -> String {
        match text::walk(value, &mut |path, value| Some(self.field(path, value))) {
            Some(text) => text,
            None if self.known(value).is_some() => self.field(&[key], value),
            None => self.stand_ins.of(Class::Remark, value),
        }
    }

    /// Learns from a value that was stored under a key.
    pub fn learn_stored(&mut self, key: &str, value: &str) {
        self.learn_field(&[key], value);
        self.learn_text(value);
    }

    /// A name or key without what is personal in it.
    #[must_use]
    pub fn name(&self, text: &str) -> String {
        self.free(text)
    }
}

/// Longest text without a format that is kept: a sentence of a server.
const SENTENCE: usize = 500;

/// Words of the contract, which stand in typed places and in paths of most platforms.
const OURS: [&str; 34] = [
    "account",
    "accounts",
    "cancelled",
    "categories",
    "category",
    "create",
    "created",
    "customer",
    "customers",
    "event",
    "failed",
    "find",
    "item",
    "items",
    "order",
    "orders",
    "paid",
    "placed",
    "price",
    "prices",
    "product",
    "products",
    "pull",
    "push",
    "read",
    "remove",
    "shipment",
    "shipments",
    "shipped",
    "shop",
    "stock",
    "update",
    "variant",
    "variants",
];

/// What a field holds, by its name and those of what it stands in.
fn classify(path: &[&str]) -> Option<Class> {
    let plain = |name: &&str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let names: Vec<String> = path
        .iter()
        .flat_map(|name| name.split(['[', ']', '.', ':']).filter(|part| !part.is_empty()))
        .map(|name| plain(&name))
        .collect();
    let (name, above) = names.split_last()?;
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if has(&[
        "password",
        "passwd",
        "passwort",
        "jelszo",
        "secret",
        "apikey",
        "accesskey",
        "consumerkey",
        "privatekey",
        "signature",
        "authorization",
        "cookie",
    ]) || ends(&["token", "sessionid", "nonce", "jwt", "pwd", "hmac"])
        || ["session", "pass", "sig", "authcode", "assertion"].contains(&name.as_str())
    {
        return Some(Class::Secret);
    }
    if has(&["iban"]) {
        return Some(Class::Iban);
    }
    if has(&["email"]) || name == "mail" {
        return Some(Class::Email);
    }
    if has(&["birth", "geburt", "szulet", "szlet"]) || name == "dob" {
        return Some(Class::Birthday);
    }
    if ends(&["ipaddress", "clientip", "customerip", "browserip", "remoteip", "userip", "lastip", "remoteaddr"])
        || name == "ip"
    {
        return Some(Class::Address);
    }
    if has(&["phone", "mobile", "telefon", "handynummer", "mobilnummer"])
        || ["plz", "tel", "irsz", "ustid", "latitude", "longitude", "lat", "lng"].contains(&name.as_str())
        || ends(&[
            "postleitzahl",
            "iranyitoszam",
            "irnytszm",
            "adoszam",
            "adszm",
            "steuernummer",
            "fax",
            "postcode",
            "postalcode",
            "zip",
            "zipcode",
            "vatid",
            "vatnumber",
            "taxid",
            "accountnumber",
            "bic",
        ])
    {
        return Some(Class::Digits);
    }
    const PERSONS: [&str; 26] = [
        "kunde",
        "rechnung",
        "liefer",
        "versand",
        "adresse",
        "anschrift",
        "empfaenger",
        "kontakt",
        "vevo",
        "szamlazas",
        "szallitas",
        "cim",
        "customer",
        "billing",
        "shipping",
        "address",
        "recipient",
        "contact",
        "person",
        "buyer",
        "consignee",
        "party",
        "user",
        "delivery",
        "invoice",
        "owner",
    ];
    // Only the nearest name that is no place in a list says what something belongs to.
    let near = above.iter().rev().find(|name| !name.is_empty() && !name.bytes().all(|b| b.is_ascii_digit()));
    let of_person = near.is_some_and(|near| PERSONS.iter().any(|person| near.contains(person)));
    let words = has(&[
        "firstname",
        "lastname",
        "surname",
        "givenname",
        "familyname",
        "fullname",
        "middlename",
        "street",
        "addressline",
        "address1",
        "address2",
        "vorname",
        "nachname",
        "kundenname",
        "strasse",
        "strae",
        "hausnummer",
        "vezeteknev",
        "vezetknv",
        "keresztnev",
        "keresztnv",
        "hazszam",
        "hzszm",
        "customername",
        "contactname",
        "username",
        "displayname",
        "recipientname",
    ]) || [
        "city",
        "town",
        "login",
        "lines",
        "line1",
        "line2",
        "housenumber",
        "ort",
        "stadt",
        "wohnort",
        "varos",
        "vros",
        "utca",
    ]
    .contains(&name.as_str())
        || (of_person
            && ["name", "name1", "name2", "company", "firma", "nev", "nv", "first", "last", "district"]
                .contains(&name.as_str()))
        || name == "address";
    if words {
        return Some(Class::Words);
    }
    // Whole names: settings have names like `tracking_note`.
    let remark =
        has(&["customernote", "kommentar", "bemerkung", "anmerkung", "megjegyzes", "megjegyzs", "giftmessage"])
            || ["note", "notes", "comment", "comments"].contains(&name.as_str());
    remark.then_some(Class::Remark)
}
