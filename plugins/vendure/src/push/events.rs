//! What happened to an order elsewhere, applied to the shop's order. Each is looked up before it is applied, so that
//! applying it again changes nothing.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::head::Op;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::sales::{Cancellation, Happening, OrderEvent, Refund};
use tradepost_sdk::types::{Error, RemoteRef};

use super::{done, refused, unchanged};
use crate::api::{Shop, read};
use crate::map::orders::numbered;
use crate::map::remote;
use crate::map::write::mark;

/// Fields that tell what was applied to an order.
pub const APPLIED: &str = "id code state currencyCode lines{id quantity orderPlacedQuantity} \
    payments{id state amount refunds{id total state reason}} fulfillments{id state} \
    history(options:{take:500,filter:{type:{in:[\"ORDER_NOTE\",\"ORDER_CANCELLATION\"]}}}){items{type data}}";

const SETTLE: &str = "mutation($id:ID!){settlePayment(id:$id){__typename ... on Payment{id} \
    ... on ErrorResult{errorCode message} ... on SettlePaymentError{paymentErrorMessage} \
    ... on PaymentStateTransitionError{transitionError} ... on OrderStateTransitionError{transitionError}}}";
const CANCEL: &str = "mutation($input:CancelOrderInput!){cancelOrder(input:$input){__typename ... on Order{id} \
    ... on ErrorResult{errorCode message} ... on OrderStateTransitionError{transitionError}}}";
const REFUND: &str = "mutation($input:RefundOrderInput!){refundOrder(input:$input){__typename ... on Refund{id} \
    ... on ErrorResult{errorCode message} ... on OrderStateTransitionError{transitionError}}}";
const NOTE: &str = "mutation($input:AddNoteToOrderInput!){addNoteToOrder(input:$input){id}}";
/// Moves a fulfilment on.
pub const MOVE: &str = "mutation($id:ID!,$state:String!){transitionFulfillmentToState(id:$id,state:$state){__typename \
    ... on Fulfillment{id} ... on ErrorResult{errorCode message} ... on FulfillmentStateTransitionError{transitionError}}}";

/// The order as the shop has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Applied {
    pub id: String,
    pub state: String,
    pub currency_code: String,
    pub payments: Option<Vec<Payment>>,
    pub fulfillments: Option<Vec<Fulfilment>>,
    history: History,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Payment {
    pub id: String,
    pub state: String,
    pub amount: i64,
    pub refunds: Vec<Refunded>,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Refunded {
    pub total: i64,
    pub state: String,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Fulfilment {
    pub id: String,
    pub state: String,
}

#[derive(Debug, Clone, Deserialize)]
struct History {
    items: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    what: String,
    data: Value,
}

impl Applied {
    /// Reads the orders of these ids.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn read(shop: &Shop<'_>, ids: &[String]) -> Result<Vec<Self>, Error> {
        let document = format!("query($options:OrderListOptions){{orders(options:$options){{items{{{APPLIED}}}}}}}");
        let options = json!({"take": ids.len(), "filter": {"id": {"in": ids}}});
        read(shop.query(&document, json!({"options": options}))?.data["orders"]["items"].take())
    }

    /// Whether the order was paid.
    #[must_use]
    pub fn paid(&self) -> bool {
        let payments = self.payments.as_deref().unwrap_or_default();
        payments.iter().any(|one| one.state == "Settled") && !payments.iter().any(|one| one.state == "Authorized")
    }

    /// Whether it was cancelled as a whole.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.state == "Cancelled"
    }

    /// Whether a cancellation or refund with this item's mark is there.
    #[must_use]
    pub fn marked(&self, item: &str) -> bool {
        let mark = mark(item);
        let refunds = self.payments.iter().flatten().flat_map(|payment| &payment.refunds);
        let mut reasons = refunds.filter_map(|refund| refund.reason.as_deref());
        let mut cancellations = self.history.items.iter().filter(|entry| entry.what == "ORDER_CANCELLATION");
        reasons.any(|reason| reason.contains(&mark))
            || cancellations.any(|entry| entry.data["reason"].as_str().is_some_and(|reason| reason.contains(&mark)))
    }

    /// Whether a note with this number is there.
    #[must_use]
    pub fn numbered(&self, number: &str, words: &str) -> bool {
        let mut notes = self.history.items.iter().filter(|entry| entry.what == "ORDER_NOTE");
        notes.any(|entry| numbered(&entry.data, words).as_deref() == Some(number.trim()))
    }

    /// Whether all that was sent has arrived.
    #[must_use]
    pub fn completed(&self) -> bool {
        let mut counted = self.fulfillments.iter().flatten().filter(|one| one.state != "Cancelled").peekable();
        self.state == "Delivered" || (counted.peek().is_some() && counted.all(|one| one.state == "Delivered"))
    }

    /// Where the order is.
    #[must_use]
    pub fn reference(&self) -> RemoteRef {
        remote(&self.id, None)
    }
}

