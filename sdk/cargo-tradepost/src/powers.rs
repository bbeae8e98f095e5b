//! What an operator is shown before a connector may do anything: what it can do and what it asks for, line by line.

use tradepost::model::description::{Ability, Description, Origin, Reading, Removal, Scheme, Writing};

/// One line per kind of record.
#[must_use]
pub fn abilities(description: &Description) -> Vec<Vec<String>> {
    description.abilities.iter().map(ability).collect()
}

fn ability(ability: &Ability) -> Vec<String> {
    let Ability { kind, reading, writing, lookup_lag } = ability;
    let find = lookup_lag.map(|lag| match lag {
        0 => "finds at once".to_owned(),
        lag => format!("finds after {lag} s"),
    });
    let reading = reading.as_ref().map(read).unwrap_or_default();
    let writing = writing.as_ref().map(write).unwrap_or_default();
    vec![kind.to_string(), reading, writing, find.unwrap_or_default()]
}

fn read(reading: &Reading) -> String {
    let mut words = vec![if reading.changes { "reads changes" } else { "reads everything each time" }];
    words.extend(reading.ids.then_some("by id"));
    words.extend(reading.present.then_some("lists all ids"));
    words.extend(reading.writes.then_some("CHANGES THE PLATFORM BY READING"));
    words.join(", ")
}

fn write(writing: &Writing) -> String {
    let mut words = Vec::new();
    words.extend(writing.create.then_some("creates"));
    words.extend(writing.update.then_some("updates"));
    words.extend((!writing.events.is_empty()).then_some("applies events"));
    words.extend(writing.removals.iter().map(|removal| match removal {
        Removal::Deactivate => "hides",
        Removal::Delete => "DELETES",
    }));
    let mut text = words.join(", ");
    if writing.max_batch > 1 {
        text.push_str(&format!(", {} at a time", writing.max_batch));
    }
    text
}

/// What an operator has to allow or to enter.
#[must_use]
pub fn powers(description: &Description) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let mut say = |what: &str, which: String, why: String| lines.push(vec![what.to_owned(), which, why]);
    for origin in &description.origins {
        say("reaches", place(origin), first(&origin.why));
    }
    for credential in &description.credentials {
        let places: Vec<String> = credential
            .origins
            .iter()
            .filter_map(|index| description.origins.get(usize::try_from(*index).ok()?))
            .map(place)
            .collect();
        let needed = if credential.required { "" } else { ", optional" };
        let which = format!("{} ({}{needed})", credential.name, scheme(&credential.scheme));
        say("sends secret", which, format!("{}; only to {}", first(&credential.title), places.join(", ")));
    }
    for rate in &description.rates {
        let at_a_time = rate.concurrent.map(|count| format!(", {count} at a time")).unwrap_or_default();
        say("at most", format!("{} requests a second{at_a_time}", rate.per_second), format!("rate `{}`", rate.name));
    }
    if description.files {
        say("uses", "an exchange folder".to_owned(), "files go in and out there, nowhere else".to_owned());
    }
    lines
}

/// One line per setting: name, type, needed or default, title.
#[must_use]
pub fn settings(description: &Description) -> Vec<Vec<String>> {
    let schema = &description.settings_schema;
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |(name, property): (&String, &serde_json::Value)| {
        let presence = match property.get("default") {
            Some(default) => format!("default {}", text(default)),
            None if required(name) => "needed".to_owned(),
            None => "optional".to_owned(),
        };
        let title = property.get("title").map(text).unwrap_or_default();
        vec![name.clone(), property.get("type").map(text).unwrap_or_default(), presence, title]
    };
    schema["properties"].as_object().into_iter().flatten().map(line).collect()
}

fn place(origin: &Origin) -> String {
    if let Some(setting) = origin.host.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return format!("the address in the setting `{setting}`");
    }
    let port = origin.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", origin.scheme, origin.host)
}

fn scheme(scheme: &Scheme) -> String {
    match scheme {
        Scheme::Bearer => "bearer token".to_owned(),
        Scheme::Basic => "user name and password".to_owned(),
        Scheme::Header(name) => format!("header {name}"),
        Scheme::Query(name) => format!("query parameter {name}"),
        Scheme::OauthClient { .. } => "OAuth 2 client".to_owned(),
        Scheme::Session { .. } => "log-in with user name and password".to_owned(),
    }
}

fn first(texts: &[tradepost::model::catalog::Text]) -> String {
    let english = texts.iter().find(|text| text.language == "en");
    english.or_else(|| texts.first()).map(|text| text.value.clone()).unwrap_or_default()
}

/// The connector's name in English, or whatever language it has.
#[must_use]
pub fn name(description: &Description) -> String {
    first(&description.name)
}
