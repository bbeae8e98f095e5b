//! Headers of requests: which of the connector's are sent.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::capability::Denial;

/// What headers for the host begin with; see `wit/README.md`.
const OURS: &str = "tradepost-";

/// Headers of the connector, without those that are the host's.
pub(super) fn headers(given: &[(String, String)]) -> Result<HeaderMap, Denial> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let denied = || Denial::Header { name: name.clone() };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| denied())?;
        let owned = matches!(
            name.as_str(),
            "host"
                | "connection"
                | "transfer-encoding"
                | "content-length"
                | "keep-alive"
                | "te"
                | "trailer"
                | "upgrade"
        );
        if owned || name.as_str().starts_with("proxy-") {
            return Err(denied());
        }
        // The doors have taken what they understand. The rest would tell a platform what is meant for the host alone, such
        // as the name of a credential that was not placed.
        if name.as_str().starts_with(OURS) {
            return Err(Denial::HostHeader { name: name.as_str().to_owned() });
        }
        // Left to the client, which undoes what it asks for: sizes are those of the decompressed bytes.
        if name == "accept-encoding" {
            continue;
        }
        headers.append(name.clone(), HeaderValue::from_str(value).map_err(|_| denied())?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_host_is_never_sent() {
        let sent = |name: &str| headers(&[(name.into(), "key".into())]);
        for name in
            ["tradepost-credential", "Tradepost-Credential", "TRADEPOST-RATE", "tradepost-repeat", "tradepost-x"]
        {
            let denial = sent(name).unwrap_err();
            assert!(matches!(&denial, Denial::HostHeader { .. }), "{name}: {denial}");
            let words = denial.to_string();
            assert!(words.contains(&name.to_lowercase()) && words.contains("field `credential`"), "{words}");
        }
        assert_eq!(sent("x-tradepost-credential").unwrap().len(), 1, "it is another one");
    }
}
