//! The one place that sends a connector's requests. Method, URL, address and credential are judged on every hop; rates,
//! retries of reads, size limits and masking are applied here, so a connector cannot go around them.

mod answer;
mod body;
mod counts;
mod credential;
mod headers;
mod mask;
mod rate;
mod resolver;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use backon::BackoffBuilder;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::limits::{Exceeded, Limit};
use super::power::{Answer, CallContext, Cause, HttpClient, Request, Response, Unanswered};
use super::tape;
use crate::capability::{Denial, GrantedOrigin, Grants, Secret};
use crate::crash;
use crate::model::RemoteError;
use crate::model::description::Credential;
pub use counts::Counts;
use credential::Credentials;
use headers::headers;
use mask::Masker;
use rate::Rates;
pub use resolver::{Lookup, SystemLookup};
pub use wire::{Wire, WireError};

/// Redirects that are followed.
const HOPS: usize = 5;
/// Longest wait for a rate or a `Retry-After` inside one call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pauses before a read is repeated: the first, and the longest.
const DELAYS: (Duration, Duration) = (Duration::from_millis(400), Duration::from_secs(5));

/// What a platform's client is made of.
pub struct Options {
    /// What the platform may do.
    pub grants: Arc<Grants>,
    /// Settings, for `{setting}` in log-in and token addresses.
    pub settings: Value,
    /// Secret values by `credential/field`.
    pub secrets: BTreeMap<String, Secret>,
    /// Turns names into addresses.
    pub lookup: Arc<dyn Lookup>,
    /// Whether this process still owns the data folder; asked before every request that is not a read.
    pub owns: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// The client of one platform and grant set.
pub struct PlatformHttp {
    grants: Arc<Grants>,
    client: reqwest::Client,
    rates: Rates,
    /// Requests under way; the limit of whoever asks counts.
    under_way: UnderWay,
    credentials: Credentials,
    masker: Masker,
    owns: Arc<dyn Fn() -> bool + Send + Sync>,
    proxied: bool,
    counts: Arc<Counts>,
    delays: (Duration, Duration),
    /// In place of the network.
    wire: Option<Arc<dyn Wire>>,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The operator's proxy is no address.
    #[error("the proxy `{proxy}` cannot be used")]
    Proxy {
        /// As configured.
        proxy: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// TLS could not be set up.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl PlatformHttp {
    /// Makes the client.
    ///
    /// # Errors
    /// A proxy that is no address, or no usable TLS.
    pub fn new(options: Options) -> Result<Self, ClientError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error means that somebody installed one already, which serves as well.
            drop(rustls::crypto::ring::default_provider().install_default());
        });
        let Options { grants, settings, secrets, lookup, owns } = options;
        let resolver = resolver::Guarded::new(Arc::clone(&grants), lookup);
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .dns_resolver(Arc::new(resolver))
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("Tradepost/", env!("CARGO_PKG_VERSION")))
            .no_proxy();
        if let Some(proxy) = &grants.proxy {
            let proxy =
                reqwest::Proxy::all(proxy).map_err(|source| ClientError::Proxy { proxy: proxy.clone(), source })?;
            builder = builder.proxy(proxy);
        }
        let masker = Masker::default();
        for secret in secrets.values() {
            masker.add(secret);
        }
        Ok(Self {
            client: builder.build().map_err(ClientError::Client)?,
            rates: Rates::new(grants.rates()),
            under_way: UnderWay::default(),
            credentials: Credentials::new(settings, secrets),
            masker,
            owns,
            proxied: grants.proxy.is_some(),
            counts: Arc::default(),
            delays: DELAYS,
            wire: None,
            grants,
        })
    }

    /// With other pauses before a read is repeated, the first and the longest: for a bench, where nobody recovers meanwhile.
    #[must_use]
    pub fn pausing(self, first: Duration, longest: Duration) -> Self {
        Self { delays: (first, longest), ..self }
    }

    /// Counts there, with what was counted before.
    #[must_use]
    pub fn counting(self, counts: Arc<Counts>) -> Self {
        Self { counts, ..self }
    }

    /// Sends over this instead of the network. Everything is judged all the same.
    #[must_use]
    pub fn over(self, wire: Arc<dyn Wire>) -> Self {
        Self { wire: Some(wire), ..self }
    }

    /// Hides the platform's secrets in a text that leaves for a log, a page or the ledger.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        self.masker.text(text)
    }

    async fn send_judged(&self, call: &CallContext, request: Request) -> Result<Response, Failure> {
        let prepared = self.prepare(call, request)?;
        let wish = prepared.request.timeout.unwrap_or(call.limits.http()).min(call.limits.http());
        let read = prepared.request.is_read();
        let mut delays = backon::ExponentialBuilder::default()
            .with_min_delay(self.delays.0)
            .with_max_delay(self.delays.1)
            .with_max_times(if read { 3 } else { 0 })
            .with_jitter()
            .build();
        let mut fresh_login = false;
        loop {
            let turn = self.rates.admit(prepared.request.rate.as_deref(), call.class, PATIENCE.min(call.remaining()));
            let turn = turn.await.map_err(|seconds| Failure::Remote(RemoteError::Throttled(seconds)))?;
            let most = call.limits.http_concurrent;
            let Some(place) = self.under_way.place(most, call.deadline).await else {
                let limit = Limit::HttpConcurrent.exceeded(&call.limits);
                return Err(RemoteError::Unavailable(format!("the request was not sent: {limit}")).into());
            };
            let deadline = (Instant::now() + wish).min(call.deadline);
            let result = self.hops(call, &prepared, deadline).await.map_err(|failure| match failure {
                Failure::Remote(RemoteError::Timeout(words)) if Instant::now() >= deadline => {
                    RemoteError::Timeout(format!("{words}: {}", reached(call, wish, deadline))).into()
                }
                failure => failure,
            });
            drop((turn, place));
            match result {
                // The platform does not take the token any more: it did nothing, so any method may go again.
                Ok(response) if response.status == StatusCode::UNAUTHORIZED.as_u16() && !fresh_login => {
                    let forgotten = match prepared.credential {
                        Some(credential) => self.credentials.forget(credential).await,
                        None => false,
                    };
                    if !forgotten {
                        return Ok(response);
                    }
                    fresh_login = true;
                }
                Ok(response) => {
                    let wait = self.rates.learn(prepared.request.rate.as_deref(), &response);
                    let again = read && matches!(response.status, 429 | 502 | 503 | 504);
                    let Some(delay) = delays.next().filter(|_| again) else { return Ok(response) };
                    let delay = wait.unwrap_or(delay).max(delay);
                    if delay > PATIENCE.min(call.remaining()) {
                        if response.status == 429 {
                            let seconds = u32::try_from(delay.as_secs()).unwrap_or(u32::MAX);
                            return Err(RemoteError::Throttled(seconds.max(1)).into());
                        }
                        return Ok(response);
                    }
                    tokio::time::sleep(delay).await;
                }
                Err(failure) if failure.passes() => {
                    let Some(delay) = delays.next().filter(|delay| *delay < call.remaining()) else {
                        return Err(failure);
                    };
                    tokio::time::sleep(delay).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Judges what does not change from hop to hop.
    fn prepare(&self, call: &CallContext, request: Request) -> Result<Prepared<'_>, Failure> {
        let url = Url::parse(&request.url).map_err(|_| Denial::NotHttp { url: self.mask(&request.url) })?;
        self.grants.check(&request.method, &url)?;
        if call.preview && !request.is_read() {
            let url = self.mask(url.as_str());
            return Err(Denial::Preview { method: request.method, url }.into());
        }
        if !request.is_read() && !(self.owns)() {
            return Err(RemoteError::Denied("this process does not own the data folder any more".into()).into());
        }
        let headers = headers(&request.headers)?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| Denial::Method { method: request.method.clone() })?;
        let credential = request.credential.as_deref().map(|name| self.grants.credential(name)).transpose()?;
        if let Some(credential) = credential {
            self.grants.check_credential(credential, &url)?;
        }
        Ok(Prepared { request, url, method, headers, credential })
    }

    /// Sends the request and follows redirects of reads, judging every hop anew.
    async fn hops(&self, call: &CallContext, prepared: &Prepared<'_>, deadline: Instant) -> Result<Response, Failure> {
        let mut url = prepared.url.clone();
        let mut credential = prepared.credential;
        for _ in 0..=HOPS {
            let origin = self.grants.check(prepared.method.as_str(), &url)?;
            if let Some(credential) = credential {
                self.grants.check_credential(credential, &url)?;
            }
            let asked = self.asked(call, prepared, &url);
            let sent = self
                .hop(call, prepared, &Hop { url: &url, origin: &origin, credential, asked: asked.as_ref() }, deadline)
                .await;
            let response = match sent {
                Ok(response) => response,
                Err(failure) => {
                    self.record(call, asked, Err(&failure));
                    return Err(failure);
                }
            };
            let Some(next) = redirect(&response, &url).filter(|_| prepared.request.is_read()) else {
                let answer = self.answer(call, prepared, response, deadline).await;
                self.record(call, asked, answer.as_ref());
                return answer;
            };
            if asked.is_some() {
                let answer = answer::head(&self.masker, &response);
                self.record(call, asked, Ok(&answer));
            }
            if GrantedOrigin::of(&next).as_ref() != Some(&origin) {
                credential = None;
            }
            url = next;
        }
        let host = prepared.url.host_str().unwrap_or_default().to_owned();
        Err(Denial::Redirects { host, limit: HOPS }.into())
    }

    async fn hop(
        &self,
        call: &CallContext,
        prepared: &Prepared<'_>,
        hop: &Hop<'_>,
        deadline: Instant,
    ) -> Result<reqwest::Response, Failure> {
        let Hop { url, origin, credential, asked } = *hop;
        self.grants.check_port(&origin.host, origin.port)?;
        let mut url = url.clone();
        let mut headers = prepared.headers.clone();
        if let Some(credential) = credential {
            let login = credential::Login { http: self, deadline };
            self.credentials.place(credential, &mut url, &mut headers, &login).await?;
        }
        let over = match (&self.wire, asked) {
            (Some(wire), Some(asked)) => Over::Wire(wire, asked, url),
            _ => {
                let mut builder = self.client.request(prepared.method.clone(), url).headers(headers);
                if let Some(content) = &prepared.request.body {
                    builder = body::attach(builder, content, call).await?;
                }
                Over::Network(builder)
            }
        };
        let read = prepared.request.is_read();
        if !read && !call.leaves() {
            return Err(RemoteError::Unavailable("the call was over before the request was sent".into()).into());
        }
        let sent = match over {
            Over::Network(builder) => self.transmit(builder, origin, deadline).await,
            Over::Wire(wire, asked, url) => carried(&**wire, asked, &url, deadline).await,
        };
        if !read && sent.as_ref().is_err_and(Failure::never_left) {
            call.stayed();
        }
        if !read {
            crash::point(crash::Point::Sent);
        }
        sent
    }

    /// The request as the connector made it, where somebody wants to know.
    fn asked(&self, call: &CallContext, prepared: &Prepared<'_>, url: &Url) -> Option<tape::Request> {
        (self.wire.is_some() || call.is_recorded()).then(|| tape::Request {
            method: prepared.request.method.clone(),
            url: self.mask(url.as_str()),
            headers: prepared.request.headers.iter().map(|(n, v)| (n.to_lowercase(), self.mask(v))).collect(),
            body: tape::Body::of_sent(prepared.request.body.as_ref()),
        })
    }

    /// Records what came of a request. What the host refused was no exchange.
    fn record(&self, call: &CallContext, asked: Option<tape::Request>, answer: Result<&Response, &Failure>) {
        let Some(request) = asked.filter(|_| call.is_recorded()) else { return };
        let (response, error) = match answer {
            Ok(Response { status, headers, body, .. }) => {
                let body = match body {
                    Answer::Bytes(bytes) => tape::Body::of(bytes.clone()),
                    Answer::Blob(blob) => tape::Body::Omitted(format!("blob {}", blob.content)),
                };
                (Some(tape::Response { status: *status, headers: headers.clone(), body }), None)
            }
            Err(Failure::Denied(_)) => return,
            Err(Failure::TooLarge(limit)) => (None, Some(RemoteError::Denied(limit.to_string()))),
            Err(Failure::Connect(words)) => (None, Some(RemoteError::Unavailable(self.mask(words)))),
            Err(Failure::Remote(error)) => (None, Some(error.clone())),
        };
        call.record(tape::Exchange { request, response, error });
    }

    /// Sends, and makes sure that the answer came from an address that was judged.
    async fn transmit(
        &self,
        builder: reqwest::RequestBuilder,
        origin: &GrantedOrigin,
        deadline: Instant,
    ) -> Result<reqwest::Response, Failure> {
        let response = timeout_at(deadline, builder.send())
            .await
            .map_err(|_| Failure::Remote(RemoteError::Timeout(format!("{origin} did not answer in time"))))?
            .map_err(|error| Failure::of(&error, origin))?;
        if let Some(address) = response.remote_addr().filter(|_| !self.proxied) {
            // The request has left: this must not look like a refusal before anything was sent.
            self.grants
                .check_address(&origin.host, address.ip(), origin.port)
                .map_err(|denial| Failure::Remote(RemoteError::Denied(denial.to_string())))?;
        }
        Ok(response)
    }

    async fn answer(
        &self,
        call: &CallContext,
        prepared: &Prepared<'_>,
        response: reqwest::Response,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let host = response.url().host_str().unwrap_or_default().to_owned();
        let reading = answer::read(call, &self.masker, response, prepared.request.to_blob);
        match timeout_at(deadline, reading).await {
            Ok(result) => result,
            Err(_) => Err(RemoteError::Timeout(format!("the answer of {host} did not end in time")).into()),
        }
    }
}

#[async_trait]
impl HttpClient for PlatformHttp {
    async fn send(&self, call: &CallContext, request: Request) -> Result<Response, RemoteError> {
        self.send_typed(call, request).await.map_err(|unanswered| unanswered.error)
    }

    async fn send_typed(&self, call: &CallContext, request: Request) -> Result<Response, Unanswered> {
        let method = request.method.clone();
        let sent = self.send_judged(call, request).await;
        self.counts.note(&sent);
        let (error, cause) = match sent {
            Ok(response) => {
                tracing::debug!(platform = %call.code, method, url = response.url, status = response.status, "http.send");
                return Ok(response);
            }
            Err(Failure::Denied(denial)) => {
                let words = self.mask(&denial.to_string());
                tracing::warn!(platform = %call.code, method, denial = words, "http.denied");
                let address = matches!(denial, Denial::Address { .. } | Denial::Port { .. });
                (RemoteError::Denied(words), if address { Cause::Address } else { Cause::Refused })
            }
            Err(Failure::TooLarge(limit)) => (RemoteError::Denied(limit.to_string()), Cause::TooLarge(limit.value)),
            Err(Failure::Connect(words)) => (RemoteError::Unavailable(self.mask(&words)), Cause::Unreachable),
            Err(Failure::Remote(error)) => return Err(error.into()),
        };
        Err(Unanswered { error, cause })
    }
}

/// A way to the platform.
enum Over<'a> {
    Network(reqwest::RequestBuilder),
    Wire(&'a Arc<dyn Wire>, &'a tape::Request, Url),
}

