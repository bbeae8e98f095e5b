//! Events of orders, each known once, and to which platforms they go.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use super::{LedgerError, Tx, View, document, from_micros, micros, to_json};
use crate::model::kind::names;
use crate::model::{EventId, Facets, PlatformId, RecordId, Rev, RunId};

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// The order itself.
    Placed,
    /// A payment came in.
    Paid,
    /// All or some lines are void.
    Cancelled,
    /// Money went back.
    Refunded,
    /// The other side gave it a number.
    Numbered,
    /// Finished.
    Completed,
    /// Goods left.
    Shipment,
    /// It was edited after it was placed.
    Changed,
}

names!(EventName {
    Placed => "placed", Paid => "paid", Cancelled => "cancelled", Refunded => "refunded", Numbered => "numbered",
    Completed => "completed", Shipment => "shipment", Changed => "changed",
});

/// How far the delivery of an event to a platform is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// No intent yet.
    Due,
    /// An intent carries it.
    Open,
    /// It is there.
    Done,
    /// It need not go there, because.
    Void,
}

names!(DeliveryState { Due => "due", Open => "open", Done => "done", Void => "void" });

/// Something that happened to an order once.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderEventRow {
    /// Number; events of an order are delivered in this order.
    pub id: EventId,
    /// The order.
    pub record: RecordId,
    /// What.
    pub name: EventName,
    /// Tells it from others of that name.
    pub ext_key: String,
    /// Frozen: the facets of the record that is pushed (`placed`, `state` and `payment`; `event`; or `shipment`).
    pub body: Facets,
    /// Platform that it comes from.
    pub from: PlatformId,
    /// Position.
    pub rev: Rev,
    /// When it was noticed.
    pub at: Timestamp,
    /// Run that noticed it.
    pub run: Option<RunId>,
}

/// The way of an event to one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Event.
    pub event: EventId,
    /// Platform.
    pub platform: PlatformId,
    /// Order.
    pub record: RecordId,
    /// How far.
    pub state: DeliveryState,
    /// Why it is void.
    pub reason: Option<String>,
}

macro_rules! event {
    ($rest:literal) => {
        concat!("SELECT id, record, name, ext_key, body, from_platform, rev, at, run_id FROM event", $rest)
    };
}

macro_rules! delivery {
    ($rest:literal) => {
        concat!("SELECT event, platform, record, state, reason FROM delivery", $rest)
    };
}

fn event(row: &Row<'_>) -> Result<OrderEventRow, LedgerError> {
    Ok(OrderEventRow {
        id: EventId(row.get(0)?),
        record: RecordId(row.get(1)?),
        name: row.get::<_, String>(2)?.parse()?,
        ext_key: row.get(3)?,
        body: document("event.body", &row.get::<_, String>(4)?)?,
        from: PlatformId(row.get(5)?),
        rev: Rev(row.get(6)?),
        at: from_micros(row.get(7)?),
        run: row.get::<_, Option<i64>>(8)?.map(RunId),
    })
}

fn delivery(row: &Row<'_>) -> Result<Delivery, LedgerError> {
    Ok(Delivery {
        event: EventId(row.get(0)?),
        platform: PlatformId(row.get(1)?),
        record: RecordId(row.get(2)?),
        state: row.get::<_, String>(3)?.parse()?,
        reason: row.get(4)?,
    })
}

