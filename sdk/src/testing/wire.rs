//! The body of a request as it goes over the wire.

use crate::http::{Body, Part, PartContent, Request};
use crate::request::escaped;
use crate::types::Error;

/// What separates parts in requests of tests. Servers do not mind, and tapes compare without it.
const BOUNDARY: &str = "tradepost-boundary";

/// A body and its media type, where the request does not name it itself.
pub(super) struct Wire {
    pub(super) body: Vec<u8>,
    pub(super) media_type: Option<String>,
}

/// The body of a request; blobs are looked up.
pub(super) fn body(request: &Request, blob: &dyn Fn(&str) -> Result<Vec<u8>, Error>) -> Result<Wire, Error> {
    let plain = |body: Vec<u8>| Wire { body, media_type: None };
    Ok(match &request.body {
        None => plain(Vec::new()),
        Some(Body::Bytes(bytes)) => plain(bytes.clone()),
        Some(Body::Blob(id)) => plain(blob(id)?),
        Some(Body::Form(fields)) => {
            let pair = |name: &str, value: &str| format!("{}={}", escaped(name), escaped(value));
            let pairs: Vec<String> = fields.iter().map(|field| pair(&field.name, &field.value)).collect();
            Wire { body: pairs.join("&").into_bytes(), media_type: Some("application/x-www-form-urlencoded".into()) }
        }
        Some(Body::Multipart(parts)) => Wire {
            body: multipart(parts, blob)?,
            media_type: Some(format!("multipart/form-data; boundary={BOUNDARY}")),
        },
    })
}

fn multipart(parts: &[Part], blob: &dyn Fn(&str) -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for part in parts {
        let filename = part.filename.as_ref().map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let media_type = part.media_type.as_ref().map(|of| format!("content-type: {of}\r\n")).unwrap_or_default();
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{}\"{filename}\r\n{media_type}\r\n",
            part.name
        );
        out.extend(head.into_bytes());
        match &part.content {
            PartContent::Bytes(bytes) => out.extend(bytes),
            PartContent::Blob(id) => out.extend(blob(id)?),
        }
        out.extend(b"\r\n");
    }
    out.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    Ok(out)
}
