//! Products, variants, pictures and stock of the shop.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Vendure, answer};
use crate::money::minor_units;

/// One thing that can be bought.
#[derive(Debug, Clone)]
pub struct Variant {
    pub id: String,
    pub sku: String,
    pub product_id: String,
    pub product_name: String,
    pub enabled: bool,
    pub gross: Decimal,
    pub on_hand: i64,
    pub allocated: i64,
}

impl Variant {
    /// What the shop still sells.
    #[must_use]
    pub fn saleable(&self) -> i64 {
        self.on_hand - self.allocated
    }
}

/// What groups variants and carries texts and pictures.
#[derive(Debug, Clone)]
pub struct Product {
    pub id: String,
    pub name: String,
    pub description: String,
    pub enabled: bool,
    pub pictures: Vec<String>,
    pub skus: Vec<String>,
}

impl Vendure {
    /// All variants by SKU; a SKU twice is an error, because nothing below could be judged.
    pub async fn variants(&self) -> Result<BTreeMap<String, Variant>> {
        let selection = "id sku enabled priceWithTax stockOnHand stockAllocated product{id name enabled}";
        let mut all = BTreeMap::new();
        for item in self.list("productVariants", "ProductVariant", selection).await? {
            let variant = Variant {
                id: text(&item["id"])?,
                sku: text(&item["sku"])?,
                product_id: text(&item["product"]["id"])?,
                product_name: text(&item["product"]["name"])?,
                enabled: item["enabled"] == true && item["product"]["enabled"] == true,
                gross: minor_units(&item["priceWithTax"])?,
                on_hand: item["stockOnHand"].as_i64().context("stockOnHand")?,
                allocated: item["stockAllocated"].as_i64().context("stockAllocated")?,
            };
            let sku = variant.sku.clone();
            ensure!(all.insert(sku.clone(), variant).is_none(), "the shop has {sku} twice");
        }
        Ok(all)
    }

    pub async fn products(&self) -> Result<Vec<Product>> {
        let selection = "id name description enabled assets{id} variants{sku}";
        let list = self.list("products", "Product", selection).await?;
        list.iter().map(product).collect()
    }

    /// The product that has a variant with this SKU.
    pub async fn product_of(&self, sku: &str) -> Result<Product> {
        let all = self.products().await?;
        all.into_iter()
            .find(|p| p.skus.iter().any(|s| s == sku))
            .with_context(|| format!("the shop has no product with {sku}"))
    }

    pub async fn set_description(&self, sku: &str, description: &str) -> Result<()> {
        let product = self.product_of(sku).await?;
        let input = json!({ "id": product.id, "translations": [{ "languageCode": "en", "name": product.name, "description": description }] });
        self.update_product(input).await
    }

    pub async fn delete_product(&self, sku: &str) -> Result<()> {
        let id = self.product_of(sku).await?.id;
        let done = self.admin("mutation($id:ID!){deleteProduct(id:$id){result message}}", json!({ "id": id })).await?;
        ensure!(done["deleteProduct"]["result"] == "DELETED", "the shop did not delete {sku}: {done}");
        Ok(())
    }

    /// A new product with one variant, as the merchant makes one in the shop.
    pub async fn create_product(&self, name: &str, sku: &str, description: &str, gross: Decimal) -> Result<()> {
        let texts =
            json!([{ "languageCode": "en", "name": name, "slug": sku.to_lowercase(), "description": description }]);
        let made = self
            .admin(
                "mutation($i:CreateProductInput!){createProduct(input:$i){id}}",
                json!({ "i": { "enabled": true, "translations": texts } }),
            )
            .await?;
        let categories = self.admin("{taxCategories{items{id name}}}", json!({})).await?;
        let standard = categories["taxCategories"]["items"]
            .as_array()
            .and_then(|list| list.iter().find(|category| category["name"] == "Standard Tax"))
            .context("the shop has no standard tax")?["id"]
            .clone();
        let minor = (gross * Decimal::ONE_HUNDRED).normalize().to_string().parse::<i64>().context("whole cents")?;
        let variant = json!({ "i": [{
            "productId": made["createProduct"]["id"], "sku": sku, "price": minor, "taxCategoryId": standard,
            "translations": [{ "languageCode": "en", "name": name }],
        }] });
        self.admin("mutation($i:[CreateProductVariantInput!]!){createProductVariants(input:$i){id}}", variant).await?;
        Ok(())
    }

    /// Uploads a picture and puts it behind those the product already has.
    pub async fn add_picture(&self, sku: &str, file_name: &str, png: Vec<u8>) -> Result<()> {
        let product = self.product_of(sku).await?;
        let operations = json!({
            "query": "mutation($i:[CreateAssetInput!]!){createAssets(input:$i){__typename ... on Asset{id} ... on ErrorResult{errorCode message}}}",
            "variables": { "i": [{ "file": null }] },
        });
        let file = reqwest::multipart::Part::bytes(png).file_name(file_name.to_owned()).mime_str("image/png")?;
        let form = reqwest::multipart::Form::new()
            .text("operations", operations.to_string())
            .text("map", json!({ "0": ["variables.i.0.file"] }).to_string())
            .part("0", file);
        let request = self.http.post(format!("{}/admin-api", self.url)).bearer_auth(&self.token);
        let response = request.header("Apollo-Require-Preflight", "true").multipart(form).send().await?;
        let (data, _) = answer(response).await?;
        let mut pictures = product.pictures;
        pictures.push(text(&data["createAssets"][0]["id"])?);
        self.update_product(json!({ "id": product.id, "featuredAssetId": pictures[0], "assetIds": pictures })).await
    }

    pub(super) async fn update_product(&self, input: Value) -> Result<()> {
        self.admin("mutation($i:UpdateProductInput!){updateProduct(input:$i){id}}", json!({ "i": input })).await?;
        Ok(())
    }
}

fn product(item: &Value) -> Result<Product> {
    let list = |field: &str, of: &str| -> Result<Vec<String>> {
        item[field]
            .as_array()
            .with_context(|| format!("a product without {field}"))?
            .iter()
            .map(|one| text(&one[of]))
            .collect()
    };
    Ok(Product {
        id: text(&item["id"])?,
        name: text(&item["name"])?,
        description: text(&item["description"])?,
        enabled: item["enabled"] == true,
        pictures: list("assets", "id")?,
        skus: list("variants", "sku")?,
    })
}

pub(super) fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("expected a text, found {value}"))
}
