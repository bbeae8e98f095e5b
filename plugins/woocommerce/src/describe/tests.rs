use super::*;

#[test]
fn the_schema_has_every_setting_with_its_default() {
    let schema: Value = serde_json::from_str(&description().settings_schema).unwrap();
    let defaults: serde_json::Map<String, Value> = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, property)| (name.clone(), property.get("default").cloned().unwrap_or_else(|| json!("https://x"))))
        .collect();
    let read: Settings = serde_json::from_value(defaults.into()).unwrap();
    let expected = Settings { url: "https://x".into(), ..Settings::default() };
    assert_eq!(format!("{read:?}"), format!("{expected:?}"));
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
