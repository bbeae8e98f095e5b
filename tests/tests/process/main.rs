//! The real program as a process.

mod copied;
mod kill;
mod owner;
