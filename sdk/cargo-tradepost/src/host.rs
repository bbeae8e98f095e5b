//! A running host that is asked what it makes of a file.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tradepost::service::folder::read_token;

use crate::failure::Hinted;
use crate::output::escape;

/// How long a host may take to take up a file: one of another language than Rust is compiled for a while.
const PATIENCE: Duration = Duration::from_secs(300);

/// The host of a data folder.
pub struct Host {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Host {
    /// Finds the host that runs with a data folder.
    ///
    /// # Errors
    /// None runs.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let not_running = || {
            let shown = data.display();
            let title = format!("no host runs with the data folder {shown}");
            Hinted::new(title, format!("start one with `tradepost serve --data {shown}`, or leave `--data` out"))
        };
        let token = read_token(data).map_err(|_| not_running())?;
        let noted = std::fs::read_to_string(data.join("api")).ok();
        let address: Option<SocketAddr> = noted.and_then(|text| text.trim().parse().ok());
        let address = address.ok_or_else(not_running)?;
        ensure!(address.ip().is_loopback(), "{address} is not a loopback address; the token goes nowhere else");
        // An error means that it is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { http, base: format!("http://{address}/api/v1"), token: token.expose().to_owned() })
    }

    /// What the host makes of the file of this name, once it has looked at the content with this hash.
    ///
    /// # Errors
    /// It does not answer, or never looks.
    pub async fn verdict(&self, file: &str, hash: &str) -> anyhow::Result<Value> {
        let began = Instant::now();
        loop {
            let request = self.http.post(format!("{}/plugins/rescan", self.base)).bearer_auth(&self.token);
            let answer = request.json(&json!({})).send().await.context("the host does not answer any more")?;
            let all: Vec<Value> = answer.error_for_status().context("the host refuses")?.json().await?;
            let found = all.into_iter().find(|plugin| plugin["file"] == file && plugin["hash"] == hash);
            if let Some(found) = found {
                return Ok(found);
            }
            ensure!(began.elapsed() < PATIENCE, "the host has not looked at {file}; is it its plugins folder?");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Whether the host calls this build and no other.
#[must_use]
pub fn serves(verdict: &Value) -> bool {
    verdict["standing"] == "serving"
}

/// A verdict in words.
#[must_use]
pub fn words(verdict: &Value) -> String {
    let text = |name: &str| escape(verdict[name].as_str().unwrap_or_default());
    match verdict["standing"].as_str() {
        Some("serving") => format!("the host serves {} {}", text("connector"), text("version")),
        Some("waiting") => format!("the host waits: {}", text("reason")),
        Some("held") => {
            let wants = verdict["wants"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let wants = wants.map(escape).collect::<Vec<_>>().join("; ");
            let wants = if wants.is_empty() { wants } else { format!(" ({wants})") };
            format!("the host holds it: {}{wants}", text("reason"))
        }
        _ => format!("the host refuses it: {}", text("reason")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_a_sentence() {
        let serving = json!({"standing": "serving", "connector": "org.example.a", "version": "1.0.0"});
        assert_eq!(words(&serving), "the host serves org.example.a 1.0.0");
        let held = json!({"standing": "held", "reason": "approve it", "wants": ["it wants files", "and more"]});
        assert_eq!(words(&held), "the host holds it: approve it (it wants files; and more)");
        let held = json!({"standing": "held", "reason": "approve it", "wants": []});
        assert_eq!(words(&held), "the host holds it: approve it");
        let waiting = json!({"standing": "waiting", "reason": "it waits for its signature", "wants": []});
        assert_eq!(words(&waiting), "the host waits: it waits for its signature");
        assert!(serves(&serving) && !serves(&held) && !serves(&json!({"standing": "refused"})));
    }
}
