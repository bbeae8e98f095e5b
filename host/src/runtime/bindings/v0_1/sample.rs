//! Records for the tests of the conversions: as a connector would hand them over, with every field filled.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::wit::tradepost::connector::{catalog as wc, head as wh, sales as ws, types as wt};
use super::{Lent, Reading};
use crate::model::{Op, PlatformCode, Record};
use crate::runtime::power::Blob;

static CODE: LazyLock<PlatformCode> = LazyLock::new(|| PlatformCode::parse("shop").unwrap());
static CONTENTS: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| HashMap::from([("blob-1".to_owned(), "c0ffee".to_owned())]));

pub(super) fn reading() -> Reading<'static> {
    Reading { code: &CODE, contents: &CONTENTS }
}

pub(super) fn lent() -> Lent {
    let (id, content, media_type) = ("blob-1".to_owned(), "c0ffee".to_owned(), "image/png".to_owned());
    Lent::from([("c0ffee".to_owned(), Blob { id, content, size: 7, media_type, name: Some("a.png".into()) })])
}

/// What was read, as it is written to another platform.
pub(super) fn pushed(record: Record) -> Record {
    Record { op: Op::Update, item: "inst/shop/7/12".into(), ..record }
}

/// The head that a record has after [`pushed`].
pub(super) fn pushed_head() -> wh::Head {
    wh::Head { op: wh::Op::Update, item: "inst/shop/7/12".into(), ..head() }
}

pub(super) fn remote(id: &str) -> wt::RemoteRef {
    wt::RemoteRef { id: id.into(), parent: Some("above".into()), version: Some("3".into()) }
}

pub(super) fn head() -> wh::Head {
    wh::Head {
        op: wh::Op::Read,
        item: String::new(),
        marker: Some("shop-100".into()),
        remote: Some(remote("77")),
        parts: vec![wh::Part { what: wh::PartKind::Variant, key: "SKU-1".into(), id: "78".into() }],
        updated: Some("2026-11-22T08:00:00Z".into()),
    }
}

pub(super) fn link(id: &str, key: &str) -> wt::Link {
    wt::Link { id: Some(id.into()), key: key.into() }
}

pub(super) fn text(value: &str) -> wt::Text {
    wt::Text { language: "de".into(), value: value.into() }
}

pub(super) fn extra() -> Vec<wt::Field> {
    vec![wt::Field { name: "origin".into(), value: "oak, wood".into() }]
}

pub(super) fn texts(language: &str) -> wc::Texts {
    wc::Texts {
        language: language.into(),
        name: "Stuhl".into(),
        short_html: Some("<p>kurz</p>".into()),
        long_html: Some("<p>lang</p>".into()),
        slug: Some("stuhl".into()),
        meta_title: Some("Stuhl".into()),
        meta_description: Some("Ein Stuhl".into()),
        keywords: vec!["Holz".into(), "Eiche".into()],
    }
}

pub(super) fn pictures() -> Vec<wc::Medium> {
    let blob = wt::BlobRef { id: "blob-1".into(), size: 7, media_type: "image/png".into(), name: Some("a.png".into()) };
    let content = |blob, url: Option<&str>| wc::Content { blob, url: url.map(Into::into) };
    vec![
        wc::Medium { key: "1".into(), content: content(Some(blob), None), title: vec![text("vorn")] },
        wc::Medium { key: "2".into(), content: content(None, Some("https://shop.example/2.png")), title: Vec::new() },
    ]
}

pub(super) fn buyer() -> ws::CustomerBase {
    ws::CustomerBase {
        number: Some("K-1".into()),
        email: Some("Ada@Example.org".into()),
        phone: Some("+49 1".into()),
        company: Some("Analytical".into()),
        first_name: Some("Ada".into()),
        last_name: Some("Lovelace".into()),
        vat_id: Some("DE1".into()),
        language: Some("de".into()),
        group: Some("b2b".into()),
        guest: true,
        active: true,
    }
}

pub(super) fn address(key: &str) -> ws::Address {
    ws::Address {
        key: key.into(),
        company: Some("Analytical".into()),
        first_name: Some("Ada".into()),
        last_name: Some("Lovelace".into()),
        lines: vec!["Hauptstr. 1".into(), "Hof".into()],
        postcode: "10115".into(),
        city: "Berlin".into(),
        region: Some("BE".into()),
        country: "DE".into(),
        phone: Some("+49 2".into()),
    }
}

pub(super) fn payment() -> ws::Payment {
    ws::Payment {
        id: Some("p1".into()),
        method: "paypal".into(),
        state: ws::PaymentState::Paid,
        amount: "119".into(),
        transaction: Some("tx".into()),
        at: Some("2026-11-22T08:01:00Z".into()),
    }
}
