//! `tradepost record`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::segment;
use super::failure::Failure;
use super::output::{Output, escape, items, plain, text, time};
use super::{Context, Exit};
use crate::model::RecordKind;

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tradepost record find 10045 --kind order     by number, SKU, e-mail or an id on a platform
  tradepost record history 812                 every run, facet and platform that touched it
  tradepost record link 812 erp 5531           this record is object 5531 there")]
pub(super) enum Command {
    /// Records whose number, SKU, e-mail or id on a platform begins with a text; newest first
    Find {
        /// Text; without it, the newest records
        #[arg(default_value = "")]
        text: String,
        /// category, product, variant, customer, order or shipment
        #[arg(long)]
        kind: Option<RecordKind>,
        /// Most shown
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// A record with its facets and its objects on platforms
    Show {
        /// Number of the record
        record: i64,
    },
    /// Everything that happened to a record, in the order of time
    History {
        /// Number of the record
        record: i64,
    },
    /// Write a record to a platform again with the next push, even where nothing seems to differ
    Push {
        /// Number of the record
        record: i64,
        /// Platform
        platform: String,
    },
    /// Say that an object of a platform is this record
    Link {
        /// Number of the record
        record: i64,
        /// Platform
        platform: String,
        /// The object's id there
        remote_id: String,
    },
    /// Say that the object linked on a platform is not this record
    Unlink {
        /// Number of the record
        record: i64,
        /// Platform
        platform: String,
    },
    /// Make two records one; the first stays
    Merge {
        /// Number of the record that stays
        survivor: i64,
        /// Number of the record that is taken into it
        other: i64,
    },
}

pub(super) async fn run(context: Context, command: Command) -> Result<Exit, Failure> {
    let (client, out) = (context.client()?, context.out);
    match command {
        Command::Find { text, kind, limit } => {
            let mut query = vec![("text", text), ("limit", limit.to_string())];
            query.extend(kind.map(|kind| ("kind", kind.to_string())));
            let found = client.query("/records", &query).await?;
            out.value(&found);
            list(out, &found);
        }
        Command::Show { record } => {
            let record = client.get(&format!("/records/{record}")).await?;
            out.value(&record);
            show(out, &record);
        }
        Command::History { record } => {
            let lines = client.get(&format!("/records/{record}/history")).await?;
            out.value(&lines);
            let rows = items(&lines, "")
                .iter()
                .map(|line| {
                    let columns = ["run", "platform", "by", "what", "detail"];
                    let mut row = vec![time(line, "at")];
                    row.extend(columns.iter().map(|column| text(line, column)));
                    row
                })
                .collect();
            out.table(&["when", "run", "platform", "by", "what", "detail"], rows, "Nothing happened to it.");
        }
        Command::Push { record, platform } => {
            let pushed = client.post(&format!("/records/{record}/push"), &json!({ "platform": platform })).await?;
            out.value(&pushed);
            out.line(format!("Record {record} is written to `{platform}` with the next push."));
        }
        Command::Link { record, platform, remote_id } => {
            let path = format!("/records/{record}/links/{}", segment(&platform));
            let shown = client.put(&path, &json!({ "remote-id": remote_id })).await?;
            out.value(&shown);
            out.line(escape(&format!("Record {record} is `{remote_id}` on `{platform}`.")));
        }
        Command::Unlink { record, platform } => {
            let shown = client.delete(&format!("/records/{record}/links/{}", segment(&platform))).await?;
            out.value(&shown);
            out.line(format!("Record {record} has no object on `{platform}` any more."));
        }
        Command::Merge { survivor, other } => {
            let doubled = client.post(&format!("/records/{survivor}/merge"), &json!({ "other": other })).await?;
            out.value(&doubled);
            out.line(format!("Record {other} is part of record {survivor} now."));
            let rows = items(&doubled, "").iter().map(link).collect::<Vec<_>>();
            if !rows.is_empty() {
                out.line("These platforms have two objects of it; delete one there:");
                out.table(&["platform", "kind", "object", "state", "made by", "why"], rows, "");
            }
        }
    }
    Ok(Exit::Done)
}

fn list(out: Output, found: &Value) {
    let rows = items(found, "")
        .iter()
        .map(|record| {
            let links: Vec<String> = items(record, "links")
                .iter()
                .filter(|link| text(link, "state") == "live")
                .map(|link| format!("{} {}", text(link, "platform"), text(link, "remote")))
                .collect();
            vec![
                text(record, "id"),
                text(record, "kind"),
                text(record, "state"),
                text(record, "origin"),
                text(record, "keys"),
                links.join(", "),
            ]
        })
        .collect();
    out.table(&["record", "kind", "state", "from", "keys", "on platforms"], rows, "No record fits.");
}

fn link(link: &Value) -> Vec<String> {
    ["platform", "kind", "remote", "state", "made_by", "reason"].iter().map(|column| text(link, column)).collect()
}

fn show(out: Output, record: &Value) {
    out.line(escape(&format!(
        "record {} {} {}, from {}, {}",
        text(record, "id"),
        text(record, "kind"),
        text(record, "state"),
        text(record, "origin"),
        text(record, "keys")
    )));
    let rows = items(record, "links").iter().map(link).collect();
    out.table(&["platform", "kind", "object", "state", "made by", "why"], rows, "It is on no platform.");
    let facets = record.get("facets").and_then(Value::as_object);
    let rows = facets
        .into_iter()
        .flatten()
        .map(|(name, facet)| vec![name.clone(), plain(&facet["body"]), text(facet, "from"), time(facet, "as_of")])
        .collect();
    out.table(&["facet", "value", "from", "as of"], rows, "It has no facets.");
}
