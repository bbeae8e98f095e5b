//! `http`: requests through the platform's client, which knows the grants.

use std::time::Duration;

use futures_util::future::join_all;

use super::super::bindings::v0_1;
use super::super::bindings::v0_1::wit::tradepost::connector::http::{self, Host};
use super::super::bindings::v0_1::wit::tradepost::connector::types::{Error, Field};
use super::super::instance::{Cost, State};
use super::super::power::{Answer, Body, CallContext, Part, PartContent, Repeat, Request, Response};
use super::blobs::to_blob_ref;
use super::{DESCRIBING, Phase};

/// Most requests of one `send-all`.
const TOGETHER: usize = 32;

impl Host for State {
    async fn send(&mut self, request: http::Request) -> wasmtime::Result<Result<http::Response, Error>> {
        let host = self.host_call(Cost::Network)?;
        let request = match self.request(request).await? {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        // The client ends in time by itself, so that the connector hears what became of its request.
        let context = CallContext { deadline: host.ends(), ..self.call.context.clone() };
        let answer = self.call.powers.http.send(&context, request).await;
        Ok(answer.map(to_response).map_err(v0_1::to_error))
    }

    async fn send_all(&mut self, requests: Vec<http::Request>) -> wasmtime::Result<Vec<Result<http::Response, Error>>> {
        let mut host = self.host_call(Cost::Network)?;
        if requests.len() > TOGETHER {
            let words = format!("{} requests at a time, at most {TOGETHER} are allowed", requests.len());
            return Ok(requests.iter().map(|_| Err(Error::Denied(words.clone()))).collect());
        }
        let mut checked = Vec::with_capacity(requests.len());
        for request in requests {
            checked.push(self.request(request).await?);
            host = self.host_call(Cost::Network)?;
        }
        let client = &self.call.powers.http;
        let context = &CallContext { deadline: host.ends(), ..self.call.context.clone() };
        let answers = checked.into_iter().map(|request| async move {
            match request {
                Ok(request) => client.send(context, request).await.map(to_response).map_err(v0_1::to_error),
                Err(error) => Err(error),
            }
        });
        Ok(join_all(answers).await)
    }
}

impl State {
    /// The request with the blobs it names.
    async fn request(&mut self, request: http::Request) -> wasmtime::Result<Result<Request, Error>> {
        if matches!(self.call.phase, Phase::Describe) {
            return Ok(Err(Error::Denied(DESCRIBING.into())));
        }
        let http::Request { method, url, headers, body, credential, repeat, rate, timeout_ms, to_blob } = request;
        let body = match body {
            None => None,
            Some(http::Body::Bytes(bytes)) => Some(Body::Bytes(bytes.into())),
            Some(http::Body::Form(fields)) => Some(Body::Form(pairs(fields))),
            Some(http::Body::Blob(id)) => match self.blob(&id).await? {
                Ok(blob) => Some(Body::Blob(blob)),
                Err(error) => return Ok(Err(error)),
            },
            Some(http::Body::Multipart(parts)) => {
                let mut all = Vec::with_capacity(parts.len());
                for http::Part { name, filename, media_type, content } in parts {
                    let content = match content {
                        http::PartContent::Bytes(bytes) => PartContent::Bytes(bytes.into()),
                        http::PartContent::Blob(id) => match self.blob(&id).await? {
                            Ok(blob) => PartContent::Blob(blob),
                            Err(error) => return Ok(Err(error)),
                        },
                    };
                    all.push(Part { name, filename, media_type, content });
                }
                Some(Body::Multipart(all))
            }
        };
        let repeat = match repeat {
            http::Repeat::ByMethod => Repeat::ByMethod,
            http::Repeat::Safe => Repeat::Safe,
            http::Repeat::Never => Repeat::Never,
        };
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        Ok(Ok(Request { method, url, headers: pairs(headers), body, credential, repeat, rate, timeout, to_blob }))
    }
}

fn pairs(fields: Vec<Field>) -> Vec<(String, String)> {
    fields.into_iter().map(|Field { name, value }| (name, value)).collect()
}

fn to_response(response: Response) -> http::Response {
    let Response { status, headers, body, url } = response;
    http::Response {
        status,
        headers: headers.into_iter().map(|(name, value)| Field { name, value }).collect(),
        body: match body {
            Answer::Bytes(bytes) => http::Answer::Bytes(bytes.into()),
            Answer::Blob(blob) => http::Answer::Blob(to_blob_ref(blob)),
        },
        url,
    }
}
