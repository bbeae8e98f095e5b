//! `platform`: settings, preview, clock.

use super::super::bindings::v0_1::wit::tradepost::connector::platform::Host;
use super::super::instance::{Cost, State};

impl Host for State {
    async fn settings(&mut self) -> wasmtime::Result<String> {
        self.host_call(Cost::Light)?;
        Ok(self.call.powers.settings.to_string())
    }

    async fn preview(&mut self) -> wasmtime::Result<bool> {
        self.host_call(Cost::Light)?;
        Ok(self.call.context.preview)
    }

    async fn now(&mut self) -> wasmtime::Result<String> {
        self.host_call(Cost::Light)?;
        Ok(self.call.clock.now().to_string())
    }
}
