//! Products and variations: prices, stock, pictures, texts, free fields, trash.

use serde_json::{Value, json};
use woocommerce_simulator::Config;

use crate::client::Client;

/// A shop with one variable product in two sizes.
async fn shirts() -> (Client, u64, u64) {
    let shop = Client::start(Config::default());
    let body = json!({
        "name": "Shirt", "type": "variable", "sku": "SH",
        "attributes": [{"name": "Größe", "variation": true, "options": ["S", "M"]}],
    });
    let (status, product) = shop.post("/products", body).await;
    assert_eq!(status, 201, "{product}");
    let id = product["id"].as_u64().unwrap();
    let body = json!({
        "create": [
            {"sku": "SH-S", "regular_price": "20", "manage_stock": true, "stock_quantity": 3, "attributes": [{"name": "Größe", "option": "S"}]},
            {"sku": "SH-M", "regular_price": "22.00", "attributes": [{"name": "Größe", "option": "M"}, {"name": "Farbe", "option": "Rot"}]},
        ],
    });
    let (_, made) = shop.post(&format!("/products/{id}/variations/batch"), body).await;
    assert_eq!(made["create"][1]["attributes"].as_array().unwrap().len(), 1, "only the parent's attributes count");
    let small = made["create"][0]["id"].as_u64().unwrap();
    (shop, id, small)
}

#[tokio::test]
async fn a_variation_changes_alone() {
    let (shop, id, small) = shirts().await;
    let (_, before) = shop.get(&format!("/products/{id}")).await;
    assert_eq!(before["variations"].as_array().unwrap().len(), 2);
    assert_eq!(before["price"], "20", "a variable product costs what its cheapest variation costs");
    shop.simulator.control().set_time_offset(60);
    let path = format!("/products/{id}/variations/{small}");
    let (_, changed) = shop.put(&path, json!({"regular_price": "18.50"})).await;
    assert_eq!(changed["regular_price"], "18.50");
    let (_, after) = shop.get(&format!("/products/{id}")).await;
    assert_eq!(after["price"], "18.50");
    assert_eq!(after["date_modified_gmt"], before["date_modified_gmt"]);
    assert_ne!(changed["date_modified_gmt"], before["date_modified_gmt"]);
    // The same again changes nothing, not even the date.
    shop.simulator.control().set_time_offset(120);
    let (_, again) = shop.put(&path, json!({"regular_price": "18.50"})).await;
    assert_eq!(again["date_modified_gmt"], changed["date_modified_gmt"]);
    assert!(!shop.simulator.control().journal().writes.last().unwrap().changed);
}

