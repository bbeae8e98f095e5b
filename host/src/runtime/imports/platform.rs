//! `platform`: settings, preview, clock.

use super::super::bindings::v0_1::wit::tradepost::connector::platform::Host;
use super::super::instance::State;

impl Host for State {
    async fn settings(&mut self) -> wasmtime::Result<String> {
        let _host = self.on_host();
        Ok(self.call.powers.settings.to_string())
    }

    async fn preview(&mut self) -> wasmtime::Result<bool> {
        let _host = self.on_host();
        Ok(self.call.context.preview)
    }

    async fn now(&mut self) -> wasmtime::Result<String> {
        let _host = self.on_host();
        Ok(self.call.clock.now().to_string())
    }
}
