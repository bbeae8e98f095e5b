//! A refused use of a power, in words an operator can act on.

use std::net::IpAddr;

/// Why the host refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// Not an absolute http or https URL.
    #[error("`{url}` is no absolute http or https address")]
    NotHttp {
        /// The URL, masked.
        url: String,
    },
    /// `user:password@` in the URL.
    #[error("the address of `{host}` carries a user name or password; name a declared credential instead")]
    UserInfo {
        /// Host of the URL.
        host: String,
    },
    /// The origin is not granted.
    #[error(
        "`{origin}` is not granted to this platform; if the connector needs it, allow it with `tradepost platform set PLATFORM --grant {origin}`"
    )]
    Origin {
        /// Scheme, host and port.
        origin: String,
    },
    /// The method is not one that may be sent.
    #[error("the method `{method}` is not allowed")]
    Method {
        /// As given.
        method: String,
    },
    /// The host owns this header.
    #[error("the header `{name}` is set by the host alone")]
    Header {
        /// As given.
        name: String,
    },
    /// It is for the host, and nobody took it.
    #[error(
        "the header `{name}` is not sent, as all that begin with `tradepost-` are for the host: a request of `http.send` says it in its field `credential`, `rate` or `repeat`, and the SDKs and `wasi:http` know the headers tradepost-credential, tradepost-rate and tradepost-repeat alone"
    )]
    HostHeader {
        /// In lower case.
        name: String,
    },
    /// The address is not on the public network.
    #[error(
        "`{host}` leads to {address}, {class}; if this is meant, allow it with `tradepost platform set PLATFORM --private {host},{address}/{bits},{port}`"
    )]
    Address {
        /// Host of the URL.
        host: String,
        /// What it resolved to.
        address: IpAddr,
        /// Why it is refused.
        class: super::AddressClass,
        /// Prefix length that names just this address.
        bits: u8,
        /// Port of the URL.
        port: u16,
    },
    /// The host has a private exception for other ports only.
    #[error("`{host}` may be reached at the private address only at the ports that were allowed, not at {port}")]
    Port {
        /// Host of the URL.
        host: String,
        /// Port of the URL.
        port: u16,
    },
    /// No such credential was declared.
    #[error("the credential `{name}` is not declared by the connector")]
    UnknownCredential {
        /// As given.
        name: String,
    },
    /// The credential is bound to other origins.
    #[error("the credential `{name}` may not be sent to `{origin}`")]
    CredentialOrigin {
        /// Credential.
        name: String,
        /// Scheme, host and port.
        origin: String,
    },
    /// The operator has not entered the secret.
    #[error(
        "the credential `{name}` has no value for `{field}`; set it with `tradepost platform set PLATFORM --secret {name}/{field}`"
    )]
    SecretMissing {
        /// Credential.
        name: String,
        /// Field of its scheme.
        field: String,
    },
    /// A request that is not a read, in a preview.
    #[error("a preview sends only reads; {method} {url} was not sent")]
    Preview {
        /// Method.
        method: String,
        /// URL, masked.
        url: String,
    },
    /// Too many redirects.
    #[error("more than {limit} redirects from `{host}`")]
    Redirects {
        /// Host of the first URL.
        host: String,
        /// The limit.
        limit: usize,
    },
}
