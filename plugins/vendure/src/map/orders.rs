//! Orders as they are read.
//!
//! Line amounts are the prorated ones: they carry all discounts, those of the whole order too, so that lines, surcharges
//! and shipping add up to the order's total to the minor unit, and discounts need no lines of their own.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use tradepost_sdk::head::PartKind;
use tradepost_sdk::sales::{Address, Delivery, Line, LineKind, Order, OrderState, Payment, PaymentState, Tax};
use tradepost_sdk::types::{Error, Field, TaxBasis};

use super::catalogue::part;
use super::customers::{Person, Postal};
use super::money::Currency;
use super::{filled, head, link, percent, remote};
use crate::api::{Context, read};

/// Fields of an order.
pub const ORDER: &str = "id code state updatedAt orderPlacedAt currencyCode couponCodes total totalWithTax \
    customer{id emailAddress firstName lastName phoneNumber user{id} \
      addresses{fullName company streetLine1 streetLine2 city province postalCode country{code} phoneNumber \
        defaultBillingAddress}} \
    shippingAddress{fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber} \
    billingAddress{fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber} \
    lines{id quantity taxRate proratedLinePrice proratedLinePriceWithTax taxLines{description} \
      productVariant{id sku name}} \
    surcharges{id description taxRate price priceWithTax taxLines{description}} \
    shippingLines{id discountedPrice discountedPriceWithTax shippingMethod{code name}} \
    taxSummary{description taxRate taxBase taxTotal} \
    payments{id method amount state transactionId createdAt refunds{total state}} \
    history(options:{take:100,filter:{type:{eq:\"ORDER_NOTE\"}}}){items{data}}";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOrder {
    id: String,
    code: String,
    state: String,
    updated_at: Timestamp,
    order_placed_at: Timestamp,
    currency_code: String,
    coupon_codes: Vec<String>,
    total_with_tax: i64,
    customer: Option<RawBuyer>,
    shipping_address: Option<RawAddress>,
    billing_address: Option<RawAddress>,
    lines: Vec<RawLine>,
    surcharges: Vec<RawSurcharge>,
    shipping_lines: Vec<RawShipping>,
    tax_summary: Vec<RawTax>,
    payments: Option<Vec<RawPayment>>,
    history: RawHistory,
}

