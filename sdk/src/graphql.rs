//! GraphQL: a status, `errors`, and results that are unions of what was wanted and what went wrong.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue as Raw;

use crate::types::{Error, Issue};
use crate::{Http, Response};

/// A GraphQL API.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::GraphQl;
/// use tradepost_sdk::testing::{FakeHost, Reply};
/// use serde_json::json;
///
/// #[derive(serde::Deserialize)]
/// struct Data { product: Row }
/// #[derive(serde::Deserialize)]
/// struct Row { name: String, #[serde(with = "tradepost_sdk::exact")] price: Decimal }
///
/// let host = FakeHost::new().http(|request| Ok(match request.url.as_str() {
///     "https://shop.example/graphql" => Reply::json(&json!({"data": {"product": {"name": "Pot", "price": "9.90"}}})),
///     _ => Reply::status(404),
/// }));
/// let api = GraphQl::new(Http::new("https://shop.example").credential("token"), "/graphql");
/// let data: Data = host.run(|| api.query("query($id: ID!){product(id: $id){name price}}", json!({"id": 7}))).unwrap();
/// assert_eq!((data.product.name.as_str(), data.product.price.to_string()), ("Pot", "9.90".into()));
/// ```
#[derive(Debug, Clone)]
pub struct GraphQl {
    http: Http,
    path: String,
}

#[derive(Serialize)]
struct Operation<'a, V> {
    query: &'a str,
    variables: V,
}

impl GraphQl {
    /// The endpoint below an API's address.
    #[must_use]
    pub fn new(http: Http, path: &str) -> Self {
        Self { http, path: path.into() }
    }

    /// Reads: may be repeated and passes in a preview, though it is a POST. Decimals of the type's that are read with
    /// [`exact`](crate::exact) stay exact.
    ///
    /// # Errors
    /// Those of [`graphql`].
    pub fn query<T: DeserializeOwned>(&self, document: &str, variables: impl Serialize) -> Result<T, Error> {
        let answer = self.http.post(&self.path).json(&Operation { query: document, variables }).safe().send()?;
        let data = data(&answer)?;
        serde_json::from_slice(data.get().as_bytes()).map_err(|error| unreadable(&answer, &error))
    }

    /// Reads, with one field in the document; gives what it returned, unless that is an [error branch](branch).
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    /// use tradepost_sdk::GraphQl;
    /// use tradepost_sdk::testing::{FakeHost, Reply};
    /// use serde_json::json;
    ///
    /// #[derive(Debug, serde::Deserialize)]
    /// struct Shop { name: String }
    ///
    /// let hidden = json!({"data": {"shop": {"__typename": "NoAccessError", "message": "Ask the owner."}}});
    /// let host = FakeHost::new().http(move |_| Ok(Reply::json(&hidden)));
    /// let api = GraphQl::new(Http::new("https://shop.example"), "/graphql");
    /// let answer: Result<Shop, Error> = host.run(|| api.query_one("{shop{__typename ... on Shop{name}}}", json!({})));
    /// assert!(matches!(answer, Err(Error::Rejected(issues)) if issues[0].message == "Ask the owner."));
    /// ```
    ///
    /// # Errors
    /// Those of [`graphql`] and [`branch`].
    pub fn query_one<T: DeserializeOwned>(&self, document: &str, variables: impl Serialize) -> Result<T, Error> {
        one(&self.http.post(&self.path).json(&Operation { query: document, variables }).safe().send()?)
    }

