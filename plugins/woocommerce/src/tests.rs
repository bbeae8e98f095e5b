//! The connector against a simulated shop, over real HTTP.

use tradepost_sdk::catalog::{
    Category, CategoryBase, Choice, Form, Price, PriceKind, Product, ProductBase, StockLevel, Texts, Variant,
};
use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::records::Kind;
use tradepost_sdk::source::{Page, Request, Scope, Window};
use tradepost_sdk::types::{Link, RemoteRef, TaxBasis};

use crate::WooCommerce;
use crate::map::remote;
use crate::stand_in::StandIn;

/// All pages of what has changed, and the watermark.
fn read(host: &StandIn, kind: Kind, since: Option<&str>) -> (Vec<Page>, Option<String>) {
    let window = Window { since: since.map(Into::into), until: "2099-01-01T00:00:00Z".into() };
    read_scope(host, kind, &Scope::Changed(window))
}

fn read_scope(host: &StandIn, kind: Kind, scope: &Scope) -> (Vec<Page>, Option<String>) {
    let mut pages: Vec<Page> = Vec::new();
    let mut cursor = None;
    loop {
        let request = Request { kind, scope: scope.clone(), cursor, limit: 500 };
        let page = host.pull::<WooCommerce>(request).unwrap();
        cursor = page.next.clone();
        let watermark = page.watermark.clone();
        assert!(pages.len() < 100, "the reading does not end");
        pages.push(page);
        if cursor.is_none() {
            return (pages, watermark);
        }
    }
}

macro_rules! records {
    ($pages:expr, $case:ident) => {
        $pages
            .iter()
            .flat_map(|page| &page.records)
            .flat_map(|records| match records {
                tradepost_sdk::records::Records::$case(all) => all.clone(),
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
}

mod catalogue;
mod reading;
mod trade;

fn head(op: Op, item: &str, remote: Option<RemoteRef>) -> Head {
    Head { op, item: item.into(), marker: Some(format!("m-{item}")), remote, parts: Vec::new(), updated: None }
}

fn texts(name: &str) -> Texts {
    Texts {
        language: "de".into(),
        name: name.into(),
        short_html: None,
        long_html: Some(format!("<p>{name}</p>")),
        slug: None,
        meta_title: None,
        meta_description: None,
        keywords: Vec::new(),
    }
}

fn variant(sku: &str, colour: Option<&str>) -> Variant {
    let choice =
        |value: &str| Choice { axis: "Farbe".into(), value: value.into(), names: Vec::new(), values: Vec::new() };
    Variant {
        remote: None,
        sku: sku.into(),
        gtin: None,
        mpn: None,
        active: true,
        tax_class: None,
        tax_percent: Some("7".into()),
        choices: colour.map(choice).into_iter().collect(),
        weight_kg: Some("0.25".into()),
        pictures: None,
        extra: Vec::new(),
    }
}

fn product(op: Op, item: &str, name: &str, variants: Vec<Variant>) -> Product {
    Product {
        head: head(op, item, None),
        base: Some(ProductBase { number: None, form: Form::Goods, active: true, manufacturer: None, unit: None }),
        texts: vec![texts(name)],
        pictures: None,
        categories: None,
        attributes: None,
        variants: Some(variants),
        extra: Vec::new(),
    }
}

fn category(item: &str, key: &str, parent: Option<u64>) -> Category {
    Category {
        head: head(Op::Create, item, None),
        base: Some(CategoryBase {
            key: key.into(),
            parent: parent.map(|id| Link { id: Some(id.to_string()), key: String::new() }),
            active: true,
            position: Some(3),
        }),
        texts: vec![texts(key)],
        pictures: None,
        extra: Vec::new(),
    }
}

fn level(item: &str, id: u64, parent: Option<u64>, quantity: &str) -> StockLevel {
    StockLevel {
        head: head(Op::Update, item, Some(remote(id, parent))),
        variant: Link { id: Some(id.to_string()), key: String::new() },
        warehouse: "main".into(),
        quantity: quantity.into(),
        unlimited: false,
        taken: None,
    }
}

fn price(item: &str, id: u64, parent: Option<u64>, kind: PriceKind, amount: Option<&str>) -> Price {
    Price {
        head: head(Op::Update, item, Some(remote(id, parent))),
        variant: Link { id: Some(id.to_string()), key: String::new() },
        channel: "main".into(),
        kind,
        currency: "EUR".into(),
        basis: TaxBasis::Gross,
        amount: amount.map(Into::into),
        from_quantity: "1".into(),
        valid_from: None,
        valid_to: None,
    }
}
