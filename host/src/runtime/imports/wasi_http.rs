//! `wasi:http`: the second door for requests, for clients that speak it (the SDKs' own, JavaScript's `fetch` among them, go
//! by `http.send`). Behind it is the same client as behind `http.send`: a request is turned into one of those and judged, sent,
//! limited and recorded there. Headers say what `http.send` has fields for, and go no further: `tradepost-credential`,
//! `tradepost-rate`, `tradepost-repeat` (`by-method`, `safe`, `never`).
//!
//! The library that speaks `wasi:http` is built without its own sender, so that a way around the client would not compile.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::super::instance::{Cost, Meter};
use super::super::limits::Limit;
use super::super::power::{Answer, Body, CallContext, Cause, HttpClient, Repeat, Request, Response, Unanswered};
use super::DESCRIBING;
use crate::model::RemoteError;

/// Requests of one call whose answers the connector has not let go, at most: each of them is in the host's memory.
const OPEN: usize = 32;
/// Bytes of a piece of a request's body. Two of them wait in the host's memory for every request that the connector has made,
/// also where it never sends it, so that they are counted by its handles only.
const PIECE: usize = 16 << 10;
/// Bytes of the headers of one message: they wait like that too.
pub(in crate::runtime) const HEADERS: usize = 32 << 10;
/// What all headers for the host begin with.
const OURS: &str = "tradepost-";

/// The door of one call.
#[derive(Clone)]
pub(in crate::runtime) struct Door {
    context: CallContext,
    http: Arc<dyn HttpClient>,
    describing: bool,
    meter: Meter,
    open: Arc<Semaphore>,
    /// Bytes of bodies in the host's memory, of requests and of answers that were not let go: as many as one message of
    /// `http.send` may have.
    held: Arc<Semaphore>,
}

impl Door {
    pub(in crate::runtime) fn new(
        context: CallContext,
        http: Arc<dyn HttpClient>,
        describing: bool,
        meter: Meter,
    ) -> Self {
        let held = usize::try_from(context.limits.message).unwrap_or(usize::MAX).min(u32::MAX as usize);
        Self {
            context,
            http,
            describing,
            meter,
            open: Arc::new(Semaphore::new(OPEN)),
            held: Arc::new(Semaphore::new(held)),
        }
    }

    /// Room for so many bytes, until it is dropped.
    fn hold(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.held.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    /// Refuses before the client is asked, and says so where the client does.
    fn deny(&self, method: &str, denial: impl Into<String>) -> Error {
        let denial: String = denial.into();
        tracing::warn!(platform = %self.context.code, method, denial, "http.denied");
        Error::HttpRequestDenied
    }

    async fn send(
        self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        deadline: Instant,
    ) -> Result<http::Response<WasiBody>, Error> {
        let (parts, body) = request.into_parts();
        let method = parts.method.as_str().to_owned();
        if self.describing {
            return Err(self.deny(&method, DESCRIBING));
        }
        let Ok(place) = self.open.clone().try_acquire_owned() else {
            self.deny(&method, format!("{OPEN} answers at a time, the connector has to let go of one first"));
            return Err(Error::ConnectionLimitReached);
        };
        let mut asked = Request::get(parts.uri.to_string());
        asked.method.clone_from(&method);
        asked.timeout = options.and_then(|options| options.first_byte_timeout);
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            take_header(&mut asked, name.as_str(), value).map_err(|denial| self.deny(&method, denial))?;
        }
        let body = match timeout_at(deadline, self.collect(&method, body)).await {
            Ok(body) => body?,
            Err(_) => {
                self.deny(&method, Limit::HostCall.exceeded(&self.context.limits).to_string());
                return Err(Error::ConnectionWriteTimeout);
            }
        };
        let (body, sent) = body;
        asked.body = Some(body).filter(|body| !body.is_empty()).map(Body::Bytes);

        let began = Instant::now();
        let wish = asked.timeout.unwrap_or(self.context.limits.http()).min(self.context.limits.http());
        let context = CallContext { deadline, ..self.context.clone() };
        let answered = self.http.send_typed(&context, asked).await;
        drop(sent);
        match answered {
            Ok(answer) => {
                let length = if let Answer::Bytes(bytes) = &answer.body { bytes.len() } else { 0 };
                let Some(held) = self.hold(length) else {
                    self.deny(&method, Limit::Message.exceeded(&self.context.limits).to_string());
                    return Err(Error::HttpResponseBodySize(Some(self.context.limits.message)));
                };
                Ok(to_response(&method, answer, (place, Some(held))))
            }
            Err(Unanswered { error, cause }) => {
                let over = began.elapsed() >= wish || Instant::now() >= deadline;
                // The client has said why it refused.
                if !matches!(cause, Cause::Refused | Cause::Address) {
                    tracing::debug!(platform = %self.context.code, method, %error, ?cause, "http.unanswered");
                }
                told(error, cause, over, (place, None))
            }
        }
    }