    /// Writes, with one field in the document; gives what it returned, unless that is an [error branch](branch). Decimals
    /// stay exact as in [`query`](Self::query).
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    /// use tradepost_sdk::GraphQl;
    /// use tradepost_sdk::testing::{FakeHost, Reply};
    /// use serde_json::json;
    ///
    /// #[derive(Debug, serde::Deserialize)]
    /// struct Cart { #[serde(with = "tradepost_sdk::exact")] total: Decimal }
    ///
    /// let add = |answer: &'static str| {
    ///     let host = FakeHost::new().http(move |_| Ok(Reply::text("application/json", answer)));
    ///     let api = GraphQl::new(Http::new("https://shop.example"), "/graphql");
    ///     host.run(|| api.mutate::<Cart>("mutation{addItem(id: 7){__typename ... on Cart{total}}}", json!({})))
    /// };
    /// let cart = add(r#"{"data": {"addItem": {"__typename": "Cart", "total": 9007199254740993.10}}}"#).unwrap();
    /// assert_eq!(cart.total.to_string(), "9007199254740993.10");
    ///
    /// let refused = r#"{"data": {"addItem": {"__typename": "InsufficientStockError", "message": "Only 2 left."}}}"#;
    /// let Err(Error::Rejected(issues)) = add(refused) else { panic!() };
    /// assert_eq!(issues[0].code.as_deref(), Some("InsufficientStockError"));
    /// assert_eq!(issues[0].message, "Only 2 left.");
    /// ```
    ///
    /// # Errors
    /// Those of [`graphql`] and [`branch`].
    pub fn mutate<T: DeserializeOwned>(&self, document: &str, variables: impl Serialize) -> Result<T, Error> {
        one(&self.http.post(&self.path).json(&Operation { query: document, variables }).send()?)
    }
}

/// What the only field of an answer's `data` holds.
fn one<T: DeserializeOwned>(answer: &Response) -> Result<T, Error> {
    let unreadable = |error: serde_json::Error| unreadable(answer, &error);
    let fields: BTreeMap<String, Box<Raw>> =
        serde_json::from_slice(data(answer)?.get().as_bytes()).map_err(unreadable)?;
    let mut values = fields.values();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(self::unreadable(answer, &"its data has not one field"));
    };
    serde_json::from_slice(branch(value)?.get().as_bytes()).map_err(unreadable)
}

/// A value that was returned, unless it says that something was refused: by `__typename` (`..Error`) or `errorCode`, or with
/// `userErrors`, `errors` or `mutationErrors` that are not empty.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::graphql::branch;
///
/// let raw = |json: &str| Raw::from_string(json.into()).unwrap();
/// let shopify = raw(r#"{"product": null, "userErrors": [{"field": ["input", "title"], "message": "can't be blank"}]}"#);
/// let Err(Error::Rejected(issues)) = branch(&shopify) else { panic!() };
/// assert_eq!((issues[0].path.as_str(), issues[0].message.as_str()), ("input.title", "can't be blank"));
/// assert!(branch(&raw(r#"{"__typename": "Order", "userErrors": []}"#)).is_ok());
/// ```
///
/// # Errors
/// `rejected` with the platform's code and words.
pub fn branch(returned: &Raw) -> Result<&Raw, Error> {
    // Of a look at the words alone; figures are read from the text itself.
    let value: Value = serde_json::from_slice(returned.get().as_bytes()).unwrap_or_default();
    let listed = ["userErrors", "errors", "mutationErrors"].iter().filter_map(|name| value[*name].as_array());
    let issues: Vec<Issue> = listed.flatten().map(issue).collect();
    if !issues.is_empty() {
        return Err(Error::Rejected(issues));
    }
    let typename = value["__typename"].as_str().filter(|name| name.ends_with("Error"));
    match value["errorCode"].as_str().or(typename) {
        None => Ok(returned),
        Some(code) => {
            let words = value["message"].as_str().unwrap_or(code).to_owned();
            Err(crate::rejected(code, words))
        }
    }
}

fn issue(error: &Value) -> Issue {
    let part = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
    let path = match &error["field"] {
        Value::Array(parts) => parts.iter().map(part).collect::<Vec<_>>().join("."),
        field => field.as_str().unwrap_or_default().to_owned(),
    };
    let message = error["message"].as_str().map_or_else(|| error.to_string(), str::to_owned);
    Issue { path, code: error["code"].as_str().map(Into::into), message }
}

#[derive(Deserialize)]
struct Answered {
    data: Option<Box<Raw>>,
    #[serde(default)]
    errors: Option<Vec<Value>>,
}