/// Carries a request over something that is not the network.
async fn carried(
    wire: &dyn Wire,
    asked: &tape::Request,
    url: &Url,
    deadline: Instant,
) -> Result<reqwest::Response, Failure> {
    let answer = timeout_at(deadline, wire.carry(asked)).await;
    let answer = answer.unwrap_or_else(|_| Err(WireError::NoAnswer("no answer in time".into())));
    answer.and_then(|answer| wire::response(url, answer)).map_err(|error| match error {
        WireError::NoConnection(words) => Failure::Connect(words),
        WireError::NoAnswer(words) => RemoteError::Timeout(words).into(),
    })
}

/// One request on the wire.
struct Hop<'a> {
    url: &'a Url,
    origin: &'a GrantedOrigin,
    credential: Option<&'a Credential>,
    /// As the connector made it.
    asked: Option<&'a tape::Request>,
}

struct Prepared<'a> {
    request: Request,
    url: Url,
    method: Method,
    headers: HeaderMap,
    credential: Option<&'a Credential>,
}

/// How sending fails inside.
#[derive(Debug)]
pub(super) enum Failure {
    /// The host refused.
    Denied(Denial),
    /// The answer is too large.
    TooLarge(Exceeded),
    /// No connection: nothing was sent.
    Connect(String),
    /// Anything else.
    Remote(RemoteError),
}

