//! Whether the settings of a platform fit what its connector declares.
//!
//! A schema describes a form: an object of scalar properties. Checked are the words that such a form needs: `type`, `enum`,
//! `minimum`, `maximum`, `minLength`, `maxLength`, `pattern` and `format: uri`.

use regex_lite::RegexBuilder;
use serde_json::Value;

/// What a pattern may take when it is compiled, in bytes: it comes from a connector.
const PATTERN_SIZE: usize = 1 << 20;

/// Checks what was entered. What is missing is not looked at: a platform is filled in step by step.
///
/// # Errors
/// A sentence that names the setting, what it must be, and what was found.
pub fn check(schema: &Value, settings: &Value) -> Result<(), String> {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    for (name, value) in settings.as_object().into_iter().flatten() {
        let Some(property) = properties.get(name) else {
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            return Err(format!("there is no setting `{name}`; the settings are: {}", known.join(", ")));
        };
        fits(property, value).map_err(|must| format!("the setting `{name}` {must}, found {value}"))?;
    }
    Ok(())
}

/// Whether a property of a schema takes a value.
///
/// # Errors
/// What the value must be.
pub fn fits(property: &Value, value: &Value) -> Result<(), String> {
    let expected = property["type"].as_str().unwrap_or("string");
    let of_type = match expected {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    };
    if !of_type {
        return Err(format!("must be {} {expected}", if expected == "integer" { "an" } else { "a" }));
    }
    if let Some(choices) = property["enum"].as_array().filter(|choices| !choices.contains(value)) {
        let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
        return Err(format!("must be one of {}", choices.join(", ")));
    }
    if let Some(number) = value.as_f64() {
        if let Some(least) = property["minimum"].as_f64().filter(|least| number < *least) {
            return Err(format!("must be at least {least}"));
        }
        if let Some(most) = property["maximum"].as_f64().filter(|most| number > *most) {
            return Err(format!("must be at most {most}"));
        }
    }
    value.as_str().map_or(Ok(()), |text| text_fits(property, text))
}

fn text_fits(property: &Value, text: &str) -> Result<(), String> {
    let characters = text.chars().count() as u64;
    if let Some(least) = property["minLength"].as_u64().filter(|least| characters < *least) {
        return Err(if least == 1 {
            "must not be empty".into()
        } else {
            format!("must have at least {least} characters")
        });
    }
    if let Some(most) = property["maxLength"].as_u64().filter(|most| characters > *most) {
        return Err(format!("must have at most {most} characters"));
    }
    if property["format"] == "uri" && url::Url::parse(text).is_err() {
        return Err("must be an address like `https://shop.example`".into());
    }
    let Some(pattern) = property["pattern"].as_str() else { return Ok(()) };
    match RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build() {
        Ok(built) if built.is_match(text) => Ok(()),
        Ok(_) => Err(format!("must match `{pattern}`")),
        Err(error) => Err(format!("cannot be checked, because the connector's pattern `{pattern}` is none ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_word_of_a_schema_is_checked_and_the_sentence_names_the_setting() {
        let schema = json!({"type": "object", "properties": {
            "url": {"type": "string", "format": "uri", "pattern": "[^/]$"},
            "name": {"type": "string", "minLength": 1, "maxLength": 4},
            "size": {"type": "integer", "minimum": 1, "maximum": 9},
            "share": {"type": "number", "minimum": 0.5},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "on": {"type": "boolean"},
            "odd": {"type": "string", "pattern": "("},
        }});
        let good =
            json!({"url": "https://x.example", "name": "äöü€", "size": 9, "share": 0.5, "mode": "b", "on": true});
        assert_eq!(check(&schema, &good), Ok(()));
        for (name, value, must) in [
            ("url", json!("https://x.example/"), "must match `[^/]$`"),
            ("url", json!("x"), "must be an address"),
            ("url", json!(7), "must be a string"),
            ("name", json!(""), "must not be empty"),
            ("name", json!("äöü€n"), "must have at most 4 characters"),
            ("size", json!(0), "must be at least 1"),
            ("size", json!(10), "must be at most 9"),
            ("size", json!(1.5), "must be an integer"),
            ("share", json!(0.25), "must be at least 0.5"),
            ("mode", json!("c"), "must be one of \"a\", \"b\""),
            ("on", json!("yes"), "must be a boolean"),
            ("odd", json!("x"), "the connector's pattern `(` is none"),
            ("other", json!(1), "the settings are: "),
        ] {
            let refused = check(&schema, &json!({name: value})).expect_err(name);
            assert!(refused.contains(must) && refused.contains(&format!("`{name}`")), "{refused}");
        }
    }

    #[test]
    fn a_pattern_that_would_grow_without_end_is_refused() {
        let refused = fits(&json!({"type": "string", "pattern": "((a{1000}){1000}){1000}"}), &json!("a"));
        assert!(refused.is_err_and(|words| words.contains("is none")), "it was compiled");
    }
}
