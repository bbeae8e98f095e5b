//! Origins: scheme, host and port that requests may go to.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::model::description;

/// A place requests may go to, with settings filled in. `host` is a name in its ASCII form, or `*.` and a name for
/// everything below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GrantedOrigin {
    /// `http` or `https`.
    pub scheme: String,
    /// Lower case, no trailing dot.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl GrantedOrigin {
    /// Whether the URL goes there. The URL has been checked to be http or https with a host.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        let Some(host) = host_of(url) else { return false };
        let host_fits = match self.host.strip_prefix("*.") {
            Some(base) => host.strip_suffix(base).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => host == self.host,
        };
        host_fits && url.scheme() == self.scheme && url.port_or_known_default() == Some(self.port)
    }

    /// The origin of a URL.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self { scheme: url.scheme().to_owned(), host: host_of(url)?, port: url.port_or_known_default()? })
    }

    /// What a declared origin means with these settings.
    ///
    /// # Errors
    /// When the setting is missing or no URL, or the declared host is no name.
    pub fn resolve(declared: &description::Origin, settings: &Value) -> Result<Self, InvalidOrigin> {
        if let Some(setting) = declared.host.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let invalid = |found: String| InvalidOrigin::Setting { setting: setting.to_owned(), found };
            let text = settings.get(setting).and_then(Value::as_str).ok_or_else(|| invalid("nothing".into()))?;
            let url = Url::parse(text).map_err(|_| invalid(format!("`{text}`")))?;
            return Self::of(&url).ok_or_else(|| invalid(format!("`{text}`")));
        }
        let (wildcard, name) = match declared.host.strip_prefix("*.") {
            Some(name) => ("*.", name),
            None => ("", declared.host.as_str()),
        };
        let port = declared.port.map_or_else(String::new, |port| format!(":{port}"));
        let invalid = || InvalidOrigin::Declared { text: format!("{}://{}{port}", declared.scheme, declared.host) };
        let url = Url::parse(&format!("{}://{name}{port}/", declared.scheme)).map_err(|_| invalid())?;
        // A wildcard needs at least two labels below it: `*.com` would be half the network.
        if name.contains('*') || (!wildcard.is_empty() && !name.trim_end_matches('.').contains('.')) {
            return Err(invalid());
        }
        let mut origin = Self::of(&url).ok_or_else(invalid)?;
        origin.host.insert_str(0, wildcard);
        Ok(origin)
    }
}

/// Host of a URL as it is compared: the `url` crate has lower-cased it and applied IDNA; a trailing dot is dropped.
#[must_use]
pub fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty()).then(|| host.to_owned())
}

impl fmt::Display for GrantedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = if self.scheme == "https" { 443 } else { 80 };
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == default { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl From<GrantedOrigin> for String {
    fn from(origin: GrantedOrigin) -> Self {
        origin.to_string()
    }
}

impl TryFrom<String> for GrantedOrigin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        text.parse()
    }
}

impl std::str::FromStr for GrantedOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin::Declared { text: text.to_owned() };
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        let rest = rest.trim_end_matches('/');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().map_err(|_| invalid())?)),
            _ => (rest, None),
        };
        let declared = description::Origin { scheme: scheme.to_lowercase(), host: host.to_owned(), port, why: vec![] };
        if host.starts_with('{') {
            return Err(invalid());
        }
        Self::resolve(&declared, &Value::Null)
    }
}

/// Text or declaration that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// The setting that names the host does not.
    #[error("the setting `{setting}` must be an http or https address, found {found}")]
    Setting {
        /// Name of the setting.
        setting: String,
        /// What is there.
        found: String,
    },
    /// Not scheme, host and port.
    #[error("`{text}` is no origin; write it like `https://shop.example` or `https://*.shop.example:8443`")]
    Declared {
        /// As given.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn covers(origin: &str, url: &str) -> bool {
        origin.parse::<GrantedOrigin>().unwrap().covers(&Url::parse(url).unwrap())
    }

    #[test]
    fn coverage() {
        for (origin, url, expected) in [
            ("https://shop.example", "https://shop.example/a?b", true),
            ("https://shop.example", "https://SHOP.example./a", true),
            ("https://shop.example", "http://shop.example/", false),
            ("https://shop.example", "https://shop.example:8443/", false),
            ("https://shop.example", "https://shop.example.evil.test/", false),
            ("https://shop.example", "https://evilshop.example/", false),
            ("https://*.shop.example", "https://a.b.shop.example/", true),
            ("https://*.shop.example", "https://shop.example/", false),
            ("https://*.shop.example", "https://evilshop.example/", false),
            ("https://bücher.example", "https://xn--bcher-kva.example/", true),
            ("http://127.0.0.1:3101", "http://2130706433:3101/", true),
            ("http://127.0.0.1:3101", "http://0x7f.1:3101/", true),
            ("http://[::1]:80", "http://[::1]/", true),
        ] {
            assert_eq!(covers(origin, url), expected, "{origin} {url}");
        }
    }

    #[test]
    fn settings_name_hosts() {
        let declared =
            description::Origin { scheme: "https".into(), host: "{url}".into(), port: None, why: Vec::new() };
        let origin = GrantedOrigin::resolve(&declared, &json!({"url": "http://Shop.example:8080/admin"})).unwrap();
        assert_eq!(origin.to_string(), "http://shop.example:8080");
        for settings in [json!({}), json!({"url": "shop.example"}), json!({"url": "file:///etc/passwd"})] {
            assert!(GrantedOrigin::resolve(&declared, &settings).is_err(), "{settings}");
        }
    }

    #[test]
    fn wide_wildcards_are_refused() {
        for text in ["https://*.com", "https://*", "ftp://shop.example", "shop.example", "https://{url}"] {
            assert!(text.parse::<GrantedOrigin>().is_err(), "{text}");
        }
    }
}
