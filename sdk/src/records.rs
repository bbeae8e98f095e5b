//! Kinds of records, and a list per kind.

use crate::catalog::{Category, Price, Product, StockLevel};
use crate::head::Head;
use crate::sales::{Customer, Order, OrderEvent, Shipment};

pub use crate::bindings::powers::tradepost::connector::records::{
    Deletion, Kind, Present, Records, Removal, Unreadable,
};

/// ```
/// use tradepost_sdk::records::Kind;
///
/// assert_eq!(Kind::OrderEvent.name(), "order-event");
/// assert_eq!(Kind::ALL.len(), 8);
/// ```
impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Category,
        Self::Product,
        Self::Stock,
        Self::Price,
        Self::Customer,
        Self::Order,
        Self::OrderEvent,
        Self::Shipment,
    ];

    /// Its name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Product => "product",
            Self::Stock => "stock",
            Self::Price => "price",
            Self::Customer => "customer",
            Self::Order => "order",
            Self::OrderEvent => "order-event",
            Self::Shipment => "shipment",
        }
    }
}

/// What every record has: its envelope. Implemented by the records of the contract.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// fn id<R: Record>(record: &R) -> Option<&str> {
///     record.head().remote.as_ref().map(|remote| remote.id.as_str())
/// }
/// assert_eq!(id(&Product::read("7")), Some("7"));
/// assert_eq!(Product::KIND, Kind::Product);
/// ```
pub trait Record: Sized {
    /// Its kind.
    const KIND: Kind;

    /// Its envelope.
    fn head(&self) -> &Head;

    /// Its envelope, to be changed.
    fn head_mut(&mut self) -> &mut Head;

    /// A list of them.
    fn records(list: Vec<Self>) -> Records;

    /// Says when the platform changed it.
    #[must_use]
    fn updated(mut self, at: impl ToString) -> Self {
        self.head_mut().updated = Some(at.to_string());
        self
    }

    /// The record as the host would hand it over to be made: for tests of [`Target::push`](crate::Target::push).
    #[must_use]
    #[expect(clippy::wrong_self_convention, reason = "it reads well at the end of a record's making")]
    fn as_create(mut self, item: &str) -> Self {
        let head = self.head_mut();
        (head.op, head.item, head.remote) = (crate::head::Op::Create, item.into(), None);
        self
    }

    /// The record as the host would hand it over to be changed: for tests of [`Target::push`](crate::Target::push).
    #[must_use]
    #[expect(clippy::wrong_self_convention, reason = "it reads well at the end of a record's making")]
    fn as_update(mut self, item: &str) -> Self {
        let head = self.head_mut();
        (head.op, head.item) = (crate::head::Op::Update, item.into());
        self
    }
}

macro_rules! record {
    ($($kind:ident $record:ident $list:ident)*) => {
        $(
            impl Record for $record {
                const KIND: Kind = Kind::$kind;

                fn head(&self) -> &Head {
                    &self.head
                }

                fn head_mut(&mut self) -> &mut Head {
                    &mut self.head
                }

                fn records(list: Vec<Self>) -> Records {
                    Records::$list(list)
                }
            }
        )*

        /// ```
        /// use tradepost_sdk::prelude::*;
        ///
        /// let records = Records::from(vec![Product::read("7"), Product::read("8")]);
        /// assert_eq!((records.kind(), records.len(), records.is_empty()), (Kind::Product, 2, false));
        /// assert_eq!(records.heads()[1].remote.as_ref().unwrap().id, "8");
        /// assert!(Records::none(Kind::Order).is_empty());
        /// ```
        impl Records {
            /// An empty list of a kind.
            #[must_use]
            pub fn none(kind: Kind) -> Self {
                match kind {
                    $(Kind::$kind => Self::$list(Vec::new()),)*
                }
            }

            /// The kind of the records.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$list(_) => Kind::$kind,)*
                }
            }

            /// How many they are.
            #[must_use]
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$list(all) => all.len(),)*
                }
            }

            /// Whether there is none.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// The envelopes of all of them.
            #[must_use]
            pub fn heads(&self) -> Vec<&Head> {
                match self {
                    $(Self::$list(all) => all.iter().map(|one| &one.head).collect(),)*
                }
            }
        }
    };
}

record! {
    Category Category Categories
    Product Product Products
    Stock StockLevel Stock
    Price Price Prices
    Customer Customer Customers
    Order Order Orders
    OrderEvent OrderEvent OrderEvents
    Shipment Shipment Shipments
}

impl<R: Record> From<Vec<R>> for Records {
    fn from(list: Vec<R>) -> Self {
        R::records(list)
    }
}
