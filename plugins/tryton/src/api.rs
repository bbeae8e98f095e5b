//! Tryton's REST: searches, creations, writes, buttons, and what its answers mean.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tradepost_sdk::types::{Error, Issue};
use tradepost_sdk::{Request, Response, rejected};

use crate::host::Host;
use crate::settings::Settings;

/// Name of the declared credential.
pub(crate) const KEY: &str = "key";
/// Most ids named in one search: the address stays well below what servers and proxies take.
const IDS: usize = 150;

/// One platform during one call.
pub(crate) struct Api<'h> {
    pub(crate) host: &'h dyn Host,
    pub(crate) settings: Settings,
    company: OnceCell<Company>,
    clock: OnceCell<jiff::Timestamp>,
    modules: OnceCell<BTreeSet<String>>,
    writes: Cell<u32>,
}

/// The company that the connector works for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Company {
    pub(crate) id: u64,
    pub(crate) party: Party,
    pub(crate) currency: Currency,
    pub(crate) timezone: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Party {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Currency {
    pub(crate) id: u64,
    pub(crate) code: String,
    pub(crate) digits: Option<u32>,
}

/// A record of which only the id matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Id {
    pub(crate) id: u64,
}

/// A search. Rows come in the order of their ids, because Tryton promises none.
#[derive(Debug, Clone)]
pub(crate) struct Search<'a> {
    model: &'a str,
    domain: Vec<Value>,
    fields: &'a [&'a str],
    size: Option<u32>,
    context: Map<String, Value>,
}

impl<'a> Search<'a> {
    pub(crate) fn of(model: &'a str, fields: &'a [&'a str]) -> Self {
        Self { model, domain: Vec::new(), fields, size: None, context: Map::new() }
    }

    /// Adds a clause; all of them must hold.
    pub(crate) fn with(mut self, clause: Value) -> Self {
        self.domain.push(clause);
        self
    }

    /// Only the first so many rows after an id.
    pub(crate) fn page(self, after: u64, size: u32) -> Self {
        let mut search = self.with(json!(["id", ">", after]));
        search.size = Some(size);
        search
    }

    /// Sets a value of the context.
    pub(crate) fn context(mut self, name: &str, value: Value) -> Self {
        self.context.insert(name.into(), value);
        self
    }

    /// Inactive records too.
    pub(crate) fn all(self) -> Self {
        self.context("active_test", json!(false))
    }
}

impl<'h> Api<'h> {
    pub(crate) fn new(host: &'h dyn Host, settings: Settings) -> Self {
        Self {
            host,
            settings,
            company: OnceCell::new(),
            clock: OnceCell::new(),
            modules: OnceCell::new(),
            writes: Cell::new(0),
        }
    }

    /// The company: the one that is set, else the only one.
    pub(crate) fn company(&self) -> Result<&Company, Error> {
        if let Some(company) = self.company.get() {
            return Ok(company);
        }
        let mut search = Search::of("company.company", &["party.name", "currency.code", "currency.digits", "timezone"]);
        if let Some(id) = self.settings.company {
            search = search.with(json!(["id", "=", id]));
        }
        let response = self.get(&search, &Map::new())?;
        let date = response.header("date").and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        if let Some(date) = date {
            self.clock.get_or_init(|| date.timestamp());
        }
        let mut found: Vec<Company> = parse(&response.json::<Vec<Value>>()?)?;
        match (found.pop(), found.is_empty()) {
            (Some(company), true) => Ok(self.company.get_or_init(|| company)),
            (Some(_), false) => {
                Err(rejected("company", "The database has several companies. Set `company` to the id of one."))
            }
            (None, _) => Err(rejected(
                "company",
                "The key reaches no company. Check `company` and the rights of the key's user.",
            )),
        }
    }

    /// Whether a module of Tryton is active.
    pub(crate) fn has(&self, module: &str) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Module {
            name: String,
        }
        if self.modules.get().is_none() {
            let search = Search::of("ir.module", &["name"]).with(json!(["state", "=", "activated"]));
            let found: Vec<Module> = self.find(&search)?;
            self.modules.get_or_init(|| found.into_iter().map(|module| module.name).collect());
        }
        Ok(self.modules.get().is_some_and(|modules| modules.contains(module)))
    }

    /// Reads the rows of a search.
    pub(crate) fn find<T: DeserializeOwned>(&self, search: &Search<'_>) -> Result<Vec<T>, Error> {
        parse(&self.rows(search)?)
    }

    /// Reads the rows of a search as they came.
    pub(crate) fn rows(&self, search: &Search<'_>) -> Result<Vec<Value>, Error> {
        self.get(search, &self.context(&search.context)?)?.json()
    }

