//! Customers, orders, shipments.

use crate::head::Head;
use crate::sales::{
    Address, Customer, CustomerBase, Line, LineKind, Order, OrderState, Parcel, PaymentState, Shipment,
};
use crate::types::{Link, RemoteRef, TaxBasis};

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let customer = Customer::read("5", CustomerBase { email: Some("a@b.example".into()), ..CustomerBase::new() });
/// assert!(customer.addresses.is_none());
/// ```
impl Customer {
    /// A customer of the platform.
    #[must_use]
    pub fn read(remote: impl Into<RemoteRef>, base: CustomerBase) -> Self {
        Self { head: Head::read(remote), base: Some(base), addresses: None, extra: Vec::new() }
    }
}

/// ```
/// use tradepost_sdk::sales::CustomerBase;
///
/// assert!(CustomerBase::new().active);
/// ```
impl CustomerBase {
    /// An active buyer with an account, of whom nothing more is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            number: None,
            email: None,
            phone: None,
            company: None,
            first_name: None,
            last_name: None,
            vat_id: None,
            language: None,
            group: None,
            guest: false,
            active: true,
        }
    }
}

impl Default for CustomerBase {
    fn default() -> Self {
        Self::new()
    }
}

/// ```
/// use tradepost_sdk::sales::Address;
///
/// let address = Address { last_name: Some("Sommer".into()), ..Address::new("billing", "DE", "04109", "Leipzig") };
/// assert_eq!(address.country, "DE");
/// ```
impl Address {
    /// A place; `key` tells it from the customer's other addresses.
    #[must_use]
    pub fn new(
        key: impl Into<String>,
        country: impl Into<String>,
        postcode: impl Into<String>,
        city: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            company: None,
            first_name: None,
            last_name: None,
            lines: Vec::new(),
            postcode: postcode.into(),
            city: city.into(),
            region: None,
            country: country.into(),
            phone: None,
        }
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let billing = Address::new("billing", "DE", "04109", "Leipzig");
/// let order = Order {
///     lines: vec![Line::product("1", Link::new("71", "POT-RED"), "Tea pot", 2, "9.95", "19.90")],
///     total: "19.90".into(),
///     ..Order::read("900", "1001", "2026-11-22T08:00:00Z", "EUR", TaxBasis::Gross, billing)
/// };
/// assert_eq!(order.lines[0].quantity, "2");
/// ```
impl Order {
    /// An open, unpaid order without lines in the only channel.
    #[must_use]
    pub fn read(
        remote: impl Into<RemoteRef>,
        number: impl Into<String>,
        placed: impl ToString,
        currency: impl Into<String>,
        basis: TaxBasis,
        billing: Address,
    ) -> Self {
        Self {
            head: Head::read(remote),
            number: number.into(),
            other_number: None,
            channel: "main".into(),
            placed: placed.to_string(),
            state: OrderState::Open,
            payment_state: PaymentState::Unpaid,
            currency: currency.into(),
            basis,
            customer: Link::by_key(""),
            buyer: CustomerBase { guest: true, ..CustomerBase::new() },
            billing,
            shipping: None,
            lines: Vec::new(),
            taxes: Vec::new(),
            payments: Vec::new(),
            delivery: None,
            total: "0".into(),
            note: None,
            extra: Vec::new(),
        }
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let line = Line { tax_percent: Some("19".into()), ..Line::of(LineKind::Shipping, "2", "Parcel", "4.90") };
/// assert_eq!((line.quantity.as_str(), line.total.as_str()), ("1", "4.90"));
/// ```
impl Line {
    /// Goods on an order.
    #[must_use]
    pub fn product(
        id: impl ToString,
        variant: Link,
        name: impl Into<String>,
        quantity: impl ToString,
        unit_price: impl ToString,
        total: impl ToString,
    ) -> Self {
        Self {
            variant: Some(variant),
            quantity: quantity.to_string(),
            unit_price: unit_price.to_string(),
            ..Self::of(LineKind::Product, id, name, total)
        }
    }

    /// One of something else: shipping, a fee, a discount.
    #[must_use]
    pub fn of(kind: LineKind, id: impl ToString, name: impl Into<String>, total: impl ToString) -> Self {
        Self {
            id: id.to_string(),
            kind,
            variant: None,
            name: name.into(),
            quantity: "1".into(),
            unit_price: total.to_string(),
            total: total.to_string(),
            tax_percent: None,
            tax: None,
            tax_code: None,
            extra: Vec::new(),
        }
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let order = Link::new("900", "1001");
/// let shipment = Shipment::read("s1", order, "2026-11-23T10:00:00Z", vec![Parcel::new(1, "DHL", "00340434")]);
/// assert_eq!(shipment.parcels[0].tracking.as_deref(), Some("00340434"));
/// ```
impl Shipment {
    /// Goods of an order that left; nothing is said to be missing.
    #[must_use]
    pub fn read(remote: impl Into<RemoteRef>, order: Link, shipped: impl ToString, parcels: Vec<Parcel>) -> Self {
        let (head, shipped) = (Head::read(remote), shipped.to_string());
        Self { head, order, shipped, parcels, completes: false, extra: Vec::new() }
    }
}

/// ```
/// use tradepost_sdk::sales::Parcel;
///
/// assert!(Parcel::new(2, "DHL", "00340434").lines.is_empty());
/// ```
impl Parcel {
    /// A parcel with its number within the shipment, carrier and tracking code.
    #[must_use]
    pub fn new(number: u32, carrier: impl Into<String>, tracking: impl Into<String>) -> Self {
        Self {
            number,
            carrier: Some(carrier.into()),
            tracking: Some(tracking.into()),
            tracking_url: None,
            weight_kg: None,
            lines: Vec::new(),
        }
    }
}
