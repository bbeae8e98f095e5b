//! A real server on this machine, over real HTTP.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::reply::Reply;
use super::wire::{self, Wire};
use crate::http::{Repeat, Request};
use crate::request::escaped;
use crate::types::Error;

/// Most bytes of an answer.
const MOST: u64 = 64 << 20;

/// Sends requests to servers on this machine, with the secrets placed and masked in answers as the host would, so that none is
/// on a tape either. Other machines are refused: a
/// test that asks them is none.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::{FakeHost, Server};
/// # use std::io::{Read, Write};
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let url = format!("http://{}", listener.local_addr().unwrap());
/// # let serve = std::thread::spawn(move || {
/// #     let mut stream = listener.accept().unwrap().0;
/// #     let mut asked = [0; 4096];
/// #     let length = stream.read(&mut asked).unwrap();
/// #     stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\"Tea pot\"").unwrap();
/// #     String::from_utf8_lossy(&asked[..length]).into_owned()
/// # });
///
/// let host = FakeHost::new().server(Server::new().bearer("token", "s3cret"));
/// let name: String = host.run(|| Http::new(&url).credential("token").get("/name").read()).unwrap();
/// assert_eq!(name, "Tea pot");
/// # assert!(serve.join().unwrap().contains("authorization: Bearer s3cret"));
///
/// let elsewhere = host.run(|| Request::get("https://shop.example").send());
/// assert!(matches!(elsewhere, Err(Error::Denied(_))));
/// ```
#[derive(Debug, Clone)]
pub struct Server {
    agent: ureq::Agent,
    secrets: Vec<(String, Placed)>,
    /// Forms in which secrets may come back, the longest first.
    masked: Vec<Vec<u8>>,
}

#[derive(Debug, Clone)]
enum Placed {
    Header(String, String),
    Query(String, String),
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// Without secrets.
    #[must_use]
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(20)))
            // What the environment names would see secrets and answer for this machine.
            .proxy(None)
            .build();
        Self { agent: config.into(), secrets: Vec::new(), masked: Vec::new() }
    }

    /// The token of a credential.
    #[must_use]
    pub fn bearer(self, credential: &str, token: &str) -> Self {
        self.mask(token).header(credential, "authorization", &format!("Bearer {token}"))
    }

    /// Name and password of a credential.
    #[must_use]
    pub fn basic(self, credential: &str, username: &str, password: &str) -> Self {
        let both = STANDARD.encode(format!("{username}:{password}"));
        self.mask(password).mask(&both).header(credential, "authorization", &format!("Basic {both}"))
    }

    /// The header of a credential.
    #[must_use]
    pub fn header(mut self, credential: &str, name: &str, value: &str) -> Self {
        self.secrets.push((credential.into(), Placed::Header(name.into(), value.into())));
        self.mask(value)
    }

    /// The query parameter of a credential.
    #[must_use]
    pub fn query(mut self, credential: &str, name: &str, value: &str) -> Self {
        self.secrets.push((credential.into(), Placed::Query(name.into(), value.into())));
        self.mask(value)
    }

    /// Hides a secret in answers, as the host does: in each form that it hides, and from as many characters on.
    fn mask(mut self, secret: &str) -> Self {
        if secret.len() >= 4 {
            let json = serde_json::Value::from(secret).to_string();
            let json = &json[1..json.len() - 1];
            let forms = [secret, json, &escaped(secret), &STANDARD.encode(secret), &URL_SAFE_NO_PAD.encode(secret)];
            self.masked.extend(forms.map(|form| form.as_bytes().to_vec()));
            self.masked.sort_by_key(|form| std::cmp::Reverse(form.len()));
            self.masked.dedup();
        }
        self
    }

    fn hidden(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            match self.masked.iter().find(|form| rest.starts_with(form)) {
                Some(form) => {
                    out.extend(b"***");
                    rest = &rest[form.len()..];
                }
                None => {
                    out.push(*first);
                    rest = &rest[1..];
                }
            }
        }
        out
    }

    /// Sends a request whose body is no blob: for a closure that looks at some requests itself.
    ///
    /// # Errors
    /// As the host's: `denied`, `unavailable` where nothing was done, `timeout` where a write may have been done.
    pub fn answer(&self, request: &Request) -> Result<Reply, Error> {
        let blob = |id: &str| Err(Error::NotFound(format!("there is no blob `{id}` here: use `FakeHost::server`")));
        self.send(request, wire::body(request, &blob)?)
    }

    pub(super) fn send(&self, request: &Request, wire: Wire) -> Result<Reply, Error> {
        let Request { method, url, .. } = request;
        if !is_local(url) {
            return Err(Error::Denied(format!("{url} is not on this machine, and a test asks nobody else")));
        }
        let read = match request.repeat {
            Repeat::Safe => true,
            Repeat::Never => false,
            Repeat::ByMethod => matches!(method.as_str(), "GET" | "HEAD"),
        };
        let lost = |error: &dyn std::fmt::Display| {
            let words = format!("{method} {url}: {error}");
            if read { Error::Unavailable(words) } else { Error::Timeout(words) }
        };
        let (mut url, mut headers) = (url.clone(), Vec::new());
        match self.secrets.iter().find(|(name, _)| request.credential.as_ref() == Some(name)) {
            Some((_, Placed::Header(name, value))) => headers.push((name.as_str(), value.as_str())),
            Some((_, Placed::Query(name, value))) => {
                let sign = if url.contains('?') { '&' } else { '?' };
                url.push_str(&format!("{sign}{}={}", escaped(name), escaped(value)));
            }
            None if request.credential.is_none() => {}
            None => {
                let name = request.credential.as_deref().unwrap_or_default();
                return Err(Error::Denied(format!("the test gives no secret for the credential `{name}`")));
            }
        }
        headers.extend(request.headers.iter().map(|header| (header.name.as_str(), header.value.as_str())));
        headers.extend(wire.media_type.as_deref().map(|media_type| ("content-type", media_type)));
        let mut built = ureq::http::Request::builder().method(method.as_str()).uri(&url);
        for (name, value) in headers {
            built = built.header(name, value);
        }
        let bug = |error: ureq::http::Error| Error::Bug(format!("{method} {url}: {error}"));
        let answered = if wire.body.is_empty() && matches!(method.as_str(), "GET" | "HEAD" | "DELETE") {
            self.agent.run(built.body(()).map_err(bug)?)
        } else {
            self.agent.run(built.body(wire.body).map_err(bug)?)
        };
        let mut answer = match answered {
            Ok(answer) => answer,
            Err(error @ (ureq::Error::ConnectionFailed | ureq::Error::HostNotFound)) => {
                return Err(Error::Unavailable(format!("{method} {url}: {error}")));
            }
            Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                return Err(Error::Unavailable(format!("{method} {url}: {error}")));
            }
            Err(error) => return Err(lost(&error)),
        };
        let mut reply = Reply::status(answer.status().as_u16());
        for (name, value) in answer.headers() {
            reply = reply.header(name.as_str(), String::from_utf8_lossy(&self.hidden(value.as_bytes())));
        }
        let body = answer.body_mut().with_config().limit(MOST).read_to_vec();
        body.map(|body| reply.body(self.hidden(&body))).map_err(|error| lost(&error))
    }
}

