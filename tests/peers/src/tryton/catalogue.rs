//! Articles, prices, stock, texts and pictures of the ERP.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Tryton, id, today};
use crate::money::{to_typed, typed_decimal};

/// One thing that can be sold.
#[derive(Debug, Clone)]
pub struct Article {
    pub id: i64,
    pub code: String,
    pub template: i64,
    pub name: String,
    pub active: bool,
    pub is_goods: bool,
    pub net: Decimal,
    /// Sales tax in percent.
    pub tax: Decimal,
    pub description: String,
    /// On the shelf today.
    pub on_hand: Decimal,
    /// On the shelf less what is promised.
    pub forecast: Decimal,
}

/// A product as a clerk makes it.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    pub name: &'a str,
    pub code: &'a str,
    /// What is put behind the code for each variant.
    pub suffixes: &'a [&'a str],
    pub net: Decimal,
}

/// What `MUG-1` is: a new product is like it.
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    pub unit: i64,
    /// The accounting category, which brings the taxes.
    pub accounting: i64,
    pub category: i64,
}

impl Pattern {
    /// A template to be made, with its variants.
    #[must_use]
    pub fn product(&self, draft: Draft<'_>) -> Value {
        let variants: Vec<Value> = draft.suffixes.iter().map(|suffix| json!({ "suffix_code": suffix })).collect();
        json!({
            "name": draft.name, "code": draft.code, "type": "goods", "salable": true, "default_uom": self.unit,
            "sale_uom": self.unit, "list_price": to_typed(draft.net), "account_category": self.accounting,
            "categories": [["add", [self.category]]], "products": [["create", variants]],
        })
    }
}

impl Tryton {
    /// Articles by code, those that were set inactive too.
    pub async fn articles(&self) -> Result<BTreeMap<String, Article>> {
        let fields = [
            "code",
            "active",
            "list_price_used",
            "description",
            "quantity",
            "forecast_quantity",
            "template.id",
            "template.name",
            "template.type",
            "template.active",
            "template.account_category.customer_taxes.rate",
        ];
        let context = json!({ "locations": [self.store().await?], "stock_date_end": today(), "with_childs": true });
        let either = json!([["active", "in", [true, false]]]);
        let mut all = BTreeMap::new();
        for item in self.read_in("product.product", either, &fields, context).await? {
            let Some(code) = item["code"].as_str().filter(|code| !code.is_empty()) else { continue };
            let tax = &item["template"]["account_category"]["customer_taxes"][0]["rate"];
            let article = Article {
                id: id(&item)?,
                code: code.to_owned(),
                template: id(&item["template"])?,
                name: item["template"]["name"].as_str().unwrap_or_default().to_owned(),
                active: item["active"] == true && item["template"]["active"] == true,
                is_goods: item["template"]["type"] == "goods",
                net: if item["list_price_used"].is_null() {
                    Decimal::ZERO
                } else {
                    typed_decimal(&item["list_price_used"])?
                },
                tax: if tax.is_null() { Decimal::ZERO } else { typed_decimal(tax)? * Decimal::ONE_HUNDRED },
                description: item["description"].as_str().unwrap_or_default().to_owned(),
                on_hand: pieces(&item["quantity"])?,
                forecast: pieces(&item["forecast_quantity"])?,
            };
            ensure!(all.insert(code.to_owned(), article).is_none(), "the ERP has {code} twice");
        }
        Ok(all)
    }

    pub async fn article(&self, code: &str) -> Result<Article> {
        self.articles().await?.remove(code).with_context(|| format!("the ERP has no {code}"))
    }

    /// The location goods lie in.
    pub async fn store(&self) -> Result<i64> {
        id(&self.one("stock.location", json!([["code", "=", "STO"]]), &["code"]).await?)
    }

    pub async fn set_price(&self, code: &str, net: Decimal) -> Result<()> {
        let template = self.article(code).await?.template;
        self.put(&format!("product.template/{template}"), json!({ "list_price": to_typed(net) })).await?;
        Ok(())
    }

    /// Counts an article: afterwards that many lie on the shelf.
    pub async fn count_stock(&self, code: &str, pieces: u32) -> Result<()> {
        let product = self.article(code).await?.id;
        self.count_products(self.store().await?, &[product], pieces).await
    }

