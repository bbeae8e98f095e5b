//! Name resolution that gives the client only addresses that may be reached, so that the address which was checked is
//! the one that is connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::capability::{Denial, Grants, address};

/// Turns a name into addresses.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of a name.
    ///
    /// # Errors
    /// The name is not known, or the resolver cannot be reached.
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The name leads only to addresses that are refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{host}` leads to {address}, which is not allowed")]
pub(super) struct Refused {
    host: String,
    address: IpAddr,
}

impl Refused {
    /// The denial that says so.
    pub(super) fn denial(&self, port: u16) -> Denial {
        Denial::Address {
            host: self.host.clone(),
            address: self.address,
            class: address::classify(self.address),
            bits: address::host_bits(self.address),
            port,
        }
    }
}

pub(super) struct Guarded {
    grants: Arc<Grants>,
    lookup: Arc<dyn Lookup>,
}

impl Guarded {
    pub(super) fn new(grants: Arc<Grants>, lookup: Arc<dyn Lookup>) -> Self {
        Self { grants, lookup }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let grants = Arc::clone(&self.grants);
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            let host = name.as_str().trim_end_matches('.').to_owned();
            let found = lookup.addresses(&host).await?;
            let allowed: Vec<SocketAddr> = found
                .iter()
                .filter(|address| grants.may_resolve_to(&host, **address))
                .map(|address| SocketAddr::new(*address, 0))
                .collect();
            match found.first() {
                Some(&address) if allowed.is_empty() => {
                    Err(Box::new(Refused { host, address }) as Box<dyn std::error::Error + Send + Sync>)
                }
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
