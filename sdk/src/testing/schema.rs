//! Settings as the host hands them over: valid by the declared schema, with defaults filled in.

use serde_json::Value;

use crate::types::{Error, Issue};

/// The settings with defaults filled in.
pub(super) fn filled(schema: &str, given: &Value) -> Result<Value, Error> {
    let schema: Value = serde_json::from_str(schema)
        .map_err(|error| Error::Bug(format!("the settings schema is not JSON: {error}")))?;
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let mut settings = given.as_object().cloned().unwrap_or_default();
    let mut issues = Vec::new();
    let mut wrong = |name: &str, why: String| {
        let (path, message) = (format!("settings.{name}"), format!("the setting `{name}` {why}"));
        issues.push(Issue { path, code: None, message });
    };
    if schema["additionalProperties"] == Value::Bool(false) {
        for name in settings.keys().filter(|name| !properties.contains_key(*name)) {
            wrong(name, "is not known to the connector".into());
        }
    }
    for (name, property) in &properties {
        if let Some(default) = property.get("default").filter(|_| !settings.contains_key(name)) {
            settings.insert(name.clone(), default.clone());
        }
        let required = schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        match settings.get(name) {
            None if required => wrong(name, "is missing".into()),
            None => {}
            Some(value) => {
                if let Some(why) = misfit(property, value) {
                    wrong(name, format!("{why}, found {value}"));
                }
            }
        }
    }
    if issues.is_empty() { Ok(Value::Object(settings)) } else { Err(Error::Rejected(issues)) }
}

/// What is wrong with a value.
fn misfit(property: &Value, value: &Value) -> Option<String> {
    let expected = property["type"].as_str().unwrap_or_default();
    let fits = match expected {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    };
    if !fits {
        return Some(format!("must be {} {expected}", if expected == "integer" { "an" } else { "a" }));
    }
    if property["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
        return Some(format!("must be one of {}", property["enum"]));
    }
    let bound = |name: &str| property[name].as_f64().zip(value.as_f64());
    if let Some((least, _)) = bound("minimum").filter(|(least, value)| value < least) {
        return Some(format!("must be at least {least}"));
    }
    if let Some((most, _)) = bound("maximum").filter(|(most, value)| value > most) {
        return Some(format!("must be at most {most}"));
    }
    let text = value.as_str()?;
    let length = text.chars().count() as u64;
    if let Some(least) = property["minLength"].as_u64().filter(|least| length < *least) {
        return Some(format!("must have at least {least} characters"));
    }
    if let Some(most) = property["maxLength"].as_u64().filter(|most| length > *most) {
        return Some(format!("must have at most {most} characters"));
    }
    if property["format"] == "uri" && !text.starts_with("https://") && !text.starts_with("http://") {
        return Some("must be an address like `https://shop.example`".into());
    }
    match regex_lite::Regex::new(property["pattern"].as_str()?) {
        Ok(pattern) if pattern.is_match(text) => None,
        Ok(pattern) => Some(format!("must match `{pattern}`")),
        Err(error) => Some(format!("has a pattern that is none: {error}")),
    }
}

/// A description's own parts are checked too: a default that the schema refuses is found here.
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> String {
        json!({
            "type": "object", "additionalProperties": false, "required": ["url"],
            "properties": {
                "url": {"type": "string", "format": "uri", "pattern": "[^/]$"},
                "size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 5},
                "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
                "name": {"type": "string", "minLength": 2, "maxLength": 3},
            },
        })
        .to_string()
    }

    #[test]
    fn defaults_are_filled_in() {
        let settings = filled(&schema(), &json!({"url": "https://a.example", "mode": "b"})).unwrap();
        assert_eq!(settings, json!({"url": "https://a.example", "size": 5, "mode": "b"}));
    }

    #[test]
    fn everything_the_schema_says_is_checked() {
        for (given, why) in [
            (json!({}), "the setting `url` is missing"),
            (json!({"url": "shop"}), "the setting `url` must be an address"),
            (json!({"url": "https://a.example/"}), "the setting `url` must match `[^/]$`"),
            (json!({"url": "https://a.example", "size": 0}), "the setting `size` must be at least 1"),
            (json!({"url": "https://a.example", "size": 10}), "the setting `size` must be at most 9"),
            (json!({"url": "https://a.example", "size": "5"}), "the setting `size` must be an integer"),
            (json!({"url": "https://a.example", "mode": "c"}), "the setting `mode` must be one of"),
            (json!({"url": "https://a.example", "name": "ä"}), "the setting `name` must have at least 2 characters"),
            (json!({"url": "https://a.example", "name": "äöüß"}), "the setting `name` must have at most 3 characters"),
            (json!({"url": "https://a.example", "odd": 1}), "the setting `odd` is not known"),
        ] {
            let Err(Error::Rejected(issues)) = filled(&schema(), &given) else { panic!("{given} is taken") };
            assert!(issues[0].message.starts_with(why), "{issues:?}");
        }
    }
}
