//! How much there is of what, and how long it waits: what the metrics show.

use jiff::Timestamp;

use super::{Ledger, LedgerError, View, from_micros};

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// `runs`, `wants`, `deliveries`, `planned`, `unknown`, `inbox`, `attention`.
    pub name: &'static str,
    /// Code of the platform; empty where it belongs to none.
    pub platform: String,
    /// How many.
    pub length: u64,
    /// Since when the oldest of them waits, where that is known.
    pub oldest: Option<Timestamp>,
}

/// Sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The ledger itself.
    pub file: u64,
    /// Its write-ahead log.
    pub log: u64,
}

const QUEUES: &[(&str, &str)] = &[
    ("runs", "SELECT platform, count(*), min(queued_at) FROM run WHERE state = 'queued' GROUP BY platform"),
    ("wants", "SELECT platform, count(*), NULL FROM want GROUP BY platform"),
    (
        "deliveries",
        "SELECT d.platform, count(*), min(e.at) FROM delivery AS d JOIN event AS e ON e.id = d.event
         WHERE d.state IN ('due', 'open') GROUP BY d.platform",
    ),
    (
        "planned",
        "SELECT platform, count(*), min(created_at) FROM intent WHERE state IN ('planned', 'retry', 'waiting')
         GROUP BY platform",
    ),
    ("unknown", "SELECT platform, count(*), min(sent_at) FROM intent WHERE state = 'unknown' GROUP BY platform"),
    ("inbox", "SELECT platform, count(*), min(at) FROM inbox WHERE state IN ('new', 'held') GROUP BY platform"),
    ("attention", "SELECT platform, count(*), min(opened_at) FROM attention WHERE state = 'open' GROUP BY platform"),
];

impl View<'_> {
    /// Everything that waits, by platform.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn queues(&self) -> Result<Vec<Queue>, LedgerError> {
        let codes: std::collections::BTreeMap<i64, String> =
            self.platforms()?.into_iter().map(|platform| (platform.id.0, platform.code.to_string())).collect();
        let mut queues = Vec::new();
        for (name, sql) in QUEUES {
            let mut rows = self.connection.prepare_cached(sql)?;
            let rows = rows.query_map([], |row| {
                Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?))
            })?;
            for row in rows {
                let (platform, length, oldest) = row?;
                let platform = platform.and_then(|id| codes.get(&id).cloned()).unwrap_or_default();
                queues.push(Queue { name, platform, length: length.cast_unsigned(), oldest: oldest.map(from_micros) });
            }
        }
        Ok(queues)
    }
}

impl Ledger {
    /// Sizes of the files.
    #[must_use]
    pub fn size(&self) -> Size {
        let bytes = |path: &std::path::Path| path.metadata().map_or(0, |meta| meta.len());
        Size { file: bytes(self.path()), log: bytes(&self.path().with_extension("db-wal")) }
    }
}
