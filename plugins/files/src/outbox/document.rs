//! The files that the ERP gets, as JSON. Amounts are texts: no program may make a float of them by accident.

use serde::{Deserialize, Serialize};
use tradepost_sdk::head::Part;
use tradepost_sdk::sales::{
    Address, Customer, CustomerBase, Delivery, Line, LineKind, Order, OrderState, Payment, PaymentState, Tax,
};
use tradepost_sdk::types::{Link, TaxBasis};

use super::line_part;
use crate::map::{CHANNEL, head};

type Text = Option<String>;

/// An order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OrderFile {
    /// What the ERP names when it tells its number or a shipment.
    pub(crate) id: String,
    /// The shop's number.
    pub(crate) number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Text,
    pub(super) channel: String,
    pub(super) placed: String,
    pub(super) currency: String,
    /// `net` or `gross`: whether amounts of lines contain tax.
    pub(super) basis: String,
    /// What the buyer pays, tax included.
    pub(super) total: String,
    pub(super) payment_state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) buyer: Option<BuyerFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) billing: Option<AddressFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shipping: Option<AddressFile>,
    pub(crate) lines: Vec<LineFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) taxes: Vec<TaxFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) payments: Vec<PaymentFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivery: Option<DeliveryFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) extra: Vec<FieldFile>,
}