    /// Reads the rows that have these ids, in as few requests as the length of an address allows.
    pub(crate) fn among<T: DeserializeOwned>(&self, search: &Search<'_>, ids: &[u64]) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        for ids in ids.chunks(IDS) {
            rows.extend(self.find::<T>(&search.clone().with(json!(["id", "in", ids])))?);
        }
        Ok(rows)
    }

    /// Like [`Api::among`] for another field.
    pub(crate) fn matching<T: DeserializeOwned>(
        &self,
        search: &Search<'_>,
        field: &str,
        values: &[impl Serialize],
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        for values in values.chunks(IDS / 3) {
            rows.extend(self.find::<T>(&search.clone().with(json!([field, "in", values])))?);
        }
        Ok(rows)
    }

    /// Makes a record and reads it back.
    pub(crate) fn create<T: DeserializeOwned>(&self, model: &str, values: &Value, fields: &[&str]) -> Result<T, Error> {
        self.create_in(None, model, values, fields)
    }

    /// Like [`Api::create`], with translated texts in this language.
    pub(crate) fn create_in<T: DeserializeOwned>(
        &self,
        language: Option<&str>,
        model: &str,
        values: &Value,
        fields: &[&str],
    ) -> Result<T, Error> {
        self.send("POST", &format!("{model}{}", query(&[], fields)), language, Some(values))?.json()
    }

    /// Changes a record.
    pub(crate) fn write(&self, model: &str, id: u64, values: &Value) -> Result<(), Error> {
        self.write_in(None, model, id, values)
    }

    /// Like [`Api::write`], with translated texts in this language.
    pub(crate) fn write_in(&self, language: Option<&str>, model: &str, id: u64, values: &Value) -> Result<(), Error> {
        self.send("PUT", &format!("{model}/{id}?f=id"), language, Some(values)).map(drop)
    }

    /// Deletes a record.
    pub(crate) fn delete(&self, model: &str, id: u64) -> Result<(), Error> {
        self.send("DELETE", &format!("{model}/{id}"), None, None).map(drop)
    }

    /// Presses a button of a record.
    pub(crate) fn press(&self, model: &str, id: u64, button: &str) -> Result<(), Error> {
        self.send("POST", &format!("{model}/{id}/{button}?f=id"), None, Some(&json!({}))).map(drop)
    }

    /// How many writes have left so far that did something, or may have.
    pub(crate) fn writes(&self) -> u32 {
        self.writes.get()
    }

    /// The server's clock when this call first asked it something, from the `Date` of the answer. Its seconds are cut
    /// off, so it is never ahead.
    pub(crate) fn clock(&self) -> Result<Option<jiff::Timestamp>, Error> {
        self.company()?;
        Ok(self.clock.get().copied())
    }

    /// Address of the server without the database, for what is not REST.
    pub(crate) fn origin_and_database(&self) -> (String, String) {
        let url = self.settings.url.trim_end_matches('/');
        match url.rsplit_once('/') {
            Some((origin, database)) => (origin.to_owned(), database.to_owned()),
            None => (url.to_owned(), String::new()),
        }
    }

    fn send(&self, method: &str, path: &str, language: Option<&str>, body: Option<&Value>) -> Result<Response, Error> {
        // Inactive records can be written too; without this Tryton answers that they are not there.
        let mut more = Map::new();
        if method != "POST" {
            more.insert("active_test".into(), json!(false));
        }
        if let Some(language) = language {
            more.insert("language".into(), json!(language));
        }
        let mut request = self.request(method, path, &self.context(&more)?);
        request = match body {
            Some(body) => request.json(body),
            // Tryton judges the kind of an answer by this header too, and a DELETE without it is answered in HTML.
            None => request.header("content-type", "application/json"),
        };
        let answer = self.host.send(request).and_then(judge).and_then(no_page);
        let untouched = matches!(
            answer,
            Err(Error::Auth(_) | Error::Throttled(_) | Error::Unavailable(_) | Error::Denied(_) | Error::Rejected(_))
        );
        if !untouched {
            self.writes.set(self.writes.get() + 1);
        }
        answer
    }

    fn get(&self, search: &Search<'_>, context: &Map<String, Value>) -> Result<Response, Error> {
        let mut parameters = vec![("d", encode(&search.domain)), ("o", encode(&json!([["id", "ASC"]])))];
        if let Some(size) = search.size {
            parameters.push(("s", size.to_string()));
        }
        let path = format!("{}{}", search.model, query(&parameters, search.fields));
        judge(self.host.send(self.request("GET", &path, context))?)
    }

    fn request(&self, method: &str, path: &str, context: &Map<String, Value>) -> Request {
        let url = format!("{}/rest/model/{path}", self.settings.url.trim_end_matches('/'));
        Request::new(method, url)
            .credential(KEY)
            .header("x-tryton-context", URL_SAFE.encode(json!(context).to_string()))
    }

    /// Tryton needs the company for prices and numbers.
    fn context(&self, more: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
        let company = self.company()?.id;
        let mut context = Map::new();
        context.insert("company".into(), json!(company));
        context.insert("companies".into(), json!([company]));
        context.extend(more.clone());
        Ok(context)
    }
}

