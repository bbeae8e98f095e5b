//! The intersection of what a connector asks for and what the operator decided.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

use super::address::{self, AddressClass, PrivateException};
use super::denial::Denial;
use super::origin::{GrantedOrigin, InvalidOrigin, host_of};
use crate::model::description::{Credential, Description, Rate};

/// What the operator decided for one platform; kept in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decision {
    /// Origins that were allowed, settings filled in: when a setting leads elsewhere, that place is not among them and
    /// has to be allowed again.
    pub origins: Vec<GrantedOrigin>,
    /// Hosts that may lead to addresses that are not public.
    pub private: Vec<PrivateException>,
    /// The exchange folder.
    pub files: Option<PathBuf>,
    /// Tighter rates than declared: requests per second by name of the rate.
    pub rates: BTreeMap<String, Decimal>,
    /// Proxy for all requests of this platform, e.g. `http://proxy.lan:3128`.
    pub proxy: Option<String>,
}

/// What a connector asks for with the platform's settings, for the operator's decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Origins, settings filled in.
    pub origins: Vec<GrantedOrigin>,
    /// Asks for an exchange folder.
    pub files: bool,
}

impl Request {
    /// What the description asks for.
    ///
    /// # Errors
    /// A setting that should name a host does not.
    pub fn of(description: &Description, settings: &Value) -> Result<Self, InvalidOrigin> {
        let origins = description
            .origins
            .iter()
            .map(|origin| GrantedOrigin::resolve(origin, settings))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { origins, files: description.files })
    }

    /// What of it the decision does not allow yet.
    #[must_use]
    pub fn missing(&self, decision: &Decision) -> Self {
        let origins = self.origins.iter().filter(|origin| !decision.origins.contains(origin)).cloned().collect();
        Self { origins, files: self.files && decision.files.is_none() }
    }

    /// Nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty() && !self.files
    }
}

/// What a platform may do.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// By index of the description's origins; absent where it was not granted.
    origins: Vec<Option<GrantedOrigin>>,
    private: Vec<PrivateException>,
    credentials: Vec<Credential>,
    rates: Vec<Rate>,
    /// The exchange folder.
    pub files: Option<PathBuf>,
    /// Proxy for all requests.
    pub proxy: Option<String>,
}

impl Grants {
    /// Asked for AND decided. What was never asked for is not granted, whatever the decision says.
    #[must_use]
    pub fn new(description: &Description, settings: &Value, decision: &Decision) -> Self {
        let origins = description
            .origins
            .iter()
            .map(|origin| {
                GrantedOrigin::resolve(origin, settings).ok().filter(|origin| decision.origins.contains(origin))
            })
            .collect();
        let rates = description
            .rates
            .iter()
            .map(|rate| {
                let tighter = decision.rates.get(&rate.name).copied().filter(|tight| *tight > Decimal::ZERO);
                Rate { per_second: tighter.map_or(rate.per_second, |t| t.min(rate.per_second)), ..rate.clone() }
            })
            .collect();
        Self {
            origins,
            private: decision.private.clone(),
            credentials: description.credentials.clone(),
            rates,
            files: if description.files { decision.files.clone() } else { None },
            proxy: decision.proxy.clone(),
        }
    }

    /// Rates in force.
    #[must_use]
    pub fn rates(&self) -> &[Rate] {
        &self.rates
    }

    /// Judges method and URL, and the address where the host is a literal: the HTTP client resolves no literal, so no
    /// resolver would see it. Returns the origin.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self, method: &str, url: &Url) -> Result<GrantedOrigin, Denial> {
        if !matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") {
            return Err(Denial::Method { method: method.to_owned() });
        }
        let origin = GrantedOrigin::of(url)
            .ok_or_else(|| Denial::NotHttp { url: url.as_str().split('?').next().unwrap_or_default().to_owned() })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Denial::UserInfo { host: origin.host });
        }
        if !self.origins.iter().flatten().any(|granted| granted.covers(url)) {
            return Err(Denial::Origin { origin: origin.to_string() });
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(&origin.host, IpAddr::V4(address), origin.port)?,
            Some(Host::Ipv6(address)) => self.check_address(&origin.host, IpAddr::V6(address), origin.port)?,
            _ => {}
        }
        Ok(origin)
    }

    /// Judges an address that a host led to.
    ///
    /// # Errors
    /// The address is not public and no exception names host, range and port.
    pub fn check_address(&self, host: &str, address: IpAddr, port: u16) -> Result<(), Denial> {
        let class = address::classify(address);
        if class == AddressClass::Public {
            return Ok(());
        }
        let mut of_host = self.private.iter().filter(|e| e.host == host && e.range.contains(address)).peekable();
        if of_host.peek().is_none() {
            let bits = address::host_bits(address);
            return Err(Denial::Address { host: host.to_owned(), address, class, bits, port });
        }
        if of_host.any(|exception| exception.port == port) {
            Ok(())
        } else {
            Err(Denial::Port { host: host.to_owned(), port })
        }
    }

    /// Whether some port of the host may lead to the address. The resolver knows no port; [`Self::check_port`] has
    /// been asked before it runs.
    #[must_use]
    pub fn may_resolve_to(&self, host: &str, address: IpAddr) -> bool {
        address::classify(address) == AddressClass::Public
            || self.private.iter().any(|e| e.host == host && e.range.contains(address))
    }

    /// A host with a private exception is reached only at the ports that were named with it: else a name that may lead
    /// into the private network would do so at every port.
    ///
    /// # Errors
    /// The port is not among them.
    pub fn check_port(&self, host: &str, port: u16) -> Result<(), Denial> {
        let mut of_host = self.private.iter().filter(|exception| exception.host == host).peekable();
        if of_host.peek().is_none() || of_host.any(|exception| exception.port == port) {
            Ok(())
        } else {
            Err(Denial::Port { host: host.to_owned(), port })
        }
    }

    /// The declared credential.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn credential(&self, name: &str) -> Result<&Credential, Denial> {
        self.credentials
            .iter()
            .find(|credential| credential.name == name)
            .ok_or_else(|| Denial::UnknownCredential { name: name.to_owned() })
    }

    /// Whether the credential may go where the URL goes.
    ///
    /// # Errors
    /// It is bound to other origins.
    pub fn check_credential(&self, credential: &Credential, url: &Url) -> Result<(), Denial> {
        let bound = credential.origins.iter().filter_map(|index| self.origins.get(*index as usize)?.as_ref());
        if bound.into_iter().any(|origin| origin.covers(url)) {
            return Ok(());
        }
        let origin = GrantedOrigin::of(url).map_or_else(|| host_of(url).unwrap_or_default(), |o| o.to_string());
        Err(Denial::CredentialOrigin { name: credential.name.clone(), origin })
    }
}

#[cfg(test)]
mod tests;
