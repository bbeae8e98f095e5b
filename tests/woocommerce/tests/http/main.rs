//! The simulator over real HTTP on loopback.

mod client;
mod faults;
mod goods;
mod rules;
mod shop;
mod trade;
