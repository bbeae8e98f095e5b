//! A client for the tests: key and secret in the header, JSON both ways.

use reqwest::Response;
use serde_json::Value;
use woocommerce_simulator::{Config, Simulator};

pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    pub(crate) http: reqwest::Client,
}

impl Client {
    pub(crate) fn start(config: Config) -> Self {
        let simulator = Simulator::start(config).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, http }
    }

    pub(crate) async fn try_raw(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.simulator.api());
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .basic_auth(&self.simulator.key, Some(&self.simulator.secret));
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await
    }

    pub(crate) async fn raw(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        self.try_raw(method, path, body).await.unwrap()
    }

    async fn answer(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let answer = self.raw(method, path, body).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.answer("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.answer("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.answer("PUT", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        self.answer("DELETE", path, None).await
    }
}
