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
fn what_can_be_written_in_a_batch_is_one_request() {
    for ability in description().abilities {
        let Some(writing) = ability.writing else { continue };
        let batched = matches!(ability.kind, Kind::Stock | Kind::Price);
        assert_eq!(writing.max_batch, if batched { 100 } else { 1 }, "{:?}", ability.kind);
    }
}
