//! `keygen`: a pair of keys to sign connectors with.

use std::path::PathBuf;

use anyhow::ensure;

use crate::cli::Exit;
use crate::output::{line, note};
use crate::sign;

/// What `keygen` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Keep KEY secret and make a copy of it: without it no later build can be signed as yours. Give KEY.pub to operators: they bind it to \
the ids of your connectors.")]
pub struct Args {
    /// File of the secret key; the public one goes to KEY.pub
    #[arg(value_name = "KEY")]
    key: PathBuf,
    /// Without a password, for a CI that keeps the file as a secret
    #[arg(long)]
    no_password: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let password = if args.no_password { None } else { Some(ask()?) };
    let public = sign::generate(&args.key, password)?;
    let key = args.key.display();
    line(format!("{key} is the secret key, {key}.pub the public one:\n  {public}"));
    line(format!("\nSign with: cargo tradepost build --sign {key}"));
    Ok(Exit::Done)
}

fn ask() -> anyhow::Result<String> {
    let instead = "say `--no-password` for a key without one, and keep the file as a secret";
    let password = sign::password("Password for the key: ", instead)?;
    ensure!(!password.is_empty(), "an empty password is none; say `--no-password`");
    ensure!(password == sign::password("Once more: ", instead)?, "that were two different passwords");
    note("locking the key with it; that takes a moment, so that nobody tries many");
    Ok(password)
}
