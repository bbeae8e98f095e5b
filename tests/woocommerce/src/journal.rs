//! What happened at the server: requests counted per route, and every object that was written.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    Create,
    Update,
    Delete,
}

/// One object written through the REST interface.
#[derive(Debug, Clone, Serialize)]
pub struct Write {
    /// Position in the journal, from 1.
    pub seq: u64,
    /// GMT, without suffix, as the shop writes dates.
    pub at: String,
    /// `product`, `variation`, `order`, `note`, `refund`, `customer`, `category`, ...
    pub kind: &'static str,
    pub id: u64,
    pub operation: Operation,
    /// False when an update left the object as it was.
    pub changed: bool,
    /// What the client sent, checked and converted.
    pub sent: Value,
    /// What the client sent and WooCommerce does not know or takes as read-only.
    pub ignored: Vec<String>,
}

/// One request as it came in.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// Position among all requests, from 1.
    pub seq: u64,
    pub method: String,
    /// Below the namespace, with digits as `{id}`: `/products/{id}/variations`.
    pub route: String,
    /// Path and query as sent, without the namespace and without key and secret.
    pub target: String,
    /// What was answered; 0 where no answer was given.
    pub status: u16,
    /// The misbehaviour that was applied, if any.
    pub fault: Option<String>,
}

/// Counts and journal of one server. Requests to the control interface are not in it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Journal {
    /// Requests by `"METHOD /route"`, those included that were refused or made to fail.
    pub requests: BTreeMap<String, u64>,
    /// Every object written, in order.
    pub writes: Vec<Write>,
    /// The latest requests, at most [`Journal::KEEP`].
    pub seen: Vec<Seen>,
    /// All requests since the last reset.
    pub total: u64,
}

impl Journal {
    /// How many requests are remembered one by one.
    pub const KEEP: usize = 20_000;

    /// Requests whose method is GET or HEAD.
    pub fn reads(&self) -> u64 {
        self.count(|method| method == "GET" || method == "HEAD")
    }

    /// Requests with any other method.
    pub fn write_requests(&self) -> u64 {
        self.count(|method| method != "GET" && method != "HEAD")
    }

    /// Requests with this method and route, for example `("POST", "/orders")`.
    pub fn requests(&self, method: &str, route: &str) -> u64 {
        self.requests.get(&format!("{method} {route}")).copied().unwrap_or(0)
    }

    /// Objects of a kind written with an operation; an update that changed nothing counts too.
    pub fn writes(&self, kind: &str, operation: Operation) -> usize {
        self.writes.iter().filter(|w| w.kind == kind && w.operation == operation).count()
    }

    fn count(&self, method: impl Fn(&str) -> bool) -> u64 {
        self.requests.iter().filter(|(key, _)| key.split(' ').next().is_some_and(&method)).map(|(_, count)| count).sum()
    }

    pub(crate) fn arrived(&mut self, method: &str, route: &str, target: &str) -> u64 {
        self.total += 1;
        *self.requests.entry(format!("{method} {route}")).or_default() += 1;
        if self.seen.len() >= Self::KEEP {
            self.seen.drain(..Self::KEEP / 2);
        }
        self.seen.push(Seen {
            seq: self.total,
            method: method.to_owned(),
            route: route.to_owned(),
            target: target.to_owned(),
            status: 0,
            fault: None,
        });
        self.total
    }

    pub(crate) fn answered(&mut self, seq: u64, status: u16, fault: Option<&str>) {
        if let Some(seen) = self.seen.iter_mut().rev().find(|seen| seen.seq == seq) {
            seen.status = status;
            seen.fault = fault.map(str::to_owned);
        }
    }
}

/// The route of a path below the namespace: numbers become `{id}`.
pub(crate) fn route_of(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| {
            let number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if number { "{id}" } else { part }
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_hide_numbers() {
        assert_eq!(route_of("/products/12/variations/7"), "/products/{id}/variations/{id}");
        assert_eq!(route_of("/products/batch"), "/products/batch");
    }

    #[test]
    fn counts_reads_and_writes_apart() {
        let mut journal = Journal::default();
        journal.arrived("GET", "/orders", "/orders?page=1");
        journal.arrived("POST", "/orders", "/orders");
        let seq = journal.arrived("PUT", "/orders/{id}", "/orders/5");
        journal.answered(seq, 200, None);
        assert_eq!((journal.reads(), journal.write_requests()), (1, 2));
        assert_eq!(journal.requests("POST", "/orders"), 1);
        assert_eq!(journal.seen[2].status, 200);
    }
}