    /// The whole body: it must be there before anything is sent, as with `http.send`.
    async fn collect(&self, method: &str, mut body: WasiBody) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
        let most = self.context.limits.message;
        let (mut bytes, mut held) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                return Err(self.deny(method, "trailers of requests are not sent"));
            };
            let Some(more) = self.hold(data.len()) else {
                self.deny(method, Limit::Message.exceeded(&self.context.limits).to_string());
                return Err(Error::HttpRequestBodySize(Some(most)));
            };
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes.freeze(), held))
    }
}

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Door {
    /// The client sets it, and refuses one that is given.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        // A call that has used up its time ends at the next tick; this request is not sent any more.
        let charged = self.meter.charge(Cost::Network.time());
        let limits = &self.context.limits;
        let deadline = self.context.deadline.min(Instant::now() + limits.host_call());
        let door = self.clone();
        Box::new(async move {
            charged.map_err(|error| Error::InternalError(Some(error.to_string())))?;
            let response = door.send(request, options, deadline).await?;
            let rest: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(std::future::ready(Ok(())));
            Ok((response, rest))
        })
    }
}

/// Takes a header into the request: one for the host into its field.
fn take_header(request: &mut Request, name: &str, value: String) -> Result<(), String> {
    let field = match name.strip_prefix(OURS) {
        // The library has compared it with the body; the client counts for itself.
        None if name == "content-length" => return Ok(()),
        None => {
            request.headers.push((name.to_owned(), value));
            return Ok(());
        }
        Some("repeat") => {
            request.repeat = match value.as_str() {
                "by-method" => Repeat::ByMethod,
                "safe" => Repeat::Safe,
                "never" => Repeat::Never,
                _ => return Err(format!("the header `{name}` must be by-method, safe or never")),
            };
            return Ok(());
        }
        Some("credential") => &mut request.credential,
        Some("rate") => &mut request.rate,
        Some(_) => {
            return Err(format!(
                "the header `{name}` means nothing to the host, and none that begins with `{OURS}` is sent; there are \
                 {OURS}credential, {OURS}rate and {OURS}repeat"
            ));
        }
    };
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("the header `{name}` is there more than once")),
    }
}

/// What an open answer takes: its place, and room for its bytes.
type Taken = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

fn to_response(method: &str, answer: Response, place: Taken) -> http::Response<WasiBody> {
    let Response { status, headers, body, .. } = answer;
    let bytes = match body {
        Answer::Bytes(bytes) => bytes,
        // Never asked for here.
        Answer::Blob(_) => Bytes::new(),
    };
    let mut response = http::Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(value.as_bytes())) else { continue };
        // Of the bytes as they came; what is handed over is decompressed and masked.
        if method == "HEAD" || !matches!(name.as_str(), "content-length" | "transfer-encoding") {
            response.headers_mut().append(name, value);
        }
    }
    let body = Full::new(bytes)
        .map_frame(move |frame| {
            let _ = &place;
            frame
        })
        .map_err(|never| match never {});
    response.map(|()| body.boxed_unsync())
}

/// What the connector hears of a request that got no answer. Where the contract's error says what to do next and
/// `wasi:http` has no code for it, it is the answer that a platform would have given, marked as the host's own.
fn told(error: RemoteError, cause: Cause, over: bool, place: Taken) -> Result<http::Response<WasiBody>, Error> {
    let own = |status: u16, kind: &str, more: Option<(String, String)>| {
        let mut headers = vec![("content-type".into(), "text/plain".into()), ("tradepost-error".into(), kind.into())];
        headers.extend(more);
        let body = Answer::Bytes(error.to_string().into());
        to_response("", Response { status, headers, body, url: String::new() }, place)
    };
    match cause {
        Cause::Throttled(seconds) => Ok(own(429, "throttled", Some(("retry-after".into(), seconds.to_string())))),
        Cause::LogIn => Ok(own(401, "auth", None)),
        Cause::Refused => Err(Error::HttpRequestDenied),
        Cause::Address => Err(Error::DestinationIpProhibited),
        Cause::TooLarge(most) => Err(Error::HttpResponseBodySize(Some(most))),
        Cause::Busy => Err(Error::ConnectionLimitReached),
        Cause::Unreachable => Err(Error::DestinationUnavailable),
        Cause::NoAnswer if over => Err(Error::HttpResponseTimeout),
        Cause::NoAnswer => Err(Error::HttpResponseIncomplete),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_for_the_host_become_fields() {
        let mut request = Request::get("https://shop.example/");
        for (name, value) in [
            ("accept", "text/plain"),
            ("tradepost-credential", "key"),
            ("tradepost-rate", "slow"),
            ("tradepost-repeat", "safe"),
            ("content-length", "12"),
        ] {
            take_header(&mut request, name, value.into()).unwrap();
        }
        assert_eq!(request.headers, [("accept".to_owned(), "text/plain".to_owned())]);
        assert_eq!((request.credential.as_deref(), request.rate.as_deref()), (Some("key"), Some("slow")));
        assert_eq!(request.repeat, Repeat::Safe);
        for (name, value) in
            [("tradepost-credential", "other"), ("tradepost-repeat", "always"), ("tradepost-credentials", "key")]
        {
            assert!(take_header(&mut request, name, value.into()).is_err(), "{name}: {value}");
        }
    }
}
