use super::*;

#[test]
fn an_ability_without_its_interface_is_refused() {
    let ability = crate::model::description::Ability {
        kind: crate::model::Kind::Stock,
        reading: None,
        writing: Some(crate::model::description::Writing::default()),
        lookup_lag: None,
    };
    let description = Description {
        id: "org.example.x".into(),
        version: "1".into(),
        name: Vec::new(),
        vendor: String::new(),
        about: Vec::new(),
        id_space: "x".into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: vec![ability],
        settings_schema: serde_json::json!({}),
        origins: Vec::new(),
        credentials: Vec::new(),
        rates: Vec::new(),
        files: false,
    };
    assert!(agree(&description, true, true).is_ok());
    let error = agree(&description, true, false).unwrap_err().to_string();
    assert!(error.contains("`stock`") && error.contains("`target`"), "{error}");
}
