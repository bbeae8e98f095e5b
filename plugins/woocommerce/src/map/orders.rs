//! Orders and the shipments written on them as the contract has them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::sales::{
    AmountOf, CustomerBase, Delivery, Line, LineKind, Order, OrderState, Parcel, Payment, PaymentState, Shipment, Tax,
};
use tradepost_sdk::types::{Error, Field, Link, RemoteRef, TaxBasis};

use super::trade::{RawAddress, address};
use super::{MARKER, Meta, filled, gmt, head, link, meta, part, plain, remote};
use crate::api::amount;
use crate::describe::MAIN;
use crate::settings::Settings;

/// Beginning of the meta key of a shipment; its idempotency key follows.
pub const SHIPMENT: &str = "_tradepost_shipment_";

/// An order.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct RawOrder {
    pub id: u64,
    #[serde(default)]
    pub number: String,
    pub status: String,
    pub currency: String,
    pub date_created_gmt: Option<String>,
    pub date_modified_gmt: Option<String>,
    pub date_paid_gmt: Option<String>,
    pub date_completed_gmt: Option<String>,
    pub total: String,
    #[serde(default)]
    pub customer_id: u64,
    #[serde(default)]
    pub customer_note: String,
    #[serde(default)]
    pub billing: RawAddress,
    #[serde(default)]
    pub shipping: RawAddress,
    #[serde(default)]
    pub payment_method: String,
    #[serde(default)]
    pub transaction_id: String,
    #[serde(default)]
    pub line_items: Vec<RawLine>,
    #[serde(default)]
    pub shipping_lines: Vec<RawLine>,
    #[serde(default)]
    pub fee_lines: Vec<RawLine>,
    #[serde(default)]
    pub coupon_lines: Vec<Coupon>,
    #[serde(default)]
    pub tax_lines: Vec<TaxLine>,
    #[serde(default)]
    pub refunds: Vec<Refund>,
    #[serde(default)]
    pub meta_data: Vec<Meta>,
}

/// A line of goods, shipping or a fee.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct RawLine {
    pub id: u64,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub method_id: String,
    #[serde(default)]
    pub method_title: String,
    #[serde(default)]
    pub product_id: u64,
    #[serde(default)]
    pub variation_id: u64,
    pub sku: Option<String>,
    pub quantity: Option<serde_json::Number>,
    pub total: String,
    #[serde(default)]
    pub total_tax: String,
    #[serde(default)]
    pub tax_class: String,
    #[serde(default)]
    pub taxes: Vec<LineTax>,
}

/// Tax of a line by one rate.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct LineTax {
    pub id: Value,
    #[serde(default)]
    pub total: String,
}

/// A coupon: its discount is in the totals of the lines.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Coupon {
    pub code: String,
}

/// All tax of one rate.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct TaxLine {
    pub rate_id: Value,
    pub rate_percent: Option<serde_json::Number>,
    #[serde(default)]
    pub tax_total: String,
    #[serde(default)]
    pub shipping_tax_total: String,
}

/// Money that went back.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Refund {
    pub total: String,
}

/// A shipment as it is written on the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the contract")]
pub struct Sent {
    pub item: String,
    pub marker: Option<String>,
    pub shipped: String,
    pub completes: bool,
    pub parcels: Vec<SentParcel>,
}

/// A parcel as it is written on the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the contract")]
pub struct SentParcel {
    pub number: u32,
    pub carrier: Option<String>,
    pub tracking: Option<String>,
    pub tracking_url: Option<String>,
    /// Order line and pieces.
    pub lines: Vec<(String, String)>,
}

/// An id that comes as a number or as a text.
fn same(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text(one) == text(other)
}

impl RawOrder {
    /// A cart that was never sent off.
    #[must_use]
    pub fn is_cart(&self) -> bool {
        matches!(self.status.as_str(), "checkout-draft" | "auto-draft")
    }

