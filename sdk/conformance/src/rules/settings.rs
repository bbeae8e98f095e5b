//! Settings, and what must stay from build to build.

use serde_json::Value;
use tradepost::service::settings;

use crate::rule::{End, Rule, Trial, broken, rule, skip};

pub(super) const SETTINGS_SCHEMA: Rule = rule!(
    Shape,
    "settings-schema",
    "the settings are an object of scalar properties, each with a title and a description, and defaults are valid by their own schema",
    settings_schema
);

async fn settings_schema(trial: &mut Trial<'_>) -> Result<(), End> {
    let schema = &trial.bench.description().settings_schema;
    if schema["type"] != "object" {
        return broken("the schema is not of `\"type\": \"object\"`");
    }
    let Some(properties) = schema["properties"].as_object() else {
        return match schema.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            true => Ok(()),
            false => broken("settings are required, and there are no properties"),
        };
    };
    for (name, property) in properties {
        let kind = property["type"].as_str().unwrap_or_default();
        if !matches!(kind, "string" | "integer" | "number" | "boolean") {
            return broken(format!("the setting `{name}` is of the type `{kind}`; only scalars can be entered"));
        }
        for word in ["title", "description"] {
            if property[word].as_str().is_none_or(|text| text.trim().is_empty()) {
                return broken(format!("the setting `{name}` has no {word}: an operator sees nothing but its name"));
            }
        }
        if let Some(choices) = property.get("enum")
            && choices
                .as_array()
                .is_none_or(|all| all.is_empty() || all.iter().any(|one| settings::fits(property, one).is_err()))
        {
            return broken(format!("the choices of `{name}` are no list of the type `{kind}`"));
        }
        if let Some(default) = property.get("default") {
            valid(name, property, default).map_err(|why| End::Broken(format!("the default is not valid: {why}")))?;
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !properties.contains_key(name) {
            return broken(format!("`{name}` is required and is no property"));
        }
    }
    Ok(())
}

/// Whether a property takes a value, as the host checks it.
fn valid(name: &str, property: &Value, value: &Value) -> Result<(), String> {
    settings::fits(property, value).map_err(|must| format!("`{name}` {must}, found {value}"))
}

pub(super) const SETTINGS_STAY_COMPATIBLE: Rule = rule!(
    Shape,
    "settings-stay-compatible",
    "settings that an earlier build took are taken by this one, without a new one to be entered",
    settings_stay_compatible
);

async fn settings_stay_compatible(trial: &mut Trial<'_>) -> Result<(), End> {
    let bench = trial.bench;
    let Some(earlier) = &bench.earlier else {
        return skip("no earlier build was given (`--earlier FILE`)");
    };
    let (old, new) = (&earlier.description().settings_schema, &bench.description().settings_schema);
    let empty = serde_json::Map::new();
    let properties = |schema: &'_ Value| schema["properties"].as_object().cloned().unwrap_or_else(|| empty.clone());
    let (before, now) = (properties(old), properties(new));
    let required =
        |schema: &Value, name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, property) in &now {
        let entered = before.contains_key(name) && (required(old, name) || before[name].get("default").is_some());
        if required(new, name) && property.get("default").is_none() && !entered {
            return broken(format!("`{name}` is required now: platforms that run with the earlier build have none"));
        }
    }
    let mut notes = Vec::new();
    for (name, property) in &before {
        let Some(new) = now.get(name) else {
            return broken(format!("`{name}` is gone: platforms that have it cannot be saved any more"));
        };
        let kind = |property: &Value| property["type"].as_str().unwrap_or("string").to_owned();
        let wider = kind(property) == "integer" && kind(new) == "number";
        if kind(property) != kind(new) && !wider {
            return broken(format!("`{name}` was a {} and is a {} now", kind(property), kind(new)));
        }
        let taken = property["enum"].as_array().cloned().unwrap_or_default();
        let default = property.get("default").cloned();
        for value in taken.iter().chain(&default) {
            valid(name, new, value).map_err(|why| End::Broken(format!("what was taken is refused now: {why}")))?;
        }
        if property.get("enum").is_none() && new.get("enum").is_some() {
            return broken(format!("`{name}` took any value and has choices now"));
        }
        let narrowed = |word: &str, wrong: fn(f64, f64) -> bool| match (property[word].as_f64(), new[word].as_f64()) {
            (Some(old), Some(new)) => wrong(new, old),
            (None, Some(_)) => true,
            _ => false,
        };
        let more = |new: f64, old: f64| new > old;
        let less = |new: f64, old: f64| new < old;
        if ["minimum", "minLength"].iter().any(|word| narrowed(word, more))
            || ["maximum", "maxLength"].iter().any(|word| narrowed(word, less))
        {
            return broken(format!("the limits of `{name}` are narrower now"));
        }
        for word in ["pattern", "format"] {
            match (property.get(word), new.get(word)) {
                (None, Some(demanded)) => {
                    return broken(format!("`{name}` took any text and must be of the {word} {demanded} now"));
                }
                (Some(old), Some(new)) if old != new => {
                    notes
                        .push(format!("the {word} of `{name}` was {old} and is {new}: see that it takes what it took"));
                }
                _ => {}
            }
        }
    }
    let credentials = |build: &tradepost::runtime::Build| build.description().credentials.clone();
    let before = credentials(earlier);
    for credential in credentials(&bench.build) {
        if credential.required && !before.iter().any(|old| old.name == credential.name && old.required) {
            let name = &credential.name;
            return broken(format!(
                "the credential `{name}` is required now: platforms that run with the earlier build have none"
            ));
        }
    }
    for note in notes {
        trial.note(note);
    }
    Ok(())
}

pub(super) const IDENTITY_STAYS: Rule = rule!(
    Shape,
    "identity-stays",
    "a newer build has the id and the id space of the earlier one, and no lower version, mapping revision or storage version",
    identity_stays
);

async fn identity_stays(trial: &mut Trial<'_>) -> Result<(), End> {
    let Some(earlier) = &trial.bench.earlier else {
        return skip("no earlier build was given (`--earlier FILE`)");
    };
    let (old, new) = (earlier.description(), trial.bench.description());
    if old.id != new.id {
        return broken(format!("it was `{}` and is `{}` now: another connector", old.id, new.id));
    }
    if old.id_space != new.id_space {
        let (old, new) = (&old.id_space, &new.id_space);
        return broken(format!(
            "the id space was `{old}` and is `{new}` now: all links of its platforms would be lost"
        ));
    }
    if version(&new.version) < version(&old.version) {
        return broken(format!("version {} follows {}", new.version, old.version));
    }
    if new.mapping_revision < old.mapping_revision || new.storage_version < old.storage_version {
        return broken("mapping revision or storage version went back");
    }
    Ok(())
}

/// The numbers of a semantic version; what a pre-release is worth does not matter here.
fn version(text: &str) -> Vec<u64> {
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    numbers.split('.').filter_map(|part| part.parse().ok()).collect()
}
