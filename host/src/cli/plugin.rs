//! `tradepost plugin`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::segment;
use super::failure::Failure;
use super::output::{Output, escape, items, plain, text};
use super::{Context, Exit};

#[derive(Debug, Subcommand)]
#[command(
    after_help = "A connector is a .wasm file. Dropped into the plugins folder it serves new runs at once; one that cannot be \
used is refused with the reason, and the build before goes on. One that wants more than the build before it is held until it is \
approved."
)]
pub(super) enum Command {
    /// Files in the plugins folder and what stands of them
    List,
    /// What a connector says of itself: settings, secrets, origins, abilities
    Show {
        /// Id of the connector or name of the file
        name: String,
    },
    /// Look at the folder again now
    Rescan,
    /// Let a held file serve: one that wants more than the build before it, is another connector, is older, or failed
    Approve {
        /// Name of the file, or id of the connector if only one file of it waits
        name: String,
    },
}

pub(super) async fn run(context: Context, command: Command) -> Result<Exit, Failure> {
    let (client, out) = (context.client()?, context.out);
    match command {
        Command::List => list(out, &client.get("/plugins").await?),
        Command::Rescan => list(out, &client.post("/plugins/rescan", &json!({})).await?),
        Command::Approve { name } => {
            // What is shown now is what is approved, whatever is dropped meanwhile.
            let plugins = client.get("/plugins").await?;
            let waiting: Vec<&Value> = items(&plugins, "")
                .iter()
                .filter(|plugin| {
                    text(plugin, "standing") == "held"
                        && (plugin["file"] == name.as_str() || plugin["connector"] == name.as_str())
                })
                .collect();
            let body = match waiting.as_slice() {
                [one] => json!({ "hash": one["hash"] }),
                _ => json!({}),
            };
            for want in waiting.iter().flat_map(|plugin| items(plugin, "wants")) {
                out.line(escape(&format!("allowed: {}", plain(want))));
            }
            list(out, &client.post(&format!("/plugins/{}/approve", segment(&name)), &body).await?);
        }
        Command::Show { name } => {
            let shown = client.get(&format!("/plugins/{}", segment(&name))).await?;
            out.value(&shown);
            show(out, &shown);
        }
    }
    Ok(Exit::Done)
}

fn list(out: Output, plugins: &Value) {
    out.value(plugins);
    let rows = items(plugins, "")
        .iter()
        .map(|plugin| {
            let standing = text(plugin, "standing");
            let earlier = plugin["earlier-serves"] == true;
            vec![
                text(plugin, "file"),
                text(plugin, "connector"),
                text(plugin, "version"),
                match text(plugin, "serving") {
                    serving if earlier && !serving.is_empty() => format!("{standing}, {serving} serves"),
                    _ if earlier => format!("{standing}, the build before serves"),
                    _ => standing,
                },
                text(plugin, "reason"),
            ]
        })
        .collect();
    out.table(
        &["file", "connector", "version", "state", "why"],
        rows,
        "The plugins folder is empty; drop a connector's .wasm file into it.",
    );
}

fn show(out: Output, shown: &Value) {
    let description = &shown["description"];
    out.line(escape(&format!(
        "{} {} by {}, {} ({})",
        text(shown, "connector"),
        text(shown, "version"),
        text(description, "vendor"),
        text(shown, "file"),
        text(shown, "standing")
    )));
    let reason = text(shown, "reason");
    if !reason.is_empty() {
        out.line(escape(&reason));
    }
    for want in items(shown, "wants") {
        out.line(escape(&format!("  new: {}", plain(want))));
    }
    if description.is_null() {
        return;
    }
    let properties = description.pointer("/settings_schema/properties").and_then(Value::as_object);
    let required = items(&description["settings_schema"], "required");
    let rows = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| {
            let needed = required.iter().any(|required| required == name);
            vec![
                name.clone(),
                text(property, "type"),
                if needed { "yes".into() } else { String::new() },
                property.get("default").map(plain).unwrap_or_default(),
                match text(property, "description") {
                    about if about.is_empty() => text(property, "title"),
                    about => about,
                },
            ]
        })
        .collect();
    out.table(&["setting", "type", "needed", "default", "meaning"], rows, "It has no settings.");
    let rows = items(description, "origins")
        .iter()
        .map(|origin| {
            let host = text(origin, "host");
            let why: Vec<String> = items(origin, "why").iter().map(words).collect();
            let place = if host.starts_with('{') { host } else { format!("{}://{host}", text(origin, "scheme")) };
            vec![place, why.join(" / ")]
        })
        .collect();
    out.table(&["asks to reach", "why"], rows, "It asks to reach no host.");
    let rows = items(description, "credentials")
        .iter()
        .map(|credential| {
            let titles: Vec<String> = items(credential, "title").iter().map(words).collect();
            let needed = if credential["required"] == true { "yes" } else { "" };
            vec![text(credential, "name"), needed.to_owned(), titles.join(" / ")]
        })
        .collect();
    out.table(&["credential", "needed", "what it is"], rows, "It needs no credentials.");
    let rows = items(description, "abilities")
        .iter()
        .map(|ability| {
            let yes = |name: &str| if ability[name].is_null() { String::new() } else { "yes".to_owned() };
            vec![text(ability, "kind"), yes("reading"), yes("writing"), yes("lookup_lag")]
        })
        .collect();
    out.table(&["kind", "pull", "push", "find"], rows, "It does nothing yet.");
}

/// A text in some language: just its words.
fn words(text: &Value) -> String {
    match text.as_object() {
        Some(parts) => ["text", "value"].iter().find_map(|name| parts.get(*name)).map(plain).unwrap_or_default(),
        None => plain(text),
    }
}