    /// The shipments that we wrote on it.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        let ours = self.meta_data.iter().filter(|row| row.key.starts_with(SHIPMENT));
        ours.filter_map(|row| serde_json::from_str(row.value.as_str()?).ok()).collect()
    }

    fn state(&self) -> OrderState {
        match self.status.as_str() {
            // A payment that failed may be tried again; nothing was taken from stock.
            "pending" | "failed" => OrderState::Pending,
            "completed" => OrderState::Completed,
            "cancelled" => OrderState::Cancelled,
            // Given back as a whole: before the goods left, that is the end of it.
            "refunded" if self.date_completed_gmt.is_none() => OrderState::Cancelled,
            "refunded" => OrderState::Completed,
            _ => OrderState::Open,
        }
    }

    fn refunded(&self) -> Result<Decimal, Error> {
        let mut sum = Decimal::ZERO;
        for refund in &self.refunds {
            sum += amount(&refund.total)?.unwrap_or_default().abs();
        }
        Ok(sum)
    }

    fn payment_state(&self, total: Decimal, settings: &Settings) -> Result<PaymentState, Error> {
        let refunded = self.refunded()?;
        // The shop writes a time of payment when such an order is accepted, long before there is money.
        let later = settings.pay_later.split(',').any(|method| method.trim() == self.payment_method)
            && !self.payment_method.is_empty()
            && self.status != "completed";
        Ok(match () {
            () if self.status == "refunded" || (refunded > Decimal::ZERO && refunded >= total) => {
                PaymentState::Refunded
            }
            () if refunded > Decimal::ZERO => PaymentState::PartlyRefunded,
            () if self.date_paid_gmt.is_some() && !later => PaymentState::Paid,
            () if self.status == "failed" => PaymentState::Failed,
            () => PaymentState::Unpaid,
        })
    }

    /// Percent of a line: the sum of what its rates take. Absent where no rate applies.
    fn percent(&self, line: &RawLine) -> Result<Option<Decimal>, Error> {
        let mut sum = None;
        for tax in line.taxes.iter().filter(|tax| !tax.total.trim().is_empty()) {
            let rate = self.tax_lines.iter().find(|rate| same(&rate.rate_id, &tax.id));
            if let Some(percent) = rate.and_then(|rate| rate.rate_percent.as_ref()) {
                sum = Some(sum.unwrap_or_default() + tradepost_sdk::decimal(&percent.to_string())?);
            }
        }
        Ok(sum)
    }
}

/// An order. Amounts are net with the tax of each line beside them, whatever the prices in the catalogue contain.
///
/// # Errors
/// `bug` for what is no number or time, and for an order without a total.
pub fn order(raw: &RawOrder, settings: &Settings) -> Result<Order, Error> {
    let total = amount(&raw.total)?.ok_or_else(|| Error::Bug(format!("order {} says no total", raw.id)))?;
    let mut lines = lines(raw)?;
    lines.extend(rounding(&lines, total)?);
    let payment_state = raw.payment_state(total, settings)?;
    let placed = gmt(raw.date_created_gmt.as_deref())?
        .ok_or_else(|| Error::Bug(format!("order {} says no time of its making", raw.id)))?;
    let buyer = buyer(raw);
    // A sale at the counter has no address at all; it is nobody else's either.
    let email = buyer.email.clone().unwrap_or_else(|| format!("guest-{}", raw.id));
    let mut extra: Vec<Field> =
        raw.coupon_lines.iter().map(|coupon| Field { name: "coupon".into(), value: coupon.code.clone() }).collect();
    if !matches!(
        raw.status.as_str(),
        "pending" | "processing" | "on-hold" | "completed" | "cancelled" | "refunded" | "failed"
    ) {
        extra.push(Field { name: "status".into(), value: raw.status.clone() });
    }
    Ok(Order {
        head: head(
            remote(raw.id, None),
            meta(&raw.meta_data, MARKER),
            Vec::new(),
            gmt(raw.date_modified_gmt.as_deref())?,
        ),
        number: if raw.number.is_empty() { raw.id.to_string() } else { raw.number.clone() },
        other_number: meta(&raw.meta_data, &settings.number_meta),
        channel: MAIN.into(),
        placed: placed.to_string(),
        state: raw.state(),
        payment_state,
        currency: raw.currency.to_uppercase(),
        basis: TaxBasis::Net,
        customer: Link { id: (raw.customer_id > 0).then(|| raw.customer_id.to_string()), key: email },
        buyer,
        billing: address("billing", &raw.billing),
        shipping: (!raw.shipping.empty() && !same_place(&raw.shipping, &raw.billing))
            .then(|| address("shipping", &raw.shipping)),
        taxes: taxes(raw)?,
        payments: payments(raw, total, payment_state)?,
        delivery: raw.shipping_lines.first().map(|line| Delivery {
            method: line.method_id.clone(),
            label: filled(Some(&plain(&line.method_title))),
            wanted_on: None,
            pickup_point: None,
        }),
        lines,
        total: total.to_string(),
        note: filled(Some(&raw.customer_note)),
        extra,
    })
}

