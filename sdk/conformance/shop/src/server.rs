//! Starting, routing, ending.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri, header};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::control;
use crate::shop::{Refusal, Shop};

/// The shop could not be started.
#[derive(Debug)]
pub struct StartError(std::io::Error);

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the shop cannot listen: {}", self.0)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// A running shop; it ends when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    /// Scheme, host and port.
    pub url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Site = Arc<Mutex<Shop>>;

impl Simulator {
    /// Starts on 127.0.0.1 on a thread of its own; port 0 takes a free one.
    ///
    /// # Errors
    /// The port is taken, or the thread cannot be started.
    pub fn start(port: u16) -> Result<Self, StartError> {
        let listener =
            std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(StartError)?;
        listener.set_nonblocking(true).map_err(StartError)?;
        let url = format!("http://{}", listener.local_addr().map_err(StartError)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let site: Site = Arc::default();
        let thread = std::thread::Builder::new().name("model-shop".into()).spawn(move || {
            runtime.block_on(async move {
                // Made non-blocking above, so that it cannot fail but for want of memory.
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let router = Router::new().fallback(answer).with_state(site);
                tokio::select! {
                    _ = axum::serve(listener, router).into_future() => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { url, stop: Some(stop), thread: Some(thread.map_err(StartError)?) })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// One request, taken apart.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
}

async fn answer(State(site): State<Site>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let query = uri.query().unwrap_or_default().split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), decoded(value)))
    });
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let call = Call {
        method: method.as_str().to_owned(),
        path: uri.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect(),
        query: query.collect(),
        token: bearer.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let mut shop = site.lock().unwrap_or_else(PoisonError::into_inner);
    let result = match call.path.first().map(String::as_str) {
        Some("_control") => control::answer(&mut shop, &call),
        _ => shop.answer(&call),
    };
    let (status, json) = match result {
        Ok(json) => (200, json),
        Err(Refusal { status, code, message }) => (status, json!({"code": code, "message": message})),
    };
    drop(shop);
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    response.body(Body::from(json.to_string())).unwrap_or_default()
}

/// A part of an address with its percent signs resolved.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
