//! A counting proxy between the host and a server: passes everything on unchanged and writes down what each request did.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::Response,
};
use jiff::Timestamp;

use crate::classify::{Effect, Server, classify};

/// One request that went through.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Timestamp,
    pub effect: Effect,
    pub status: u16,
}

/// A running proxy. It ends with the program.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where the host is pointed at; same path as the server's.
    pub url: String,
    journal: Arc<Mutex<Vec<Entry>>>,
}

struct Shared {
    server: Server,
    upstream: String,
    own: String,
    /// The server invents its answers.
    is_mock: bool,
    client: reqwest::Client,
    journal: Arc<Mutex<Vec<Entry>>>,
}

impl Proxy {
    /// Opens a port in front of `upstream` (an origin, without path).
    pub async fn start(server: Server, upstream: &str) -> Result<Self> {
        Self::open(server, upstream, false).await
    }

    /// The same in front of a mock of a vendor's description. It wants any log-in in the usual header, whatever the API's
    /// own one for keys, and says that there are seven of everything, of which it never shows more than two.
    pub async fn to_mock(server: Server, upstream: &str) -> Result<Self> {
        Self::open(server, upstream, true).await
    }

    async fn open(server: Server, upstream: &str, is_mock: bool) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let own = format!("http://{}", listener.local_addr()?);
        let journal = Arc::new(Mutex::new(Vec::new()));
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let (upstream, journal_too) = (upstream.to_owned(), Arc::clone(&journal));
        let shared = Shared { server, upstream, own: own.clone(), is_mock, client, journal: journal_too };
        let router = Router::new().fallback(pass).with_state(Arc::new(shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url: own, journal })
    }

    /// How many requests went through so far; a mark for [`Proxy::since`].
    #[must_use]
    pub fn mark(&self) -> usize {
        self.entries().len()
    }

    /// What went through after `mark`.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<Entry> {
        self.entries().split_off(mark)
    }

    /// What was written after `mark`, in words.
    #[must_use]
    pub fn writes_since(&self, mark: usize) -> Vec<String> {
        let written = |entry: Entry| match entry.effect {
            Effect::Write(what) => Some(format!("{what} ({})", entry.status)),
            Effect::Read | Effect::Session => None,
        };
        self.since(mark).into_iter().filter_map(written).collect()
    }

    fn entries(&self) -> Vec<Entry> {
        self.journal.lock().expect("nothing panics while it holds the journal").clone()
    }
}

async fn pass(State(proxy): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    match forward(&proxy, method, uri, headers, body).await {
        Ok(response) => response,
        Err(error) => {
            let mut response =
                Response::new(Body::from(format!("the server behind the proxy did not answer: {error:#}")));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

async fn forward(proxy: &Shared, method: Method, uri: Uri, mut headers: HeaderMap, body: Bytes) -> Result<Response> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let effect = classify(proxy.server, method.as_str(), path, content_type, &body);
    for own in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING] {
        headers.remove(own);
    }
    if proxy.is_mock
        && !headers.contains_key(header::AUTHORIZATION)
        && let Some(key) = headers.get("vendure-api-key").cloned()
    {
        headers.insert(header::AUTHORIZATION, key);
    }
    // Bodies are rewritten below, so they must come as plain text.
    headers.remove(header::ACCEPT_ENCODING);
    let sent =
        proxy.client.request(method, format!("{}{path}", proxy.upstream)).headers(headers).body(body).send().await;
    let status = sent.as_ref().map_or(StatusCode::BAD_GATEWAY, reqwest::Response::status);
    proxy.journal.lock().expect("nothing panics while it holds the journal").push(Entry {
        at: Timestamp::now(),
        effect,
        status: status.as_u16(),
    });
    let answer = sent.context("no answer")?;
    let headers = answer.headers().clone();
    let bytes = answer.bytes().await.context("the answer broke off")?;
    let mut body = own_addresses(&headers, bytes, &proxy.upstream, &proxy.own);
    if let (true, Ok(text)) = (proxy.is_mock, std::str::from_utf8(&body)) {
        body = Bytes::from(text.replace("\"totalItems\":7", "\"totalItems\":2"));
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in &headers {
        if ![header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::CONTENT_ENCODING]
            .contains(name)
        {
            response.headers_mut().append(name, value.clone());
        }
    }
    Ok(response)
}

/// Servers name themselves in their answers (pictures); the host knows them by the proxy's address alone.
fn own_addresses(headers: &HeaderMap, body: Bytes, upstream: &str, own: &str) -> Bytes {
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/json"));
    match std::str::from_utf8(&body) {
        Ok(text) if is_json && text.contains(upstream) => Bytes::from(text.replace(upstream, own)),
        _ => body,
    }
}

#[cfg(test)]
mod tests;