/// `data` of an answer as it stands there.
fn data(answer: &Response) -> Result<Box<Raw>, Error> {
    let object = answer.bytes().trim_ascii_start().starts_with(b"{");
    let read: Result<Answered, Error> = match serde_json::from_slice(answer.bytes()) {
        Ok(read) if object => Ok(read),
        // Serde would take a list for a structure.
        Ok(_) => Err(unreadable(answer, &"it is no object")),
        Err(error) => Err(unreadable(answer, &error)),
    };
    // GraphQL servers answer a malformed query with 400 and say in `errors` what is wrong with it.
    let told = answer.status() == 400 && read.as_ref().is_ok_and(|read| read.errors.is_some());
    if !told {
        answer.clone().success()?;
    }
    let Answered { data, errors } = read?;
    match errors.filter(|errors| !errors.is_empty()) {
        // A write that returned something was done, whatever could not be told of it.
        Some(errors) if answer.unsafe_request && data.as_deref().is_some_and(returned) => {
            Err(Error::Timeout(format!("done, with errors: {}", words_of(&errors))))
        }
        Some(errors) => Err(failed(answer, &errors)),
        None => match data.filter(|data| data.get() != "null") {
            Some(data) => Ok(data),
            None => Err(unreadable(answer, &"it has neither data nor errors")),
        },
    }
}

/// Whether a field of `data` holds something.
fn returned(data: &Raw) -> bool {
    serde_json::from_str::<Value>(data.get())
        .is_ok_and(|data| data.as_object().is_some_and(|fields| fields.values().any(|value| !value.is_null())))
}

fn words_of(errors: &[Value]) -> String {
    errors.iter().filter_map(|error| error["message"].as_str()).collect::<Vec<_>>().join("; ")
}

fn unreadable(answer: &Response, error: &dyn std::fmt::Display) -> Error {
    let words = format!("unreadable answer ({error}): {}", crate::response::excerpt(answer.bytes()));
    if answer.unsafe_request { Error::Timeout(words) } else { Error::Unavailable(words) }
}

/// Takes `data` out of a GraphQL answer. As a `serde_json::Value` it has made floats of numbers with a point: take a type
/// whose amounts are read with [`exact`](crate::exact).
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::graphql;
/// use tradepost_sdk::testing::Reply;
/// use serde_json::json;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Data { #[serde(with = "tradepost_sdk::exact")] total: Decimal }
///
/// let answer = |body| Response { response: Reply::json(&body).response("https://a.example"), unsafe_request: false };
/// assert_eq!(graphql::<Data>(answer(json!({"data": {"total": 1}}))).unwrap().total, Decimal::ONE);
/// let refused = json!({"errors": [{"message": "Log in.", "extensions": {"code": "FORBIDDEN"}}]});
/// assert!(matches!(graphql::<Data>(answer(refused)), Err(Error::Auth(words)) if words == "Log in."));
/// ```
///
/// # Errors
/// What [`Response::success`] and [`Response::json`] give; of an answer with `errors`, the gravest of them decides by
/// `extensions.code`: FORBIDDEN and UNAUTHENTICATED are `auth`, THROTTLED is `throttled`, *NOT_FOUND is `not-found`, a
/// query that the schema refuses is a `bug`. INTERNAL_SERVER_ERROR and errors without a code say nothing about a write:
/// `timeout` then, `unavailable` for a read. All others are `rejected` with the platform's words.
pub fn graphql<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let data = data(&response)?;
    serde_json::from_slice(data.get().as_bytes()).map_err(|error| unreadable(&response, &error))
}

