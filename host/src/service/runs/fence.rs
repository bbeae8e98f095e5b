//! The stock fence: a shop's orders are read before stock is sent there, or what it just sold would be sold again.

use super::{Order, Runs, TICK};
use crate::ledger::LedgerError;
use crate::ledger::run::{Cause, Direction, RunState};
use crate::model::{Kind, PlatformId};
use crate::sync::connector::Connectors;
use crate::sync::push;

/// Pulls of the shop's orders that a stock push asks for in a row before it gives up.
const TRIES: u32 = 2;

impl Runs {
    /// Reads the shop's orders first where the fence is closed, so that the push finds it open.
    pub(super) async fn open_fence(&self, order: &Order) -> Result<(), LedgerError> {
        let inner = &self.inner;
        let (Kind::Stock, Ok(connector)) = (order.kind, inner.serving.connector(order.platform, false)) else {
            return Ok(());
        };
        if push::fenced(&inner.ledger, &*connector, &*inner.clock, order.platform).await? {
            // Where they cannot be read, the push says so.
            self.read_orders(order.platform).await;
        }
        Ok(())
    }

    /// The fence closed while stock was sent: the orders are read, then what is left is sent by a run of its own.
    pub(super) fn behind_orders(&self, order: &Order) {
        let (runs, order) = (self.clone(), order.clone());
        tokio::spawn(async move {
            for _ in 0..TRIES {
                if runs.read_orders(order.platform).await {
                    drop(runs.queue(order).await);
                    return;
                }
                if runs.inner.stop.is_cancelled() {
                    return;
                }
            }
            tracing::warn!(platform = %order.platform, "stock is not sent: the shop's orders cannot be read");
        });
    }

    /// Pulls the shop's orders and waits for the end; true when they were read.
    async fn read_orders(&self, platform: PlatformId) -> bool {
        let mut notices = self.subscribe();
        let Ok(run) = self.queue(Order::new(platform, Direction::Pull, Kind::Order, Cause::Event)).await else {
            return false;
        };
        loop {
            let state = self.inner.ledger.read(move |view| view.run(run)).await.map(|run| run.state);
            match state {
                Ok(RunState::Done | RunState::DoneWithIssues) => return true,
                Ok(state) if state.is_over() || matches!(state, RunState::Held | RunState::Resting) => return false,
                Err(_) => return false,
                Ok(_) => {}
            }
            tokio::select! {
                () = self.inner.stop.cancelled() => return false,
                _ = tokio::time::timeout(TICK, notices.recv()) => {}
            }
        }
    }
}
