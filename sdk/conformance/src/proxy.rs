//! The fault proxy: a real HTTP server on loopback between connector and platform, which forwards, misbehaves on command
//! and keeps a journal.

mod fault;
mod journal;

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Sleep;

pub(crate) use fault::{Armed, Asked, Fault, On, Times};
pub use journal::Exchange;
pub(crate) use journal::Journal;

/// Header by which the suite's HTTP client says what the connector called a request: `read` or `write`. A request without
/// it is the host's own log-in. The proxy takes it off.
pub(crate) const MARK: &str = "x-conformance-request";
/// Between two bytes of a slow answer.
const SLOWNESS: Duration = Duration::from_millis(150);

/// A running proxy; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Scheme, host and port.
    pub(crate) address: String,
    pub(crate) journal: Journal,
    armed: Arc<Mutex<Option<Armed>>>,
    server: JoinHandle<()>,
}

struct Site {
    address: String,
    upstream: String,
    client: reqwest::Client,
    journal: Journal,
    armed: Arc<Mutex<Option<Armed>>>,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut on command")]
struct Cut;

impl Proxy {
    /// Listens, and forwards to the platform at this address (scheme, host and port).
    pub(crate) async fn start(upstream: &str, secrets: Vec<String>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let (journal, armed) = (Journal::new(secrets), Arc::default());
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(std::io::Error::other)?;
        let site = Arc::new(Site {
            address: address.clone(),
            upstream: upstream.trim_end_matches('/').to_owned(),
            client,
            journal: journal.clone(),
            armed: Arc::clone(&armed),
        });
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream.set_nodelay(true));
                let site = Arc::clone(&site);
                tokio::spawn(async move {
                    let service = service_fn(|request| exchange(Arc::clone(&site), request));
                    // A connection that was cut on command ends in an error: that is the point.
                    drop(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        Ok(Self { address, journal, armed, server })
    }

    /// The next requests go wrong.
    pub(crate) fn arm(&self, armed: Armed) {
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = Some(armed);
    }

    /// All requests are forwarded again.
    pub(crate) fn disarm(&self) {
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Site {
    /// The fault for a request, if one waits for it.
    fn fault(&self, write: bool, asked: Asked) -> Option<Fault> {
        let mut place = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = place.as_mut()?;
        if (armed.on == On::Writes) != write {
            return None;
        }
        if armed.skip > 0 {
            armed.skip -= 1;
            return None;
        }
        let fault = armed.fault.clone();
        match &mut armed.times {
            Times::Always => {}
            Times::Once => *place = None,
            Times::Same(Some(struck)) if *struck != asked => return None,
            Times::Same(struck) => *struck = Some(asked),
        }
        Some(fault)
    }

    /// The platform's own address in what it says becomes the proxy's.
    fn moved(&self, text: &str) -> String {
        let escaped = |address: &str| address.replace('/', "\\/");
        text.replace(&self.upstream, &self.address).replace(&escaped(&self.upstream), &escaped(&self.address))
    }

    async fn forward(
        &self,
        method: &hyper::Method,
        path: &str,
        headers: &hyper::HeaderMap,
        body: Bytes,
    ) -> Result<Heard, reqwest::Error> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.upstream)).body(body);
        for (name, value) in headers {
            // Without compression, so that what is journalled can be read and what is cut is what is meant.
            if !matches!(name.as_str(), "host" | "content-length" | "accept-encoding" | "connection" | MARK) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection"));
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), self.moved(&String::from_utf8_lossy(value.as_bytes()))));
        let headers: Vec<(String, String)> = headers.collect();
        let body = answer.bytes().await?;
        let body = match std::str::from_utf8(&body) {
            Ok(text) => Bytes::from(self.moved(text)),
            Err(_) => body,
        };
        Ok(Heard { status, headers, body })
    }
}

