//! Old orders as finished business: once, and only when a person asks for it.

use jiff::Timestamp;

use super::Commit;
use super::order::{Order, makes_orders, order_body};
use super::totals::mismatch;
use crate::ledger::LedgerError;
use crate::ledger::event::{DeliveryState, EventName};
use crate::ledger::link::{LinkState, StoredLink};
use crate::model::PlatformId;
use crate::model::description::Environment;
use crate::sync::plan::AS_DONE;

/// What became of one old order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backfilled {
    /// It goes to at least one platform.
    Sent,
    /// It was handed on before, as finished business or as any order.
    Known,
    /// It was placed at another time, or is not one that was left out.
    Outside,
    /// It was cancelled.
    Cancelled,
    /// Its totals do not add up.
    Mismatch,
    /// The target takes paid orders only.
    Unpaid,
    /// A test shop's order does not go to a live platform.
    Test,
}

impl Commit<'_, '_> {
    /// Hands an order that was read and left out on to those of `able` that make orders. What happens to it later stays
    /// here as before, and it holds no goods: it is finished business.
    pub(in crate::sync) fn backfill(
        &mut self,
        link: &StoredLink,
        (since, until): (Timestamp, Timestamp),
        able: &[PlatformId],
    ) -> Result<Backfilled, LedgerError> {
        let Some(id) = link.record.filter(|_| link.state == LinkState::Ignored) else {
            return Ok(Backfilled::Outside);
        };
        let stored = self.tx.record(id)?;
        let order = Order::of(&stored)?;
        let Some(placed) = order.placed.as_ref().filter(|_| stored.origin == Some(self.me.id)) else {
            return Ok(Backfilled::Outside);
        };
        if placed.placed < since || placed.placed >= until {
            return Ok(Backfilled::Outside);
        }
        if order.is_cancelled() {
            return Ok(Backfilled::Cancelled);
        }
        if mismatch(placed).is_some() {
            return Ok(Backfilled::Mismatch);
        }
        let mut ended = Backfilled::Known;
        let targets: Vec<_> = self
            .platforms
            .iter()
            .filter(|target| makes_orders(target) && target.id != self.me.id && able.contains(&target.id))
            .cloned()
            .collect();
        for target in targets {
            let test = self.me.environment == Some(Environment::Test)
                && target.environment == Some(Environment::Live)
                && !target.policy.allow_test_orders;
            if test {
                ended = ended.max_unless_sent(Backfilled::Test);
                continue;
            }
            if target.policy.orders.wait_for_payment && !order.is_paid() {
                ended = ended.max_unless_sent(Backfilled::Unpaid);
                continue;
            }
            let body = order_body(&stored)?;
            let event = match self.tx.add_event_text(id, EventName::Placed, "", &body, self.me.id, self.run)? {
                Some(event) => event,
                None => self.placed_event(id)?,
            };
            if self.tx.deliver(event, target.id, id)? {
                self.tx.set_delivery(event, target.id, DeliveryState::Due, Some(AS_DONE))?;
                ended = Backfilled::Sent;
            }
        }
        Ok(ended)
    }
}

impl Backfilled {
    /// Of several targets: that it goes to one counts, and after that why it does not go to another.
    fn max_unless_sent(self, other: Self) -> Self {
        if self == Self::Sent { self } else { other }
    }
}
