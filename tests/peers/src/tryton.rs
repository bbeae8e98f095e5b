//! The ERP as its clerk sees it: an independent client of Tryton's REST interface.

mod catalogue;
mod clerk;
mod desk;
mod sales;

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use catalogue::{Article, Draft, Pattern};
pub use clerk::Clerk;
pub use sales::{Party, Sale};

/// A clerk with a key.
#[derive(Debug, Clone)]
pub struct Tryton {
    url: String,
    key: String,
    http: reqwest::Client,
    /// Of the desktop client's protocol, opened when it is first used.
    session: Arc<OnceCell<String>>,
}

impl Tryton {
    pub fn new(url: &str, key: &str) -> Result<Self> {
        Ok(Self { url: url.to_owned(), key: key.to_owned(), http: crate::http::client()?, session: Arc::default() })
    }

    /// Reads objects; `fields` may follow relations with dots.
    pub async fn read(&self, model: &str, domain: Value, fields: &[&str]) -> Result<Vec<Value>> {
        self.read_in(model, domain, fields, json!({})).await
    }

    /// Reads in a context of its own (a price list, a location and a date).
    pub async fn read_in(&self, model: &str, domain: Value, fields: &[&str], context: Value) -> Result<Vec<Value>> {
        // Without an order the rows come as they like; a page is never longer than this data.
        let mut query = vec![("d", encode(&domain)), ("o", encode(&json!([["id", "ASC"]]))), ("s", "1000".to_owned())];
        query.extend(fields.iter().map(|field| ("f", (*field).to_owned())));
        let request = self.http.get(format!("{}/rest/model/{model}", self.url)).query(&query);
        match self.send(request, context).await? {
            Value::Array(list) => Ok(list),
            other => bail!("expected a list of {model}, found {other}"),
        }
    }

    /// Reads the one object that must be there.
    pub async fn one(&self, model: &str, domain: Value, fields: &[&str]) -> Result<Value> {
        let mut found = self.read(model, domain.clone(), fields).await?;
        match (found.pop(), found.len()) {
            (Some(one), 0) => Ok(one),
            (_, more) => bail!("expected one {model} for {domain}, found {}", if more == 0 { 0 } else { more + 1 }),
        }
    }

    /// Makes an object, or presses a button (`stock.shipment.out/3/wait`).
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let request = self.http.post(format!("{}/rest/model/{path}", self.url)).json(&body);
        self.send(request, json!({})).await.with_context(|| format!("POST {path}"))
    }

    pub async fn put(&self, path: &str, body: Value) -> Result<Value> {
        let request = self.http.put(format!("{}/rest/model/{path}", self.url)).json(&body);
        self.send(request, json!({})).await.with_context(|| format!("PUT {path}"))
    }

    pub async fn delete(&self, path: &str) -> Result<()> {
        let request = self.http.delete(format!("{}/rest/model/{path}", self.url));
        self.send(request, json!({})).await.with_context(|| format!("DELETE {path}"))?;
        Ok(())
    }

    async fn send(&self, request: reqwest::RequestBuilder, mut context: Value) -> Result<Value> {
        context["company"] = json!(1);
        context["companies"] = json!([1]);
        let response = request
            .bearer_auth(&self.key)
            .header("accept", "application/json")
            .header("X-Tryton-Context", encode(&context))
            .send()
            .await
            .context("the ERP did not answer")?;
        let status = response.status();
        let body = response.text().await?;
        if !status.is_success() {
            bail!("the ERP answered {status}: {}", body.chars().take(300).collect::<String>());
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&body).context("the ERP answered without JSON")
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE.encode(value.to_string())
}

pub(crate) fn id(value: &Value) -> Result<i64> {
    value["id"].as_i64().with_context(|| format!("expected an object with an id, found {value}"))
}

/// Today as Tryton's typed date.
pub(crate) fn today() -> Value {
    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    json!({ "__class__": "date", "year": day.year(), "month": day.month(), "day": day.day() })
}
