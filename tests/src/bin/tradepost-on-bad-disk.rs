//! The whole program on a disk that loses at a power cut what was not synced.

use std::process::ExitCode;

use tradepost_tests::powercut::{NOTES, vfs};

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os(NOTES) else {
        eprintln!("{NOTES} names no folder");
        return ExitCode::FAILURE;
    };
    if let Err(error) = vfs::install(folder.as_ref()) {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    tradepost::cli::main()
}
