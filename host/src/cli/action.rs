//! `tradepost action`.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::client::{Client, segment};
use super::failure::Failure;
use super::follow::{self, Lines};
use super::output::{Output, items, plain, text, time};
use super::{Context, Exit, parse_time};
use crate::model::Kind;

#[derive(Debug, Subcommand)]
#[command(
    after_help = "An action is named by platform, direction (pull, push, sweep, settle) and kind (category, product, price, \
stock, customer, order, shipment).

Examples:
  tradepost action run shop pull order           read new orders and wait for the end
  tradepost action run erp --all                 everything of a platform, pulls first
  tradepost action preview shop push product     what would be created and changed, and why
  tradepost action set shop pull order --schedule \"every 2m\"
  tradepost action set erp pull price --schedule \"0 6 * * 1-5\"
  tradepost action run shop pull order --since 2026-04-01    read older orders again"
)]
pub(super) enum Command {
    /// Actions with their start mode and next time
    List {
        /// Of this platform only
        platform: Option<String>,
    },
    /// Add an action
    Add {
        #[command(flatten)]
        key: Key,
        #[command(flatten)]
        change: Change,
    },
    /// Change start mode, schedule or options of an action
    Set {
        #[command(flatten)]
        key: Key,
        #[command(flatten)]
        change: Change,
    },
    /// Take an action away; its runs stay
    Remove {
        #[command(flatten)]
        key: Key,
    },
    /// Let an action run again
    Enable {
        #[command(flatten)]
        key: Key,
    },
    /// Stop an action from running at all
    Disable {
        #[command(flatten)]
        key: Key,
    },
    /// What an action would do, without writing anywhere
    Preview {
        #[command(flatten)]
        key: Key,
    },
    /// Run an action and wait for its end
    Run(RunArgs),
}

/// Names an action.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Key {
    /// Platform
    platform: String,
    /// pull, push, sweep or settle
    #[arg(value_parser = ["pull", "push", "sweep", "settle"])]
    direction: String,
    /// category, product, price, stock, customer, order or shipment
    kind: Kind,
}

#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// When it starts: by hand, by its schedule, or when something changed
    #[arg(long, value_parser = ["manual", "automatic", "event"])]
    start: Option<String>,
    /// `every 5m`, or a cron expression in the platform's time zone; makes it automatic
    #[arg(long)]
    schedule: Option<String>,
    /// Options of the action as a JSON object
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Platform
    platform: String,
    /// pull, push, sweep or settle
    #[arg(value_parser = ["pull", "push", "sweep", "settle"], required_unless_present = "all", requires = "kind")]
    direction: Option<String>,
    /// category, product, price, stock, customer, order or shipment
    kind: Option<Kind>,
    /// All actions of the platform that are on, one after the other: pulls first
    #[arg(long, conflicts_with_all = ["direction", "kind", "full", "since", "id"])]
    all: bool,
    /// Wait for the end (this is what happens anyway)
    #[arg(long, conflicts_with = "no_wait")]
    wait: bool,
    /// Do not wait; `run follow` shows it
    #[arg(long)]
    no_wait: bool,
    /// A pull reads everything from the beginning
    #[arg(long, conflicts_with_all = ["since", "id"])]
    full: bool,
    /// A pull reads what changed since then; where the next pull goes on does not change
    #[arg(long, value_name = "DATE", value_parser = parse_time, conflicts_with = "id")]
    since: Option<Timestamp>,
    /// With --since: up to then
    #[arg(long, value_name = "DATE", value_parser = parse_time, requires = "since")]
    until: Option<Timestamp>,
    /// With --since, for old orders: `known` reads them into the hub only; `done` also hands them on as finished business, once, to every platform that makes orders and can create finished ones (all but cancelled orders from before the cut-over)
    #[arg(long = "as", value_parser = ["known", "done"], requires = "since")]
    backfill: Option<String>,
    /// A pull reads just this object; may be repeated
    #[arg(long, value_name = "REMOTE-ID")]
    id: Vec<String>,
}

