//! Conversions between the platform's shapes and the contract's.

use tradepost_sdk::catalog::{Attribute, Content, Form, Medium, Product, ProductBase, Texts, Variant};
use tradepost_sdk::head::{Head, Op, Part, PartKind};
use tradepost_sdk::sales::{Address, CustomerBase, Delivery, Line, LineKind, Order, OrderState, Payment, PaymentState};
use tradepost_sdk::types::{Link, RemoteRef, TaxBasis};

use crate::wire;

fn head(id: String, updated: String) -> Head {
    Head {
        op: Op::Read,
        item: String::new(),
        marker: None,
        remote: Some(RemoteRef { id, parent: None, version: None }),
        parts: Vec::new(),
        updated: Some(updated),
    }
}

fn texts(language: &str, name: String, html: Option<String>) -> Texts {
    Texts {
        language: language.into(),
        name,
        short_html: None,
        long_html: html,
        slug: None,
        meta_title: None,
        meta_description: None,
        keywords: Vec::new(),
    }
}

/// A product with its one variant.
pub fn product(from: wire::Product<'_>) -> Product {
    let id = from.id.into_owned();
    let sku = from.sku.into_owned();
    let attribute =
        |name: &str, value: String| Attribute { name: name.into(), value, language: Some("de".into()), unit: None };
    Product {
        base: Some(ProductBase {
            number: Some(sku.clone()),
            form: Form::Goods,
            active: from.active,
            manufacturer: Some(from.manufacturer.into_owned()),
            unit: None,
        }),
        texts: vec![
            texts("de", from.name_de.into_owned(), Some(from.description.into_owned())),
            texts("en", from.name_en.into_owned(), None),
        ],
        pictures: Some(vec![Medium {
            key: "main".into(),
            content: Content { blob: None, url: Some(from.image.into_owned()) },
            title: Vec::new(),
        }]),
        categories: None,
        attributes: Some(vec![attribute("colour", from.color.into_owned()), attribute("size", from.size.into_owned())]),
        variants: Some(vec![Variant {
            remote: Some(RemoteRef { id: id.clone(), parent: None, version: None }),
            sku,
            gtin: Some(from.ean.into_owned()),
            mpn: None,
            active: from.active,
            tax_class: None,
            tax_percent: Some(from.tax.to_string()),
            choices: Vec::new(),
            // The text of the number as it came: `serde_json` prints the shortest that reads the same.
            weight_kg: Some(from.weight.to_string()),
            pictures: None,
            extra: Vec::new(),
        }]),
        extra: Vec::new(),
        head: head(id, from.updated_at.into_owned()),
    }
}

/// An order with its lines.
pub fn order(from: wire::Order<'_>) -> Order {
    let address = Address {
        key: "shipping".into(),
        company: None,
        first_name: None,
        last_name: Some(from.ship_name.into_owned()),
        lines: vec![from.ship_street.into_owned()],
        postcode: from.ship_zip.into_owned(),
        city: from.ship_city.into_owned(),
        region: None,
        country: from.ship_country.into_owned(),
        phone: None,
    };
    let email = from.email.into_owned();
    let created = from.created_at.into_owned();
    let total = from.total.into_owned();
    Order {
        head: head(from.id.into_owned(), from.updated_at.into_owned()),
        number: from.number.into_owned(),
        other_number: None,
        channel: "main".into(),
        placed: created.clone(),
        state: OrderState::Open,
        payment_state: PaymentState::Paid,
        currency: from.currency.into_owned(),
        basis: TaxBasis::Gross,
        customer: Link { id: None, key: email.clone() },
        buyer: CustomerBase {
            number: None,
            email: Some(email),
            phone: None,
            company: None,
            first_name: None,
            last_name: address.last_name.clone(),
            vat_id: None,
            language: Some("de".into()),
            group: None,
            guest: true,
            active: true,
        },
        billing: address.clone(),
        shipping: Some(address),
        lines: from.items.into_iter().map(line).collect(),
        taxes: Vec::new(),
        payments: vec![Payment {
            id: None,
            method: from.payment.into_owned(),
            state: PaymentState::Paid,
            amount: total.clone(),
            transaction: None,
            at: Some(created),
        }],
        delivery: Some(Delivery {
            method: from.shipping.into_owned(),
            label: None,
            wanted_on: None,
            pickup_point: None,
        }),
        total,
        note: None,
        extra: Vec::new(),
    }
}

fn line(from: wire::Line<'_>) -> Line {
    let sku = from.sku.into_owned();
    Line {
        id: from.line.to_string(),
        kind: LineKind::Product,
        name: sku.clone(),
        variant: Some(Link { id: None, key: sku }),
        quantity: from.qty.to_string(),
        unit_price: from.price.into_owned(),
        total: from.total.into_owned(),
        tax_percent: Some(from.tax.to_string()),
        tax: None,
        tax_code: None,
        extra: Vec::new(),
    }
}

/// What the platform is sent.
pub fn offer(product: &Product) -> wire::Offer<'_> {
    let variant = product.variants.iter().flatten().next();
    let base = product.base.as_ref();
    wire::Offer {
        key: &product.head.item,
        id: product.head.remote.as_ref().map(|remote| remote.id.as_str()),
        sku: variant.map(|variant| variant.sku.as_str()),
        ean: variant.and_then(|variant| variant.gtin.as_deref()),
        active: base.map(|base| base.active),
        manufacturer: base.and_then(|base| base.manufacturer.as_deref()),
        names: product.texts.iter().map(|texts| (texts.language.as_str(), texts.name.as_str())).collect(),
        descriptions: product.texts.iter().filter_map(|texts| texts.long_html.as_deref()).collect(),
        attributes: product.attributes.iter().flatten().map(|a| (a.name.as_str(), a.value.as_str())).collect(),
        weight: variant.and_then(|variant| variant.weight_kg.as_deref()),
        images: product.pictures.iter().flatten().filter_map(|medium| medium.content.url.as_deref()).collect(),
    }
}

/// The one variant under the product's own id.
pub fn part(sku: &str, id: &str) -> Part {
    Part { what: PartKind::Variant, key: sku.into(), id: id.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_keeps_its_texts_and_numbers() {
        let answer: wire::Answer<wire::Product<'_>> = wire::read(
            br#"{"data":[{"id":"P1","sku":"S1","ean":"40","name_de":"Tisch \"rund\"","name_en":"Table","description":"d",
            "price":"9.99","tax":19,"stock":3,"category":"C1","manufacturer":"M1","active":true,"weight":1.250,
            "color":"rot","size":"M","image":"https://img.example/1.jpg","updated_at":"2026-01-01T00:00:00Z"}],"next":null}"#,
        )
        .unwrap();
        let product = product(answer.data.into_iter().next().unwrap());
        assert_eq!(product.texts[0].name, "Tisch \"rund\"");
        let variant = &product.variants.unwrap()[0];
        assert_eq!((variant.sku.as_str(), variant.tax_percent.as_deref()), ("S1", Some("19")));
        assert_eq!(variant.weight_kg.as_deref(), Some("1.25"));
    }
}
