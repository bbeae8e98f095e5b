//! What went over the wire, without secrets, for the one who has to mend the connector.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::fault::On;

/// Most of a body that is shown, in bytes.
const BODY: usize = 2000;

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Exchange {
    /// Counts from 1 within the suite.
    pub number: u64,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Request headers worth knowing.
    pub headers: Vec<(String, String)>,
    /// Request body, cut.
    pub body: String,
    /// What the proxy did to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// Status; absent: there was no answer.
    pub status: Option<u16>,
    /// Answer headers worth knowing.
    pub answer_headers: Vec<(String, String)>,
    /// Answer body, cut.
    pub answer: String,
    /// The connector did not mark it as a read.
    pub write: bool,
    /// The host's own log-in.
    #[serde(skip)]
    pub(crate) login: bool,
}

impl Exchange {
    /// Whether a fault for requests of this sort would strike it.
    pub(crate) fn is(&self, on: On) -> bool {
        !self.login && self.write == (on == On::Writes)
    }

    /// As a person reads it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("#{} {} {}\n", self.number, self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("   > {name}: {value}\n"));
        }
        if !self.body.is_empty() {
            text.push_str(&format!("   > {}\n", self.body));
        }
        if let Some(fault) = self.fault {
            text.push_str(&format!("   ! the suite's fault: {fault}\n"));
        }
        match self.status {
            Some(status) => text.push_str(&format!("   < {status}\n")),
            None => text.push_str("   < no answer\n"),
        }
        for (name, value) in &self.answer_headers {
            text.push_str(&format!("   < {name}: {value}\n"));
        }
        if !self.answer.is_empty() {
            text.push_str(&format!("   < {}\n", self.answer));
        }
        text
    }
}

/// All exchanges of a suite; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    /// Never shown.
    secrets: Arc<Vec<String>>,
}

impl Journal {
    pub(crate) fn new(secrets: Vec<String>) -> Self {
        Self { exchanges: Arc::default(), secrets: Arc::new(secrets) }
    }

    pub(crate) fn add(&self, mut exchange: Exchange) {
        let mut all = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.number = all.len() as u64 + 1;
        for text in [&mut exchange.path, &mut exchange.body, &mut exchange.answer] {
            *text = self.masked(text);
        }
        exchange.headers = self.headers(exchange.headers);
        exchange.answer_headers = self.headers(exchange.answer_headers);
        all.push(exchange);
    }

    /// How many there are.
    pub(crate) fn mark(&self) -> usize {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Those from a mark on.
    pub(crate) fn since(&self, mark: usize) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).iter().skip(mark).cloned().collect()
    }

    fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "***");
        }
        if text.len() > BODY {
            text.truncate(text.floor_char_boundary(BODY));
            text.push('…');
        }
        text
    }

    fn headers(&self, headers: Vec<(String, String)>) -> Vec<(String, String)> {
        let shown = |name: &str| {
            !matches!(name, "host" | "accept" | "user-agent" | "connection" | "content-length" | "accept-encoding")
        };
        let value = |name: &str, value: &str| match name {
            "authorization" | "cookie" | "set-cookie" | "proxy-authorization" => "***".to_owned(),
            _ => self.masked(value),
        };
        let shown = headers.into_iter().filter(|(name, _)| shown(name));
        shown
            .map(|(name, text)| {
                let text = value(&name, &text);
                (name, text)
            })
            .collect()
    }
}
