//! The simulator over real HTTP on loopback.

mod client;
mod shop;
