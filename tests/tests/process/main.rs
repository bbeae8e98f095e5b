//! The real program as a process.

mod kill;
mod owner;