impl View<'_> {
    /// An event.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn event(&self, id: EventId) -> Result<OrderEventRow, LedgerError> {
        self.connection
            .prepare_cached(event!(" WHERE id = ?1"))?
            .query_row([id.0], |row| Ok(event(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "event", id: id.to_string() })?
    }

    /// The event with which an order began.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn placed_event(&self, record: RecordId) -> Result<Option<EventId>, LedgerError> {
        self.connection
            .prepare_cached("SELECT id FROM event WHERE record = ?1 AND name = 'placed' ORDER BY id LIMIT 1")?
            .query_row([record.0], |row| row.get(0).map(EventId))
            .optional()
            .map_err(Into::into)
    }

    /// Everything that happened to an order, in order.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn events_of(&self, record: RecordId) -> Result<Vec<OrderEventRow>, LedgerError> {
        self.connection
            .prepare_cached(event!(" WHERE record = ?1 ORDER BY id"))?
            .query_map([record.0], |row| Ok(event(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Where the events of an order go and how far, in order.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn deliveries_of(&self, record: RecordId) -> Result<Vec<Delivery>, LedgerError> {
        self.connection
            .prepare_cached(delivery!(" WHERE record = ?1 ORDER BY event, platform"))?
            .query_map([record.0], |row| Ok(delivery(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Of each order the first delivery to the platform that is not ended, where that is due: what can be planned next.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn next_deliveries(
        &self,
        platform: PlatformId,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<Delivery>, LedgerError> {
        self.connection
            .prepare_cached(delivery!(
                " AS d WHERE platform = ?1 AND state = 'due' AND event > ?2
                 AND NOT EXISTS (SELECT 1 FROM delivery AS first
                     WHERE first.platform = ?1 AND first.record = d.record AND first.event < d.event
                     AND first.state IN ('due', 'open'))
                 ORDER BY event LIMIT ?3"
            ))?
            .query_map((platform.0, after.0, limit), |row| Ok(delivery(row)))?
            .map(|row| row?)
            .collect()
    }
}

impl Tx<'_> {
    /// Notes what happened; `None` when it is known already, whatever body it comes with now.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn add_event(
        &self,
        record: RecordId,
        name: EventName,
        ext_key: &str,
        body: &Facets,
        from: PlatformId,
        run: Option<RunId>,
    ) -> Result<Option<EventId>, LedgerError> {
        self.add_event_text(record, name, ext_key, &to_json(body)?, from, run)
    }

    /// As [`Self::add_event`], of a body that is canonical JSON already.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn add_event_text(
        &self,
        record: RecordId,
        name: EventName,
        ext_key: &str,
        body: &str,
        from: PlatformId,
        run: Option<RunId>,
    ) -> Result<Option<EventId>, LedgerError> {
        let rev = self.next_rev()?;
        let added = self
            .connection
            .prepare_cached(
                "INSERT INTO event (record, name, ext_key, body, from_platform, rev, at, run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (record, name, ext_key) DO NOTHING",
            )?
            .execute((record.0, name.as_str(), ext_key, body, from.0, rev.0, micros(self.now()), run.map(|id| id.0)))?;
        Ok((added == 1).then(|| EventId(self.connection.last_insert_rowid())))
    }

    /// Sends an event on its way to a platform; false when it is on its way, or was, already.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn deliver(&self, event: EventId, platform: PlatformId, record: RecordId) -> Result<bool, LedgerError> {
        let added = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO delivery (event, platform, record, state) VALUES (?1, ?2, ?3, 'due')",
            )?
            .execute((event.0, platform.0, record.0))?;
        Ok(added == 1)
    }

    /// How far a delivery is now.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_delivery(
        &self,
        event: EventId,
        platform: PlatformId,
        state: DeliveryState,
        reason: Option<&str>,
    ) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE delivery SET state = ?3, reason = ?4 WHERE event = ?1 AND platform = ?2")?
            .execute((event.0, platform.0, state.as_str(), reason))?;
        Ok(())
    }

    /// Takes a delivery back, with the reason, unless it was sent already; false when it is too late for that. What was
    /// once unknown may have arrived, even when it is planned to be sent again.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn withdraw_delivery(&self, event: EventId, platform: PlatformId, reason: &str) -> Result<bool, LedgerError> {
        let left: bool = self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM intent WHERE event = ?1 AND platform = ?2
                     AND (state IN ('sending', 'unknown', 'done') OR uncertain OR remote_id IS NOT NULL))
                 OR EXISTS (SELECT 1 FROM delivery WHERE event = ?1 AND platform = ?2 AND state = 'done')",
            )?
            .query_row((event.0, platform.0), |row| row.get(0))?;
        if left {
            return Ok(false);
        }
        self.connection
            .prepare_cached(
                "UPDATE intent SET state = 'cancelled', error = ?3, ended_at = ?4 WHERE event = ?1 AND platform = ?2
                 AND state IN ('planned', 'waiting', 'retry', 'refused')",
            )?
            .execute((event.0, platform.0, reason, micros(self.now())))?;
        self.set_delivery(event, platform, DeliveryState::Void, Some(reason))?;
        Ok(true)
    }

    /// Gives an event that nobody was sent yet a newer body; false when it is too late for that.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn refresh_event(&self, event: EventId, body: &Facets) -> Result<bool, LedgerError> {
        self.refresh_event_text(event, &to_json(body)?)
    }

    /// As [`Self::refresh_event`], with a body that is canonical JSON already.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn refresh_event_text(&self, event: EventId, body: &str) -> Result<bool, LedgerError> {
        let refreshed = self
            .connection
            .prepare_cached(
                "UPDATE event SET body = ?2 WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM delivery WHERE event = ?1 AND state IN ('open', 'done'))
                 AND NOT EXISTS (SELECT 1 FROM intent WHERE event = ?1)",
            )?
            .execute((event.0, body))?;
        Ok(refreshed == 1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::tests::{Home, platform, write};
    use crate::model::RecordKind;

    #[tokio::test]
    async fn repeats_are_harmless_and_deliveries_stay_in_order() {
        let home = Home::new();
        let ledger = home.booted().await;
        let (shop, erp) = (platform(&ledger, "shop").await, platform(&ledger, "erp").await);
        write(&ledger, move |tx| {
            let order = tx.create_record(RecordKind::Order, Some(shop), None)?;
            let body = |n: i32| Facets::from([("event".into(), json!(n))]);
            let placed = tx.add_event(order, EventName::Placed, "", &body(1), shop, None)?.unwrap();
            assert_eq!(tx.add_event(order, EventName::Placed, "", &body(9), shop, None)?, None);
            let paid = tx.add_event(order, EventName::Paid, "p1", &body(2), shop, None)?.unwrap();
            for event in [placed, paid, placed] {
                tx.deliver(event, erp, order)?;
            }
            let next = |tx: &Tx<'_>| {
                tx.next_deliveries(erp, EventId(0), 9)
                    .map(|due| due.into_iter().map(|delivery| delivery.event).collect::<Vec<_>>())
            };
            assert_eq!(next(tx)?, [placed]);
            assert!(tx.refresh_event(placed, &body(3))?);
            tx.set_delivery(placed, erp, DeliveryState::Open, None)?;
            assert!(!tx.refresh_event(placed, &body(4))?);
            assert_eq!(next(tx)?, []);
            tx.set_delivery(placed, erp, DeliveryState::Done, None)?;
            assert_eq!(next(tx)?, [paid]);
            assert!(!tx.deliver(placed, erp, order)?, "what was delivered is not delivered again");
            assert_eq!(tx.events_of(order)?[0].body, body(3));
            Ok(())
        })
        .await;
    }
}