struct Heard {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Heard {
    fn new(status: u16, media_type: &str, body: &str) -> Self {
        Self { status, headers: vec![("content-type".into(), media_type.into())], body: Bytes::from(body.to_owned()) }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

const PAGE: &str = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>";
const MAINTENANCE: &str =
    "<!DOCTYPE html><html><body><h1>We are back soon</h1><p>Our shop is being looked after.</p></body></html>";

async fn exchange(site: Arc<Site>, request: Request<Incoming>) -> Result<Response<Slowly>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let mark = head.headers.get(MARK).map(|value| value.as_bytes() == b"write");
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let asked = Asked { method: head.method.to_string(), path: path.clone(), body: body.clone() };
    let fault = mark.and_then(|write| site.fault(write, asked));
    let forwards = fault.as_ref().is_none_or(Fault::forwards);
    let mut heard = None;
    if forwards {
        let forwarded = site.forward(&head.method, &path, &head.headers, body.clone()).await;
        heard = Some(forwarded.unwrap_or_else(|error| {
            Heard::new(502, "text/plain", &format!("the suite cannot reach the simulator: {error}"))
        }));
    }
    let own = match &fault {
        Some(Fault::TooMany { retry_after }) => {
            let answer = Heard::new(429, "application/json", r#"{"code":"too-many","message":"Too many requests."}"#);
            Some(match retry_after {
                Some(seconds) => answer.with("retry-after", &seconds.to_string()),
                None => answer,
            })
        }
        Some(Fault::Unauthorized) => {
            Some(Heard::new(401, "application/json", r#"{"code":"unauthorized","message":"Please log in again."}"#))
        }
        Some(Fault::ServerError) => {
            Some(Heard::new(500, "application/json", r#"{"code":"internal","message":"Something went wrong."}"#))
        }
        Some(Fault::ErrorPage) => Some(Heard::new(502, "text/html", PAGE)),
        Some(Fault::WrongContentType) => Some(Heard::new(200, "text/html", MAINTENANCE)),
        Some(Fault::EmptyBody) => Some(Heard::new(200, "application/json", "")),
        Some(Fault::EmptyObject) => Some(Heard::new(200, "application/json", "{}")),
        Some(Fault::Redirect) => {
            // Nobody listens there, and nobody granted it. 307 says that nothing was done here.
            Some(Heard::new(307, "text/plain", "").with("location", "http://198.51.100.7/elsewhere"))
        }
        Some(Fault::InvalidJson) => heard.take().map(|heard| {
            let half = heard.body.len() / 2;
            Heard { body: heard.body.slice(..half), ..heard }
        }),
        Some(Fault::CutBefore | Fault::CutAfter) => None,
        Some(Fault::Slow) | None => heard.take(),
    };
    let (login, text) = (mark.is_none(), |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned());
    let pair = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), text(value.as_bytes()))
    };
    site.journal.add(Exchange {
        number: 0,
        method: head.method.to_string(),
        path,
        headers: head.headers.iter().filter(|(name, _)| *name != MARK).map(pair).collect(),
        body: if login { "***".into() } else { text(&body) },
        fault: fault.as_ref().map(Fault::name),
        status: own.as_ref().map(|heard| heard.status),
        answer_headers: own.as_ref().map(|heard| heard.headers.clone()).unwrap_or_default(),
        answer: own.as_ref().map(|heard| if login { "***".into() } else { text(&heard.body) }).unwrap_or_default(),
        write: mark == Some(true),
        login,
    });
    let Some(own) = own else { return Err(Cut) };
    let mut response = Response::builder().status(own.status);
    for (name, value) in own.headers {
        response = response.header(name, value);
    }
    response
        .body(Slowly { left: own.body, pause: (fault == Some(Fault::Slow)).then_some(SLOWNESS), sleep: None })
        .map_err(|_| Cut)
}

/// A body at once, or a byte now and then.
struct Slowly {
    left: Bytes,
    pause: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Body for Slowly {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let Some(pause) = self.pause else {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.left)))));
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.sleep = None;
        let byte = self.left.split_to(1);
        Poll::Ready(Some(Ok(Frame::data(byte))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }
}
