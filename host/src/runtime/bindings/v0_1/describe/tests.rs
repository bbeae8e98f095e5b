use super::*;

fn told() -> xc::Description {
    xc::Description {
        id: "org.example.shop".into(),
        version: "1.2.0".into(),
        name: vec![wt::Text { language: "en".into(), value: "Shop".into() }],
        vendor: "Example".into(),
        about: Vec::new(),
        id_space: "example-shop".into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: vec![xc::Ability {
            kind: wr::Kind::Stock,
            reading: Some(xc::Reading {
                changes: true,
                ids: true,
                present: false,
                writes: false,
                figure: Some(xc::StockFigure::Available),
            }),
            writing: Some(xc::Writing {
                facets: vec!["stock:*".into()],
                events: Vec::new(),
                create: false,
                update: true,
                removals: vec![wr::Removal::Deactivate],
                max_batch: 0,
                idempotent: true,
                marker: Some(0),
                create_done: false,
                figure: Some(xc::StockFigure::OnHand),
            }),
            lookup: Some(xc::Lookup { lag_seconds: 5 }),
        }],
        settings_schema: r#"{"type": "object"}"#.into(),
        origins: vec![xc::Origin { scheme: "https".into(), host: "{url}".into(), port: None, why: Vec::new() }],
        credentials: vec![xc::Credential {
            name: "api".into(),
            title: Vec::new(),
            scheme: xc::Scheme::Header("X-Key".into()),
            origins: vec![0],
            required: true,
        }],
        rates: vec![xc::Rate {
            name: "api".into(),
            per_second: "2.5".into(),
            burst: 5,
            concurrent: Some(2),
            remaining_header: None,
        }],
        files: true,
    }
}

#[test]
fn a_description_is_taken_over() {
    let description = description(told()).unwrap();
    assert_eq!((description.id.as_str(), description.files), ("org.example.shop", true));
    let ability = description.ability(crate::model::Kind::Stock).unwrap();
    assert_eq!(ability.lookup_lag, Some(5));
    let writing = ability.writing.as_ref().unwrap();
    assert_eq!((writing.max_batch, writing.marker, writing.figure), (1, None, Some(StockFigure::OnHand)));
    assert_eq!(description.credentials[0].scheme, Scheme::Header("X-Key".into()));
    assert_eq!(description.rates[0].per_second.to_string(), "2.5");
}

#[test]
fn what_cannot_be_is_found_with_its_path() {
    type Harm = fn(&mut xc::Description);
    let harms: [(&str, Harm); 12] = [
        ("id", |d| d.id = "Shop".into()),
        ("id", |d| d.id = "shop/../x.y".into()),
        ("version", |d| d.version = "1 2".into()),
        ("settings-schema", |d| d.settings_schema = "[]".into()),
        ("settings-schema", |d| d.settings_schema = "{".into()),
        ("abilities", |d| d.abilities.extend(d.abilities.clone())),
        ("abilities[0].reading.figure", |d| d.abilities[0].reading.as_mut().unwrap().figure = None),
        ("origins[0].scheme", |d| d.origins[0].scheme = "file".into()),
        ("credentials[0].origins", |d| d.credentials[0].origins = vec![1]),
        ("rates[0].per-second", |d| d.rates[0].per_second = "fast".into()),
        ("rates[0]", |d| d.rates[0].burst = 0),
        ("id-space", |d| d.id_space = String::new()),
    ];
    for (path, harm) in harms {
        let mut told = told();
        harm(&mut told);
        assert_eq!(description(told).unwrap_err().path, path);
    }
}

fn reached() -> xc::Account {
    xc::Account {
        id: "42".into(),
        name: "Shop".into(),
        environment: xc::Environment::Test,
        zone: "Europe/Berlin".into(),
        now: Some("2026-11-22T08:00:00Z".into()),
        channels: vec![xc::Channel {
            id: "main".into(),
            name: "Shop".into(),
            currency: "EUR".into(),
            basis: wt::TaxBasis::Gross,
            languages: vec!["de".into()],
            countries: vec!["DE".into()],
            zone: "Europe/Berlin".into(),
        }],
        warehouses: vec![xc::Warehouse { id: "WH".into(), name: "Lager".into() }],
    }
}

#[test]
fn an_account_is_taken_over() {
    let account = account(reached()).unwrap();
    assert_eq!((account.id.as_str(), account.environment), ("42", Environment::Test));
    assert_eq!((account.channels[0].currency.as_str(), account.warehouses[0].id.as_str()), ("EUR", "WH"));
}

#[test]
fn an_account_that_cannot_be_is_refused() {
    type Harm = fn(&mut xc::Account);
    let harms: [(&str, Harm); 6] = [
        ("id", |a| a.id = String::new()),
        ("zone", |a| a.zone = "Berlin".into()),
        ("now", |a| a.now = Some("today".into())),
        ("channels", |a| a.channels.clear()),
        ("channels", |a| a.channels.extend(a.channels.clone())),
        ("channels[0].currency", |a| a.channels[0].currency = "euro".into()),
    ];
    for (path, harm) in harms {
        let mut reached = reached();
        harm(&mut reached);
        assert_eq!(account(reached).unwrap_err().path, path);
    }
}