/// Rows as the connector's own type. A row that does not fit is a defect of the connector.
pub(crate) fn parse<T: DeserializeOwned>(rows: &[Value]) -> Result<Vec<T>, Error> {
    rows.iter()
        .map(|row| T::deserialize(row).map_err(|error| Error::Bug(format!("unexpected row ({error}): {row}"))))
        .collect()
}

/// What is changed or made since a time: `write_date` is null until the first change.
pub(crate) fn changed_since(since: jiff::Timestamp, parts: &[&str]) -> Value {
    let since = crate::value::instant(since);
    let mut clause = vec![json!("OR")];
    for part in parts {
        clause.push(json!([format!("{part}write_date"), ">=", since]));
        clause.push(json!([format!("{part}create_date"), ">=", since]));
    }
    Value::Array(clause)
}

/// Reads an id of the contract.
pub(crate) fn id(text: &str) -> Result<u64, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("`{text}` is not an id of Tryton")))
}

fn query(parameters: &[(&str, String)], fields: &[&str]) -> String {
    let fields = fields.iter().map(|field| format!("f={field}"));
    // Of what base64 and field names are made of, only the padding has a meaning in an address.
    let parameters = parameters.iter().map(|(name, value)| format!("{name}={}", value.replace('=', "%3D")));
    let query: Vec<String> = parameters.chain(fields).collect();
    if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
}

fn encode(value: &impl Serialize) -> String {
    URL_SAFE.encode(serde_json::to_vec(value).expect("plain values are JSON"))
}

/// The answer to a write unless it is a page: that is of what stands before Tryton, and says nothing of the write.
fn no_page(response: Response) -> Result<Response, Error> {
    let page = response.header("content-type").is_some_and(|kind| kind.contains("html"));
    match page && !response.bytes().is_empty() {
        true => Err(Error::Timeout("a page came in the place of Tryton's answer".into())),
        false => Ok(response),
    }
}

/// The answer if it is one. Tryton refuses with 400 and its words, a warning that wants to be confirmed included; 423
/// is a record changed meanwhile; 403 is a right that the user of the key lacks, which pauses nothing.
fn judge(response: Response) -> Result<Response, Error> {
    #[derive(Deserialize)]
    struct Refusal {
        message: Option<String>,
        description: Option<String>,
    }
    let status = response.response.status;
    match status {
        400 | 409 => {
            let words = match serde_json::from_slice::<Refusal>(response.bytes()) {
                Ok(refusal) => {
                    let words = [refusal.message, refusal.description];
                    words.into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
                }
                Err(_) => String::from_utf8_lossy(response.bytes()).chars().take(500).collect(),
            };
            Err(Error::Rejected(vec![Issue { path: String::new(), code: Some(status.to_string()), message: words }]))
        }
        403 => Err(rejected("403", "Tryton forbids this to the user of the key. Give the user the rights for it.")),
        423 => Err(Error::Conflict(None)),
        _ => response.success(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::{answer, unsafe_answer};

    #[test]
    fn refusals_keep_the_platforms_words() {
        let body = json!({"status": 400, "message": "A value is required.", "description": "Really."});
        let Err(Error::Rejected(issues)) = judge(unsafe_answer(400, &body)) else { panic!("rejected") };
        assert_eq!(issues[0].message, "A value is required. Really.");
        assert!(matches!(judge(answer(401, &json!("no"))), Err(Error::Auth(_))));
        assert!(matches!(judge(answer(404, &json!(null))), Err(Error::NotFound(_))));
        assert!(matches!(judge(answer(423, &json!(null))), Err(Error::Conflict(None))));
        assert!(matches!(judge(answer(403, &json!(null))), Err(Error::Rejected(_))));
        assert!(matches!(judge(answer(500, &json!(null))), Err(Error::Unavailable(_))));
        assert!(matches!(judge(unsafe_answer(500, &json!(null))), Err(Error::Timeout(_))));
    }

    #[test]
    fn parameters_survive_an_address() {
        let query = query(&[("d", encode(&json!([["code", "=", "ÄÖ?"]])))], &["code", "template.name"]);
        assert!(query.starts_with("?d=W1s") && query.ends_with("&f=code&f=template.name"), "{query}");
        assert_eq!(query.matches('=').count(), 3, "{query}");
    }

    #[test]
    fn a_never_changed_row_is_found_by_its_making() {
        let clause = changed_since("2026-11-22T08:00:00Z".parse().unwrap(), &["", "lines."]);
        assert_eq!(clause.as_array().unwrap().len(), 5);
        assert_eq!(clause[2][0], "create_date");
        assert_eq!(clause[3][0], "lines.write_date");
    }
}
