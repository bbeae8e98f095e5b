//! The operator: every call of the `tradepost` command line that the scenario makes, and nothing else.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{build::Build, process, setup::Platform};

/// A running `tradepost serve` and the command line that talks to it.
#[derive(Debug)]
pub struct Operator {
    program: PathBuf,
    folder: PathBuf,
    listen: String,
    service: tokio::process::Child,
}

/// One run as it ended.
#[derive(Debug, Clone)]
pub struct Run {
    id: Value,
    pub platform: String,
    pub action: String,
    pub state: String,
    pub detail: String,
}

/// Longest time that a single run, or the start, may take: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(300);

impl Operator {
    /// Starts the service on an empty data folder with the built connectors in its plugins folder.
    pub async fn start(build: &Build, folder: &Path) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        build.install(&folder.join("plugins"))?;
        let log = std::fs::File::create(folder.join("serve.log"))?;
        let listen = format!("127.0.0.1:{}", process::free_port()?);
        let mut serve = command(&build.program, &folder, &listen);
        serve.arg("serve");
        let mut serve = tokio::process::Command::from(serve);
        let service = serve
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the service")?;
        let mut operator = Self { program: build.program.clone(), folder, listen, service };
        operator.wait_until_ready().await?;
        Ok(operator)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let begin = Instant::now();
        loop {
            let failure = match self.call(&["plugin", "list"]).await {
                Ok(_) => return Ok(()),
                Err(failure) => failure,
            };
            if let Some(status) = self.service.try_wait()? {
                bail!("the service ended with {status}: {}", self.log());
            }
            if begin.elapsed() > PATIENCE {
                return Err(failure.context(format!("the service did not answer within {} s", PATIENCE.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Sets a platform up and allows what it asks for.
    pub async fn add(&self, platform: &Platform) -> Result<()> {
        let file = self.folder.join(format!("{}.json", platform.code));
        std::fs::write(&file, json!({ "platform": [platform.document] }).to_string())?;
        self.call(&["platform", "apply", &file.display().to_string()]).await?;
        Ok(())
    }

    /// What the platform says of itself.
    pub async fn test(&self, code: &str) -> Result<String> {
        Ok(self.call(&["platform", "test", code]).await?.to_string())
    }

    /// First contact, first half: reads both sides and pairs what belongs together.
    pub async fn match_up(&self, code: &str) -> Result<()> {
        self.call(&["platform", "onboard", code]).await?;
        Ok(())
    }

    /// What matching found.
    pub async fn review(&self, code: &str) -> Result<Value> {
        self.call(&["platform", "review", code]).await
    }

    /// First contact, second half: the review is answered as the platform's policy says.
    pub async fn go_live(&self, code: &str) -> Result<()> {
        self.call(&["platform", "live", code]).await?;
        Ok(())
    }

    /// Runs every action once, readers before writers, and waits for each. What a guard holds is looked at and released.
    pub async fn cycle(&self) -> Result<Vec<Run>> {
        let actions = self.call(&["action", "list"]).await?;
        let mut actions = actions.as_array().context("`action list` gave no list")?.clone();
        actions.retain(|action| action["enabled"] == true);
        actions.sort_by_key(|action| turn(text(action, "direction"), text(action, "platform"), text(action, "kind")));
        let mut runs = Vec::new();
        for action in &actions {
            let name = [text(action, "platform"), text(action, "direction"), text(action, "kind")];
            let mut run = self.run(name).await?;
            if run.state == "held" {
                runs.push(Run { state: "done".to_owned(), ..run.clone() });
                self.release(&run).await?;
                run = self.run(name).await?;
            }
            for _ in 0..3 {
                // The stock fence: the host has queued that reading, and this run comes behind it.
                if run.state != "failed" || !run.detail.contains("orders have to be read first") {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(2)).await;
                run = self.run(name).await?;
            }
            runs.push(run);
        }
        Ok(runs)
    }

    async fn run(&self, [platform, direction, kind]: [&str; 3]) -> Result<Run> {
        let shown = self.call(&["action", "run", platform, direction, kind]).await?;
        let state = text(&shown, "state").to_owned();
        let mut detail = format!("{} {}", shown["counts"], text(&shown, "message"));
        if state != "done" {
            let journal = self.call(&["run", "show", &shown["id"].to_string()]).await?;
            detail.push_str(&journal["lines"].to_string());
        }
        Ok(Run {
            id: shown["id"].clone(),
            platform: platform.to_owned(),
            action: format!("{direction} {kind}"),
            state,
            detail,
        })
    }

    /// Confirms the plan a run was held for.
    async fn release(&self, run: &Run) -> Result<()> {
        let open = self.attention().await?;
        let question = open
            .as_array()
            .and_then(|list| list.iter().find(|question| question["run"] == run.id))
            .with_context(|| format!("run {} is held and nobody is asked", run.id))?;
        eprintln!("  held: {}", text(question, "title"));
        self.call(&["attention", "answer", &question["id"].to_string(), "release"]).await?;
        Ok(())
    }

    /// Everything the hub knows of a shop's order.
    pub async fn history_of_order(&self, code: &str) -> Result<Value> {
        let found = self.call(&["record", "find", code, "--kind", "order"]).await?;
        let record = found[0]["id"].as_i64().with_context(|| format!("no record of order {code}"))?.to_string();
        self.call(&["record", "history", &record]).await
    }

    /// What waits for a person.
    pub async fn attention(&self) -> Result<Value> {
        self.call(&["attention", "list"]).await
    }

    /// Stops the service as an operator does; it may take 10 s.
    pub async fn stop(mut self) -> Result<()> {
        process::stop(&mut self.service, Duration::from_secs(15)).await
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("serve.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    async fn call(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = command(&self.program, &self.folder, &self.listen);
        command.arg("--json").args(arguments).stdin(Stdio::null());
        let output = tokio::time::timeout(PATIENCE, tokio::process::Command::from(command).kill_on_drop(true).output())
            .await
            .with_context(|| format!("`{}` took more than {} s", arguments.join(" "), PATIENCE.as_secs()))??;
        let (said, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // 3 and 4 mean that the answer has something a person has to look at, 1 with a state that a run ended badly: the caller
        // looks at that.
        let has_state = serde_json::from_str::<Value>(&said).is_ok_and(|answer| answer["state"].is_string());
        if !matches!(output.status.code(), Some(0 | 3 | 4)) && !has_state {
            bail!("`{}` ended with {}: {said}{words}", arguments.join(" "), output.status);
        }
        if said.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&said).with_context(|| format!("`{}` gave no JSON: {said}", arguments.join(" ")))
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The program on our folders; what the caller's environment says of other folders does not reach it.
fn command(program: &Path, folder: &Path, listen: &str) -> Command {
    let mut command = Command::new(program);
    command.env_remove("TRADEPOST_CONFIG").env_remove("TRADEPOST_LOG");
    command
        .current_dir(folder)
        .env("TRADEPOST_DATA", folder.join("data"))
        .env("TRADEPOST_PLUGINS", folder.join("plugins"))
        .env("TRADEPOST_LISTEN", listen);
    command
}

/// Readers before writers; within them what others depend on first.
fn turn(direction: &str, platform: &str, kind: &str) -> usize {
    let kinds = ["category", "product", "price", "stock", "customer", "order", "order-event", "shipment"];
    let place = kinds.iter().position(|known| *known == kind).unwrap_or(kinds.len());
    let side = usize::from(platform == "shop");
    (if direction == "pull" { 0 } else { 100 }) + place * 2 + side
}

#[cfg(test)]
mod tests {
    use super::turn;

    #[test]
    fn what_is_read_comes_before_what_is_written() {
        assert!(turn("pull", "shop", "shipment") < turn("push", "erp", "category"));
        assert!(turn("push", "erp", "customer") < turn("push", "erp", "order"));
        assert!(turn("push", "shop", "product") < turn("push", "shop", "stock"));
    }
}
