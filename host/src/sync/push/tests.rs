//! Pushes over fakes: what is sent, what is not, and that nothing is lost or doubled wherever it is cut.

mod crash;
mod cycle;
mod event;
mod shops;
mod stage;
mod state;