/// A line of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LineFile {
    pub(crate) id: String,
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sku: Text,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    pub(crate) quantity: String,
    pub(super) unit_price: String,
    pub(super) total: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tax_percent: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tax: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_code: Text,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct BuyerFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) company: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_name: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_name: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vat_id: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Text,
    guest: bool,
    active: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct AddressFile {
    #[serde(skip_serializing_if = "String::is_empty")]
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) company: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_name: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_name: Text,
    pub(super) lines: Vec<String>,
    pub(super) postcode: String,
    pub(super) city: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Text,
    pub(super) country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Text,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TaxFile {
    percent: String,
    base: String,
    amount: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PaymentFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Text,
    pub(super) method: String,
    state: String,
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Text,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DeliveryFile {
    pub(super) method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted_on: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup_point: Text,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FieldFile {
    name: String,
    value: String,
}

/// A customer: what is not in it stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CustomerFile {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<BuyerFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<Vec<AddressFile>>,
}

impl CustomerFile {
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// Takes over what is said; leaves the rest.
    pub(super) fn update(&mut self, customer: &Customer) {
        if let Some(base) = &customer.base {
            self.customer = Some(base.into());
        }
        if let Some(addresses) = &customer.addresses {
            self.addresses = Some(addresses.iter().map(AddressFile::from).collect());
        }
    }
}

impl OrderFile {
    pub(super) fn new(id: &str, order: &Order) -> Self {
        Self {
            id: id.to_owned(),
            number: order.number.clone(),
            marker: order.head.marker.clone(),
            channel: order.channel.clone(),
            placed: order.placed.clone(),
            currency: order.currency.clone(),
            basis: if order.basis == TaxBasis::Net { "net".into() } else { "gross".into() },
            total: order.total.clone(),
            payment_state: payment_state(order.payment_state).into(),
            // Linked customers are known to the ERP by this id; others by what the buyer entered.
            customer: order.customer.id.clone(),
            buyer: Some((&order.buyer).into()),
            billing: Some((&order.billing).into()),
            shipping: order.shipping.as_ref().map(AddressFile::from),
            lines: order.lines.iter().map(LineFile::from).collect(),
            taxes: order
                .taxes
                .iter()
                .map(|Tax { percent, base, amount }| TaxFile {
                    percent: percent.clone(),
                    base: base.clone(),
                    amount: amount.clone(),
                })
                .collect(),
            payments: order.payments.iter().map(PaymentFile::from).collect(),
            delivery: order.delivery.as_ref().map(|delivery| DeliveryFile {
                method: delivery.method.clone(),
                label: delivery.label.clone(),
                wanted_on: delivery.wanted_on.clone(),
                pickup_point: delivery.pickup_point.clone(),
            }),
            note: order.note.clone(),
            extra: order
                .extra
                .iter()
                .map(|field| FieldFile { name: field.name.clone(), value: field.value.clone() })
                .collect(),
        }
    }

    /// What is needed to know the order again: no data of the buyer.
    pub(super) fn brief(&self) -> Self {
        let line = |line: &LineFile| LineFile { name: String::new(), ..line.clone() };
        Self {
            buyer: None,
            billing: None,
            shipping: None,
            payments: Vec::new(),
            delivery: None,
            note: None,
            customer: None,
            extra: Vec::new(),
            lines: self.lines.iter().map(line).collect(),
            ..self.clone()
        }
    }

    /// The lines keep their ids here.
    pub(super) fn parts(&self) -> Vec<Part> {
        self.lines.iter().map(|line| line_part(&line.id)).collect()
    }

    /// Read again, as the ERP's view of the order.
    pub(crate) fn into_order(self) -> Order {
        let buyer = self.buyer.unwrap_or_default();
        let filled = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
        let key = buyer.email.clone().or_else(|| self.customer.clone()).unwrap_or_else(|| "unknown".into());
        Order {
            head: head(&self.id),
            number: self.number,
            other_number: None,
            channel: filled(self.channel, CHANNEL),
            placed: filled(self.placed, "1970-01-01T00:00:00Z"),
            state: OrderState::Open,
            payment_state: payment_state_of(&self.payment_state),
            currency: filled(self.currency, "EUR"),
            basis: if self.basis == "net" { TaxBasis::Net } else { TaxBasis::Gross },
            customer: Link { id: self.customer, key },
            buyer: buyer.into(),
            billing: self.billing.unwrap_or_default().into(),
            shipping: self.shipping.map(Address::from),
            lines: self.lines.into_iter().map(Line::from).collect(),
            taxes: self
                .taxes
                .into_iter()
                .map(|TaxFile { percent, base, amount }| Tax { percent, base, amount })
                .collect(),
            payments: self.payments.into_iter().map(Payment::from).collect(),
            delivery: self.delivery.map(|DeliveryFile { method, label, wanted_on, pickup_point }| Delivery {
                method,
                label,
                wanted_on,
                pickup_point,
            }),
            total: filled(self.total, "0"),
            note: self.note,
            extra: Vec::new(),
        }
    }
}

impl From<&Line> for LineFile {
    fn from(line: &Line) -> Self {
        Self {
            id: line.id.clone(),
            kind: line_kind(line.kind).into(),
            // Variants have their SKU as id here.
            sku: line.variant.as_ref().map(|link| link.id.clone().unwrap_or_else(|| link.key.clone())),
            name: line.name.clone(),
            quantity: line.quantity.clone(),
            unit_price: line.unit_price.clone(),
            total: line.total.clone(),
            tax_percent: line.tax_percent.clone(),
            tax: line.tax.clone(),
            tax_code: line.tax_code.clone(),
        }
    }
}

impl From<LineFile> for Line {
    fn from(line: LineFile) -> Self {
        Self {
            id: line.id,
            kind: line_kind_of(&line.kind),
            variant: line.sku.map(|sku| Link { id: Some(sku.clone()), key: sku }),
            name: line.name,
            quantity: line.quantity,
            unit_price: line.unit_price,
            total: line.total,
            tax_percent: line.tax_percent,
            tax: line.tax,
            tax_code: line.tax_code,
            extra: Vec::new(),
        }
    }
}

impl From<&CustomerBase> for BuyerFile {
    fn from(base: &CustomerBase) -> Self {
        Self {
            number: base.number.clone(),
            email: base.email.clone(),
            phone: base.phone.clone(),
            company: base.company.clone(),
            first_name: base.first_name.clone(),
            last_name: base.last_name.clone(),
            vat_id: base.vat_id.clone(),
            language: base.language.clone(),
            group: base.group.clone(),
            guest: base.guest,
            active: base.active,
        }
    }
}

impl From<BuyerFile> for CustomerBase {
    fn from(file: BuyerFile) -> Self {
        let BuyerFile { number, email, phone, company, first_name, last_name, vat_id, language, group, guest, active } =
            file;
        Self { number, email, phone, company, first_name, last_name, vat_id, language, group, guest, active }
    }
}

impl From<&Address> for AddressFile {
    fn from(address: &Address) -> Self {
        Self {
            key: address.key.clone(),
            company: address.company.clone(),
            first_name: address.first_name.clone(),
            last_name: address.last_name.clone(),
            lines: address.lines.clone(),
            postcode: address.postcode.clone(),
            city: address.city.clone(),
            region: address.region.clone(),
            country: address.country.clone(),
            phone: address.phone.clone(),
        }
    }
}

impl From<AddressFile> for Address {
    fn from(file: AddressFile) -> Self {
        let AddressFile { key, company, first_name, last_name, lines, postcode, city, region, country, phone } = file;
        Self { key, company, first_name, last_name, lines, postcode, city, region, country, phone }
    }
}

impl From<&Payment> for PaymentFile {
    fn from(payment: &Payment) -> Self {
        Self {
            id: payment.id.clone(),
            method: payment.method.clone(),
            state: payment_state(payment.state).into(),
            amount: payment.amount.clone(),
            transaction: payment.transaction.clone(),
            at: payment.at.clone(),
        }
    }
}

impl From<PaymentFile> for Payment {
    fn from(file: PaymentFile) -> Self {
        let state = payment_state_of(&file.state);
        let PaymentFile { id, method, amount, transaction, at, .. } = file;
        Self { id, method, state, amount, transaction, at }
    }
}

const PAYMENT_STATES: &[(PaymentState, &str)] = &[
    (PaymentState::Unpaid, "unpaid"),
    (PaymentState::Authorised, "authorised"),
    (PaymentState::PartlyPaid, "partly-paid"),
    (PaymentState::Paid, "paid"),
    (PaymentState::PartlyRefunded, "partly-refunded"),
    (PaymentState::Refunded, "refunded"),
    (PaymentState::Failed, "failed"),
];

const LINE_KINDS: &[(LineKind, &str)] = &[
    (LineKind::Product, "product"),
    (LineKind::Shipping, "shipping"),
    (LineKind::Fee, "fee"),
    (LineKind::Discount, "discount"),
    (LineKind::GiftCard, "gift-card"),
    (LineKind::Rounding, "rounding"),
    (LineKind::Text, "text"),
];

pub(super) fn payment_state(state: PaymentState) -> &'static str {
    PAYMENT_STATES.iter().find(|(of, _)| *of == state).map_or("unpaid", |(_, name)| name)
}

fn payment_state_of(name: &str) -> PaymentState {
    PAYMENT_STATES.iter().find(|(_, of)| *of == name).map_or(PaymentState::Unpaid, |(state, _)| *state)
}

fn line_kind(kind: LineKind) -> &'static str {
    LINE_KINDS.iter().find(|(of, _)| *of == kind).map_or("text", |(_, name)| name)
}

fn line_kind_of(name: &str) -> LineKind {
    LINE_KINDS.iter().find(|(_, of)| *of == name).map_or(LineKind::Text, |(kind, _)| *kind)
}
