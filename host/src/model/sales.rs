//! Facet bodies of customers and orders, and the bodies of order events.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::catalog::{Field, TaxBasis};
use super::record::Link;

/// A postal address; the facet `addresses` of a customer is the list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Tells it from the customer's other addresses.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Street and what belongs to it.
    pub lines: Vec<String>,
    /// Postcode.
    pub postcode: String,
    /// City.
    pub city: String,
    /// State or county.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Facet `head` of a customer, and the buyer on an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerHead {
    /// Customer number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// VAT id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_id: Option<String>,
    /// BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Customer group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Has no account.
    pub guest: bool,
    /// Not blocked.
    pub active: bool,
    /// Anything else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Field>,
}

/// Facet `state` of an order, a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// Placed, not released (unpaid, under review).
    Pending,
    /// To be fulfilled.
    Open,
    /// Something left.
    PartlyShipped,
    /// Everything left.
    Shipped,
    /// Finished.
    Completed,
    /// Void.
    Cancelled,
}

/// How far an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentState {
    /// Nothing paid.
    Unpaid,
    /// Promised.
    Authorised,
    /// Something paid.
    PartlyPaid,
    /// Paid.
    Paid,
    /// Something given back.
    PartlyRefunded,
    /// Given back.
    Refunded,
    /// Tried in vain.
    Failed,
}

/// Facet `payment` of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFacet {
    /// Of the whole order.
    pub state: PaymentState,
    /// Single payments.
    pub payments: Vec<Payment>,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The platform's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The platform's name of the method; mapped on the way to a target.
    pub method: String,
    /// State of this payment.
    pub state: PaymentState,
    /// Amount in the order's currency.
    pub amount: Decimal,
    /// Reference of the payment provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// Goods or service.
    Product,
    /// Shipping costs.
    Shipping,
    /// Any other charge.
    Fee,
    /// Taken off the total.
    Discount,
    /// Paid by gift card.
    GiftCard,
    /// Rounding difference, tax-free.
    Rounding,
    /// Words only.
    Text,
}

/// One order line; amounts in the order's currency and basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Stable for the life of the order.
    pub id: String,
    /// What it is.
    pub kind: LineKind,
    /// What was sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Link>,
    /// As the buyer read it.
    pub name: String,
    /// Pieces.
    pub quantity: Decimal,
    /// Price of one.
    pub unit_price: Decimal,
    /// After all discounts that this line carries.
    pub total: Decimal,
    /// Absent: no tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_percent: Option<Decimal>,
    /// Tax in or on `total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Decimal>,
    /// Name of the tax on the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<String>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Field>,
}

/// Tax of an order at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// Rate in percent.
    pub percent: Decimal,
    /// Net amount it is computed from.
    pub base: Decimal,
    /// The tax.
    pub amount: Decimal,
}

/// How the goods travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The platform's name of the method; mapped on the way to a target.
    pub method: String,
    /// As the buyer read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Wish of the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted_on: Option<Date>,
    /// Parcel shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup_point: Option<String>,
}

/// Facet `placed` of an order: everything but its state and its payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Number on the platform that it comes from.
    pub number: String,
    /// Number on the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_number: Option<String>,
    /// Channel it was placed in.
    pub channel: String,
    /// When.
    pub placed: Timestamp,
    /// ISO 4217.
    pub currency: String,
    /// With or without tax.
    pub basis: TaxBasis,
    /// The buyer.
    pub customer: Link,
    /// The buyer's data on the order.
    pub buyer: CustomerHead,
    /// Who pays.
    pub billing: Address,
    /// Who receives, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Address>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Taxes as the platform states them.
    pub taxes: Vec<Tax>,
    /// Delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// What the buyer pays, tax included, whatever the basis.
    pub total: Decimal,
    /// Words of the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Field>,
}

/// Lines touched by an event; an empty list means the whole order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmountOf {
    /// Id of the line on the platform that the body comes from or goes to.
    pub line: String,
    /// Pieces.
    pub quantity: Decimal,
}

/// Facet `event` of an order event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What happened to an order after it was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// A payment came in.
    Paid(Payment),
    /// All or some lines are void.
    Cancelled {
        /// Lines; empty: all.
        lines: Vec<AmountOf>,
        /// Words.
        reason: Option<String>,
    },
    /// Money went back.
    Refunded {
        /// How much.
        amount: Decimal,
        /// For what; empty: the whole order.
        lines: Vec<AmountOf>,
        /// The goods came back too.
        restock: bool,
        /// Words.
        reason: Option<String>,
    },
    /// The other side's number of the order.
    Numbered(String),
    /// Finished over there.
    Completed,
}

/// One parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Counts from 1 within the shipment.
    pub number: u32,
    /// Carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Tracking number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<String>,
    /// Page of the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
    /// Kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_kg: Option<Decimal>,
    /// What is in it.
    pub lines: Vec<AmountOf>,
}

/// Facet `shipment` of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// When it left.
    pub shipped: Timestamp,
    /// Its parcels.
    pub parcels: Vec<Parcel>,
    /// Nothing of the order is left to be sent.
    pub completes: bool,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Field>,
}
