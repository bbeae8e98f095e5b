//! Sets up the wasm tool chain and builds connectors: for the demo, for tests, and for people who write connectors.
//!
//! ```no_run
//! use tradepost_build::{Connector, Step, Workspace};
//!
//! let workspace = Workspace::of_this_build()?;
//! let progress = |step: Step<'_>| eprintln!("{}", step.text());
//! let built = tradepost_build::build(&workspace, &[Connector::new("files-connector")], &progress)?;
//! println!("{}", built[0].path.display());
//! # Ok::<(), tradepost_build::Error>(())
//! ```
//!
//! In reading order: [`Workspace`] is where the connectors are, [`Toolchain`] what compiles them, [`Connector`] what is built.
//! For other languages than Rust: [`Tools`] is what is installed for them, [`TypeScript`] and [`Python`] build with it.

#![forbid(unsafe_code)]

mod connector;
mod error;
mod lock;
mod python;
mod strip;
mod system;
mod toolchain;
mod tools;
mod typescript;
mod workspace;

pub use connector::{Built, Connector};
pub use error::Error;
pub use python::Python;
pub use toolchain::{CHOICE_VARIABLE, Toolchain};
pub use tools::{Node, TOOLS_VARIABLE, Tools};
pub use typescript::TypeScript;
pub use workspace::Workspace;

/// Set while a connector is compiled under another version; a connector that wants to follow it says
/// `option_env!("TRADEPOST_CONNECTOR_VERSION").unwrap_or(env!("CARGO_PKG_VERSION"))` in `describe`.
pub const VERSION_VARIABLE: &str = "TRADEPOST_CONNECTOR_VERSION";

/// Something that happens while the tool chain is set up or a connector is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A piece of work that takes a while has begun. Nothing is begun when there is nothing to do.
    Begun(&'a str),
    /// A line that a program printed; of interest to those who want to see everything.
    Detail(&'a str),
}

impl<'a> Step<'a> {
    /// The words, without their weight.
    pub fn text(self) -> &'a str {
        match self {
            Self::Begun(text) | Self::Detail(text) => text,
        }
    }
}

/// Where steps are told. Called on the thread that called the library.
pub type Progress<'a> = dyn Fn(Step<'_>) + 'a;

/// Finds or installs the tool chain and builds connectors with it, in the order given.
///
/// # Errors
/// As [`Toolchain::ensure`] and [`Toolchain::build`].
pub fn build(workspace: &Workspace, connectors: &[Connector], progress: &Progress<'_>) -> Result<Vec<Built>, Error> {
    Toolchain::ensure(workspace, progress)?.build(workspace, connectors, progress)
}
