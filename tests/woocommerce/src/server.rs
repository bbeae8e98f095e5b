//! The HTTP side: authentication, misbehaviour, counting, and one locked step per request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body as HttpBody, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, State as Shared},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::{
    auth::{self, Keys},
    call::{Call, Reply, parse_query},
    conformance, control,
    error::ApiError,
    faults::{Faults, Misbehaviour},
    journal::route_of,
    listen::Peer,
    pictures, routes,
    state::{State, Upload},
};

const NAMESPACE: &str = "/wp-json/wc/v3";

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Site {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    pub(crate) keys: Keys,
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Site {
    pub(crate) fn new(state: State, keys: Keys, url: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap_or_default();
        Self { state: Mutex::new(state), faults: Mutex::new(Faults::default()), keys, url, http }
    }

    /// The shop. A panic of a handler leaves it as it was at that point; the simulator goes on.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new().fallback(entry).layer(DefaultBodyLimit::max(64 << 20)).with_state(site)
}

/// Every answer is dated by the shop's own clock.
async fn entry(
    Shared(site): Shared<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = answer(Arc::clone(&site), peer, method, uri, headers, body).await;
    let now = site.state().clock.now().to_zoned(TimeZone::UTC);
    if let Ok(now) = HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(header::DATE, now);
    }
    response
}

async fn answer(site: Arc<Site>, peer: Peer, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path();
    if path == "/__sim" || path.starts_with("/__sim/") {
        return control::http(&site, &method, path, uri.query().unwrap_or_default(), &body);
    }
    if path == "/_control" || path.starts_with("/_control/") {
        return conformance::http(&site, &method, path, &body);
    }
    if let Some(below) = path.strip_prefix(NAMESPACE)
        && (below.is_empty() || below.starts_with('/'))
    {
        return api(site, peer, method, below.trim_end_matches('/').to_owned(), uri, headers, body).await;
    }
    if path.trim_end_matches('/') == "/wp-json" && method == Method::GET {
        let title = site.state().shop.title.clone();
        let about = json!({"name": title, "url": site.url, "home": site.url, "namespaces": ["wc/v3"]});
        return json_response(200, &about, &[]);
    }
    if path.starts_with("/wp-content/uploads/") {
        return picture(&site, path);
    }
    json_response(404, &ApiError::no_route().body(), &[])
}

/// Uploaded pictures, and those of the catalogue, which are drawn when they are asked for.
fn picture(site: &Site, path: &str) -> Response {
    let upload = site.state().uploads.get(path).cloned().or_else(|| pictures::drawn(path));
    match upload {
        Some(upload) => {
            let mut response = Response::new(HttpBody::from(upload.bytes));
            if let Ok(value) = HeaderValue::from_str(&upload.content_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            response
        }
        None => json_response(404, &ApiError::no_route().body(), &[]),
    }
}

async fn api(
    site: Arc<Site>,
    peer: Peer,
    method: Method,
    path: String,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut query = parse_query(uri.query().unwrap_or_default());
    let access = auth::check(&site.keys, &headers, &mut query, &method);
    let mut call = Call {
        method: method.as_str().to_owned(),
        path: path.clone(),
        query,
        body: serde_json::Map::new(),
        base: format!("{}{NAMESPACE}", site.url),
        pictures: Arc::default(),
    };
    let target = target(&call);
    let seq = site.state().journal.arrived(&call.method, &route_of(&path), &target);
    let fault = site.faults().take(&call.method, &path);
    let name = fault.as_ref().map(Misbehaviour::name);

    let answered = |status: u16| site.state().journal.answered(seq, status, name);
    match &fault {
        Some(Misbehaviour::ErrorBefore { status }) => {
            answered(*status);
            return broken(*status);
        }
        Some(Misbehaviour::TooMany { retry_after }) => {
            answered(429);
            let error = ApiError::new(429, "too_many_requests", "Too many requests.");
            let headers: Vec<(&'static str, String)> =
                retry_after.iter().map(|seconds| ("retry-after", seconds.to_string())).collect();
            return json_response(429, &error.body(), &headers);
        }
        Some(Misbehaviour::BadGateway) => {
            answered(502);
            return gateway_page();
        }
        Some(Misbehaviour::HangBefore) => {
            answered(0);
            return hang().await;
        }
        Some(Misbehaviour::DropBefore) => {
            answered(0);
            peer.cut.now();
            return Response::new(HttpBody::empty());
        }
        _ => {}
    }

    if let Err(error) = access {
        answered(error.status);
        return json_response(error.status, &error.body(), &[]);
    }
    match read_body(&headers, &body) {
        Ok(members) => call.body = members,
        Err(error) => {
            answered(error.status);
            return json_response(error.status, &error.body(), &[]);
        }
    }

    if let Some(Misbehaviour::DropThenWork { seconds }) = fault {
        answered(0);
        peer.cut.now();
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            work(&site, call).await;
        });
        return Response::new(HttpBody::empty());
    }

    // The work goes on even where the client leaves while it runs, as on a real server.
    let worker = Arc::clone(&site);
    let reply = match tokio::spawn(async move { work(&worker, call).await }).await {
        Ok(reply) => reply,
        Err(_) => Reply { status: 500, json: internal().body(), headers: Vec::new() },
    };
    match fault {
        Some(Misbehaviour::ErrorAfter { status }) => {
            answered(status);
            broken(status)
        }
        Some(Misbehaviour::HangAfter) => {
            answered(0);
            hang().await
        }
        Some(Misbehaviour::DropAfter) => {
            answered(0);
            peer.cut.now();
            Response::new(HttpBody::empty())
        }
        Some(Misbehaviour::BadGatewayAfter) => {
            answered(502);
            gateway_page()
        }
        Some(Misbehaviour::InvalidJson) => {
            answered(reply.status);
            let mut text = reply.json.to_string();
            let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(half);
            text_response(200, "application/json; charset=UTF-8", text)
        }
        Some(Misbehaviour::Slow { bytes_per_second }) => {
            answered(reply.status);
            slow(reply, bytes_per_second)
        }
        _ => {
            answered(reply.status);
            json_response(reply.status, &reply.json, &reply.headers)
        }
    }
}

