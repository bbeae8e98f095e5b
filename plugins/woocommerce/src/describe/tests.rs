use serde_json::json;

use super::*;
use crate::WooCommerce;
use crate::settings::Settings;

#[test]
fn the_schema_has_every_setting_with_its_default() {
    let told = tradepost_sdk::describe::<WooCommerce>();
    let schema: Value = serde_json::from_str(&told.settings_schema).unwrap();
    assert_eq!(schema["required"], json!(["url"]));
    let mut defaults = serde_json::Map::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(property["title"].is_string() && property["description"].is_string(), "{name} is explained");
        defaults.insert(name.clone(), property.get("default").cloned().unwrap_or_else(|| json!("https://x")));
    }
    let filled: Settings = tradepost_sdk::settings::parse(&json!(defaults).to_string()).unwrap();
    let left_out: Settings = tradepost_sdk::settings::parse(r#"{"url": "https://x"}"#).unwrap();
    assert_eq!(format!("{filled:?}"), format!("{left_out:?}"));
    assert_eq!((told.origins.len(), &told.credentials[0].origins), (1, &vec![0]));
}

#[test]
fn only_what_shares_requests_is_written_in_batches() {
    for ability in description().abilities {
        let Some(writing) = ability.writing else { continue };
        let most = match ability.kind {
            Kind::Stock | Kind::Price => 100,
            Kind::Product => 10,
            _ => 1,
        };
        assert_eq!(writing.max_batch, most, "{:?}", ability.kind);
    }
}
