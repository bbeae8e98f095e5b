//! Asking the running service.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;

use super::failure::Failure;
use crate::capability::Secret;
use crate::config::Config;
use crate::service::folder::read_token;
use crate::web::error::Problem;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A connection to the running service.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: Secret,
    data: PathBuf,
}

/// Where the service notes its address while it runs.
pub(super) fn address_file(data: &Path) -> PathBuf {
    data.join("api")
}

impl Client {
    /// Finds the service of the data folder: at the address on the command line, else where it noted to be.
    pub(super) fn open(config: &Config, listen: Option<SocketAddr>) -> Result<Self, Failure> {
        let token = read_token(&config.data).map_err(|_| not_running(&config.data))?;
        let noted = std::fs::read_to_string(address_file(&config.data)).ok().and_then(|text| text.trim().parse().ok());
        let address = match listen.filter(|address| address.port() != 0).or(noted) {
            Some(address) => address,
            None => config.listen,
        };
        if !address.ip().is_loopback() {
            return Err(Failure::new(format!("{address} is not a loopback address; the token goes nowhere else")));
        }
        // The client wants one even where nothing is encrypted; an error means that it is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            // A proxy must not see the token.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::of(&error))?;
        Ok(Self { http, base: format!("http://{address}/api/v1"), token, data: config.data.clone() })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, &[], None).await
    }

    pub(super) async fn query(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        self.ask(Method::GET, path, query, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::PUT, path, &[], Some(body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::PATCH, path, &[], Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::DELETE, path, &[], None).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).bearer_auth(self.token.expose()).query(query);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| Failure::new(format!("the service answered with something unreadable: {error}")));
        }
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(problem.into()),
            Err(_) => Err(Failure::new(format!(
                "{} answered {status}, so it is not Tradepost; look at what runs there",
                self.base
            ))),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        if error.is_connect() { not_running(&self.data) } else { Failure::of(error) }
    }
}

/// A part of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

fn not_running(data: &Path) -> Failure {
    let data = data.display();
    Failure {
        kind: "not-running".into(),
        ..Failure::new(format!(
            "no service runs with the data folder `{data}`; start it with `tradepost serve --data {data}`"
        ))
    }
}