#[derive(Deserialize)]
struct RawBuyer {
    id: String,
    addresses: Option<Vec<RawKept>>,
    #[serde(flatten)]
    person: Person,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawKept {
    country: crate::api::Coded,
    default_billing_address: Option<bool>,
    #[serde(flatten)]
    postal: Postal,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAddress {
    country_code: Option<String>,
    #[serde(flatten)]
    postal: Postal,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLine {
    id: String,
    quantity: i64,
    tax_rate: Value,
    prorated_line_price: i64,
    prorated_line_price_with_tax: i64,
    tax_lines: Vec<RawTaxLine>,
    product_variant: RawVariant,
}

#[derive(Deserialize)]
struct RawTaxLine {
    description: String,
}

#[derive(Deserialize)]
struct RawVariant {
    id: String,
    sku: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSurcharge {
    id: String,
    description: String,
    tax_rate: Value,
    price: i64,
    price_with_tax: i64,
    tax_lines: Vec<RawTaxLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawShipping {
    id: String,
    discounted_price: i64,
    discounted_price_with_tax: i64,
    shipping_method: Option<RawMethod>,
}

#[derive(Deserialize)]
struct RawMethod {
    code: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTax {
    description: String,
    tax_rate: Value,
    tax_base: i64,
    tax_total: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPayment {
    id: String,
    method: String,
    amount: i64,
    state: String,
    transaction_id: Option<String>,
    created_at: Timestamp,
    refunds: Vec<RawRefund>,
}

#[derive(Deserialize)]
struct RawRefund {
    total: i64,
    state: String,
}

#[derive(Deserialize)]
struct RawHistory {
    items: Vec<RawEntry>,
}

#[derive(Deserialize)]
struct RawEntry {
    data: Value,
}

/// One order. `note` stands before the other side's number in the private note that holds it.
///
/// # Errors
/// `bug` for a shape that is not known, `rejected` for an order without a buyer or any address.
pub fn order(raw: Value, context: &Context, note: &str) -> Result<Order, Error> {
    let raw: RawOrder = read(raw)?;
    let basis = context.channel.basis();
    // Amounts are in the order's currency, which need not be the channel's present one; the precision is the server's.
    let money = Money { currency: context.currency.of(&raw.currency_code), basis };
    let buyer = raw.customer.ok_or_else(|| incomplete("customer", "the order has no customer"))?;
    let owner = Some(&buyer.person);
    let place = |key: &str, address: Option<&RawAddress>| -> Option<Address> {
        let address = address?;
        let country = filled(address.country_code.as_deref())?;
        Some(address.postal.address(key, &country, owner))
    };
    let shipping = place("shipping", raw.shipping_address.as_ref());
    let billing = place("billing", raw.billing_address.as_ref())
        .or_else(|| shipping.clone().map(|address| Address { key: "billing".into(), ..address }))
        .or_else(|| kept(&buyer))
        .ok_or_else(|| incomplete("billing", "neither the order nor its customer has an address"))?;
    let payments = raw.payments.unwrap_or_default();
    let lines = lines(&raw.lines, &raw.surcharges, &raw.shipping_lines, &raw.tax_summary, &money);
    let other_number = raw.history.items.iter().find_map(|entry| numbered(&entry.data, note));
    Ok(Order {
        head: head(
            remote(&raw.id, None),
            raw.lines.iter().map(|line| part(PartKind::Line, &line.id, &line.id)).collect(),
            Some(raw.updated_at),
        ),
        number: raw.code,
        other_number,
        channel: context.channel.id.clone(),
        placed: raw.order_placed_at.to_string(),
        state: state(&raw.state),
        payment_state: payment_state(&payments, raw.total_with_tax),
        currency: raw.currency_code,
        basis,
        customer: link(&buyer.id, &buyer.person.email_address),
        buyer: buyer.person.base(None),
        billing,
        shipping,
        taxes: taxes(&raw.tax_summary, &lines, raw.total_with_tax, &money),
        lines: lines.into_iter().map(|(line, _, _)| line).collect(),
        payments: payments.into_iter().map(|payment| pay(payment, &money.currency)).collect(),
        delivery: raw.shipping_lines.into_iter().find_map(|line| line.shipping_method).map(|method| Delivery {
            method: method.code,
            label: filled(Some(&method.name)),
            wanted_on: None,
            pickup_point: None,
        }),
        total: money.currency.text(raw.total_with_tax),
        note: None,
        extra: raw.coupon_codes.into_iter().map(|code| Field { name: "coupon".into(), value: code }).collect(),
    })
}

struct Money {
    currency: Currency,
    basis: TaxBasis,
}

impl Money {
    fn stated(&self, net: i64, gross: i64) -> i64 {
        if self.basis == TaxBasis::Gross { gross } else { net }
    }
}

fn incomplete(path: &str, message: &str) -> Error {
    Error::Rejected(vec![tradepost_sdk::types::Issue { path: path.into(), code: None, message: message.into() }])
}

/// The customer's own address, for an order of goods that are not sent.
fn kept(buyer: &RawBuyer) -> Option<Address> {
    let addresses = buyer.addresses.as_deref().unwrap_or_default();
    let chosen = addresses.iter().find(|one| one.default_billing_address == Some(true)).or(addresses.first())?;
    Some(chosen.postal.address("billing", &chosen.country.code, Some(&buyer.person)))
}

/// The other side's number in the data of a note.
#[must_use]
pub fn numbered(data: &Value, note: &str) -> Option<String> {
    let text = data["note"].as_str()?;
    filled(text.trim().strip_prefix(note.trim()))
}

/// Every line with its net and gross minor units.
fn lines(
    products: &[RawLine],
    surcharges: &[RawSurcharge],
    shipping: &[RawShipping],
    summary: &[RawTax],
    money: &Money,
) -> Vec<(Line, i64, i64)> {
    let build =
        |id: String, kind, variant, name: &str, quantity: i64, net: i64, gross: i64, rate: Option<String>, code| {
            let total = money.stated(net, gross);
            let line = Line {
                id,
                kind,
                variant,
                name: name.into(),
                quantity: quantity.to_string(),
                unit_price: money.currency.unit(total, quantity),
                total: money.currency.text(total),
                tax_percent: rate,
                tax: Some(money.currency.text(gross - net)),
                tax_code: code,
                extra: Vec::new(),
            };
            (line, net, gross)
        };
    let first = |lines: &[RawTaxLine]| lines.first().map(|line| line.description.clone());
    let mut all = Vec::new();
    for line in products {
        let (net, gross) = (line.prorated_line_price, line.prorated_line_price_with_tax);
        let variant = Some(link(&line.product_variant.id, &line.product_variant.sku));
        let (name, rate, code) = (&line.product_variant.name, percent(&line.tax_rate), first(&line.tax_lines));
        all.push(build(line.id.clone(), LineKind::Product, variant, name, line.quantity, net, gross, rate, code));
    }
    for fee in surcharges {
        let kind = if fee.price < 0 { LineKind::Discount } else { LineKind::Fee };
        let (rate, code) = (percent(&fee.tax_rate), first(&fee.tax_lines));
        let id = format!("surcharge-{}", fee.id);
        all.push(build(id, kind, None, &fee.description, 1, fee.price, fee.price_with_tax, rate, code));
    }
    for line in shipping {
        let (net, gross) = (line.discounted_price, line.discounted_price_with_tax);
        let tax = shipping_tax(net, gross, summary);
        let name = line.shipping_method.as_ref().map_or("Shipping", |method| method.name.as_str());
        let (rate, code) = (tax.and_then(|tax| percent(&tax.tax_rate)), tax.map(|tax| tax.description.clone()));
        all.push(build(format!("shipping-{}", line.id), LineKind::Shipping, None, name, 1, net, gross, rate, code));
    }
    all
}

/// The tax of a shipping line, which Vendure only tells in the summary: there by itself, or among the taxes of the
/// lines, where the one is meant whose rate makes the gross amount of the net one.
fn shipping_tax(net: i64, gross: i64, summary: &[RawTax]) -> Option<&RawTax> {
    let fits = |tax: &&RawTax| {
        let rate: Decimal = percent(&tax.tax_rate).and_then(|rate| rate.parse().ok()).unwrap_or_default();
        let expected = Decimal::from(net) * (Decimal::ONE_HUNDRED + rate) / Decimal::ONE_HUNDRED;
        (expected - Decimal::from(gross)).abs() <= Decimal::ONE
    };
    let own = |tax: &&RawTax| tax.description == "shipping tax";
    summary.iter().find(|tax| own(tax) && fits(tax)).or_else(|| summary.iter().find(fits))
}

/// The taxes as the shop states them, one per rate; added up from the lines where the shop's own summary does not give
/// the order's total.
fn taxes(summary: &[RawTax], lines: &[(Line, i64, i64)], total: i64, money: &Money) -> Vec<Tax> {
    let zero = || "0".to_owned();
    let stated: Vec<(String, i64, i64)> =
        summary.iter().map(|tax| (percent(&tax.tax_rate).unwrap_or_else(zero), tax.tax_base, tax.tax_total)).collect();
    let sum: i64 = stated.iter().map(|(_, base, tax)| base + tax).sum();
    let rows = if sum == total {
        stated
    } else {
        lines
            .iter()
            .map(|(line, net, gross)| (line.tax_percent.clone().unwrap_or_else(zero), *net, gross - net))
            .collect()
    };
    let mut rates: Vec<(String, i64, i64)> = Vec::new();
    for (rate, base, amount) in rows {
        match rates.iter_mut().find(|(known, _, _)| *known == rate) {
            Some(row) => (row.1, row.2) = (row.1 + base, row.2 + amount),
            None => rates.push((rate, base, amount)),
        }
    }
    rates
        .into_iter()
        .filter(|(_, base, amount)| *base != 0 || *amount != 0)
        .map(|(percent, base, amount)| Tax {
            percent,
            base: money.currency.text(base),
            amount: money.currency.text(amount),
        })
        .collect()
}

fn pay(raw: RawPayment, currency: &Currency) -> Payment {
    let refunded = refunded(&raw);
    let state = match raw.state.as_str() {
        "Settled" if refunded >= raw.amount && refunded > 0 => PaymentState::Refunded,
        "Settled" if refunded > 0 => PaymentState::PartlyRefunded,
        "Settled" => PaymentState::Paid,
        "Authorized" => PaymentState::Authorised,
        "Declined" | "Error" | "Cancelled" => PaymentState::Failed,
        _ => PaymentState::Unpaid,
    };
    Payment {
        id: Some(raw.id),
        method: raw.method,
        state,
        amount: currency.text(raw.amount),
        transaction: filled(raw.transaction_id.as_deref()),
        at: Some(raw.created_at.to_string()),
    }
}

fn refunded(payment: &RawPayment) -> i64 {
    payment.refunds.iter().filter(|refund| refund.state == "Settled").map(|refund| refund.total).sum()
}

/// State of the whole payment.
fn payment_state(payments: &[RawPayment], total: i64) -> PaymentState {
    let sum = |state: &str| payments.iter().filter(|one| one.state == state).map(|one| one.amount).sum::<i64>();
    let (settled, authorised) = (sum("Settled"), sum("Authorized"));
    let back: i64 = payments.iter().filter(|payment| payment.state == "Settled").map(refunded).sum();
    match () {
        () if back > 0 && back >= settled => PaymentState::Refunded,
        () if back > 0 => PaymentState::PartlyRefunded,
        () if settled > 0 && settled >= total => PaymentState::Paid,
        () if settled > 0 => PaymentState::PartlyPaid,
        () if authorised > 0 => PaymentState::Authorised,
        () if total == 0 => PaymentState::Paid,
        () if payments.iter().any(|one| matches!(one.state.as_str(), "Declined" | "Error" | "Cancelled")) => {
            PaymentState::Failed
        }
        () => PaymentState::Unpaid,
    }
}

/// State of an order. States of the shop's own making count as open: the order is placed and not finished.
fn state(state: &str) -> OrderState {
    match state {
        "Created" | "Draft" | "AddingItems" | "ArrangingPayment" => OrderState::Pending,
        "PartiallyShipped" => OrderState::PartlyShipped,
        "Shipped" | "PartiallyDelivered" => OrderState::Shipped,
        "Delivered" => OrderState::Completed,
        "Cancelled" => OrderState::Cancelled,
        _ => OrderState::Open,
    }
}

#[cfg(test)]
mod tests;
