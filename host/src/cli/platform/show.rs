//! Platforms and reviews for people.

use serde_json::Value;

use super::super::Exit;
use super::super::output::{Output, escape, items, plain, text, time};

/// What has to be done before it works.
pub(super) fn needs(out: Output, shown: &Value) {
    let needs = items(shown, "needs");
    if needs.is_empty() {
        out.line(format!("It has everything it needs. Next: tradepost platform test {}", text(shown, "code")));
        return;
    }
    out.line("It still needs:");
    for need in needs {
        out.line(format!("  {}", escape(&plain(need))));
    }
}

/// Everything about one platform.
pub(super) fn detail(out: Output, shown: &Value) {
    let field = |name: &str, value: String| {
        if !value.is_empty() {
            out.line(format!("{name:<12} {}", escape(&value)));
        }
    };
    field("platform", format!("{} ({})", text(shown, "code"), text(shown, "name")));
    field("connector", format!("{} {}", text(shown, "connector"), text(shown, "version")));
    field("state", text(shown, "state"));
    field("why", text(shown, "reason"));
    field("account", format!("{} ({})", text(shown, "/account/name"), text(shown, "environment")));
    field("folder", text(shown, "/grants/files"));
    field("may reach", text(shown, "/grants/origins"));
    let private: Vec<String> = shown
        .pointer("/grants/private")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|e| format!("{},{},{}", text(e, "host"), text(e, "range"), text(e, "port")))
        .collect();
    field("private", private.join("  "));
    field("secrets", text(shown, "secrets"));
    field("optional", text(shown, "optional-secrets"));
    settings(out, shown);
    let rows = items(shown, "abilities")
        .iter()
        .map(|ability| {
            let yes = |name: &str| if ability[name] == true { "yes".to_owned() } else { String::new() };
            let stream = items(shown, "streams").iter().find(|stream| stream["kind"] == ability["kind"]);
            let of = |name: &str| stream.map(|stream| time(stream, name)).unwrap_or_default();
            vec![
                text(ability, "kind"),
                yes("pull"),
                yes("push"),
                stream.map(|stream| text(stream, "phase")).unwrap_or_default(),
                of("pulled-at"),
                of("watermark"),
                of("cut-over-at"),
            ]
        })
        .collect();
    out.table(
        &["kind", "pull", "push", "phase", "read at", "read up to", "orders from"],
        rows,
        "Its connector is missing, so nobody knows what it can.",
    );
    needs(out, shown);
}

fn settings(out: Output, shown: &Value) {
    let Some(properties) = shown.pointer("/settings-schema/properties").and_then(Value::as_object) else { return };
    let rows = properties
        .iter()
        .map(|(name, property)| {
            let value = shown["settings"].get(name).map(plain);
            let default = property.get("default").map(|default| format!("{} (default)", plain(default)));
            let missing = items(shown, "missing-settings").iter().any(|missing| missing == name);
            let value = value.or(default).unwrap_or_else(|| if missing { "MISSING".into() } else { String::new() });
            let about = match text(property, "description") {
                about if about.is_empty() => text(property, "title"),
                about => about,
            };
            vec![name.clone(), value, about]
        })
        .collect();
    out.table(&["setting", "value", "meaning"], rows, "It has no settings.");
}

/// Whom the credentials reached.
pub(super) fn account(out: Output, code: &str, account: &Value) {
    out.line(escape(&format!(
        "`{code}` answers: {} ({}, {}), time zone {}",
        text(account, "name"),
        text(account, "id"),
        text(account, "environment"),
        text(account, "zone")
    )));
    let rows = items(account, "channels")
        .iter()
        .map(|channel| {
            let columns = ["id", "name", "currency", "basis", "languages"];
            columns.iter().map(|column| text(channel, column)).collect()
        })
        .collect();
    out.table(&["channel", "name", "currency", "prices", "languages"], rows, "It has no channels.");
    let rows = items(account, "warehouses").iter().map(|w| vec![text(w, "id"), text(w, "name")]).collect();
    out.table(&["warehouse", "name"], rows, "It names no warehouses.");
}

/// What first contact found.
pub(super) fn review(out: Output, review: &Value) -> Exit {
    let rows = items(review, "kinds")
        .iter()
        .map(|kind| {
            let columns = [
                "kind",
                "phase",
                "linked",
                "only_here",
                "only_there",
                "questions",
                "would_create",
                "would_change",
                "blocked",
            ];
            columns.iter().map(|column| text(kind, column)).collect()
        })
        .collect();
    out.table(
        &["kind", "phase", "linked", "left out", "only in hub", "questions", "would create", "would change", "blocked"],
        rows,
        "Nothing was found.",
    );
    let plan = items(review, "plan");
    if !plan.is_empty() {
        out.line("Going live would:");
    }
    for line in plan.iter().take(20) {
        out.line(format!("  {}", escape(&plain(line))));
    }
    if plan.len() > 20 {
        out.line(format!("  ... and more; `tradepost platform review {} --json` has them", text(review, "platform")));
    }
    let questions: u64 = items(review, "kinds").iter().filter_map(|kind| kind["questions"].as_u64()).sum();
    if questions == 0 {
        return Exit::Done;
    }
    out.line(format!("{questions} questions wait: tradepost attention list"));
    Exit::Issues
}
