//! Bodies of requests; blobs are streamed from disk without passing through the sandbox.

use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part as FormPart};
use tokio_util::io::ReaderStream;

use super::Failure;
use crate::model::RemoteError;
use crate::runtime::power::{Blob, Body, CallContext, PartContent};

/// Adds the body.
pub(super) async fn attach(
    builder: RequestBuilder,
    body: &Body,
    call: &CallContext,
) -> Result<RequestBuilder, Failure> {
    Ok(match body {
        Body::Bytes(bytes) => builder.body(bytes.clone()),
        Body::Blob(blob) => builder.header("content-length", blob.size).body(stream(blob, call).await?),
        Body::Form(fields) => builder.form(fields),
        Body::Multipart(parts) => {
            let mut form = Form::new();
            for part in parts {
                let mut content = match &part.content {
                    PartContent::Bytes(bytes) => FormPart::stream_with_length(bytes.clone(), bytes.len() as u64),
                    PartContent::Blob(blob) => FormPart::stream_with_length(stream(blob, call).await?, blob.size),
                };
                if let Some(filename) = &part.filename {
                    content = content.file_name(filename.clone());
                }
                if let Some(media_type) = &part.media_type {
                    content = content
                        .mime_str(media_type)
                        .map_err(|_| RemoteError::Denied(format!("`{media_type}` is no media type")))?;
                }
                form = form.part(part.name.clone(), content);
            }
            builder.multipart(form)
        }
    })
}

async fn stream(blob: &Blob, call: &CallContext) -> Result<reqwest::Body, Failure> {
    let missing = || RemoteError::Denied(format!("the blob `{}` has no bytes here", blob.id));
    let file = call.blobs.open(blob).await.map_err(|error| RemoteError::Denied(error.to_string()))?;
    Ok(reqwest::Body::wrap_stream(ReaderStream::new(file.ok_or_else(missing)?)))
}