fn buyer(raw: &RawOrder) -> CustomerBase {
    CustomerBase {
        number: None,
        email: filled(raw.billing.email.as_deref()).map(|email| email.to_lowercase()),
        phone: filled(Some(&raw.billing.phone)),
        company: filled(Some(&raw.billing.company)),
        first_name: filled(Some(&raw.billing.first_name)),
        last_name: filled(Some(&raw.billing.last_name)),
        vat_id: None,
        language: None,
        group: None,
        guest: raw.customer_id == 0,
        active: true,
    }
}

fn same_place(one: &RawAddress, other: &RawAddress) -> bool {
    // A shipping address has no e-mail, and mostly no telephone either.
    let bare = |raw: &RawAddress| RawAddress { email: None, phone: String::new(), ..raw.clone() };
    bare(one) == bare(other)
}

fn lines(raw: &RawOrder) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    let all = [
        (LineKind::Product, &raw.line_items),
        (LineKind::Shipping, &raw.shipping_lines),
        (LineKind::Fee, &raw.fee_lines),
    ];
    for (kind, some) in all {
        for one in some {
            let total = amount(&one.total)?.unwrap_or_default();
            let quantity = match (&kind, &one.quantity) {
                (LineKind::Product, Some(number)) => tradepost_sdk::decimal(&number.to_string())?,
                _ => Decimal::ONE,
            };
            let kind = if kind == LineKind::Fee && total < Decimal::ZERO { LineKind::Discount } else { kind };
            let article = if one.variation_id > 0 { one.variation_id } else { one.product_id };
            let sku = one.sku.as_deref().unwrap_or_default();
            let name = one.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&one.method_title);
            let unit = if quantity.is_zero() { total } else { (total / quantity).round_dp(6) };
            lines.push(Line {
                id: one.id.to_string(),
                kind,
                // A line of an article that is deleted has no link any more, but perhaps its SKU.
                variant: (kind == LineKind::Product && (article > 0 || !sku.is_empty())).then(|| link(article, sku)),
                name: plain(name),
                quantity: quantity.normalize().to_string(),
                unit_price: unit.normalize().to_string(),
                total: total.to_string(),
                tax_percent: raw.percent(one)?.map(|percent| percent.normalize().to_string()),
                tax: amount(&one.total_tax)?.map(|tax| tax.to_string()),
                tax_code: (kind == LineKind::Product)
                    .then(|| if one.tax_class.is_empty() { "standard".into() } else { one.tax_class.clone() }),
                extra: Vec::new(),
            });
        }
    }
    Ok(lines)
}

/// The shop rounds the sum once and shows every line rounded: what lies between is a line of its own, as long as
/// rounding can explain it.
fn rounding(lines: &[Line], total: Decimal) -> Result<Option<Line>, Error> {
    let mut sum = Decimal::ZERO;
    for line in lines {
        sum += amount(&line.total)?.unwrap_or_default();
        sum += amount(line.tax.as_deref().unwrap_or_default())?.unwrap_or_default();
    }
    let open = total - sum;
    // Amount and tax of each line are off by half a unit at most, and so is the sum.
    let most = Decimal::new(5, 3) * Decimal::from(2 * lines.len() + 1);
    if open.is_zero() || open.abs() > most {
        return Ok(None);
    }
    Ok(Some(Line {
        id: "rounding".into(),
        kind: LineKind::Rounding,
        variant: None,
        name: "Rounding".into(),
        quantity: "1".into(),
        unit_price: open.to_string(),
        total: open.to_string(),
        tax_percent: None,
        tax: None,
        tax_code: None,
        extra: Vec::new(),
    }))
}