/// Applies an event.
///
/// # Errors
/// What the shop answers.
pub fn apply(shop: &Shop<'_>, event: &OrderEvent) -> Result<Outcome, Error> {
    if event.head.op == Op::Read {
        return Err(Error::Bug("an event that was read is not applied".into()));
    }
    let remote = event.head.remote.as_ref().map(|remote| &remote.id).or(event.order.id.as_ref());
    let id = remote.ok_or_else(|| Error::Bug("an event without its order".into()))?;
    let order = Applied::read(shop, std::slice::from_ref(id))?.into_iter().next();
    let order = order.ok_or_else(|| Error::NotFound(format!("the shop has no order {id}")))?;
    let wrote = match &event.what {
        Happening::Paid(_) => pay(shop, &order)?,
        Happening::Cancelled(what) => cancel(shop, &order, what, &event.head.item)?,
        Happening::Refunded(what) => refund(shop, &order, what, &event.head.item)?,
        Happening::Numbered(number) => number_note(shop, &order, number)?,
        Happening::Completed => complete(shop, &order)?,
    };
    Ok(if wrote { done(order.reference(), Vec::new(), Vec::new()) } else { unchanged(order.reference()) })
}

fn pay(shop: &Shop<'_>, order: &Applied) -> Result<bool, Error> {
    if order.paid() {
        return Ok(false);
    }
    let open: Vec<&Payment> = order.payments.iter().flatten().filter(|one| one.state == "Authorized").collect();
    if open.is_empty() {
        return Err(refused("payment", "the order has no authorised payment that could be settled"));
    }
    for payment in open {
        shop.mutate(SETTLE, json!({"id": payment.id}))?;
    }
    Ok(true)
}

fn cancel(shop: &Shop<'_>, order: &Applied, what: &Cancellation, item: &str) -> Result<bool, Error> {
    if order.cancelled() || order.marked(item) {
        return Ok(false);
    }
    let reason = format!("{} {}", what.reason.as_deref().unwrap_or("Cancelled"), mark(item));
    let mut input = json!({"orderId": order.id, "reason": reason});
    if what.lines.is_empty() {
        input["cancelShipping"] = json!(true);
    } else {
        let lines: Result<Vec<Value>, Error> = what
            .lines
            .iter()
            .map(|line| Ok(json!({"orderLineId": line.line, "quantity": pieces(&line.quantity)?})))
            .collect();
        input["lines"] = json!(lines?);
    }
    shop.mutate(CANCEL, json!({"input": input}))?;
    Ok(true)
}

fn refund(shop: &Shop<'_>, order: &Applied, what: &Refund, item: &str) -> Result<bool, Error> {
    if order.marked(item) {
        return Ok(false);
    }
    if what.restock {
        return Err(Error::Unsupported(
            "goods go back to stock by a cancellation of their lines, not by a refund".into(),
        ));
    }
    let (minor, rounded) = shop.context()?.currency.of(&order.currency_code).minor(&what.amount)?;
    if rounded || minor <= 0 {
        return Err(refused("amount", format!("{} cannot be refunded in {}", what.amount, order.currency_code)));
    }
    let left = |payment: &Payment| {
        payment.amount - payment.refunds.iter().filter(|one| one.state != "Failed").map(|one| one.total).sum::<i64>()
    };
    let payment = order.payments.iter().flatten().find(|one| one.state == "Settled" && left(one) >= minor);
    let payment = payment.ok_or_else(|| refused("amount", "no settled payment of the order has so much left"))?;
    let reason = format!("{} {}", what.reason.as_deref().unwrap_or("Refund"), mark(item));
    // The other amounts are what `amount` replaced; servers that know it still want them filled.
    let input = json!({
        "paymentId": payment.id, "amount": minor, "lines": [], "shipping": 0, "adjustment": 0, "reason": reason,
    });
    shop.mutate(REFUND, json!({"input": input}))?;
    Ok(true)
}

fn number_note(shop: &Shop<'_>, order: &Applied, number: &str) -> Result<bool, Error> {
    let words = &shop.settings.number_note;
    if order.numbered(number, words) {
        return Ok(false);
    }
    let note = format!("{} {}", words.trim(), number.trim());
    shop.mutate(NOTE, json!({"input": {"id": order.id, "note": note, "isPublic": false}}))?;
    Ok(true)
}

fn complete(shop: &Shop<'_>, order: &Applied) -> Result<bool, Error> {
    if order.completed() {
        return Ok(false);
    }
    let sent: Vec<&Fulfilment> = order.fulfillments.iter().flatten().filter(|one| one.state == "Shipped").collect();
    if sent.is_empty() {
        return Err(refused("", "the order has no shipped fulfilment that could be delivered"));
    }
    for fulfilment in sent {
        shop.mutate(MOVE, json!({"id": fulfilment.id, "state": "Delivered"}))?;
    }
    Ok(true)
}

/// A number of whole pieces.
///
/// # Errors
/// `rejected` for parts of pieces.
pub fn pieces(text: &str) -> Result<i64, Error> {
    let quantity = tradepost_sdk::decimal(text)?;
    let whole = quantity.trunc();
    i64::try_from(whole)
        .ok()
        .filter(|pieces| whole == quantity && *pieces > 0)
        .ok_or_else(|| refused("quantity", format!("Vendure counts whole pieces, not {text}")))
}

#[cfg(test)]
mod tests;
