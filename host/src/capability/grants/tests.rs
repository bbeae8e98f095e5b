use serde_json::json;

use super::*;
use crate::model::description::{Origin, Scheme};

fn description() -> Description {
    let origin =
        |scheme: &str, host: &str, port| Origin { scheme: scheme.into(), host: host.into(), port, why: vec![] };
    Description {
        id: "eu.tradepost.test".into(),
        version: "1.0.0".into(),
        name: vec![],
        vendor: String::new(),
        about: vec![],
        id_space: "test".into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: vec![],
        settings_schema: json!({}),
        origins: vec![origin("https", "{url}", None), origin("https", "*.cdn.example", None)],
        credentials: vec![Credential {
            name: "key".into(),
            title: vec![],
            scheme: Scheme::Bearer,
            origins: vec![0],
            required: true,
        }],
        rates: vec![Rate {
            name: "api".into(),
            per_second: Decimal::from(5),
            burst: 10,
            concurrent: None,
            remaining_header: None,
        }],
        files: false,
    }
}

fn grants(url: &str, decision: &Decision) -> Grants {
    Grants::new(&description(), &json!({ "url": url }), decision)
}

fn decision(origins: &[&str], private: &[&str]) -> Decision {
    Decision {
        origins: origins.iter().map(|o| o.parse().unwrap()).collect(),
        private: private.iter().map(|p| p.parse().unwrap()).collect(),
        files: Some("/exchange".into()),
        rates: [("api".to_owned(), Decimal::from(50))].into(),
        proxy: None,
    }
}

fn check(grants: &Grants, url: &str) -> Result<GrantedOrigin, Denial> {
    grants.check("GET", &Url::parse(url).unwrap())
}

#[test]
fn only_what_was_asked_for_and_decided() {
    let g = grants("https://shop.example", &decision(&["https://shop.example", "https://other.example"], &[]));
    assert!(check(&g, "https://shop.example/x").is_ok());
    // Decided but never asked for.
    assert!(matches!(check(&g, "https://other.example/"), Err(Denial::Origin { .. })));
    // Asked for but not decided.
    assert!(matches!(check(&g, "https://a.cdn.example/"), Err(Denial::Origin { .. })));
    assert!(g.files.is_none(), "the connector did not ask for files");
    assert_eq!(g.rates()[0].per_second, Decimal::from(5), "an operator can only tighten a rate");
}

#[test]
fn a_changed_setting_asks_again() {
    let decided = decision(&["https://shop.example"], &[]);
    assert!(check(&grants("https://evil.example", &decided), "https://evil.example/").is_err());
    let request = Request::of(&description(), &json!({"url": "https://evil.example"})).unwrap();
    assert_eq!(request.missing(&decided).origins[0].to_string(), "https://evil.example");
}

#[test]
fn literals_are_judged_in_every_spelling() {
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::1]/",
        "https://169.254.169.254/",
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://0/",
        "https://１２７.0.0.1/",
    ] {
        let parsed = Url::parse(url).unwrap();
        let origin = GrantedOrigin::of(&parsed).unwrap().to_string();
        let g = grants(url, &decision(&[&origin], &[]));
        assert!(matches!(g.check("GET", &parsed), Err(Denial::Address { .. })), "{url}");
    }
}

#[test]
fn private_exceptions_name_host_range_and_port() {
    let g = grants("http://127.0.0.1:3101", &decision(&["http://127.0.0.1:3101"], &["127.0.0.1,127.0.0.1/32,3101"]));
    assert!(check(&g, "http://127.0.0.1:3101/admin-api").is_ok());
    let address = "127.0.0.1".parse().unwrap();
    assert!(matches!(g.check_address("127.0.0.1", address, 80), Err(Denial::Port { .. })));
    assert!(matches!(g.check_address("other", address, 3101), Err(Denial::Address { .. })));
    assert!(matches!(g.check_address("127.0.0.1", "127.0.0.2".parse().unwrap(), 3101), Err(Denial::Address { .. })));
    assert!(g.check_port("127.0.0.1", 22).is_err());
    assert!(g.check_port("shop.example", 22).is_ok());
}

#[test]
fn user_info_and_methods() {
    let g = grants("https://shop.example", &decision(&["https://shop.example"], &[]));
    assert!(matches!(check(&g, "https://a:b@shop.example/"), Err(Denial::UserInfo { .. })));
    assert!(matches!(check(&g, "https://a@shop.example/"), Err(Denial::UserInfo { .. })));
    let url = Url::parse("https://shop.example/").unwrap();
    for method in ["CONNECT", "TRACE", "get", "GET\r\n"] {
        assert!(matches!(g.check(method, &url), Err(Denial::Method { .. })), "{method}");
    }
    assert!(matches!(check(&g, "file:///etc/passwd"), Err(Denial::NotHttp { .. })));
}

#[test]
fn credentials_are_bound_to_origins() {
    let g = grants("https://shop.example", &decision(&["https://shop.example", "https://*.cdn.example"], &[]));
    let credential = g.credential("key").unwrap();
    assert!(g.check_credential(credential, &Url::parse("https://shop.example/").unwrap()).is_ok());
    let cdn = Url::parse("https://a.cdn.example/").unwrap();
    assert!(g.check("GET", &cdn).is_ok());
    assert!(matches!(g.check_credential(credential, &cdn), Err(Denial::CredentialOrigin { .. })));
    assert!(g.credential("other").is_err());
}
