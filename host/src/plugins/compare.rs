//! What a new build wants that the one before did not: more power is a person's decision, and so is another identity.

use std::collections::BTreeSet;

use super::registry::version;
use crate::model::description::{Ability, Credential, Description, Origin};

/// What is different, in words for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What a person has to allow first.
    pub holds: Vec<String>,
    /// What is worth a word in the log.
    pub notes: Vec<String>,
}

/// Compares what served with what wants to.
#[must_use]
pub fn compare(old: &Description, new: &Description) -> Comparison {
    let mut found = Comparison::default();
    identity(old, new, &mut found);
    powers(old, new, &mut found);
    abilities(old, new, &mut found);
    settings(old, new, &mut found);
    found
}

fn identity(old: &Description, new: &Description, found: &mut Comparison) {
    for (what, before, now) in [
        ("it is another connector", &old.id, &new.id),
        ("its vendor is another", &old.vendor, &new.vendor),
        ("its ids mean something else", &old.id_space, &new.id_space),
    ] {
        if before != now {
            found.holds.push(format!("{what}: `{now}` instead of `{before}`"));
        }
    }
    if version(&new.version) < version(&old.version) {
        found.holds.push(format!("its version {} is lower than {}, which serves", new.version, old.version));
    }
    for (what, before, now) in [
        ("storage version", old.storage_version, new.storage_version),
        ("mapping revision", old.mapping_revision, new.mapping_revision),
    ] {
        if now < before {
            found
                .holds
                .push(format!("its {what} is {now}, what serves has {before} and left data that it cannot read"));
        } else if now > before {
            found.notes.push(format!("{what} {before} became {now}"));
        }
    }
}

fn place(origin: &Origin) -> String {
    if origin.host.starts_with('{') {
        return format!("the address in the setting `{}`", origin.host.trim_matches(['{', '}']));
    }
    let port = origin.port.map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", origin.scheme, origin.host)
}

fn powers(old: &Description, new: &Description, found: &mut Comparison) {
    let before: BTreeSet<_> = old.origins.iter().map(place).collect();
    for origin in new.origins.iter().map(place).filter(|origin| !before.contains(origin)) {
        found.holds.push(format!("it wants to reach {origin}"));
    }
    if new.files && !old.files {
        found.holds.push("it wants an exchange folder".into());
    }
    let bound = |description: &Description, credential: &Credential| -> BTreeSet<String> {
        let origin = |index: &u32| description.origins.get(*index as usize).map(place);
        credential.origins.iter().filter_map(origin).collect()
    };
    for credential in &new.credentials {
        let name = &credential.name;
        let Some(before) = old.credentials.iter().find(|before| before.name == *name) else {
            found.holds.push(format!("it wants the credential `{name}`"));
            continue;
        };
        if before.scheme != credential.scheme {
            found.holds.push(format!("it wants the credential `{name}` to be sent in another way"));
        }
        let known = bound(old, before);
        for origin in bound(new, credential).iter().filter(|origin| !known.contains(*origin)) {
            found.holds.push(format!("it wants the credential `{name}` to be sent to {origin}"));
        }
    }
}

fn abilities(old: &Description, new: &Description, found: &mut Comparison) {
    for Ability { kind, reading, writing, .. } in &new.abilities {
        match (old.reading(*kind), reading) {
            (None, Some(_)) => found.holds.push(format!("it wants to read the kind `{kind}`")),
            (Some(before), Some(now)) if now.writes && !before.writes => {
                found.holds.push(format!("reading the kind `{kind}` changes the platform now"));
            }
            _ => {}
        }
        match (old.writing(*kind), writing) {
            (None, Some(_)) => found.holds.push(format!("it wants to write the kind `{kind}`")),
            (Some(before), Some(now)) => {
                for removal in now.removals.iter().filter(|removal| !before.removals.contains(removal)) {
                    found.holds.push(format!("it wants to remove the kind `{kind}` in a new way ({removal:?})"));
                }
                if (now.create, now.update) != (before.create, before.update) && (now.create || now.update) {
                    found.holds.push(format!("it creates or changes the kind `{kind}` where it did not"));
                }
                if now.facets != before.facets {
                    found.notes.push(format!("it writes other parts of the kind `{kind}`"));
                }
            }
            _ => {}
        }
    }
    for Ability { kind, reading, writing, .. } in &old.abilities {
        if reading.is_some() && new.reading(*kind).is_none() {
            found.notes.push(format!("it reads the kind `{kind}` no more"));
        }
        if writing.is_some() && new.writing(*kind).is_none() {
            found.notes.push(format!("it writes the kind `{kind}` no more"));
        }
    }
}

