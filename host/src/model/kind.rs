//! What actions and streams are about, and what the hub keeps.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($type:ident { $($variant:ident => $name:literal),* $(,)? }) => {
        impl $type {
            /// All of them, in the order in which they depend on each other.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in the ledger, the API and on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl std::str::FromStr for $type {
            type Err = $crate::model::kind::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|k| k.as_str() == text).ok_or_else(|| $crate::model::kind::UnknownName {
                    text: text.to_owned(),
                    expected: Self::ALL.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}
pub(crate) use names;

/// A name that is none of those expected.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{text}` is not known here, expected one of: {expected}")]
pub struct UnknownName {
    /// What was given.
    pub text: String,
    /// What would have been understood.
    pub expected: String,
}

/// Kind of what a connector reads or writes; streams, actions and runs are per kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Node of the category tree.
    Category,
    /// Product with its variants.
    Product,
    /// Stock of a variant in a warehouse.
    Stock,
    /// Price of a variant in a channel.
    Price,
    /// Buyer.
    Customer,
    /// Order.
    Order,
    /// What happened to an order after it was placed; pushed only, and part of the stream `order`.
    OrderEvent,
    /// Goods that left.
    Shipment,
}

names!(Kind {
    Category => "category", Product => "product", Stock => "stock", Price => "price", Customer => "customer",
    Order => "order", OrderEvent => "order-event", Shipment => "shipment",
});

impl Kind {
    /// The kind of hub record whose facets or events this kind carries.
    #[must_use]
    pub fn record_kind(self) -> RecordKind {
        match self {
            Self::Category => RecordKind::Category,
            Self::Product => RecordKind::Product,
            Self::Stock | Self::Price => RecordKind::Variant,
            Self::Customer => RecordKind::Customer,
            Self::Order | Self::OrderEvent | Self::Shipment => RecordKind::Order,
        }
    }

    /// The stream it belongs to: order events travel with orders.
    #[must_use]
    pub fn stream(self) -> Self {
        if self == Self::OrderEvent { Self::Order } else { self }
    }

    /// Whether pushes of it are events, sent once with a frozen body, rather than state that converges.
    #[must_use]
    pub fn is_event(self) -> bool {
        matches!(self, Self::Order | Self::OrderEvent | Self::Shipment)
    }
}

/// Kind of a hub record, that is of what has identity in the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// Node of the category tree.
    Category,
    /// Groups variants.
    Product,
    /// What has SKU, price and stock.
    Variant,
    /// Buyer.
    Customer,
    /// Order.
    Order,
    /// A shipment of an order has links of its own, so that one that we made is known again when it is read.
    Shipment,
}

names!(RecordKind {
    Category => "category", Product => "product", Variant => "variant", Customer => "customer", Order => "order",
    Shipment => "shipment",
});
