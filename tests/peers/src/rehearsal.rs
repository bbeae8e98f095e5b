//! Everything a merchant, a clerk and a customer do in the scenario, done without Tradepost and read back: a scenario that
//! finds nothing wrong is worth as much as its tools.

use std::path::Path;

use anyhow::Result;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    classify::Server,
    money::{gross, sellable},
    peers::Peers,
    picture,
    proxy::Proxy,
    report::Report,
    snapshot::Snapshot,
    tryton::{Draft, Tryton},
    vendure::{Address, Basket, Vendure},
};

/// Runs it on fresh servers in `folder`.
pub async fn run(shared: &Path, folder: &Path, keep: bool) -> Result<Report> {
    crate::http::use_tls();
    let peers = Peers::start(shared, folder).await?;
    eprintln!("shop {} ERP {}", peers.shop, peers.erp);
    let mut report = Report::default();
    reading_changes_nothing(&peers, &mut report).await?;
    shop(&peers, &mut report).await?;
    erp(&peers, &mut report).await?;
    if keep {
        peers.keep();
    } else {
        peers.stop();
    }
    Ok(report)
}

async fn reading_changes_nothing(peers: &Peers, report: &mut Report) -> Result<()> {
    let erp_origin = peers.erp.trim_end_matches("/erp");
    let (shop_proxy, erp_proxy) =
        (Proxy::start(Server::Vendure, &peers.shop).await?, Proxy::start(Server::Tryton, erp_origin).await?);
    let shop = Vendure::login(&shop_proxy.url).await?;
    let erp = Tryton::new(&format!("{}/erp", erp_proxy.url), &peers.erp_key)?;
    let (shop_before, erp_before) = (Snapshot::of_shop(&shop).await?, Snapshot::of_erp(peers).await?);
    let (variants, articles) = (shop.variants().await?, erp.articles().await?);
    report.equal("shop variants seeded", 22, variants.len());
    report.equal("ERP articles seeded", 21, articles.len());
    report.equal("price of TS-S-RED in the shop", "19.99", variants["TS-S-RED"].gross);
    report.equal(
        "net price of TS-S-RED in the ERP, gross",
        "19.99",
        gross(articles["TS-S-RED"].net, articles["TS-S-RED"].tax),
    );
    report.equal("BOOK-1 is taxed with 7 %", "7", articles["BOOK-1"].tax.normalize());
    report.equal("what can be sold of TS-S-RED", 98, sellable(articles["TS-S-RED"].forecast));
    report.equal("reading writes nothing to the shop", "", shop_proxy.writes_since(0).join("; "));
    report.equal("reading writes nothing to the ERP", "", erp_proxy.writes_since(0).join("; "));
    report.equal(
        "reading changes nothing in the shop",
        "",
        Snapshot::of_shop(&shop).await?.changed_since(&shop_before).join("; "),
    );
    report.equal(
        "reading changes nothing in the ERP",
        "",
        Snapshot::of_erp(peers).await?.changed_since(&erp_before).join("; "),
    );

    let mark = erp_proxy.mark();
    erp.set_price("MUG-1", "7.06".parse()?).await?;
    report.equal("a write of an equal value is counted", 1, erp_proxy.writes_since(mark).len());
    let changed = Snapshot::of_erp(peers).await?.changed_since(&erp_before);
    report.judge(
        "a write of an equal value shows in the ERP's tables",
        "product_template",
        changed.join("; "),
        changed.iter().any(|t| t.starts_with("product_template")),
    );
    let mark = shop_proxy.mark();
    shop.set_description("MUG-1", "A mug").await?;
    report.equal("a mutation is counted", "updateProduct (200)", shop_proxy.writes_since(mark).join("; "));
    let changed = Snapshot::of_shop(&shop).await?.changed_since(&shop_before);
    report.judge("a mutation shows in the shop", "a product", changed.join("; "), !changed.is_empty());
    Ok(())
}