    /// Counts articles in a location: afterwards that many of each lie there.
    pub async fn count_products(&self, location: i64, products: &[i64], pieces: u32) -> Result<()> {
        let line = |product: &i64| json!({ "product": product, "quantity": f64::from(pieces) });
        let lines: Vec<Value> = products.iter().map(line).collect();
        let body = json!({ "location": location, "empty_quantity": "keep", "lines": [["create", lines]] });
        let made = self.post("stock.inventory", body).await?;
        self.post(&format!("stock.inventory/{}/confirm", id(&made)?), json!({})).await?;
        Ok(())
    }

    /// Looks up what new products have in common.
    pub async fn pattern(&self) -> Result<Pattern> {
        let fields = ["default_uom.id", "account_category.id", "categories.id"];
        let mug = self.one("product.template", json!([["code", "=", "MUG-1"]]), &fields).await?;
        Ok(Pattern {
            unit: id(&mug["default_uom"])?,
            accounting: id(&mug["account_category"])?,
            category: id(&mug["categories"][0])?,
        })
    }

    /// Makes a product like `MUG-1`: same unit, tax and category.
    pub async fn create_product(&self, draft: Draft<'_>) -> Result<()> {
        let body = self.pattern().await?.product(draft);
        self.post("product.template", body).await?;
        Ok(())
    }

    /// Puts another variant into the product that `sibling` belongs to.
    pub async fn add_variant(&self, sibling: &str, suffix: &str) -> Result<()> {
        let template = self.article(sibling).await?.template;
        self.post("product.product", json!({ "template": template, "suffix_code": suffix })).await?;
        Ok(())
    }

    /// Takes a product out of the range. The ERP insists that nothing of it lies on the shelf, so that is counted away first.
    pub async fn deactivate(&self, code: &str) -> Result<()> {
        let template = self.article(code).await?.template;
        for article in self.articles().await?.values().filter(|a| a.template == template && !a.on_hand.is_zero()) {
            self.count_stock(&article.code, 0).await?;
        }
        self.put(&format!("product.template/{template}"), json!({ "active": false })).await?;
        Ok(())
    }

    /// Puts a price for one article into the named price list, which is made when it is not there; gives the line's id.
    pub async fn set_special_price(&self, list: &str, code: &str, net: Decimal) -> Result<i64> {
        let product = self.article(code).await?.id;
        let list = self.price_list(list).await?;
        let line = json!({ "price_list": list, "product": product, "formula": net.to_string(), "quantity": 0.0 });
        id(&self.post("product.price_list.line", line).await?)
    }

    /// The price list with this name, made when it is not there.
    pub async fn price_list(&self, name: &str) -> Result<i64> {
        let lists = self.read("product.price_list", json!([["name", "=", name]]), &["name"]).await?;
        match lists.first() {
            Some(found) => id(found),
            None => {
                let list = json!({ "name": name, "unit": "product_default", "price": "list_price" });
                id(&self.post("product.price_list", list).await?)
            }
        }
    }

    pub async fn remove_special_price(&self, line: i64) -> Result<()> {
        self.delete(&format!("product.price_list.line/{line}")).await
    }

    /// The bytes of every picture of the product an article belongs to.
    pub async fn pictures(&self, code: &str) -> Result<Vec<Vec<u8>>> {
        let template = self.article(code).await?.template;
        let images = self.read("product.image", json!([["template", "=", template]]), &["image"]).await?;
        let bytes = |image: &Value| {
            let text: String =
                image["image"]["base64"].as_str().context("a picture without bytes")?.split_whitespace().collect();
            STANDARD.decode(text).context("a picture that is not base64")
        };
        images.iter().map(bytes).collect()
    }
}

/// Quantities come as JSON numbers; their text is exact.
pub(super) fn pieces(value: &Value) -> Result<Decimal> {
    match value {
        Value::Null => Ok(Decimal::ZERO),
        Value::Number(number) => number.to_string().parse().with_context(|| format!("`{number}` is no quantity")),
        other => anyhow::bail!("expected a quantity, found {other}"),
    }
}
