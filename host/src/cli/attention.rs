//! `tradepost attention`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::{Output, escape, items, text, time};
use super::{Context, Exit};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What waits for a person
    List {
        /// open, answered, dismissed, solved or all
        #[arg(long, default_value = "open", value_parser = ["open", "answered", "dismissed", "solved", "all"])]
        state: String,
        /// Most shown
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// A question with its choices
    Show {
        /// Number of the question
        id: i64,
    },
    /// Answer a question with one of its choices
    #[command(
        after_help = "`tradepost attention show ID` lists the choices. Example, where an answer was lost and you looked on the \
platform:
  tradepost attention answer 12 there --remote-id 4711"
    )]
    Answer {
        /// Number of the question
        id: i64,
        /// One of its choices
        answer: String,
        /// The object's id on the platform, where the answer needs one
        #[arg(long)]
        remote_id: Option<String>,
    },
    /// Try again what it is about
    Retry {
        /// Number of the question
        id: i64,
    },
    /// Give up what it is about
    Dismiss {
        /// Number of the question
        id: i64,
        /// Reason, kept with it
        #[arg(long, default_value = "")]
        why: String,
    },
}

pub(super) async fn run(context: Context, command: Command) -> Result<Exit, Failure> {
    let (client, out) = (context.client()?, context.out);
    match command {
        Command::List { state, limit } => {
            let query = [("state", state), ("limit", limit.to_string())];
            let found = client.query("/attention", &query).await?;
            out.value(&found);
            let rows = items(&found, "")
                .iter()
                .map(|attention| {
                    vec![
                        text(attention, "id"),
                        text(attention, "state"),
                        text(attention, "platform"),
                        match attention["count"].as_u64() {
                            Some(count) if count > 1 => format!("{} ({count} records)", text(attention, "title")),
                            _ => text(attention, "title"),
                        },
                        names(attention),
                    ]
                })
                .collect();
            out.table(&["id", "state", "platform", "what", "choices"], rows, "Nothing waits for you.");
            Ok(Exit::Done)
        }
        Command::Show { id } => {
            let attention = client.get(&format!("/attention/{id}")).await?;
            out.value(&attention);
            show(out, &attention);
            Ok(Exit::Done)
        }
        Command::Answer { id, answer, remote_id } => {
            let mut body = json!({ "answer": answer });
            if let Some(remote_id) = remote_id {
                body["remote-id"] = remote_id.into();
            }
            let attention = client.post(&format!("/attention/{id}/answer"), &body).await?;
            said(out, &attention, "answered")
        }
        Command::Retry { id } => {
            let attention = client.post(&format!("/attention/{id}/retry"), &json!({})).await?;
            said(out, &attention, "tried again with the next push")
        }
        Command::Dismiss { id, why } => {
            let attention = client.post(&format!("/attention/{id}/dismiss"), &json!({ "why": why })).await?;
            said(out, &attention, "dismissed")
        }
    }
}

fn said(out: Output, attention: &Value, what: &str) -> Result<Exit, Failure> {
    out.value(attention);
    out.line(escape(&format!("{}: {} is {what}.", text(attention, "id"), text(attention, "title"))));
    Ok(Exit::Done)
}

fn names(attention: &Value) -> String {
    items(attention, "choices").iter().map(|choice| text(choice, "name")).collect::<Vec<_>>().join(", ")
}

fn show(out: Output, attention: &Value) {
    out.line(escape(&text(attention, "title")));
    out.line(format!("  {}", escape(&text(attention, "hint"))));
    for (name, value) in [
        ("platform", text(attention, "platform")),
        ("kind", text(attention, "kind")),
        ("record", text(attention, "record")),
        ("run", text(attention, "run")),
        ("since", time(attention, "opened-at")),
        ("state", text(attention, "state")),
        ("answer", text(attention, "answer")),
    ] {
        if !value.is_empty() {
            out.line(format!("  {name:<9} {}", escape(&value)));
        }
    }
    let rows = items(attention, "choices").iter().map(|c| vec![text(c, "name"), text(c, "title")]).collect();
    out.table(
        &["answer", "meaning"],
        rows,
        "It has no choices: it ends when its cause is gone, or by `attention dismiss`.",
    );
}
