//! Reading answers: decompressed bytes are counted while they arrive, secrets are masked on the way.

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::Failure;
use super::mask::Masker;
use crate::model::RemoteError;
use crate::runtime::limits::Limit;
use crate::runtime::power::{Answer, CallContext, Response};

/// Reads the body into the answer.
pub(super) async fn read(
    call: &CallContext,
    masker: &Masker,
    mut response: reqwest::Response,
    to_blob: bool,
) -> Result<Response, Failure> {
    let status = response.status().as_u16();
    let url = masker.text(response.url().as_str());
    let headers = headers(response.headers(), masker);
    let (limit, most) = if to_blob && response.status().is_success() {
        (Limit::Blob, call.limits.blob)
    } else {
        (Limit::HttpAnswer, call.limits.http_answer)
    };
    let media_type = headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or("application/octet-stream", |(_, value)| value.as_str())
        .to_owned();
    let mut sink = if limit == Limit::Blob {
        Sink::Blob(Box::new(call.blobs.writer().await.map_err(|error| disk(&error))?))
    } else {
        Sink::Bytes(Vec::new())
    };
    let mut masked = masker.stream();
    let mut size = 0;
    loop {
        let chunk = response.chunk().await.map_err(|error| {
            let mut innermost = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                innermost = cause.to_string();
                source = cause.source();
            }
            RemoteError::Timeout(masker.text(&format!("the answer broke off: {innermost}")))
        })?;
        let Some(chunk) = chunk else { break };
        size += chunk.len() as u64;
        if size > most {
            return Err(Failure::TooLarge(limit.exceeded(&call.limits)));
        }
        sink.write(&masked.push(&chunk)).await?;
    }
    sink.write(&masked.end()).await?;
    let body = match sink {
        Sink::Bytes(bytes) => Answer::Bytes(Bytes::from(bytes)),
        Sink::Blob(writer) => {
            let name = url::Url::parse(&url)
                .ok()
                .and_then(|url| url.path_segments()?.next_back().map(str::to_owned))
                .filter(|name| !name.is_empty());
            let blob = call.blobs.keep(*writer, &media_type, name.as_deref(), Some(&url)).await;
            Answer::Blob(blob.map_err(|error| disk(&error))?)
        }
    };
    Ok(Response { status, headers, body, url })
}

/// The answer without its body.
pub(super) fn head(masker: &Masker, response: &reqwest::Response) -> Response {
    Response {
        status: response.status().as_u16(),
        headers: headers(response.headers(), masker),
        body: Answer::Bytes(Bytes::new()),
        url: masker.text(response.url().as_str()),
    }
}

enum Sink {
    Bytes(Vec<u8>),
    Blob(Box<crate::runtime::blobs::BlobWriter>),
}

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Bytes(all) => all.extend_from_slice(bytes),
            Self::Blob(writer) => writer.write(bytes).await.map_err(|error| disk(&error))?,
        }
        Ok(())
    }
}

fn disk(error: &crate::runtime::blobs::BlobError) -> RemoteError {
    RemoteError::Denied(format!("the answer could not be kept: {error}"))
}

fn headers(headers: &HeaderMap, masker: &Masker) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), masker.text(&String::from_utf8_lossy(value.as_bytes()))))
        .collect()
}