/// What the gravest error of an answer means.
fn failed(response: &Response, errors: &[Value]) -> Error {
    let code = |error: &Value| error.pointer("/extensions/code").and_then(Value::as_str).map(str::to_owned);
    let words = |error: &Value| error["message"].as_str().unwrap_or_default().to_owned();
    let with = |wanted: &dyn Fn(&str) -> bool| {
        errors.iter().find(|error| wanted(code(error).as_deref().unwrap_or("INTERNAL_SERVER_ERROR"))).map(words)
    };
    if let Some(words) = with(&|code| matches!(code, "FORBIDDEN" | "UNAUTHENTICATED" | "UNAUTHORIZED")) {
        return Error::Auth(words);
    }
    if with(&|code| matches!(code, "THROTTLED" | "TOO_MANY_REQUESTS")).is_some() {
        return Error::Throttled(response.header("retry-after").and_then(|v| v.parse().ok()).unwrap_or(5));
    }
    if let Some(words) = with(&|code| code == "INTERNAL_SERVER_ERROR") {
        return if response.unsafe_request { Error::Timeout(words) } else { Error::Unavailable(words) };
    }
    if let Some(words) = with(&|code| code.starts_with("GRAPHQL_")) {
        return Error::Bug(words);
    }
    if let Some(words) = with(&|code| code.ends_with("NOT_FOUND")) {
        return Error::NotFound(words);
    }
    Error::Rejected(errors.iter().map(|e| Issue { path: String::new(), code: code(e), message: words(e) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Reply;

    fn answer(status: u16, body: &str) -> Response {
        let reply = Reply::text("application/json", body).with_status(status);
        Response { response: reply.response("https://shop.example"), unsafe_request: false }
    }

    #[test]
    fn an_answer_that_says_nothing_is_none() {
        // Found by the fuzz target `answers`: a list made the connector trap.
        for body in ["[]", "[{\"data\":1}]", "1", "null", "\"data\"", "{}", "{\"data\":null}", "{\"errors\":[]}"] {
            assert!(matches!(graphql::<Value>(answer(200, body)), Err(Error::Unavailable(_))), "{body}");
            let written = Response { unsafe_request: true, ..answer(200, body) };
            assert!(matches!(graphql::<Value>(written), Err(Error::Timeout(_))), "{body}: it may have been done");
        }
        assert_eq!(graphql::<Value>(answer(200, r#"{"data":{"a":1}}"#)).unwrap()["a"], 1);
    }

    #[test]
    fn a_write_that_returned_something_was_not_refused() {
        let made = r#"{"data":{"create":{"id":"7","cost":null}},"errors":[{"message":"cost is hidden","extensions":{"code":"FORBIDDEN"}}]}"#;
        let written = |body| graphql::<Value>(Response { unsafe_request: true, ..answer(200, body) });
        assert!(matches!(written(made), Err(Error::Timeout(words)) if words.contains("cost is hidden")));
        assert!(matches!(graphql::<Value>(answer(200, made)), Err(Error::Auth(_))), "a read has done nothing");
        let refused = r#"{"data":{"create":null},"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}"#;
        assert!(matches!(written(refused), Err(Error::Auth(_))));
    }

    #[test]
    fn a_malformed_query_is_a_defect_and_a_page_is_not() {
        let told = r#"{"errors":[{"message":"no such field","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#;
        assert_eq!(graphql::<Value>(answer(400, told)), Err(Error::Bug("no such field".into())));
        assert!(matches!(graphql::<Value>(answer(400, "<html>Bad")), Err(Error::Rejected(_))));
        assert!(matches!(graphql::<Value>(answer(502, "<html>Bad")), Err(Error::Unavailable(_))));
        assert!(matches!(graphql::<Value>(answer(200, "<html>Hello")), Err(Error::Unavailable(_))));
        let throttled = r#"{"errors":[{"message":"slow","extensions":{"code":"THROTTLED"}}]}"#;
        assert_eq!(graphql::<Value>(answer(200, throttled)), Err(Error::Throttled(5)));
    }

    #[test]
    fn what_the_only_field_returned_is_read_as_it_stands() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Order {
            #[serde(with = "crate::exact")]
            total: rust_decimal::Decimal,
        }
        let read = |body: &str| one::<Order>(&answer(200, body));
        let exact = read(r#"{"data":{"order":{"total":0.1000000000000000055}}}"#).unwrap();
        assert_eq!(exact.total.to_string(), "0.1000000000000000055", "a float has no room for it");
        let refused = r#"{"data":{"order":{"__typename":"NoSuchOrderError","message":"Which?"}}}"#;
        assert!(
            matches!(read(refused), Err(Error::Rejected(issues)) if issues[0].message == "Which?"),
            "a read as well"
        );
        for two in [r#"{"data":{"a":{"total":1},"b":{"total":2}}}"#, r#"{"data":{}}"#, r#"{"data":{"a":7}}"#] {
            assert!(matches!(read(two), Err(Error::Unavailable(_))), "{two}");
            let written = Response { unsafe_request: true, ..answer(200, two) };
            assert!(matches!(one::<Order>(&written), Err(Error::Timeout(_))), "{two}: it was done");
        }
    }
}
