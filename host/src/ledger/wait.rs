//! What waits for something else: a missing link, a missing mapping, a review.

use super::{LedgerError, Tx, View};
use crate::model::kind::names;
use crate::model::{PlatformId, RecordId, RecordKind};

/// What can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// An intent, by number.
    Intent,
    /// An inbox row, by number.
    Inbox,
    /// Wants of a record, as `platform/kind/record` in numbers and names.
    Want,
}

names!(Waiting { Intent => "intent", Inbox => "inbox", Want => "want" });

impl View<'_> {
    /// Reason keys with this beginning that something waits for.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn waited_for(&self, beginning: &str) -> Result<Vec<String>, LedgerError> {
        self.connection
            .prepare_cached("SELECT DISTINCT reason_key FROM wait WHERE substr(reason_key, 1, length(?1)) = ?1")?
            .query_map([beginning], |row| row.get(0))?
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }
}

impl Tx<'_> {
    /// Lets something wait until [`Tx::wake`] is called with the reason, e.g. `link:<platform>:<record kind>:<record>`,
    /// `map:<platform>:payment:paypal`, `review:<platform>:<kind>`.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn wait_for(&self, what: Waiting, id: &str, reason_key: &str) -> Result<(), LedgerError> {
        self.waits.set(Some(true));
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO wait (what, what_id, reason_key) VALUES (?1, ?2, ?3)")?
            .execute((what.as_str(), id, reason_key))?;
        Ok(())
    }

    /// What waited for this no longer does; what waits for nothing else is due again. Returns how many waited.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn wake(&self, reason_key: &str) -> Result<usize, LedgerError> {
        if !self.anything_waits()? {
            return Ok(0);
        }
        let woken: Vec<(String, String)> = self
            .connection
            .prepare_cached("DELETE FROM wait WHERE reason_key = ?1 RETURNING what, what_id")?
            .query_map([reason_key], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (what, id) in &woken {
            let again = match what.parse()? {
                Waiting::Intent => "UPDATE intent SET state = 'planned' WHERE id = ?1 AND state = 'waiting'",
                Waiting::Inbox => "UPDATE inbox SET state = 'new' WHERE id = ?1 AND state = 'held'",
                // A want without wait rows is due by itself.
                Waiting::Want => continue,
            };
            let waits_on: bool = self
                .connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM wait WHERE what = ?1 AND what_id = ?2)")?
                .query_row((what, id), |row| row.get(0))?;
            if !waits_on {
                self.connection.prepare_cached(again)?.execute([id])?;
            }
        }
        Ok(woken.len())
    }

    /// Every new link wakes what waited for it, and mostly nothing waits at all.
    fn anything_waits(&self) -> Result<bool, LedgerError> {
        if let Some(waits) = self.waits.get() {
            return Ok(waits);
        }
        let waits = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM wait)")?
            .query_row([], |row| row.get::<_, bool>(0))?;
        self.waits.set(Some(waits));
        Ok(waits)
    }
}

/// Reason key of what waits for a record's link on a platform. Making the link wakes it.
#[must_use]
pub fn on_link(platform: PlatformId, kind: RecordKind, record: RecordId) -> String {
    format!("link:{platform}:{kind}:{record}")
}

/// Reason key of what waits until an object of a platform is linked, by whatever made the link: a pull, the answer of a
/// write, a lookup or a person. Making the link wakes it.
#[must_use]
pub fn on_remote(platform: PlatformId, kind: RecordKind, remote_id: &str) -> String {
    format!("remote:{platform}:{kind}:{remote_id}")
}

/// Reason key of what waits until an order has this number, of the form `<platform code>/<number>`. Adding the key wakes it.
#[must_use]
pub fn on_number(number: &str) -> String {
    format!("number:{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::inbox::InboxState;
    use crate::ledger::link::{MadeBy, NewLink};
    use crate::ledger::tests::{Home, platform, write};
    use crate::model::{Key, KeyType, Kind, RemoteRef};

    #[tokio::test]
    async fn whatever_links_an_object_or_numbers_an_order_wakes_what_waits_for_it() {
        let home = Home::new();
        let ledger = home.booted().await;
        let erp = platform(&ledger, "erp").await;
        write(&ledger, move |tx| {
            let order = tx.create_record(RecordKind::Order, Some(erp), None)?;
            let by_id = tx.hold(erp, Kind::Shipment, Some("s1"), "{}", "its order is not known", None)?;
            tx.wait_for(Waiting::Inbox, &by_id.to_string(), &on_remote(erp, RecordKind::Order, "o1"))?;
            let by_number = tx.hold(erp, Kind::Shipment, Some("s2"), "{}", "its order is not known", None)?;
            tx.wait_for(Waiting::Inbox, &by_number.to_string(), &on_number("erp/A-1"))?;
            let state = |id| Ok::<_, LedgerError>(tx.inbox_row(id)?.state);

            tx.add_link(&NewLink::live(erp, RecordKind::Order, order, RemoteRef::new("o1"), MadeBy::Created))?;
            assert_eq!((state(by_id)?, state(by_number)?), (InboxState::New, InboxState::Held));
            let number = |value: &str| Key { kind: KeyType::OrderNumber, value: value.into() };
            tx.add_keys(order, RecordKind::Order, &[number("erp/A-2")])?;
            assert_eq!(state(by_number)?, InboxState::Held);
            tx.add_keys(order, RecordKind::Order, &[number("erp/A-1")])?;
            assert_eq!(state(by_number)?, InboxState::New);
            Ok(())
        })
        .await;
    }
}
