//! What carries requests that were judged, when it is not the network: below grants, credentials and limits, so that all
//! of them hold for a tape too.

use async_trait::async_trait;
use reqwest::ResponseBuilderExt;
use url::Url;

use crate::runtime::tape;

/// In place of the network.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Carries a request. It is as the connector made it: nothing that the host places is in it, and no log-in is sent.
    ///
    /// # Errors
    /// As the network fails.
    async fn carry(&self, request: &tape::Request) -> Result<tape::Response, WireError>;
}

/// How carrying fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Nothing left.
    #[error("{0}")]
    NoConnection(String),
    /// It may have arrived.
    #[error("{0}")]
    NoAnswer(String),
}

/// The answer as the network would have given it.
pub(super) fn response(url: &Url, response: tape::Response) -> Result<reqwest::Response, WireError> {
    let unfit = |error: http::Error| WireError::NoAnswer(format!("the answer on the tape cannot be one: {error}"));
    let mut builder = http::Response::builder().status(response.status).url(url.clone());
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    let body = match response.body {
        tape::Body::Bytes(bytes) => bytes,
        tape::Body::Omitted(_) => bytes::Bytes::new(),
    };
    Ok(builder.body(body).map_err(unfit)?.into())
}