/// Whether an address is one of this machine's.
fn is_local(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;
    use crate::testing::FakeHost;

    /// A server that answers one request with what it heard.
    fn echo() -> (String, std::thread::JoinHandle<()>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.push(byte[0]);
            }
            let authorization = String::from_utf8_lossy(&asked).into_owned();
            let authorization = authorization.lines().find_map(|line| line.strip_prefix("authorization: "));
            let head = format!("HTTP/1.1 200 OK\r\nx-heard: {}\r\n", authorization.unwrap_or_default());
            stream.write_all(format!("{head}content-length: {}\r\n\r\n", asked.len()).as_bytes()).unwrap();
            stream.write_all(&asked).unwrap();
        });
        (url, serve)
    }

    #[test]
    fn secrets_that_come_back_are_on_no_tape() {
        let secret = "s3cret/\"key";
        for server in [
            Server::new().bearer("key", secret),
            Server::new().basic("key", "clerk", secret),
            Server::new().query("key", "token", secret),
        ] {
            let (url, serve) = echo();
            let host = FakeHost::new().server(server.clone());
            let answer = host.run(|| crate::Request::get(format!("{url}/x")).credential("key").send()).unwrap();
            serve.join().unwrap();
            let (heard, tape) = (String::from_utf8_lossy(answer.bytes()).into_owned(), host.recorded());
            assert!(heard.starts_with("GET /x") && heard.contains("***") && tape.contains("***"), "{heard}\n{tape}");
            let basic = STANDARD.encode(format!("clerk:{secret}"));
            for form in [secret, &escaped(secret), &basic, "s3cret"] {
                assert!(!heard.contains(form) && !tape.contains(form), "{form}: {heard}\n{tape}");
            }
        }
        let server = Server::new().bearer("key", "abc");
        assert_eq!(server.hidden(b"abc"), b"Bearer abc".strip_prefix(b"Bearer ").unwrap(), "too short to be one");
    }

    /// The environment of a process is that of all its tests: this one is run again, in a process that has a proxy.
    #[test]
    fn no_proxy_of_the_environment_is_asked() {
        if std::env::var_os("ALL_PROXY").is_none() {
            let name = "testing::server::tests::no_proxy_of_the_environment_is_asked";
            let mut again = std::process::Command::new(std::env::current_exe().unwrap());
            let ran = again.args(["--exact", name]).env("ALL_PROXY", "http://127.0.0.1:9").output().unwrap();
            let told = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success() && told.contains("1 passed"), "{told}");
            return;
        }
        let (url, serve) = echo();
        let answer = FakeHost::new().server(Server::new()).run(|| crate::Request::get(format!("{url}/x")).send());
        assert!(answer.is_ok_and(|answer| answer.status() == 200));
        serve.join().unwrap();
    }

    #[test]
    fn only_this_machine_is_asked() {
        for local in ["http://127.0.0.1:80/x", "http://[::1]:8080", "http://localhost/?a"] {
            assert!(is_local(local), "{local}");
        }
        for other in
            ["https://127.0.0.1", "http://10.0.0.1/", "http://localhost.example/", "http://127.0.0.1@b.example/"]
        {
            assert!(!is_local(other), "{other}");
        }
    }
}
