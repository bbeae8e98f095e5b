//! The whole program on a disk that loses at a power cut what was not synced.

use std::process::ExitCode;

use tradepost_tests::powercut::{NOTES, vfs};

fn main() -> ExitCode {
    // The process that compiles has no ledger, and is told nothing.
    if let Some(folder) = std::env::var_os(NOTES)
        && let Err(error) = vfs::install(folder.as_ref())
    {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    tradepost::cli::main()
}
