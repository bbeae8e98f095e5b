//! The shop as its merchant and its customers see it: an independent client of Vendure's two interfaces.

mod catalogue;
mod checkout;
mod merchant;
mod orders;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

pub use catalogue::{Product, Variant};
pub use checkout::{Address, Basket};
pub use merchant::Merchant;
pub use orders::{Fulfilment, Order};

/// A merchant who is logged in.
#[derive(Debug, Clone)]
pub struct Vendure {
    pub url: String,
    http: reqwest::Client,
    token: String,
}

impl Vendure {
    /// Logs in as the seeded administrator.
    pub async fn login(url: &str) -> Result<Self> {
        let http = crate::http::client()?;
        let query = "mutation{login(username:\"superadmin\",password:\"superadmin\",rememberMe:true){__typename ... on ErrorResult{errorCode message}}}";
        let (_, token) = post(&http, &format!("{url}/admin-api"), None, query, &json!({})).await?;
        let token = token.context("the shop gave no token at log-in")?;
        Ok(Self { url: url.to_owned(), http, token })
    }

    /// One call of the merchant's interface; errors and refusals are errors here.
    pub async fn admin(&self, query: &str, variables: Value) -> Result<Value> {
        Ok(post(&self.http, &format!("{}/admin-api", self.url), Some(&self.token), query, &variables).await?.0)
    }

    /// Every page of a list: `items` is the selection of one element.
    pub(crate) async fn list(&self, field: &str, kind: &str, items: &str) -> Result<Vec<Value>> {
        let query = format!("query($o:{kind}ListOptions){{{field}(options:$o){{totalItems items{{{items}}}}}}}");
        let mut all = Vec::new();
        loop {
            let page =
                self.admin(&query, json!({ "o": { "skip": all.len(), "take": 100, "sort": { "id": "ASC" } } })).await?;
            let list = page[field]["items"].as_array().cloned().context("a list without items")?;
            let total = page[field]["totalItems"].as_u64().context("a list without totalItems")?;
            let empty = list.is_empty();
            all.extend(list);
            if empty || all.len() as u64 >= total {
                return Ok(all);
            }
        }
    }

    /// Access for things an operator gives the host: a key with all permissions.
    pub async fn create_api_key(&self) -> Result<String> {
        let roles = self.admin("{roles{items{id code}}}", json!({})).await?;
        let role = roles["roles"]["items"]
            .as_array()
            .and_then(|list| {
                list.iter().find(|role| role["code"].as_str().is_some_and(|code| code.starts_with("__super")))
            })
            .context("the shop has no administrator's role")?["id"]
            .clone();
        let made = self
            .admin(
                "mutation($i:CreateApiKeyInput!){createApiKey(input:$i){apiKey}}",
                json!({ "i": { "roleIds": [role], "translations": [{ "languageCode": "en", "name": "tradepost" }] } }),
            )
            .await?;
        made["createApiKey"]["apiKey"].as_str().map(str::to_owned).context("the shop made no key")
    }

    /// A code that takes `percent` off an order.
    pub async fn create_coupon(&self, code: &str, percent: u32) -> Result<()> {
        let input = json!({ "i": {
            "enabled": true, "couponCode": code, "conditions": [],
            "translations": [{ "languageCode": "en", "name": format!("{percent} percent off") }],
            "actions": [{ "code": "order_percentage_discount", "arguments": [{ "name": "discount", "value": percent.to_string() }] }],
        } });
        self.admin("mutation($i:CreatePromotionInput!){createPromotion(input:$i){__typename ... on ErrorResult{errorCode message}}}", input).await?;
        Ok(())
    }

    /// Gives a customer another last name and phone number.
    pub async fn change_customer(&self, email: &str, last_name: &str, phone: &str) -> Result<()> {
        let customers = self.list("customers", "Customer", "id emailAddress").await?;
        let id = customers
            .iter()
            .find(|customer| customer["emailAddress"] == email)
            .with_context(|| format!("the shop has no customer {email}"))?["id"]
            .clone();
        let input = json!({ "i": { "id": id, "lastName": last_name, "phoneNumber": phone } });
        self.admin("mutation($i:UpdateCustomerInput!){updateCustomer(input:$i){__typename ... on ErrorResult{errorCode message}}}", input).await?;
        Ok(())
    }
}

/// Sends one operation; gives its data and the session token of the answer.
async fn post(
    http: &reqwest::Client,
    url: &str,
    token: Option<&str>,
    query: &str,
    variables: &Value,
) -> Result<(Value, Option<String>)> {
    let mut request = http.post(url).json(&json!({ "query": query, "variables": variables }));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    answer(request.send().await.with_context(|| format!("{url} did not answer"))?).await
}

async fn answer(response: reqwest::Response) -> Result<(Value, Option<String>)> {
    let token = response.headers().get("vendure-auth-token").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let status = response.status();
    let body: Value = response.json().await.with_context(|| format!("the shop answered {status} without JSON"))?;
    if let Some(error) = body["errors"].as_array().and_then(|list| list.first()) {
        bail!("the shop refused: {}", error["message"]);
    }
    let data = body["data"].clone();
    // A refusal is an ordinary result with an `errorCode`, alone or in a list.
    for result in data.as_object().into_iter().flat_map(|fields| fields.values()) {
        let list = result.as_array().map_or_else(|| vec![result.clone()], Clone::clone);
        if let Some(refused) = list.iter().find(|one| one["errorCode"].is_string()) {
            bail!("the shop refused: {} {}", refused["errorCode"], refused["message"]);
        }
    }
    Ok((data, token))
}