async fn shop(peers: &Peers, report: &mut Report) -> Result<()> {
    let shop = Vendure::login(&peers.shop).await?;
    let munich =
        Address {
            name: "Zoë O'Brien", street: "Hauptstraße 5", postal_code: "80331", city: "München", country: "DE"
        };
    let vienna = Address { name: "Büro Zoë", street: "Ring 1", postal_code: "1010", city: "Wien", country: "AT" };
    shop.create_coupon("TEN", 10).await?;
    let lines = [("TS-S-RED", 3), ("BOOK-1", 2)];
    let basket = Basket {
        email: "zoe@example.com",
        first_name: "Zoë",
        last_name: "O'Brien",
        lines: &lines,
        ship_to: vienna,
        bill_to: munich,
        coupon: Some("TEN"),
    };
    let code = shop.buy(basket).await?;
    let order = shop.order(&code).await?;
    report.equal("total with coupon", "104.92", order.gross);
    report.equal("addresses", "Wien, München", format!("{}, {}", order.ship_to_city, order.bill_to_city));
    report.equal("lines", "[(\"BOOK-1\", 2), (\"TS-S-RED\", 3)]", format!("{:?}", order.lines));
    shop.settle(&code).await?;
    report.equal("state when paid", "PaymentSettled", shop.order(&code).await?.state);
    report.equal("saleable TS-S-RED after the order", 97, shop.variants().await?["TS-S-RED"].saleable());
    shop.cancel(&code).await?;
    let order = shop.order(&code).await?;
    report.equal("state when cancelled", "Cancelled", order.state);
    report.equal("lines when cancelled", 2, order.lines.len());
    shop.change_customer("zoe@example.com", "O'Brien-Ross", "+49 89 1").await?;
    let pictures = shop.product_of("MUG-1").await?.pictures.len();
    shop.add_picture("MUG-1", "mug-side.png", picture::png([40, 90, 200])).await?;
    report.equal("pictures of MUG-1", pictures + 1, shop.product_of("MUG-1").await?.pictures.len());
    shop.create_product("Poster", "POSTER-1", "A poster", "12.50".parse()?).await?;
    report.equal("new product", "12.50", shop.variants().await?["POSTER-1"].gross);
    shop.delete_product("POSTER-1").await?;
    report.judge("deleted product", "gone", "", !shop.variants().await?.contains_key("POSTER-1"));
    report.judge("an API key", "a text", "a text", !shop.create_api_key().await?.is_empty());
    Ok(())
}

async fn erp(peers: &Peers, report: &mut Report) -> Result<()> {
    let erp = Tryton::new(&peers.erp, &peers.erp_key)?;
    erp.create_product(Draft { name: "Scarf", code: "SCARF", suffixes: &["-S", "-L"], net: "12.50".parse()? }).await?;
    erp.add_variant("SCARF-S", "-XL").await?;
    erp.count_stock("SCARF-XL", 7).await?;
    erp.set_price("SCARF-S", "13.00".parse()?).await?;
    let article = erp.article("SCARF-XL").await?;
    report.equal(
        "new variant: price, stock",
        "13.00, 7",
        format!("{:.2}, {}", article.net, article.forecast.normalize()),
    );
    let line = erp.set_special_price("Web special", "WID-05", "6.00".parse()?).await?;
    erp.remove_special_price(line).await?;
    erp.deactivate("SCARF-S").await?;
    report.equal("deactivated", false, erp.article("SCARF-S").await?.active);

    let product = |article: &crate::tryton::Article, quantity: f64, net: Decimal| json!({ "type": "line", "product": article.id, "unit": 1, "quantity": quantity, "unit_price": crate::money::to_typed(net), "taxes": [["add", [1]]] });
    let (shirt, mug) = (erp.article("TS-S-RED").await?, erp.article("MUG-1").await?);
    let party = erp.parties_with("zoe@example.com").await?.remove(0);
    let address = erp.one("party.address", json!([["party", "=", party.id]]), &["city"]).await?["id"].clone();
    let terms = erp.read("account.invoice.payment_term", json!([]), &["name"]).await?[0]["id"].clone();
    let body = json!({
        "party": party.id, "invoice_address": address, "shipment_address": address, "payment_term": terms, "reference": "SHOP-REHEARSAL", "currency": 1,
        "carrier": 1, "shipment_cost_method": null, "lines": [["create", [product(&shirt, 2.0, shirt.net), product(&mug, 1.0, mug.net)]]],
    });
    let made = erp.post("sale.sale", body).await?["id"].clone();
    for button in ["quote", "confirm"] {
        erp.post(&format!("sale.sale/{made}/{button}"), json!({})).await?;
    }
    let sale = erp.sale_of("REHEARSAL").await?;
    report.equal("a sale without shipping", "48.39", sale.total);
    let forecast = erp.article("TS-S-RED").await?.forecast;
    report.equal("promised goods leave the forecast", shirt.forecast - Decimal::TWO, forecast);
    let parcels = erp.ship(&sale, &["PKG-1", "PKG-2"]).await?;
    report.equal(
        "two parcels",
        "[(\"PKG-1\", [(\"MUG-1\", 1)]), (\"PKG-2\", [(\"TS-S-RED\", 2)])]",
        format!("{parcels:?}"),
    );
    let sale = erp.sale_of("REHEARSAL").await?;
    report.equal("shipped", "done", sale.shipments.iter().map(|s| s.1.clone()).collect::<String>());
    report.equal("parties", 4, erp.count_parties().await?);
    report.equal("sales", 3, erp.count_sales().await?);
    report.equal("pictures", 0, erp.pictures("MUG-1").await?.len());
    Ok(())
}
