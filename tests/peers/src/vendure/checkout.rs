//! A customer who buys: basket, addresses, coupon, payment.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Vendure, catalogue::text, post};

/// Where goods or invoices go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub name: &'static str,
    pub street: &'static str,
    pub postal_code: &'static str,
    pub city: &'static str,
    pub country: &'static str,
}

impl Address {
    pub(super) fn input(self) -> Value {
        json!({
            "fullName": self.name, "streetLine1": self.street, "postalCode": self.postal_code, "city": self.city, "countryCode": self.country,
        })
    }
}

/// What is bought by whom.
#[derive(Debug, Clone, Copy)]
pub struct Basket<'a> {
    pub email: &'a str,
    pub first_name: &'a str,
    pub last_name: &'a str,
    /// SKU (or, for `check_out`, id of the variant) and pieces.
    pub lines: &'a [(&'a str, i64)],
    pub ship_to: Address,
    pub bill_to: Address,
    pub coupon: Option<&'a str>,
}

impl Vendure {
    /// Goes through the shop's checkout as a guest and gives the order's code.
    pub async fn buy(&self, basket: Basket<'_>) -> Result<String> {
        let variants = self.variants().await?;
        let found = |&(sku, quantity): &(&str, i64)| -> Result<(&str, i64)> {
            Ok((variants.get(sku).with_context(|| format!("the shop has no {sku}"))?.id.as_str(), quantity))
        };
        let lines = basket.lines.iter().map(found).collect::<Result<Vec<_>>>()?;
        self.check_out(Basket { lines: &lines, ..basket }).await
    }

    /// The same where the lines name variants by their ids.
    pub(super) async fn check_out(&self, basket: Basket<'_>) -> Result<String> {
        let mut guest = Guest { shop: self, token: None };
        for (id, quantity) in basket.lines {
            guest
                .call(
                    "mutation($v:ID!,$q:Int!){addItemToOrder(productVariantId:$v,quantity:$q){__typename ... on ErrorResult{errorCode message}}}",
                    json!({ "v": id, "q": quantity }),
                )
                .await
                .with_context(|| format!("{quantity} of {id} into the basket"))?;
        }
        let customer = json!({ "i": { "firstName": basket.first_name, "lastName": basket.last_name, "emailAddress": basket.email } });
        guest.call("mutation($i:CreateCustomerInput!){setCustomerForOrder(input:$i){__typename ... on ErrorResult{errorCode message}}}", customer).await?;
        let addresses = json!({ "s": basket.ship_to.input(), "b": basket.bill_to.input() });
        guest
            .call(
                "mutation($s:CreateAddressInput!,$b:CreateAddressInput!){setOrderShippingAddress(input:$s){__typename ... on ErrorResult{errorCode message}} setOrderBillingAddress(input:$b){__typename ... on ErrorResult{errorCode message}}}",
                addresses,
            )
            .await?;
        let methods = guest.call("{eligibleShippingMethods{id code}}", json!({})).await?;
        let method = methods["eligibleShippingMethods"][0]["id"].clone();
        guest
            .call("mutation($i:[ID!]!){setOrderShippingMethod(shippingMethodId:$i){__typename ... on ErrorResult{errorCode message}}}", json!({ "i": [method] }))
            .await?;
        if let Some(coupon) = basket.coupon {
            guest.call("mutation($c:String!){applyCouponCode(couponCode:$c){__typename ... on ErrorResult{errorCode message}}}", json!({ "c": coupon })).await?;
        }
        guest
            .call("mutation{transitionOrderToState(state:\"ArrangingPayment\"){__typename ... on ErrorResult{errorCode message}}}", json!({}))
            .await?;
        let paid = guest
            .call(
                "mutation{addPaymentToOrder(input:{method:\"dummy-payment\",metadata:{}}){__typename ... on Order{code} ... on ErrorResult{errorCode message}}}",
                json!({}),
            )
            .await?;
        text(&paid["addPaymentToOrder"]["code"])
    }
}

/// A visitor without an account; the shop hands out the session with its first answer.
struct Guest<'a> {
    shop: &'a Vendure,
    token: Option<String>,
}

impl Guest<'_> {
    async fn call(&mut self, query: &str, variables: Value) -> Result<Value> {
        let url = format!("{}/shop-api", self.shop.url);
        let (data, token) = post(&self.shop.http, &url, self.token.as_deref(), query, &variables).await?;
        self.token = token.or(self.token.take());
        Ok(data)
    }
}
