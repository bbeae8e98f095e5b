//! Places credentials on requests and keeps log-in sessions; the connector sees neither secret nor token.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Failure, PlatformHttp};
use crate::capability::{Denial, Secret};
use crate::model::RemoteError;
use crate::model::description::{Credential, Scheme};

/// Life of a token whose platform states none.
const TOKEN_LIFE: Duration = Duration::from_secs(20 * 60);
/// A token is renewed this long before its end.
const MARGIN: Duration = Duration::from_secs(30);
/// Most bytes of a log-in answer.
const LOGIN_ANSWER: usize = 1 << 20;

/// Secret values and the tokens that log-ins gave for them.
pub(super) struct Credentials {
    settings: Value,
    secrets: BTreeMap<String, Secret>,
    tokens: Mutex<HashMap<String, Token>>,
}

struct Token {
    value: Secret,
    until: Instant,
}

/// How a log-in request is sent.
pub(super) struct Login<'a> {
    pub(super) http: &'a PlatformHttp,
    pub(super) deadline: Instant,
}

impl Credentials {
    pub(super) fn new(settings: Value, secrets: BTreeMap<String, Secret>) -> Self {
        Self { settings, secrets, tokens: Mutex::default() }
    }

    /// Puts the credential where its scheme says. The origin has been checked.
    pub(super) async fn place(
        &self,
        credential: &Credential,
        url: &mut Url,
        headers: &mut HeaderMap,
        login: &Login<'_>,
    ) -> Result<(), Failure> {
        if !credential.required && !self.entered(credential) {
            return Ok(());
        }
        match &credential.scheme {
            Scheme::Bearer => {
                let token = self.secret(credential, "token")?;
                set(headers, AUTHORIZATION, &format!("Bearer {}", token.expose()))
            }
            Scheme::Basic => {
                let pair = self.pair(credential, "username", "password")?;
                login.http.masker.add(&Secret::new(pair.clone()));
                set(headers, AUTHORIZATION, &format!("Basic {}", STANDARD.encode(pair)))
            }
            Scheme::Header(name) => set(headers, header(name)?, self.secret(credential, "value")?.expose()),
            Scheme::Query(name) => {
                url.query_pairs_mut().append_pair(name, self.secret(credential, "value")?.expose());
                Ok(())
            }
            Scheme::OauthClient { .. } => {
                let token = self.token(credential, login).await?;
                set(headers, AUTHORIZATION, &format!("Bearer {}", token.expose()))
            }
            Scheme::Session { header: name, prefix, .. } => {
                let token = self.token(credential, login).await?;
                set(headers, header(name)?, &format!("{prefix}{}", token.expose()))
            }
        }
    }

    /// Drops the token of a log-in; `false` when the scheme has none.
    pub(super) async fn forget(&self, credential: &Credential) -> bool {
        let logs_in = matches!(credential.scheme, Scheme::OauthClient { .. } | Scheme::Session { .. });
        logs_in && self.tokens.lock().await.remove(&credential.name).is_some()
    }

    fn entered(&self, credential: &Credential) -> bool {
        credential
            .scheme
            .fields()
            .iter()
            .all(|field| self.secrets.contains_key(&format!("{}/{field}", credential.name)))
    }

    fn secret(&self, credential: &Credential, field: &str) -> Result<&Secret, Denial> {
        let name = &credential.name;
        self.secrets
            .get(&format!("{name}/{field}"))
            .ok_or_else(|| Denial::SecretMissing { name: name.clone(), field: field.to_owned() })
    }

    fn pair(&self, credential: &Credential, user: &str, password: &str) -> Result<String, Denial> {
        Ok(format!("{}:{}", self.secret(credential, user)?.expose(), self.secret(credential, password)?.expose()))
    }

