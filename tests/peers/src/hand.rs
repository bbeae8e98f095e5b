//! The conformance suite's hand on a real server: its control protocol (README of the suite), carried out as the server's own
//! people would, through its own interface. What the suite counts as written is what the [`proxy`](crate::proxy) saw.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tradepost::model::Kind;

use crate::proxy::Proxy;

/// What can be done with records of a kind.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct Offer {
    pub make: bool,
    pub change: bool,
    pub remove: bool,
    pub count: bool,
}

/// Acts on one server for the suite.
pub trait Hand: Send + Sync + 'static {
    /// What can be done, by kind. A server keeps every order that counts and everything that left.
    fn offers(&self) -> BTreeMap<Kind, Offer> {
        let all = Offer { make: true, change: true, remove: true, count: true };
        let kept = Offer { remove: false, ..all };
        let removed = [Kind::Category, Kind::Product, Kind::Stock, Kind::Price, Kind::Customer];
        let others = [Kind::Order, Kind::Shipment];
        removed.map(|kind| (kind, all)).into_iter().chain(others.map(|kind| (kind, kept))).collect()
    }
    /// Rules that [`Hand::golden`] has records for.
    fn cases(&self) -> &'static [&'static str];
    /// Puts away what the suite and its connector made. What the server was seeded with stays: a shop is never quite empty.
    fn reset(&self) -> impl Future<Output = Result<()>> + Send;
    /// Makes plain records; their ids as the connector names them.
    fn make(&self, kind: Kind, count: usize) -> impl Future<Output = Result<Vec<String>>> + Send;
    /// Changes something that shows when the record is read.
    fn change(&self, kind: Kind, id: &str) -> impl Future<Output = Result<()>> + Send;
    /// Takes a record away.
    fn remove(&self, kind: Kind, id: &str) -> impl Future<Output = Result<()>> + Send;
    /// How many objects of a kind there are.
    fn count(&self, kind: Kind) -> impl Future<Output = Result<u64>> + Send;
    /// Makes the records of a case and says how they must be read, at least.
    fn golden(&self, case: &str) -> impl Future<Output = Result<Vec<Value>>> + Send;
}

struct Control<H> {
    hand: H,
    proxy: Proxy,
    /// Where the proxy's journal stood at the last reset.
    mark: AtomicUsize,
}

/// Opens the control interface of a server that the connector reaches through `proxy`; its address. It ends with the program.
pub async fn serve(hand: impl Hand, proxy: Proxy) -> Result<String> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/_control", listener.local_addr()?);
    let control = Control { hand, proxy, mark: AtomicUsize::new(0) };
    let router = Router::new().fallback(answer).with_state(Arc::new(control));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn answer<H: Hand>(State(control): State<Arc<Control<H>>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let what = uri.path().trim_start_matches("/_control").trim_matches('/');
    match control.act(&method, what, &body).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

impl<H: Hand> Control<H> {
    async fn act(&self, method: &Method, what: &str, body: &[u8]) -> Result<Value> {
        let hand = &self.hand;
        if (method, what) == (&Method::GET, "") {
            return Ok(
                json!({"protocol": 1, "kinds": hand.offers(), "golden": hand.cases(), "clock": false, "secrets": []}),
            );
        }
        let body: Value = serde_json::from_slice(body).context("the body is no JSON")?;
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let kind = || -> Result<Kind> {
            serde_json::from_value(body["kind"].clone()).with_context(|| format!("no kind is called {}", body["kind"]))
        };
        match what {
            "reset" => {
                hand.reset().await?;
                self.mark.store(self.proxy.mark(), Ordering::SeqCst);
                Ok(json!({}))
            }
            "make" => {
                let count = usize::try_from(body["count"].as_u64().context("`count` is missing")?)?;
                Ok(json!({"ids": hand.make(kind()?, count).await?}))
            }
            "change" => {
                hand.change(kind()?, &text("id")).await?;
                Ok(json!({}))
            }
            "remove" => {
                hand.remove(kind()?, &text("id")).await?;
                Ok(json!({}))
            }
            "count" => {
                let writes = self.proxy.writes_since(self.mark.load(Ordering::SeqCst)).len();
                Ok(json!({"objects": hand.count(kind()?).await?, "writes": writes}))
            }
            "golden" => Ok(json!({"records": hand.golden(&text("case")).await?})),
            other => bail!("this server cannot do `{other}`"),
        }
    }
}
