//! Streams: how far a platform has been read, per kind.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::{LedgerError, Tx, View, document, from_micros, micros, to_json};
use crate::model::kind::names;
use crate::model::{Kind, PlatformId};

/// How far first contact has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing is pulled or pushed.
    Off,
    /// Both sides are read and linked, nothing is pushed.
    Matching,
    /// A person looks at what matching found.
    Review,
    /// At work.
    Live,
}

names!(Phase { Off => "off", Matching => "matching", Review => "review", Live => "live" });

/// The changes that an open pull reads, kept so that it goes on after a stop with the same bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenScope {
    /// Lower bound, platform time; absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Upper bound, platform time.
    pub until: Timestamp,
    /// When its first page was asked for, our time.
    pub began: Timestamp,
}

/// How far a platform has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Platform.
    pub platform: PlatformId,
    /// Kind.
    pub kind: Kind,
    /// First contact.
    pub phase: Phase,
    /// The pull under way.
    pub scope: Option<OpenScope>,
    /// Where its next page begins.
    pub cursor: Option<String>,
    /// Lower bound of the next pull, platform time.
    pub watermark: Option<Timestamp>,
    /// Receipt of the last page that wants one.
    pub ack_token: Option<String>,
    /// That receipt has to be sent (again).
    pub ack_pending: bool,
    /// When the last complete pull of changes began.
    pub pulled_at: Option<Timestamp>,
    /// When the last complete sweep of ids began.
    pub sweep_at: Option<Timestamp>,
    /// Orders placed before are not sent anywhere.
    pub cut_over_at: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT platform, kind, phase, scope, cursor, watermark, ack_token, ack_state, pulled_at, \
    sweep_at, cut_over_at FROM stream";

fn stream(row: &Row<'_>) -> Result<Stream, LedgerError> {
    let text = |column| row.get::<_, Option<String>>(column);
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(from_micros));
    Ok(Stream {
        platform: PlatformId(row.get(0)?),
        kind: row.get::<_, String>(1)?.parse()?,
        phase: row.get::<_, String>(2)?.parse()?,
        scope: text(3)?.map(|text| document("stream.scope", &text)).transpose()?,
        cursor: text(4)?,
        watermark: time(5)?,
        ack_token: text(6)?,
        ack_pending: text(7)?.as_deref() == Some("pending"),
        pulled_at: time(8)?,
        sweep_at: time(9)?,
        cut_over_at: time(10)?,
    })
}

impl View<'_> {
    /// The stream of a kind (order events: that of orders); one that was never touched is off.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn stream(&self, platform: PlatformId, kind: Kind) -> Result<Stream, LedgerError> {
        let kind = kind.stream();
        let found = self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE platform = ?1 AND kind = ?2"))?
            .query_row((platform.0, kind.as_str()), |row| Ok(stream(row)))
            .optional()?;
        found.unwrap_or(Ok(Stream {
            platform,
            kind,
            phase: Phase::Off,
            scope: None,
            cursor: None,
            watermark: None,
            ack_token: None,
            ack_pending: false,
            pulled_at: None,
            sweep_at: None,
            cut_over_at: None,
        }))
    }

    /// All streams that were ever touched, of one platform or of all.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn streams(&self, platform: Option<PlatformId>) -> Result<Vec<Stream>, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE ?1 IS NULL OR platform = ?1 ORDER BY platform, kind"))?
            .query_map([platform.map(|id| id.0)], |row| Ok(stream(row)))?
            .map(|row| row?)
            .collect()
    }
}

