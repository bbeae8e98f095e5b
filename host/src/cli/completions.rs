//! `tradepost completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit};

#[derive(Debug, clap::Args)]
#[command(after_help = "Put the script where your shell looks for it, for example:
  tradepost completions bash > /etc/bash_completion.d/tradepost
  tradepost completions zsh  > /usr/local/share/zsh/site-functions/_tradepost
  tradepost completions fish > ~/.config/fish/completions/tradepost.fish")]
pub(super) struct Args {
    /// Shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tradepost", &mut script);
    super::output::raw(&script);
    Exit::Done
}
