//! Requests by `wasi:http`, the way the usual clients of the languages send them.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::deeds::setting;

/// Most bytes of one write.
const PIECE: usize = 4096;

/// Asks every address of the setting `urls` with the headers of the setting `headers`, and tells what came back. What is
/// no read has a body.
pub(crate) fn fetch(method: &str) -> Vec<String> {
    let body = if matches!(method, "GET" | "HEAD") { Vec::new() } else { b"\"x\"".to_vec() };
    let ask = |url: String| match send(method, &url, &body) {
        Ok((status, headers, body)) => {
            let marks: Vec<&str> =
                headers.iter().map(String::as_str).filter(|h| h.contains("tradepost-error")).collect();
            format!("{status} {}{}", String::from_utf8_lossy(&body), marks.concat())
        }
        Err(why) => why,
    };
    setting("urls").into_iter().map(ask).collect()
}

/// Which headers of the setting `headers` can be set at all.
pub(crate) fn headers() -> Vec<String> {
    let set = |header: String| {
        let (name, value) = header.split_once(": ").unwrap_or((&header, ""));
        format!("{name} {:?}", Fields::new().append(name, value.as_bytes()).is_ok())
    };
    setting("headers").into_iter().map(set).collect()
}

/// Takes answers and lets none of them go.
pub(crate) fn hoard() -> Vec<String> {
    let url = setting("urls").remove(0);
    let mut kept = Vec::new();
    let mut told = Vec::new();
    for _ in 0..40 {
        match begin("GET", &url).and_then(|(future, body)| finish(body, &[]).map(|()| future)).and_then(answer) {
            Ok(response) => {
                told.push(response.status().to_string());
                kept.push(response);
            }
            Err(why) => told.push(why),
        }
    }
    told
}

/// Makes requests, fills their bodies as far as the host takes it, and never sends them: tells how many bytes it took.
pub(crate) fn unsent() -> Vec<String> {
    let mut kept = Vec::new();
    let mut taken = 0;
    for _ in 0..900 {
        let request = OutgoingRequest::new(Fields::new());
        let body = request.body().expect("a new request has a body");
        let stream = body.write().expect("a new body has a stream");
        while let Ok(room @ 1..) = stream.check_write() {
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(1 << 20);
            if stream.write(&vec![7; room]).is_err() {
                break;
            }
            taken += room;
        }
        kept.push(request);
    }
    vec![kept.len().to_string(), taken.to_string()]
}

/// Writes a body without end.
pub(crate) fn huge_body() -> String {
    let url = setting("urls").remove(0);
    send("POST", &url, &vec![7; 3 << 20]).map_or_else(|why| why, |(status, ..)| status.to_string())
}

/// Lets a body go before its end.
pub(crate) fn half_a_body() -> String {
    let url = setting("urls").remove(0);
    let half = begin("POST", &url).and_then(|(future, body)| {
        write(&body, b"half")?;
        drop(body);
        answer(future)
    });
    half.map_or_else(|why| why, |response| response.status().to_string())
}

fn begin(method: &str, url: &str) -> Result<(FutureIncomingResponse, OutgoingBody), String> {
    let (scheme, rest) = url.split_once("://").ok_or("no address")?;
    let (authority, path) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
    let fields = Fields::new();
    for header in setting("headers") {
        let (name, value) = header.split_once(": ").ok_or("no header")?;
        fields.append(name, value.as_bytes()).map_err(|error| format!("{name}: {error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    let unfit = |()| format!("`{url}` cannot be set");
    request
        .set_method(&match method {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            other => Method::Other(other.into()),
        })
        .map_err(unfit)?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.into()),
    };
    request.set_scheme(Some(&scheme)).map_err(unfit)?;
    request.set_authority(Some(authority)).map_err(unfit)?;
    request.set_path_with_query(Some(path)).map_err(unfit)?;
    let body = request.body().map_err(unfit)?;
    Ok((handle(request, None).map_err(|code| told(&code))?, body))
}

fn write(body: &OutgoingBody, bytes: &[u8]) -> Result<(), String> {
    let stream = body.write().map_err(|()| "no stream")?;
    for piece in bytes.chunks(PIECE) {
        // The host has closed it; the answer says why.
        if stream.blocking_write_and_flush(piece).is_err() {
            break;
        }
    }
    Ok(())
}

fn finish(body: OutgoingBody, bytes: &[u8]) -> Result<(), String> {
    if !bytes.is_empty() {
        write(&body, bytes)?;
    }
    OutgoingBody::finish(body, None).map_err(|code| told(&code))
}

fn answer(future: FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(told(&code)),
        other => Err(format!("{other:?}")),
    }
}

fn send(method: &str, url: &str, bytes: &[u8]) -> Result<(u16, Vec<String>, Vec<u8>), String> {
    let (future, body) = begin(method, url)?;
    // Where the host does not want the body, it says so in the answer.
    let finished = finish(body, bytes);
    let response = answer(future)?;
    finished?;
    let headers = response.headers().entries();
    let headers = headers.iter().map(|(name, value)| format!(" {name}={}", String::from_utf8_lossy(value))).collect();
    let status = response.status();
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(format!("{error:?}")),
        }
    }
    Ok((status, headers, all))
}

fn told(code: &ErrorCode) -> String {
    format!("{code:?}")
}