fn taxes(raw: &RawOrder) -> Result<Vec<Tax>, Error> {
    let mut taxes = Vec::new();
    for rate in &raw.tax_lines {
        let Some(percent) = &rate.rate_percent else { continue };
        let mut base = Decimal::ZERO;
        for line in raw.line_items.iter().chain(&raw.shipping_lines).chain(&raw.fee_lines) {
            if line.taxes.iter().any(|tax| !tax.total.trim().is_empty() && same(&tax.id, &rate.rate_id)) {
                base += amount(&line.total)?.unwrap_or_default();
            }
        }
        let tax = amount(&rate.tax_total)?.unwrap_or_default() + amount(&rate.shipping_tax_total)?.unwrap_or_default();
        taxes.push(Tax {
            percent: tradepost_sdk::decimal(&percent.to_string())?.normalize().to_string(),
            base: base.to_string(),
            amount: tax.to_string(),
        });
    }
    Ok(taxes)
}

fn payments(raw: &RawOrder, total: Decimal, state: PaymentState) -> Result<Vec<Payment>, Error> {
    if raw.payment_method.is_empty() && raw.date_paid_gmt.is_none() {
        return Ok(Vec::new());
    }
    let transaction = filled(Some(&raw.transaction_id));
    Ok(vec![Payment {
        id: transaction.clone(),
        method: raw.payment_method.clone(),
        state,
        amount: total.to_string(),
        transaction,
        at: gmt(raw.date_paid_gmt.as_deref())?.map(|time| time.to_string()),
    }])
}

/// Where a shipment is: on its order, under its idempotency key.
#[must_use]
pub fn reference(order: u64, item: &str) -> RemoteRef {
    RemoteRef { id: format!("{order}/{item}"), parent: Some(order.to_string()), version: None }
}

/// The shipments of an order: those that are written on it; else, once it is completed, one with all of it.
///
/// # Errors
/// `bug` for what is no time.
pub fn shipments(raw: &RawOrder, settings: &Settings) -> Result<Vec<Shipment>, Error> {
    let of = link(raw.id, if raw.number.is_empty() { "" } else { &raw.number });
    let updated = gmt(raw.date_modified_gmt.as_deref())?;
    let sent = raw.sent();
    if !sent.is_empty() {
        let shipment = |sent: Sent| Shipment {
            head: head(reference(raw.id, &sent.item), sent.marker.clone(), parts(raw.id, &sent), updated),
            order: of.clone(),
            shipped: sent.shipped.clone(),
            completes: sent.completes,
            parcels: sent.parcels.into_iter().map(parcel).collect(),
            extra: Vec::new(),
        };
        return Ok(sent.into_iter().map(shipment).collect());
    }
    let Some(shipped) = gmt(raw.date_completed_gmt.as_deref())?.filter(|_| raw.status == "completed") else {
        return Ok(Vec::new());
    };
    let tracking = filled(Some(&settings.tracking_meta)).and_then(|key| meta(&raw.meta_data, &key));
    Ok(vec![Shipment {
        head: head(reference(raw.id, "completed"), None, Vec::new(), updated),
        order: of,
        shipped: shipped.to_string(),
        parcels: vec![Parcel {
            number: 1,
            carrier: None,
            tracking,
            tracking_url: None,
            weight_kg: None,
            lines: Vec::new(),
        }],
        completes: true,
        extra: Vec::new(),
    }])
}

fn parcel(sent: SentParcel) -> Parcel {
    Parcel {
        number: sent.number,
        carrier: sent.carrier,
        tracking: sent.tracking,
        tracking_url: sent.tracking_url,
        weight_kg: None,
        lines: sent.lines.into_iter().map(|(line, quantity)| AmountOf { line, quantity }).collect(),
    }
}

/// The parcels of a shipment, by their numbers.
#[must_use]
pub fn parts(order: u64, sent: &Sent) -> Vec<Part> {
    let id = |number: u32| format!("{order}/{}/{number}", sent.item);
    sent.parcels.iter().map(|one| part(PartKind::Parcel, &one.number.to_string(), id(one.number))).collect()
}

#[cfg(test)]
mod tests;
