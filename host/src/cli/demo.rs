//! `tradepost demo`: the whole cycle on embedded defaults.

#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Stay up when the cycle was shown
    #[arg(long)]
    pub keep: bool,
}

/// Runs the demo.
///
/// # Errors
/// When a step of it fails.
pub fn run(args: DemoArgs) -> anyhow::Result<()> {
    anyhow::bail!("the demo is not part of this build (keep: {})", args.keep)
}
