//! The two platforms as an operator sets them up: settings, secrets, the addresses they may talk to, who owns what.

use std::{
    io::Write,
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use serde_json::{Value, json};

use crate::{proxy::Proxy, vendure::Vendure};

/// Name of the ERP's price list that holds special prices.
pub const SPECIAL_PRICES: &str = "Web special";

/// One platform.
#[derive(Debug, Clone)]
pub struct Platform {
    pub code: String,
    /// Its entry in the file that `platform apply` is given.
    pub document: Value,
}

/// The shop and the ERP.
#[derive(Debug, Clone)]
pub struct Platforms {
    pub shop: Platform,
    pub erp: Platform,
}

impl Platforms {
    /// The ERP first: what it has is created in the shop.
    #[must_use]
    pub fn both(&self) -> [&Platform; 2] {
        [&self.erp, &self.shop]
    }
}

/// Sets both up to be reached through the counting proxies.
pub async fn platforms(shop: &Vendure, shop_proxy: &Proxy, erp_proxy: &Proxy, erp_key: &str) -> Result<Platforms> {
    let shop_key = shop.create_api_key().await?;
    let shop = Platform {
        code: "shop".to_owned(),
        document: json!({
            "code": "shop", "connector": "eu.tradepost.vendure",
            "settings": { "url": shop_proxy.url, "credential": "key", "environment": "test", "fulfilment_method": "DHL" },
            "secrets": { "key/value": shop_key },
            "grant-all": true, "private": [private(&shop_proxy.url)],
            "policy": shop_policy(),
        }),
    };
    let erp = Platform {
        code: "erp".to_owned(),
        document: json!({
            "code": "erp", "connector": "eu.tradepost.tryton",
            "settings": {
                "url": format!("{}/erp", erp_proxy.url), "environment": "test", "special_price_list": SPECIAL_PRICES,
                "description_format": "html", "shipping_product": "SHIP",
            },
            "secrets": { "key/token": erp_key },
            "grant-all": true, "private": [private(&erp_proxy.url)],
            "policy": erp_policy(),
        }),
    };
    Ok(Platforms { shop, erp })
}

/// Loopback is refused unless host, range and port are named.
fn private(origin: &str) -> String {
    format!("127.0.0.1,127.0.0.1/32,{}", origin.rsplit(':').next().unwrap_or_default())
}

/// Texts and pictures belong to the shop; orders and customers come from it; the catalogue is sent to it.
fn shop_policy() -> Value {
    json!({
        "owns": [
            { "record": "product", "facet": "texts:*" },
            { "record": "product", "facet": "media" },
        ],
        "creates": ["customer", "order"],
        "create_on": ["category", "product", "variant", "shipment"],
        "pushes": ["product", "price", "stock", "order-event", "shipment"],
        // A new product brings its words from the ERP; from then on the shop words it.
        "only_at_create": [{ "record": "product", "facet": "texts:*" }],
        "on_delete": "deactivate",
    })
}

/// The catalogue, prices and stock belong to the ERP; it is sent customers, orders, what happens to them, and the shop's texts.
fn erp_policy() -> Value {
    json!({
        "owns": [
            { "record": "category", "facet": "*" },
            { "record": "product", "facet": "*" },
            { "record": "variant", "facet": "*" },
            { "record": "order", "facet": "remote-number:*" },
        ],
        "creates": ["category", "product", "variant", "shipment"],
        "create_on": ["customer", "order"],
        "pushes": ["product", "customer", "order", "order-event"],
        "orders": {
            "shipping_sku": "SHIP",
            "payment": { "dummy-payment": "Cash" },
            "shipping": { "standard-shipping": "DHL" },
        },
    })
}

/// The ERP of the vendor-mock run: an exchange folder with a catalogue.
#[must_use]
pub fn files_erp(exchange: &Path) -> Platform {
    Platform {
        code: "erp".to_owned(),
        document: json!({
            "code": "erp", "connector": "eu.tradepost.files",
            "settings": {}, "grant-all": true, "files": exchange,
            "policy": erp_policy(),
        }),
    }
}

/// A shop that is a vendor's mock. Its origin needs no more than any other shop's.
#[must_use]
pub fn mocked(vendor: &'static str, url: &str) -> Platform {
    let (settings, secrets) = match vendor {
        // Every text in the mock's answers is `text`, the codes of handlers too.
        "vendure" => (
            json!({ "url": url, "credential": "key", "environment": "test", "fulfilment_handler": "text" }),
            json!({ "key/value": "mock" }),
        ),
        // What the vendor's description leaves out (the shop's own settings) is said here, so that it is not asked for.
        _ => (
            json!({
                "url": url, "currency": "EUR", "prices": "gross", "country": "DE", "zone": "Europe/Berlin",
                "tax_classes": "19=standard, 7=reduced-rate",
            }),
            json!({ "api/username": "ck_mock", "api/password": "cs_mock" }),
        ),
    };
    Platform {
        code: vendor.to_owned(),
        document: json!({
            "code": vendor, "connector": format!("eu.tradepost.{vendor}"), "settings": settings, "secrets": secrets,
            "grant-all": true, "private": [private(url)], "policy": mocked_policy(),
        }),
    }
}

/// There are two of them, so nothing is theirs but what is placed there; they are sent everything.
fn mocked_policy() -> Value {
    let mut policy = shop_policy();
    policy["owns"] = json!([]);
    policy["only_at_create"] = json!([]);
    policy
}

/// A small catalogue in the exchange folder: what the shops are sent. The ERP has been done with it for a while; a file of this
/// moment would wait until it has rested.
pub fn write_exchange_files(exchange: &Path) -> Result<()> {
    let inbox = exchange.join("inbox");
    std::fs::create_dir_all(&inbox)?;
    let mut products = std::fs::File::create(inbox.join("products.csv"))?;
    products.write_all(
        b"sku;name;description;price;tax;stock;active\nTEA-1;Green tea;Loose leaves;8,40;7;12;1\nPOT-1;Tea pot;Cast iron;39,00;19;3;1\n",
    )?;
    products.set_modified(SystemTime::now() - Duration::from_secs(3600))?;
    Ok(())
}