/// Fetches the pictures the request names, then does the rest in one locked step.
async fn work(site: &Site, mut call: Call) -> Reply {
    call.pictures = Arc::new(fetch_pictures(site, &Value::from(call.body.clone())).await);
    let mut state = site.state();
    match routes::handle(&mut state, &call) {
        Ok(reply) => reply,
        Err(error) => Reply { status: error.status, json: error.body(), headers: Vec::new() },
    }
}

async fn fetch_pictures(site: &Site, body: &Value) -> HashMap<String, Option<Upload>> {
    let mut wanted = Vec::new();
    collect_pictures(body, &mut wanted);
    let mut found = HashMap::new();
    for address in wanted {
        if found.contains_key(&address) {
            continue;
        }
        // Pictures that already lie here need no request to ourselves.
        let own = address.strip_prefix(&site.url).map(str::to_owned);
        let upload = match own {
            Some(path) => site.state().uploads.get(&path).cloned().or_else(|| pictures::drawn(&path)),
            None => fetch_picture(site, &address).await,
        };
        found.insert(address, upload);
    }
    found
}

async fn fetch_picture(site: &Site, address: &str) -> Option<Upload> {
    let answer = site.http.get(address).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let content_type = answer.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.to_owned();
    let bytes = answer.bytes().await.ok()?.to_vec();
    let content_type = content_type.split(';').next().unwrap_or_default().trim().to_owned();
    Some(Upload { content_type, bytes })
}

/// Addresses under `images` and `image`, wherever in the request they stand.
fn collect_pictures(value: &Value, wanted: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("images", Value::Array(rows)) => rows.iter().for_each(|row| push_picture(row, wanted)),
                    ("image", row) => push_picture(row, wanted),
                    ("create" | "update", Value::Array(rows)) => {
                        rows.iter().for_each(|row| collect_pictures(row, wanted));
                    }
                    _ => {}
                }
            }
        }
        Value::Array(rows) => rows.iter().for_each(|row| collect_pictures(row, wanted)),
        _ => {}
    }
}

fn push_picture(row: &Value, wanted: &mut Vec<String>) {
    if row["id"].as_u64().unwrap_or(0) == 0
        && let Some(src) = row["src"].as_str().filter(|src| src.starts_with("http"))
    {
        wanted.push(src.to_owned());
    }
}

fn read_body(headers: &HeaderMap, body: &[u8]) -> Result<serde_json::Map<String, Value>, ApiError> {
    let json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
    if !json || body.is_empty() {
        return Ok(serde_json::Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Ok(serde_json::Map::new()),
        Err(error) => Err(ApiError::new(400, "rest_invalid_json", "Invalid JSON body passed.")
            .with("json_error_message", error.to_string().into())),
    }
}

/// Path and query as the journal shows them.
fn target(call: &Call) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &call.query {
        match value {
            Value::String(text) => query.append_pair(name, text),
            other => query.append_pair(name, &other.to_string()),
        };
    }
    let query = query.finish();
    if query.is_empty() { call.path.clone() } else { format!("{}?{query}", call.path) }
}

fn internal() -> ApiError {
    ApiError::new(500, "internal_server_error", "There has been a critical error on this website.")
}

fn broken(status: u16) -> Response {
    let mut error = internal();
    error.status = status;
    json_response(status, &error.body(), &[])
}

fn gateway_page() -> Response {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
    text_response(502, "text/html", page.to_owned())
}

async fn hang() -> Response {
    std::future::pending().await
}

/// Sends the answer in pieces, so that a client which counts bytes or time has something to count.
fn slow(reply: Reply, bytes_per_second: u32) -> Response {
    let text = reply.json.to_string().into_bytes();
    let piece = (bytes_per_second / 10).max(1) as usize;
    let pieces: Vec<Bytes> = text.chunks(piece).map(Bytes::copy_from_slice).collect();
    let stream = futures_util::stream::unfold(pieces.into_iter(), |mut pieces| async move {
        let piece = pieces.next()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        Some((Ok::<Bytes, std::convert::Infallible>(piece), pieces))
    });
    let mut response = json_response(reply.status, &Value::Null, &reply.headers);
    *response.body_mut() = HttpBody::from_stream(stream);
    response
}

pub(crate) fn json_response(status: u16, json: &Value, headers: &[(&'static str, String)]) -> Response {
    let mut response = text_response(status, "application/json; charset=UTF-8", json.to_string());
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

pub(crate) fn text_response(status: u16, kind: &'static str, text: String) -> Response {
    let mut response = Response::new(HttpBody::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