pub(super) async fn run(context: Context, command: Command) -> Result<Exit, Failure> {
    let (client, out) = (context.client()?, context.out);
    match command {
        Command::List { platform } => list(&client, out, platform).await,
        Command::Add { key, change } => change.send(&client, out, &key, "new").await,
        Command::Set { key, change } => {
            if change.start.is_none() && change.schedule.is_none() && change.options.is_none() {
                return Err(Failure::usage("nothing is to be changed; give --start, --schedule or --options"));
            }
            change.send(&client, out, &key, "existing").await
        }
        Command::Remove { key } => {
            let removed = client.delete(&key.path()).await?;
            out.value(&removed);
            out.line(format!("The action {key} was removed."));
            Ok(Exit::Done)
        }
        Command::Enable { key } => switch(&client, out, &key, true).await,
        Command::Disable { key } => switch(&client, out, &key, false).await,
        Command::Preview { key } => preview(&client, out, &key).await,
        Command::Run(args) => start(&client, out, args).await,
    }
}

impl Key {
    fn path(&self) -> String {
        format!("/actions/{}/{}/{}", segment(&self.platform), self.direction, self.kind)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.platform, self.direction, self.kind)
    }
}

impl Change {
    async fn send(self, client: &Client, out: Output, key: &Key, which: &str) -> Result<Exit, Failure> {
        let mut body = Map::new();
        body.insert(which.to_owned(), true.into());
        for (name, value) in [("start", self.start), ("schedule", self.schedule)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), value.into());
            }
        }
        if let Some(options) = self.options {
            let options: Map<String, Value> = serde_json::from_str(&options)
                .map_err(|error| Failure::usage(format!("--options is no JSON object: {error}")))?;
            body.insert("options".to_owned(), options.into());
        }
        let action = client.put(&key.path(), &Value::Object(body)).await?;
        out.value(&action);
        let schedule = text(&action, "schedule");
        out.line(format!(
            "{key}: {}{}",
            text(&action, "start"),
            if schedule.is_empty() { schedule } else { format!(", {schedule}") }
        ));
        Ok(Exit::Done)
    }
}

async fn list(client: &Client, out: Output, platform: Option<String>) -> Result<Exit, Failure> {
    let actions = of(client, platform).await?;
    out.value(&Value::Array(actions.clone()));
    let rows = actions
        .iter()
        .map(|action| {
            vec![
                text(action, "platform"),
                text(action, "direction"),
                text(action, "kind"),
                if action["enabled"] == true { text(action, "start") } else { "off".into() },
                text(action, "schedule"),
                text(action, "last-run"),
                time(action, "next-at"),
            ]
        })
        .collect();
    out.table(
        &["platform", "direction", "kind", "starts", "schedule", "last run", "next"],
        rows,
        "No actions yet: a platform gets them when it goes live (`tradepost platform live CODE`).",
    );
    Ok(Exit::Done)
}

async fn of(client: &Client, platform: Option<String>) -> Result<Vec<Value>, Failure> {
    let query: Vec<(&str, String)> = platform.map(|code| ("platform", code)).into_iter().collect();
    let actions = client.query("/actions", &query).await?;
    Ok(items(&actions, "").to_vec())
}

async fn switch(client: &Client, out: Output, key: &Key, on: bool) -> Result<Exit, Failure> {
    let action = client.put(&key.path(), &json!({ "existing": true, "enabled": on })).await?;
    out.value(&action);
    out.line(format!("The action {key} is {}.", if on { "on" } else { "off" }));
    Ok(Exit::Done)
}

async fn preview(client: &Client, out: Output, key: &Key) -> Result<Exit, Failure> {
    let path = format!("/platforms/{}/preview/{}/{}", segment(&key.platform), key.direction, key.kind);
    let lines = client.get(&path).await?;
    out.value(&lines);
    let mut rows = Vec::new();
    for line in items(&lines, "") {
        let changes: Vec<String> = items(line, "changes")
            .iter()
            .map(|change| {
                let old = change.get("old").filter(|old| !old.is_null()).map_or_else(|| "?".to_owned(), brief);
                format!("{}: {old} -> {}", text(change, "facet"), brief(&change["new"]))
            })
            .collect();
        let mut says = text(line, "why");
        for change in changes {
            if !says.is_empty() {
                says.push_str("; ");
            }
            says.push_str(&change);
        }
        rows.push(vec![text(line, "what"), text(line, "record"), text(line, "name"), says]);
    }
    out.table(&["would", "record", "name", "what and why"], rows, "It would do nothing.");
    Ok(Exit::Done)
}

/// A value in one short line.
fn brief(value: &Value) -> String {
    let text = plain(value);
    if text.chars().count() > 60 { text.chars().take(57).chain("...".chars()).collect() } else { text }
}

