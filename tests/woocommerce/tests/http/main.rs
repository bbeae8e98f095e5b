//! The simulator over real HTTP on loopback.

mod client;
mod faults;
mod rules;
mod shop;
