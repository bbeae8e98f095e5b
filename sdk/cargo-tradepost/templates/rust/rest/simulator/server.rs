//! Serves a simulated platform on this machine.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

/// Requests that are answered side by side.
const THREADS: usize = 4;

/// Status and body of an answer.
pub type Answer = (u16, Value);

/// What is simulated.
pub trait Platform: Default + Send + 'static {
    fn answer(&mut self, asked: &Asked) -> Answer;
}

/// A request.
pub struct Asked {
    pub method: Method,
    path: Vec<String>,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    pub body: Value,
}

impl Asked {
    /// Nothing where the body is no JSON.
    fn read(request: &mut Request) -> Option<Self> {
        let mut text = String::new();
        request.as_reader().read_to_string(&mut text).ok()?;
        let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let header = |header: &Header| (header.field.to_string().to_ascii_lowercase(), header.value.to_string());
        Some(Self {
            method: request.method().clone(),
            path: path.trim_matches('/').split('/').map(str::to_owned).collect(),
            query: pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect(),
            headers: request.headers().iter().map(header).collect(),
            body: if text.is_empty() { Value::Null } else { serde_json::from_str(&text).ok()? },
        })
    }

    /// A part of the path; empty where it is shorter.
    pub fn part(&self, at: usize) -> &str {
        self.path.get(at).map_or("", String::as_str)
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A running platform; it ends when this is dropped.
pub struct Simulator<P> {
    pub address: String,
    platform: Arc<Mutex<P>>,
    server: Arc<Server>,
}

impl<P: Platform> Simulator<P> {
    pub fn start(port: u16) -> io::Result<Self> {
        let server = Arc::new(Server::http(("127.0.0.1", port)).map_err(io::Error::other)?);
        let platform = Arc::new(Mutex::new(P::default()));
        let address = format!("http://{}", server.server_addr());
        for _ in 0..THREADS {
            let (server, platform) = (server.clone(), platform.clone());
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    serve(&platform, request);
                }
            });
        }
        Ok(Self { address, platform, server })
    }

    pub fn platform(&self) -> MutexGuard<'_, P> {
        self.platform.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P> Drop for Simulator<P> {
    fn drop(&mut self) {
        for _ in 0..THREADS {
            self.server.unblock();
        }
    }
}

fn serve<P: Platform>(platform: &Mutex<P>, mut request: Request) {
    let (status, answer) = match Asked::read(&mut request) {
        Some(asked) => platform.lock().unwrap_or_else(PoisonError::into_inner).answer(&asked),
        None => (400, json!({"message": "The body is no JSON."})),
    };
    let text = if status == 204 { String::new() } else { answer.to_string() };
    let json = Header::from_bytes("content-type", "application/json").expect("a header by its rule");
    // Whoever asked may be gone.
    drop(request.respond(Response::from_string(text).with_status_code(status).with_header(json)));
}

/// A value of an address with its percent signs resolved.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let code = (*first == b'%').then(|| more.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
