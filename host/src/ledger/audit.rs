//! Who decided what.

use serde_json::Value;

use super::{LedgerError, Tx, View, document, from_micros, micros};

/// A decision of a person or of the program on a person's behalf.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// Number.
    pub id: i64,
    /// When.
    pub at: jiff::Timestamp,
    /// Who: `cli`, `api`, `host`.
    pub who: String,
    /// What, in the words of the command.
    pub what: String,
    /// Details, without secrets.
    pub detail: Value,
}

impl View<'_> {
    /// The latest decisions, newest first.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn audits(&self, limit: u32) -> Result<Vec<Audit>, LedgerError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id, at, who, what, detail FROM audit ORDER BY id DESC LIMIT ?1")?;
        let rows = statement.query_map([limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get::<_, String>(4)?))
        })?;
        rows.map(|row| {
            let (id, at, who, what, detail) = row?;
            Ok(Audit { id, at: from_micros(at), who, what, detail: document("audit.detail", &detail)? })
        })
        .collect()
    }
}

impl Tx<'_> {
    /// Notes a decision.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn audit(&self, who: &str, what: &str, detail: &Value) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("INSERT INTO audit (at, who, what, detail) VALUES (?1, ?2, ?3, ?4)")?
            .execute((micros(self.now()), who, what, detail.to_string()))?;
        Ok(())
    }
}
