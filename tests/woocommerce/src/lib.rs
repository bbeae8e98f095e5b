//! A WooCommerce REST v3 server written from the documented contract: a real HTTP server with state,
//! which counts what is written and misbehaves on command.
//!
//! Code map: [`server`] takes requests in ([`listen`], [`auth`]), [`faults`] decides what goes wrong,
//! [`routes`] leads to the resource ([`products`], [`variations`], [`orders`], ...), [`schema`] and [`paging`] hold
//! the rules all of them share, [`state`] is the shop, [`journal`] what happened, [`control`] the tester's
//! hand, [`conformance`] that of the conformance suite, [`catalogue`] the goods, customers and orders a shop begins with.

mod article;
mod auth;
mod call;
mod catalogue;
mod clock;
mod conformance;
mod control;
mod customers;
mod error;
mod faults;
mod html;
mod journal;
mod lines;
mod listen;
mod meta;
mod money;
mod notes;
mod orders;
mod paging;
mod pictures;
mod products;
mod refunds;
mod routes;
mod schema;
mod server;
mod shop;
mod simulator;
mod state;
mod stock;
mod terms;
mod totals;
mod variations;

pub use auth::Permission;
pub use control::{Cart, Control, Refusal};
pub use faults::{Misbehaviour, Script};
pub use journal::{Journal, Operation, Seen, Write};
pub use simulator::{Config, Simulator, StartError};
