//! `tradepost platform`.

mod apply;
mod change;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::failure::Failure;
use super::output::{Output, counts, items, text};
use super::{Context, Exit, follow, parse_time};
use change::ChangeArgs;

/// Between two looks at what runs during first contact.
const LOOK: Duration = Duration::from_millis(700);

#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  tradepost platform add shop org.tradepost.woocommerce --set url=https://shop.example --grant-all
  tradepost platform set shop --secret api/username --secret api/password     (values are asked for)
  tradepost platform test shop
  tradepost platform onboard shop          reads everything, links it, writes nothing
  tradepost platform live shop --orders-from 2026-05-01")]
pub(super) enum Command {
    /// All platforms, their state and what they still need
    List,
    /// Name a platform and the connector that serves it
    Add {
        /// Permanent short name: 1 to 16 of a-z, 0-9 and -
        code: String,
        /// Id of the connector (`tradepost plugin list`)
        connector: String,
        #[command(flatten)]
        change: Box<ChangeArgs>,
    },
    /// A platform with its settings, missing secrets and grants, streams and policy
    Show {
        /// Platform
        code: String,
    },
    /// Change settings, secrets, grants and rules; all of it or nothing
    Set {
        /// Platform
        code: String,
        /// Serve it with this connector from now on
        #[arg(long, value_name = "ID")]
        connector: Option<String>,
        #[command(flatten)]
        change: Box<ChangeArgs>,
    },
    /// Ask the platform whom the credentials reach
    Test {
        /// Platform
        code: String,
    },
    /// First contact: read everything, link it, show what was found; writes nothing to the platform
    Onboard {
        /// Platform
        code: String,
        /// Go live at once if no question is open
        #[arg(long)]
        live: bool,
        /// With --live: orders placed before go nowhere (default: now)
        #[arg(long, value_name = "DATE", value_parser = parse_time, requires = "live")]
        orders_from: Option<Timestamp>,
    },
    /// What first contact found, and what going live would do
    Review {
        /// Platform
        code: String,
    },
    /// Put a reviewed platform to work
    Live {
        /// Platform
        code: String,
        /// Orders placed before go nowhere (default: now)
        #[arg(long, value_name = "DATE", value_parser = parse_time)]
        orders_from: Option<Timestamp>,
    },
    /// Nothing runs on the platform until it is resumed
    Pause {
        /// Platform
        code: String,
        /// Reason, shown wherever somebody wonders
        #[arg(long, default_value = "")]
        why: String,
    },
    /// Put a paused or recovering platform back to work
    Resume {
        /// Platform
        code: String,
    },
    /// Take a platform away: its history stays, its secrets do not
    Remove {
        /// Platform
        code: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Bring platforms to what a TOML or JSON file says; makes what is missing
    #[command(after_help = apply::HELP)]
    Apply {
        /// File; paths in it count from its folder
        file: PathBuf,
    },
}

pub(super) async fn run(context: Context, command: Command) -> Result<Exit, Failure> {
    let (client, out) = (context.client()?, context.out);
    match command {
        Command::List => list(&client, out).await,
        Command::Add { code, connector, change } => {
            let mut shown = client.post("/platforms", &json!({ "code": code, "connector": connector })).await?;
            let body = change.body(&shown)?;
            if !body.as_object().is_none_or(serde_json::Map::is_empty) {
                shown = client.patch(&at(&code), &body).await.map_err(|failure| {
                    let title = format!("`{code}` was added, but not set up: {}", failure.title);
                    Failure { title, ..failure }
                })?;
            }
            out.value(&shown);
            out.line(format!("Platform `{code}` was added."));
            show::needs(out, &shown);
            Ok(Exit::Done)
        }
        Command::Show { code } => {
            let shown = client.get(&at(&code)).await?;
            out.value(&shown);
            show::detail(out, &shown);
            Ok(Exit::Done)
        }
        Command::Set { code, connector, change } => {
            let before = client.get(&at(&code)).await?;
            let mut body = change.body(&before)?;
            if let Some(connector) = connector {
                body["connector"] = connector.into();
            }
            if body.as_object().is_none_or(serde_json::Map::is_empty) {
                return Err(Failure::usage("nothing is to be changed; see `tradepost platform set --help`"));
            }
            let shown = client.patch(&at(&code), &body).await?;
            out.value(&shown);
            out.line(format!("Platform `{code}` was changed."));
            show::needs(out, &shown);
            Ok(Exit::Done)
        }
        Command::Test { code } => {
            let account = client.post(&format!("{}/test", at(&code)), &json!({})).await?;
            out.value(&account);
            show::account(out, &code, &account);
            Ok(Exit::Done)
        }
        Command::Onboard { code, live, orders_from } => onboard(&client, out, &code, live, orders_from).await,
        Command::Review { code } => {
            let review = client.get(&format!("{}/review", at(&code))).await?;
            out.value(&review);
            Ok(show::review(out, &review))
        }
        Command::Live { code, orders_from } => {
            let shown = go_live(&client, &code, orders_from).await?;
            out.value(&shown);
            live_said(out, &code);
            Ok(Exit::Done)
        }
        Command::Pause { code, why } => {
            let shown = client.post(&format!("{}/pause", at(&code)), &json!({ "why": why })).await?;
            out.value(&shown);
            out.line(format!("Platform `{code}` is paused."));
            Ok(Exit::Done)
        }
        Command::Resume { code } => {
            let shown = client.post(&format!("{}/resume", at(&code)), &json!({})).await?;
            out.value(&shown);
            out.line(format!("Platform `{code}` is {}.", text(&shown, "state")));
            Ok(Exit::Done)
        }
        Command::Remove { code, yes } => {
            if !yes {
                return Err(Failure::usage(format!(
                    "removing `{code}` forgets its secrets and actions for good; say `tradepost platform remove {code} --yes`"
                )));
            }
            let removed = client.delete(&at(&code)).await?;
            out.value(&removed);
            out.line(format!("Platform `{code}` was removed; its history stays."));
            Ok(Exit::Done)
        }
        Command::Apply { file } => apply::run(&client, out, &file).await,
    }
}

fn at(code: &str) -> String {
    format!("/platforms/{}", segment(code))
}

async fn list(client: &Client, out: Output) -> Result<Exit, Failure> {
    let platforms = client.get("/platforms").await?;
    out.value(&platforms);
    let rows = items(&platforms, "")
        .iter()
        .map(|platform| {
            let version = text(platform, "version");
            let connector = text(platform, "connector");
            vec![
                text(platform, "code"),
                text(platform, "name"),
                if version.is_empty() { format!("{connector} (missing)") } else { format!("{connector} {version}") },
                text(platform, "state"),
                text(platform, "environment"),
                match items(platform, "needs").len() {
                    0 => text(platform, "reason"),
                    1 => text(platform, "/needs/0"),
                    more => format!("{more} things, see `platform show`"),
                },
            ]
        })
        .collect();
    out.table(
        &["platform", "name", "connector", "state", "account", "needs"],
        rows,
        "No platforms yet: tradepost platform add CODE CONNECTOR",
    );
    Ok(Exit::Done)
}

async fn onboard(
    client: &Client,
    out: Output,
    code: &str,
    live: bool,
    orders_from: Option<Timestamp>,
) -> Result<Exit, Failure> {
    let path = format!("{}/onboard", at(code));
    let body = json!({});
    let asking = client.post(&path, &body);
    tokio::pin!(asking);
    let review = loop {
        tokio::select! {
            review = &mut asking => break review?,
            () = tokio::time::sleep(LOOK) => {
                let query = [("platform", code.to_owned()), ("limit", "1".to_owned())];
                if let Ok(runs) = client.query("/runs", &query).await
                    && let Some(run) = items(&runs, "").first()
                {
                    out.progress(&format!("{} {}", follow::summary(run), counts(run)));
                }
            }
        }
    };
    out.progress("");
    let exit = show::review(out, &review);
    if !live {
        out.value(&review);
        out.line(format!("Nothing was written there. Put it to work with `tradepost platform live {code}`."));
        return Ok(exit);
    }
    if exit != Exit::Done {
        out.value(&review);
        out.line(format!(
            "Questions are open, so it is not live: `tradepost attention list`, then `tradepost platform live {code}`."
        ));
        return Ok(Exit::Waits);
    }
    let shown = go_live(client, code, orders_from).await?;
    out.value(&json!({ "review": review, "platform": shown }));
    live_said(out, code);
    Ok(Exit::Done)
}

async fn go_live(client: &Client, code: &str, orders_from: Option<Timestamp>) -> Result<Value, Failure> {
    let body = match orders_from {
        Some(from) => json!({ "orders-from": from }),
        None => json!({}),
    };
    client.post(&format!("{}/live", at(code)), &body).await
}

fn live_said(out: Output, code: &str) {
    out.line(format!(
        "Platform `{code}` is live. `tradepost action list {code}` shows its actions; they run by themselves while \
         `tradepost automatic on`, else with `tradepost action run {code} --all`."
    ));
}