fn settings(old: &Description, new: &Description, found: &mut Comparison) {
    if old.settings_schema == new.settings_schema {
        return;
    }
    found.notes.push("its settings are others".into());
    let needed = |description: &Description| -> BTreeSet<String> {
        let schema = &description.settings_schema;
        let names = schema["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
        let default = |name: &&str| schema["properties"][*name].get("default").is_none();
        names.filter(default).map(str::to_owned).collect()
    };
    let before = needed(old);
    for name in needed(new).iter().filter(|name| !before.contains(*name)) {
        found.holds.push(format!("it needs the setting `{name}`, which no platform may have yet"));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Kind;
    use crate::model::description::{Reading, Removal, Scheme, Writing};

    pub(crate) fn description() -> Description {
        let origin = |host: &str| Origin { scheme: "https".into(), host: host.into(), port: None, why: Vec::new() };
        Description {
            id: "org.example.shop".into(),
            version: "1.2.0".into(),
            name: Vec::new(),
            vendor: "Example".into(),
            about: Vec::new(),
            id_space: "shop".into(),
            mapping_revision: 2,
            storage_version: 3,
            abilities: vec![Ability {
                kind: Kind::Stock,
                reading: Some(Reading::default()),
                writing: Some(Writing { update: true, max_batch: 1, ..Writing::default() }),
                lookup_lag: None,
            }],
            settings_schema: json!({ "type": "object", "properties": { "url": {} }, "required": ["url"] }),
            origins: vec![origin("{url}"), origin("api.shop.example")],
            credentials: vec![Credential {
                name: "key".into(),
                title: Vec::new(),
                scheme: Scheme::Bearer,
                origins: vec![0],
                required: true,
            }],
            rates: Vec::new(),
            files: false,
        }
    }

    fn holds(change: impl FnOnce(&mut Description)) -> Vec<String> {
        let mut new = description();
        change(&mut new);
        compare(&description(), &new).holds
    }

    #[test]
    fn a_newer_build_that_wants_no_more_is_not_held() {
        assert_eq!(compare(&description(), &description()), Comparison::default());
        assert_eq!(holds(|new| new.version = "1.10.0".into()), Vec::<String>::new());
        let less = |new: &mut Description| {
            new.origins.pop();
            new.credentials.clear();
            new.abilities.clear();
            new.storage_version += 1;
            new.mapping_revision += 1;
        };
        assert_eq!(holds(less), Vec::<String>::new());
    }

    #[test]
    fn every_new_power_is_held_by_name() {
        let origin = Origin { scheme: "https".into(), host: "evil.example".into(), port: Some(8443), why: Vec::new() };
        type Change = Box<dyn FnOnce(&mut Description)>;
        let cases: Vec<(Change, &str)> = vec![
            (Box::new(|new| new.id = "org.example.other".into()), "another connector"),
            (Box::new(|new| new.vendor = "Somebody".into()), "vendor"),
            (Box::new(|new| new.id_space = "other".into()), "ids mean something else"),
            (Box::new(|new| new.version = "1.1.9".into()), "lower than 1.2.0"),
            (Box::new(|new| new.storage_version = 2), "storage version is 2"),
            (Box::new(|new| new.mapping_revision = 1), "mapping revision is 1"),
            (Box::new(move |new| new.origins.push(origin)), "reach https://evil.example:8443"),
            (Box::new(|new| new.files = true), "exchange folder"),
            (Box::new(|new| new.credentials[0].name = "other".into()), "wants the credential `other`"),
            (Box::new(|new| new.credentials[0].scheme = Scheme::Basic), "in another way"),
            (Box::new(|new| new.credentials[0].origins.push(1)), "`key` to be sent to https://api.shop.example"),
            (Box::new(|new| new.abilities[0].kind = Kind::Customer), "read the kind `customer`"),
            (
                Box::new(|new| new.abilities[0].writing.as_mut().unwrap().removals.push(Removal::Delete)),
                "remove the kind `stock`",
            ),
            (Box::new(|new| new.abilities[0].writing.as_mut().unwrap().create = true), "creates or changes"),
            (Box::new(|new| new.abilities[0].reading.as_mut().unwrap().writes = true), "changes the platform now"),
            (
                Box::new(|new| {
                    new.settings_schema =
                        json!({ "properties": { "url": {}, "zone": {} }, "required": ["url", "zone"] });
                }),
                "needs the setting `zone`",
            ),
        ];
        for (change, words) in cases {
            let found = holds(change);
            assert!(found.iter().any(|hold| hold.contains(words)), "{words}: {found:?}");
        }
        let optional = |new: &mut Description| {
            new.settings_schema =
                json!({ "properties": { "url": {}, "zone": { "default": "UTC" } }, "required": ["url", "zone"] });
        };
        assert_eq!(holds(optional), Vec::<String>::new());
    }
}