impl Tx<'_> {
    /// Moves first contact on (or back); waiters on `review:<platform>:<kind>` wake when it becomes live.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_phase(&self, platform: PlatformId, kind: Kind, phase: Phase) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "phase", phase.as_str())?;
        if phase == Phase::Live {
            self.wake(&format!("review:{platform}:{kind}"))?;
        }
        Ok(())
    }

    /// Orders placed before are not sent anywhere.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_cut_over(&self, platform: PlatformId, kind: Kind, at: Option<Timestamp>) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "cut_over_at", at.map(micros))
    }

    /// Begins a pull of changes; its cursor is empty.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn begin_scope(&self, platform: PlatformId, kind: Kind, scope: &OpenScope) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "scope", to_json(scope)?)?;
        self.set_cursor(platform, kind, None)
    }

    /// Where the next page of the open pull begins.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_cursor(&self, platform: PlatformId, kind: Kind, cursor: Option<&str>) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "cursor", cursor)
    }

    /// Ends the open pull: it was complete.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn end_scope(
        &self,
        platform: PlatformId,
        kind: Kind,
        watermark: Timestamp,
        pulled_at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.forget_scope(platform, kind)?;
        self.set_stream(platform, kind, "watermark", micros(watermark))?;
        self.set_stream(platform, kind, "pulled_at", micros(pulled_at))
    }

    /// Drops the open pull, so that the next one begins anew from the watermark.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn forget_scope(&self, platform: PlatformId, kind: Kind) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "scope", None::<String>)?;
        self.set_cursor(platform, kind, None)
    }

    /// Sets (or takes away: read everything) the lower bound of the next pull.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_watermark(&self, platform: PlatformId, kind: Kind, at: Option<Timestamp>) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "watermark", at.map(micros))
    }

    /// A receipt has to be sent once this transaction is durable.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn owe_receipt(&self, platform: PlatformId, kind: Kind, receipt: &str) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "ack_token", receipt)?;
        self.set_stream(platform, kind, "ack_state", "pending")
    }

    /// The receipt was sent. A newer one stays owed.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn receipt_sent(&self, platform: PlatformId, kind: Kind, receipt: &str) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE stream SET ack_state = 'done' WHERE platform = ?1 AND kind = ?2 AND ack_token = ?3",
            )?
            .execute((platform.0, kind.stream().as_str(), receipt))?;
        Ok(())
    }

    /// A complete sweep of ids began then.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_sweep_at(&self, platform: PlatformId, kind: Kind, at: Timestamp) -> Result<(), LedgerError> {
        self.set_stream(platform, kind, "sweep_at", micros(at))
    }

    fn set_stream(
        &self,
        platform: PlatformId,
        kind: Kind,
        column: &'static str,
        value: impl rusqlite::ToSql,
    ) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO stream (platform, kind, {column}) VALUES (?1, ?2, ?3)
                 ON CONFLICT (platform, kind) DO UPDATE SET {column} = excluded.{column}"
            ))?
            .execute((platform.0, kind.stream().as_str(), value))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, platform, read, write};

    #[tokio::test]
    async fn a_newer_receipt_stays_owed() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        let owed = write(&ledger, move |tx| {
            tx.owe_receipt(shop, Kind::Order, "one")?;
            tx.owe_receipt(shop, Kind::Order, "two")?;
            tx.receipt_sent(shop, Kind::Order, "one")?;
            tx.stream(shop, Kind::OrderEvent)
        })
        .await;
        assert!(owed.ack_pending);
        assert_eq!(owed.ack_token.as_deref(), Some("two"));
        write(&ledger, move |tx| tx.receipt_sent(shop, Kind::Order, "two")).await;
        assert!(!read(&ledger, move |view| view.stream(shop, Kind::Order)).await.ack_pending);
    }

    #[tokio::test]
    async fn an_open_pull_keeps_its_bounds() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        let scope = OpenScope { since: None, until: Timestamp::now(), began: Timestamp::now() };
        write(&ledger, move |tx| {
            tx.begin_scope(shop, Kind::Product, &scope)?;
            tx.set_cursor(shop, Kind::Product, Some("p2"))
        })
        .await;
        let open = read(&ledger, move |view| view.stream(shop, Kind::Product)).await;
        assert_eq!((open.scope, open.cursor.as_deref(), open.phase), (Some(scope), Some("p2"), Phase::Off));
        write(&ledger, move |tx| tx.end_scope(shop, Kind::Product, scope.until, scope.began)).await;
        let ended = read(&ledger, move |view| view.stream(shop, Kind::Product)).await;
        assert_eq!((ended.scope, ended.cursor), (None, None));
        assert_eq!(ended.watermark.map(micros), Some(micros(scope.until)));
    }
}
