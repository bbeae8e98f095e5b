//! `tradepost automatic on|off`.

use clap::ValueEnum;
use serde_json::json;

use super::failure::Failure;
use super::{Context, Exit};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// on: schedules and events start actions; off: only persons do
    switch: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) async fn run(context: Context, args: Args) -> Result<Exit, Failure> {
    let on = args.switch == Switch::On;
    let answer = context.client()?.put("/automatic", &json!({ "on": on })).await?;
    context.out.value(&answer);
    context.out.line(if on {
        "Automatic mode is on: schedules and events start actions."
    } else {
        "Automatic mode is off: actions run when a person starts them."
    });
    Ok(Exit::Done)
}