    /// The token of a log-in, logging in when there is none. The lock is held meanwhile: one log-in serves all.
    async fn token(&self, credential: &Credential, login: &Login<'_>) -> Result<Secret, Failure> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(&credential.name).filter(|token| token.until > Instant::now()) {
            return Ok(token.value.clone());
        }
        let (value, life) = match &credential.scheme {
            // A tape holds no log-ins: what they answer is secret.
            _ if login.http.wire.is_some() => ("no token is needed for a tape".to_owned(), None),
            Scheme::OauthClient { token_url, scopes, client_in_header } => {
                self.client_token(credential, token_url, scopes, *client_in_header, login).await?
            }
            scheme => self.session_token(credential, scheme, login).await?,
        };
        let value = Secret::new(value);
        login.http.masker.add(&value);
        let life = life.unwrap_or(TOKEN_LIFE);
        let until = Instant::now() + life.saturating_sub(MARGIN).max(life / 2);
        tokens.insert(credential.name.clone(), Token { value: value.clone(), until });
        Ok(value)
    }

    async fn client_token(
        &self,
        credential: &Credential,
        token_url: &str,
        scopes: &[String],
        client_in_header: bool,
        login: &Login<'_>,
    ) -> Result<(String, Option<Duration>), Failure> {
        let url = self.address(token_url)?;
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        if !scopes.is_empty() {
            form.push(("scope", scopes.join(" ")));
        }
        let mut headers = HeaderMap::new();
        if client_in_header {
            let pair = self.pair(credential, "client-id", "client-secret")?;
            set(&mut headers, AUTHORIZATION, &format!("Basic {}", STANDARD.encode(pair)))?;
        } else {
            form.push(("client_id", self.secret(credential, "client-id")?.expose().to_owned()));
            form.push(("client_secret", self.secret(credential, "client-secret")?.expose().to_owned()));
        }
        let request = login.http.client.post(url.clone()).headers(headers).form(&form);
        let (_, body) = login.exchange(credential, &url, request).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let token =
            answer["access_token"].as_str().ok_or_else(|| refused(credential, "no access token in the answer"))?;
        let life = answer["expires_in"].as_u64().map(Duration::from_secs);
        Ok((token.to_owned(), life))
    }

    async fn session_token(
        &self,
        credential: &Credential,
        scheme: &Scheme,
        login: &Login<'_>,
    ) -> Result<(String, Option<Duration>), Failure> {
        let Scheme::Session { method, url, body, media_type, token_at, seconds, .. } = scheme else {
            return Err(refused(credential, "its scheme has no log-in").into());
        };
        let url = self.address(url)?;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| Denial::Method { method: method.clone() })?;
        let username = escape(self.secret(credential, "username")?.expose(), media_type);
        let password = escape(self.secret(credential, "password")?.expose(), media_type);
        let body = fill(body, &[("username", &username), ("password", &password)]);
        let request = login.http.client.request(method, url.clone()).header("content-type", media_type).body(body);
        let (headers, body) = login.exchange(credential, &url, request).await?;
        let token = token_from(token_at, &headers, &body).filter(|token| !token.is_empty());
        let token =
            token.ok_or_else(|| refused(credential, "the platform gave no token; check user name and password"))?;
        Ok((token, seconds.map(|seconds| Duration::from_secs(seconds.into()))))
    }

    /// An address with `{setting}`s filled in.
    fn address(&self, template: &str) -> Result<Url, Failure> {
        let values: Vec<(&str, String)> = self
            .settings
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?.trim_end_matches('/').to_owned())))
            .collect();
        let pairs: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = fill(template, &pairs);
        Url::parse(&text).map_err(|_| Denial::NotHttp { url: text }.into())
    }
}

