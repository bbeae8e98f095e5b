//! The contract as Rust types, one module per track, and what turns them into the model's values and back.

pub mod v0_1;
