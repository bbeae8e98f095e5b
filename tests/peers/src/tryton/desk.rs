//! Many records at a time, over the protocol of Tryton's own desktop client: its REST interface takes one.

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::Tryton;

/// Name and password of the seeded administrator.
const ADMINISTRATOR: (&str, &str) = ("admin", "admin");

impl Tryton {
    /// Makes records; their ids in the same order.
    pub async fn create_all(&self, model: &str, values: Vec<Value>) -> Result<Vec<i64>> {
        self.call(model, "create", json!([values, context()])).await.and_then(ids)
    }

    /// Ids of all records of a search, inactive ones too.
    pub async fn search(&self, model: &str, domain: Value) -> Result<Vec<i64>> {
        let order = json!([["id", "ASC"]]);
        self.call(model, "search", json!([domain, 0, null, order, every()])).await.and_then(ids)
    }

    /// How many records of a model there are, inactive ones too.
    pub async fn count(&self, model: &str, domain: Value) -> Result<u64> {
        let found = self.call(model, "search_count", json!([domain, 0, null, every()])).await?;
        found.as_u64().with_context(|| format!("expected a number of {model}, found {found}"))
    }

    /// Presses a button of every record.
    pub async fn press(&self, model: &str, ids: &[i64], button: &str) -> Result<()> {
        if !ids.is_empty() {
            self.call(model, button, json!([ids, context()])).await?;
        }
        Ok(())
    }

    /// Deletes all of them, or none.
    pub async fn delete_all(&self, model: &str, ids: &[i64]) -> Result<()> {
        if !ids.is_empty() {
            self.call(model, "delete", json!([ids, context()])).await?;
        }
        Ok(())
    }

    async fn call(&self, model: &str, method: &str, parameters: Value) -> Result<Value> {
        let session = self.session.get_or_try_init(|| self.log_in()).await?;
        let call = json!({"id": 1, "method": format!("model.{model}.{method}"), "params": parameters});
        let request = self.http.post(format!("{}/rpc/", self.url)).json(&call);
        let request = request.header("authorization", format!("Session {session}"));
        result(request).await.with_context(|| format!("{method} of {model}"))
    }

    async fn log_in(&self) -> Result<String> {
        let (user, password) = ADMINISTRATOR;
        let call = json!({"id": 1, "method": "common.db.login", "params": [user, {"password": password}, "en"]});
        let session = result(self.http.post(format!("{}/rpc/", self.url)).json(&call)).await?;
        let (id, key) = (session[0].as_i64(), session[1].as_str());
        let (Some(id), Some(key)) = (id, key) else { bail!("the ERP opened no session") };
        Ok(STANDARD.encode(format!("{user}:{id}:{key}")))
    }
}

fn context() -> Value {
    json!({"company": 1, "companies": [1]})
}

fn every() -> Value {
    json!({"company": 1, "companies": [1], "active_test": false})
}

fn ids(list: Value) -> Result<Vec<i64>> {
    serde_json::from_value(list).context("expected a list of ids")
}

/// The result of a call; what the ERP refuses is an error.
async fn result(request: reqwest::RequestBuilder) -> Result<Value> {
    let response = request.send().await.context("the ERP did not answer")?;
    let status = response.status();
    let mut answer: Value = response.json().await.with_context(|| format!("the ERP answered {status} without JSON"))?;
    if !answer["error"].is_null() {
        bail!("the ERP refused: {}", answer["error"].to_string().chars().take(300).collect::<String>());
    }
    Ok(answer["result"].take())
}
