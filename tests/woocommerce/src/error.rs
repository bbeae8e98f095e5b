//! Refusals in the shape every WordPress REST route answers with: a code, a sentence, and `data.status`.

use serde_json::{Map, Value, json};

/// A refusal on its way to the client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Further members of `data`, for example the parameters that were refused.
    pub(crate) data: Map<String, Value>,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), data: Map::new() }
    }

    /// The route exists in no namespace of this shop.
    pub(crate) fn no_route() -> Self {
        Self::new(404, "rest_no_route", "No route was found matching the URL and request method.")
    }

    /// An object of this kind does not exist: `woocommerce_rest_<kind>_invalid_id`.
    pub(crate) fn invalid_id(kind: &str) -> Self {
        Self::new(404, &format!("woocommerce_rest_{kind}_invalid_id"), "Invalid ID.")
    }

    /// Parameters with a value the route forbids, each with its reason.
    pub(crate) fn invalid_params(refused: Vec<Refused>) -> Self {
        let names: Vec<&str> = refused.iter().map(|r| r.param.as_str()).collect();
        let mut error = Self::new(400, "rest_invalid_param", format!("Invalid parameter(s): {}", names.join(", ")));
        let params: Map<String, Value> = refused.iter().map(|r| (r.param.clone(), json!(r.reason))).collect();
        let details: Map<String, Value> = refused
            .iter()
            .map(|r| (r.param.clone(), json!({"code": r.code, "message": r.reason, "data": null})))
            .collect();
        error.data.insert("params".to_owned(), params.into());
        error.data.insert("details".to_owned(), details.into());
        error
    }

    /// One parameter with a value the route forbids.
    pub(crate) fn invalid_param(param: &str, reason: impl Into<String>) -> Self {
        Self::invalid_params(vec![Refused {
            param: param.to_owned(),
            code: "rest_invalid_param",
            reason: reason.into(),
        }])
    }

    /// Parameters that the route needs and did not get.
    pub(crate) fn missing_params(names: &[&str]) -> Self {
        let mut error =
            Self::new(400, "rest_missing_callback_param", format!("Missing parameter(s): {}", names.join(", ")));
        error.data.insert("params".to_owned(), json!(names));
        error
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.data.insert(name.to_owned(), value);
        self
    }

    /// The body as it goes over the wire.
    pub(crate) fn body(&self) -> Value {
        let mut data = self.data.clone();
        data.insert("status".to_owned(), self.status.into());
        json!({"code": self.code, "message": self.message, "data": data})
    }
}

/// One refused parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refused {
    /// The name at the top level of the request, as WordPress lists it.
    pub(crate) param: String,
    pub(crate) code: &'static str,
    /// Names the exact place, for example `line_items[0][quantity]`.
    pub(crate) reason: String,
}