#[tokio::test]
async fn a_sku_finds_variations_as_products() {
    let (shop, id, small) = shirts().await;
    let (_, found) = shop.get("/products?sku=SH-S").await;
    assert_eq!((found[0]["id"].as_u64(), found[0]["parent_id"].as_u64()), (Some(small), Some(id)));
    assert_eq!((found[0]["name"].as_str(), found[0]["type"].as_str()), (Some("Shirt - S"), Some("variation")));
    let (status, error) = shop.put(&format!("/products/{small}"), json!({"regular_price": "1"})).await;
    assert_eq!((status, error["code"].as_str()), (404, Some("woocommerce_rest_invalid_product_id")));
    let (status, error) = shop.post("/products", json!({"name": "Thief", "sku": "SH-S"})).await;
    assert_eq!((status, error["code"].as_str()), (400, Some("product_invalid_sku")));
    let (_, list) = shop.get("/products").await;
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_variation_has_no_trash() {
    let (shop, id, small) = shirts().await;
    let path = format!("/products/{id}/variations/{small}");
    assert_eq!(shop.delete(&path).await.0, 501);
    assert_eq!(shop.delete(&format!("{path}?force=true")).await.0, 200);
    assert_eq!(shop.get(&path).await.0, 404);
    assert_eq!(shop.get(&format!("/products/{id}")).await.1["variations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn trash_hides_a_product_and_force_removes_it() {
    let shop = Client::start(Config::default());
    let (_, product) = shop.post("/products", json!({"name": "Old", "sku": "OLD"})).await;
    let path = format!("/products/{}", product["id"]);
    assert_eq!(shop.delete(&path).await.1["status"], "trash");
    assert_eq!(shop.get("/products").await.1, json!([]));
    assert_eq!(shop.get("/products?status=trash").await.1[0]["sku"], "OLD");
    assert_eq!(shop.delete(&path).await.0, 410);
    assert_eq!(shop.post("/products", json!({"name": "New", "sku": "OLD"})).await.0, 201);
    assert_eq!(shop.delete(&format!("{path}?force=true")).await.0, 200);
    assert_eq!(shop.get(&path).await.0, 404);
}

#[tokio::test]
async fn a_sale_has_a_time() {
    let shop = Client::start(Config::default());
    let body = json!({
        "name": "Sale", "regular_price": "10", "sale_price": "8", "date_on_sale_from_gmt": "2031-01-01T00:00:00",
    });
    let (_, product) = shop.post("/products", body).await;
    assert_eq!((product["price"].as_str(), product["on_sale"].as_bool()), (Some("10"), Some(false)));
    assert_eq!(product["date_on_sale_from"], "2031-01-01T01:00:00");
    let path = format!("/products/{}", product["id"]);
    let (_, product) = shop.put(&path, json!({"date_on_sale_from": null})).await;
    assert_eq!((product["price"].as_str(), product["on_sale"].as_bool()), (Some("8"), Some(true)));
}

#[tokio::test]
async fn quantities_count_only_where_stock_is_managed() {
    let shop = Client::start(Config::default());
    let (_, product) = shop.post("/products", json!({"name": "Free", "stock_quantity": 5})).await;
    assert_eq!((&product["stock_quantity"], &product["manage_stock"]), (&Value::Null, &json!(false)));
    let path = format!("/products/{}", product["id"]);
    let body = json!({"manage_stock": true, "stock_quantity": 0, "backorders": "notify"});
    let (_, product) = shop.put(&path, body).await;
    assert_eq!(product["stock_status"], "onbackorder");
}

#[tokio::test]
async fn texts_are_cleaned_on_the_way_in() {
    let shop = Client::start(Config::default());
    let body = json!({"name": "Tee", "description": "<p onclick='x'>Grün & gut 🌿</p><script>x</script>\n"});
    let (_, product) = shop.post("/products", body).await;
    assert_eq!(product["description"], "<p>Grün &amp; gut 🌿</p>x");
}

#[tokio::test]
async fn free_fields_are_found_by_number_or_key() {
    let shop = Client::start(Config::default());
    let body = json!({"name": "M", "meta_data": [{"key": "a", "value": 1}, {"key": "b", "value": {"x": [1]}}]});
    let (_, product) = shop.post("/products", body).await;
    let rows = &product["meta_data"];
    assert_eq!((rows[0]["value"].as_str(), &rows[1]["value"]), (Some("1"), &json!({"x": [1]})));
    let path = format!("/products/{}", product["id"]);
    let body = json!({"meta_data": [{"key": "a", "value": "2"}, {"id": rows[1]["id"], "key": "b", "value": null}]});
    let (_, product) = shop.put(&path, body).await;
    assert_eq!(product["meta_data"], json!([{"id": rows[0]["id"], "key": "a", "value": "2"}]));
}

#[tokio::test]
async fn pictures_are_fetched_and_kept() {
    let other = Client::start(Config { products: 1, ..Config::default() });
    let source = format!("{}/wp-content/uploads/catalogue/boat.png", other.simulator.url);
    let shop = Client::start(Config::default());
    let (status, product) =
        shop.post("/products", json!({"name": "Boat", "images": [{"src": source, "alt": "Boot"}]})).await;
    assert_eq!(status, 201, "{product}");
    let image = &product["images"][0];
    let kept = image["src"].as_str().unwrap();
    assert!(kept.starts_with(&shop.simulator.url), "{kept}");
    let bytes = async |url: &str| shop.http.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes(kept).await, bytes(&source).await);
    // Named by its number the picture stays what it is.
    let path = format!("/products/{}", product["id"]);
    let (_, again) = shop.put(&path, json!({"images": [{"id": image["id"]}]})).await;
    assert_eq!(again["images"], product["images"]);
    for src in ["ftp://example.com/a.png", "http://127.0.0.1:1/a.png", &format!("{}/wp-json", other.simulator.url)] {
        let (status, error) = shop.post("/products", json!({"name": "No", "images": [{"src": src}]})).await;
        assert_eq!((status, error["code"].as_str()), (400, Some("woocommerce_product_image_upload_error")));
    }
}

#[tokio::test]
async fn categories_have_parents_and_unique_names() {
    let shop = Client::start(Config::default());
    let (_, above) = shop.post("/products/categories", json!({"name": "Küche & Bad"})).await;
    assert_eq!((above["name"].as_str(), above["slug"].as_str()), (Some("Küche &amp; Bad"), Some("kueche-bad")));
    let body = json!({"name": "Tassen", "parent": above["id"]});
    let (_, below) = shop.post("/products/categories", body.clone()).await;
    let (status, twin) = shop.post("/products/categories", body).await;
    assert_eq!((status, twin["code"].as_str()), (400, Some("term_exists")));
    assert_eq!(twin["data"]["resource_id"], below["id"]);
    assert_eq!(shop.post("/products/categories", json!({})).await.1["code"], "rest_missing_callback_param");
    shop.post("/products", json!({"name": "Tasse", "categories": [{"id": below["id"]}, {"id": 999}]})).await;
    let (_, found) = shop.get(&format!("/products?category={}", below["id"])).await;
    assert_eq!(found[0]["categories"], json!([{"id": below["id"], "name": "Tassen", "slug": "tassen"}]));
    let (_, list) = shop.get(&format!("/products/categories?parent={}", above["id"])).await;
    assert_eq!((list[0]["name"].as_str(), list[0]["count"].as_u64()), (Some("Tassen"), Some(1)));
}