impl Failure {
    fn of(error: &reqwest::Error, origin: &GrantedOrigin) -> Self {
        let mut source = std::error::Error::source(error);
        let mut innermost = error.to_string();
        while let Some(cause) = source {
            if let Some(refused) = cause.downcast_ref::<resolver::Refused>() {
                return Self::Denied(refused.denial(origin.port));
            }
            innermost = cause.to_string();
            source = cause.source();
        }
        let words = format!("{origin}: {innermost}");
        if error.is_connect() { Self::Connect(words) } else { Self::Remote(RemoteError::Timeout(words)) }
    }

    /// Nothing left the host: no connection, or the resolver refused the address.
    fn never_left(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Denied(_))
    }

    /// May pass when a read is sent again.
    fn passes(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Remote(RemoteError::Timeout(_) | RemoteError::Unavailable(_)))
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        Self::Remote(error)
    }
}

/// What ended a request that took until its deadline.
fn reached(call: &CallContext, wish: Duration, deadline: Instant) -> String {
    if deadline == call.deadline {
        Limit::HostCall.exceeded(&call.limits).to_string()
    } else if wish < call.limits.http() {
        format!("the connector gave it {} ms", wish.as_millis())
    } else {
        Limit::Http.exceeded(&call.limits).to_string()
    }
}

/// Requests of a platform under way. Nobody who holds a place waits for another, so waiting always ends.
#[derive(Default)]
struct UnderWay {
    count: Mutex<u64>,
    freed: Notify,
}

/// A request's place; dropped when the answer is there.
struct Place<'a>(&'a UnderWay);

impl UnderWay {
    /// Waits until less than `most` requests are under way; `None` when that took too long.
    async fn place(&self, most: u64, deadline: Instant) -> Option<Place<'_>> {
        // At the deadline places become free, but whoever takes one then has no time left to use it.
        while Instant::now() < deadline {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            {
                let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
                if *count < most.max(1) {
                    *count += 1;
                    return Some(Place(self));
                }
            }
            timeout_at(deadline, freed).await.ok()?;
        }
        None
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

/// Where an answer redirects to.
fn redirect(response: &reqwest::Response, url: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get("location")?.to_str().ok()?;
    url.join(location).ok()
}