impl Login<'_> {
    /// Sends a log-in request under the same rules as any other, without redirects.
    async fn exchange(
        &self,
        credential: &Credential,
        url: &Url,
        request: reqwest::RequestBuilder,
    ) -> Result<(HeaderMap, Vec<u8>), Failure> {
        let origin = self.http.grants.check("POST", url)?;
        self.http.grants.check_credential(credential, url)?;
        self.http.grants.check_port(&origin.host, origin.port)?;
        // Whatever went wrong, the connector's own request was not sent.
        let unavailable = |words: String| Failure::Connect(format!("log-in at {origin}: {words}"));
        let mut response = match self.http.transmit(request, &origin, self.deadline).await {
            Err(Failure::Remote(error)) => return Err(unavailable(error.to_string())),
            other => other?,
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        loop {
            let chunk = timeout_at(self.deadline, response.chunk())
                .await
                .map_err(|_| unavailable("the answer did not end in time".into()))?
                .map_err(|error| unavailable(error.to_string()))?;
            let Some(chunk) = chunk else { break };
            if body.len() + chunk.len() > LOGIN_ANSWER {
                return Err(unavailable("the answer is too long".into()));
            }
            body.extend_from_slice(&chunk);
        }
        match status.as_u16() {
            200..=299 => Ok((headers, body)),
            429 => Err(RemoteError::Throttled(60).into()),
            500.. => Err(unavailable(format!("HTTP {status}"))),
            _ => Err(refused(credential, &format!("HTTP {status}")).into()),
        }
    }
}

fn refused(credential: &Credential, why: &str) -> RemoteError {
    RemoteError::Auth(format!("the log-in for `{}` was refused: {why}", credential.name))
}

fn header(name: &str) -> Result<HeaderName, Denial> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Denial::Header { name: name.to_owned() })
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        RemoteError::Denied(
            "a secret has characters that no header can carry; enter it again without line breaks".into(),
        )
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Replaces `{name}`; what is not among the values stays as it is.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let value = rest.find('}').and_then(|close| {
            let name = &rest[1..close];
            values.iter().find(|(key, _)| *key == name).map(|(_, value)| (close, value))
        });
        match value {
            Some((close, value)) => {
                out.push_str(value);
                rest = &rest[close + 1..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Makes a value safe inside a body of this media type.
fn escape(value: &str, media_type: &str) -> String {
    if media_type.contains("json") {
        let quoted = Value::String(value.to_owned()).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    } else if media_type.contains("x-www-form-urlencoded") {
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
    } else if media_type.contains("xml") {
        let mut out = String::with_capacity(value.len());
        for c in value.chars() {
            match c {
                '<' | '>' | '&' | '"' | '\'' => drop(write!(out, "&#{};", u32::from(c))),
                c => out.push(c),
            }
        }
        out
    } else {
        value.to_owned()
    }
}

/// Takes the token out of a log-in answer.
fn token_from(place: &str, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if let Some(name) = place.strip_prefix("header:") {
        return headers.get(name)?.to_str().ok().map(str::to_owned);
    }
    if let Some(name) = place.strip_prefix("cookie:") {
        return headers.get_all("set-cookie").iter().find_map(|cookie| {
            let (key, value) = cookie.to_str().ok()?.split(';').next()?.split_once('=')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        });
    }
    let answer: Value = serde_json::from_slice(body).ok()?;
    match answer.pointer(place)? {
        Value::String(token) => Some(token.clone()),
        Value::Number(token) => Some(token.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_for_their_body() {
        assert_eq!(escape("a\"b\\", "application/json"), "a\\\"b\\\\");
        assert_eq!(escape("a&b=c", "application/x-www-form-urlencoded"), "a%26b%3Dc");
        assert_eq!(escape("<a&'", "text/xml"), "&#60;a&#38;&#39;");
    }

    #[test]
    fn only_named_values_are_filled_in() {
        assert_eq!(
            fill(r#"{"q": "{ me }", "p": "{password}"}"#, &[("password", "x{y}")]),
            r#"{"q": "{ me }", "p": "x{y}"}"#
        );
    }

    #[test]
    fn tokens_are_found() {
        let mut headers = HeaderMap::new();
        headers.insert("vendure-auth-token", HeaderValue::from_static("t1"));
        headers.append("set-cookie", HeaderValue::from_static("sid=t2; Path=/"));
        let body = br#"{"data": {"token": "t3"}}"#;
        assert_eq!(token_from("header:vendure-auth-token", &headers, body).as_deref(), Some("t1"));
        assert_eq!(token_from("cookie:sid", &headers, body).as_deref(), Some("t2"));
        assert_eq!(token_from("/data/token", &headers, body).as_deref(), Some("t3"));
        assert_eq!(token_from("/data", &headers, body), None);
    }
}
