//! What a connector's files begin with: `use tradepost_sdk::prelude::*;`.
//!
//! ```
//! use tradepost_sdk::prelude::*;
//!
//! let page = Page::of(vec![Product::read("7").text("en", "Tea pot")]);
//! assert!(matches!(page.records[0], Records::Products(_)));
//! ```

pub use rust_decimal::Decimal;
pub use serde_json::value::RawValue as Raw;

pub use crate::catalog::{
    Attribute, Category, CategoryBase, Choice as VariantChoice, Content, Form, Medium, Price, PriceKind, Product,
    ProductBase, StockLevel, Texts, Variant,
};
pub use crate::connector::{
    Ability, Account, Channel, Connector, Credential, Description, Environment, Oauth, OrderHappening, Origin, Rate,
    Reading, Scheme, Session, Source, StockFigure, Target, Writing,
};
pub use crate::head::{Head, Op, Part, PartKind};
pub use crate::outcomes::{Outcome, Written};
pub use crate::records::{Deletion, Kind, Present, Record, Records, Removal, Unreadable};
pub use crate::sales::{
    Address, AmountOf, Customer, CustomerBase, Happening, Line, LineKind, Order, OrderEvent, OrderState, Parcel,
    Payment, PaymentState, Shipment, Tax,
};
pub use crate::settings::{self, Secret};
pub use crate::source::{Page, PullRequest, Scope, Window};
pub use crate::target::{Doomed, Found, Probe};
pub use crate::types::{Error, Field, Issue, Link, RemoteRef, TaxBasis};
pub use crate::{Choice, Settings};
pub use crate::{Http, Request, Response, invalid, rejected, settle_each, unsupported, version};