async fn start(client: &Client, out: Output, args: RunArgs) -> Result<Exit, Failure> {
    let wait = !args.no_wait;
    if args.all {
        return all(client, out, &args.platform, wait).await;
    }
    let (Some(direction), Some(kind)) = (args.direction, args.kind) else {
        return Err(Failure::usage("name a direction and a kind, or --all"));
    };
    let done = args.backfill.as_deref() == Some("done");
    if args.backfill.is_some() && !(direction == "pull" && kind == Kind::Order) {
        return Err(Failure::usage("--as is for old orders; write `action run SHOP pull order --since DATE --as ...`"));
    }
    if done && !wait {
        return Err(Failure::usage("--as done hands on what was read, so it waits for the end; leave --no-wait out"));
    }
    let body = json!({
        "direction": direction,
        "kind": kind,
        "full": args.full,
        "since": args.since,
        "until": args.until,
        "ids": args.id,
    });
    let run = launch(client, out, &args.platform, &body, wait).await?;
    let exit = if wait { follow::exit(&run) } else { Exit::Done };
    if done {
        if exit == Exit::Failed {
            out.value(&run);
            return Ok(exit);
        }
        let asked = json!({ "since": args.since, "until": args.until });
        return Ok(exit.and(hand_on(client, out, &args.platform, run, &asked).await?));
    }
    out.value(&run);
    Ok(exit)
}

/// Hands old orders that were read on as finished business, and follows the pushes that carry them.
async fn hand_on(client: &Client, out: Output, platform: &str, read: Value, asked: &Value) -> Result<Exit, Failure> {
    let mut filled = client.post(&format!("/platforms/{}/backfill", segment(platform)), asked).await?;
    let count = |name: &str| filled[name].as_u64().unwrap_or_default();
    out.line(format!("Handed on as finished business: {}; handed on before: {}.", count("sent"), count("known")));
    for (name, why) in [
        ("cancelled", "cancelled"),
        ("mismatch", "their totals do not add up"),
        ("unpaid", "not paid, and the target takes paid orders only"),
        ("test", "of a test shop, and the target is live"),
    ] {
        if count(name) > 0 {
            out.line(format!("Left alone: {} ({why}).", count(name)));
        }
    }
    let mut exit = Exit::Done;
    let mut runs = vec![read];
    for id in filled["runs"].as_array().into_iter().flatten().filter_map(Value::as_i64) {
        let run = follow::follow(client, out, id, Lines::Issues).await?;
        follow::report(out, &run);
        exit = exit.and(follow::exit(&run));
        runs.push(run);
    }
    filled["runs"] = Value::Array(runs);
    out.value(&filled);
    Ok(exit)
}

/// Starts a run and, unless told otherwise, follows and reports it.
pub(super) async fn launch(
    client: &Client,
    out: Output,
    platform: &str,
    body: &Value,
    wait: bool,
) -> Result<Value, Failure> {
    let run = client.post(&format!("/platforms/{}/run", segment(platform)), body).await?;
    let id = run["id"].as_i64().ok_or_else(|| Failure::new("the service named no run"))?;
    if !wait {
        out.line(format!("Run {id} is queued; `tradepost run follow {id}` shows it."));
        return Ok(run);
    }
    let run = follow::follow(client, out, id, Lines::Issues).await?;
    follow::report(out, &run);
    Ok(run)
}

/// Every action of a platform that is on, in the order in which they lean on each other.
async fn all(client: &Client, out: Output, platform: &str, wait: bool) -> Result<Exit, Failure> {
    let mut actions = of(client, Some(platform.to_owned())).await?;
    actions.retain(|action| action["enabled"] == true);
    if actions.is_empty() {
        return Err(Failure::new(format!(
            "`{platform}` has no actions that are on; it gets them when it goes live: `tradepost platform live {platform}`"
        )));
    }
    actions.sort_by_key(order);
    let mut exit = Exit::Done;
    let mut runs = Vec::new();
    for action in &actions {
        let body = json!({ "direction": action["direction"], "kind": action["kind"] });
        let run = launch(client, out, platform, &body, wait).await?;
        if wait {
            exit = exit.and(follow::exit(&run));
        }
        runs.push(run);
    }
    out.value(&Value::Array(runs));
    Ok(exit)
}

/// Pulls before pushes, and what others lean on first.
pub(super) fn order(action: &Value) -> (usize, usize) {
    let place = |names: &[&str], field: &str| {
        let name = text(action, field);
        names.iter().position(|known| *known == name).unwrap_or(names.len())
    };
    (
        place(&["pull", "sweep", "settle", "push"], "direction"),
        place(&["category", "product", "price", "stock", "customer", "order", "shipment"], "kind"),
    )
}
