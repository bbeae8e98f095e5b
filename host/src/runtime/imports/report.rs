//! `report`: log, progress, and what became of items.

use super::super::bindings::v0_1;
use super::super::bindings::v0_1::wit::tradepost::connector::{outcomes, report, types};
use super::super::instance::{Cost, HostError, State};
use super::super::log::{Level, escaped};
use super::Phase;

impl report::Host for State {
    async fn log(&mut self, level: report::Level, message: String, fields: Vec<types::Field>) -> wasmtime::Result<()> {
        self.host_call(Cost::Light)?;
        let level = match level {
            report::Level::Debug => Level::Debug,
            report::Level::Info => Level::Info,
            report::Level::Warn => Level::Warn,
            report::Level::Error => Level::Error,
        };
        let fields: Vec<_> = fields.into_iter().map(|types::Field { name, value }| (name, value)).collect();
        self.call.log.line(level, &message, &fields);
        Ok(())
    }

    async fn progress(&mut self, done: u64, total: Option<u64>, current: String) -> wasmtime::Result<()> {
        self.host_call(Cost::Light)?;
        let platform = self.call.context.code.as_str();
        tracing::debug!(target: "connector.progress", platform, done, total, current = escaped(&current));
        Ok(())
    }

    async fn settle(&mut self, item: String, outcome: outcomes::Outcome) -> wasmtime::Result<()> {
        let host = self.host_call(Cost::Disk)?;
        let (Phase::Push(settle) | Phase::Remove(settle)) = &self.call.phase else {
            let phase = self.call.phase.name();
            return Err(HostError::contract(format!("it settled the item `{}` in `{phase}`", escaped(&item))));
        };
        let settle = settle.clone();
        // The call ends when this cannot be kept: going on would make objects that nobody knows of.
        host.within(async move {
            settle.settle(&item, v0_1::outcome(outcome)).await.map_err(|error| HostError::broken(&error))
        })
        .await
    }
}
