//! What waits for a person, with the reason and the next step in plain words.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LedgerError, Tx, View, document, from_micros, micros, to_json};
use crate::model::kind::names;
use crate::model::{Kind, PlatformId, RecordId, RunId};

/// Whether it still waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttentionState {
    /// Waits.
    Open,
    /// A person chose.
    Answered,
    /// A person wants nothing to be done.
    Dismissed,
    /// The cause is gone.
    Solved,
}

names!(AttentionState { Open => "open", Answered => "answered", Dismissed => "dismissed", Solved => "solved" });

/// One answer that can be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What `answer` takes.
    pub name: String,
    /// What a person reads.
    pub title: String,
}

impl Choice {
    /// An answer by name and title.
    pub fn new(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self { name: name.into(), title: title.into() }
    }
}

/// What a person is asked or told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewAttention {
    /// The same cause is told once, and again only after it was closed.
    pub cause_key: String,
    /// Platform.
    pub platform: Option<PlatformId>,
    /// Kind.
    pub kind: Option<Kind>,
    /// Record.
    pub record: Option<RecordId>,
    /// What happened, a sentence.
    pub title: String,
    /// What to do.
    pub hint: String,
    /// Answers that can be given.
    pub choices: Vec<Choice>,
    /// What the answer needs.
    pub data: Value,
    /// Another record waits for the same answer: the count rises.
    pub grouped: bool,
}

/// Something that waits (or waited) for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Number.
    pub id: i64,
    /// Cause.
    pub cause_key: String,
    /// Platform.
    pub platform: Option<PlatformId>,
    /// Kind.
    pub kind: Option<Kind>,
    /// Record.
    pub record: Option<RecordId>,
    /// What happened, a sentence.
    pub title: String,
    /// What to do.
    pub hint: String,
    /// Answers that can be given.
    pub choices: Vec<Choice>,
    /// What the answer needs.
    pub data: Value,
    /// Records that wait for the same answer.
    pub count: u64,
    /// Whether it still waits.
    pub state: AttentionState,
    /// What was chosen, or why it was dismissed.
    pub answer: Option<String>,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
    /// Run that noticed it last.
    pub run: Option<RunId>,
}

const COLUMNS: &str = "SELECT id, cause_key, platform, kind, record, title, hint, choices, data, count, state, answer, \
    opened_at, closed_at, run_id FROM attention";

fn attention(row: &Row<'_>) -> Result<Attention, LedgerError> {
    Ok(Attention {
        id: row.get(0)?,
        cause_key: row.get(1)?,
        platform: row.get::<_, Option<i64>>(2)?.map(PlatformId),
        kind: row.get::<_, Option<String>>(3)?.map(|kind| kind.parse()).transpose()?,
        record: row.get::<_, Option<i64>>(4)?.map(RecordId),
        title: row.get(5)?,
        hint: row.get(6)?,
        choices: document("attention.choices", &row.get::<_, String>(7)?)?,
        data: document("attention.data", &row.get::<_, String>(8)?)?,
        count: row.get::<_, i64>(9)?.cast_unsigned(),
        state: row.get::<_, String>(10)?.parse()?,
        answer: row.get(11)?,
        opened_at: from_micros(row.get(12)?),
        closed_at: row.get::<_, Option<i64>>(13)?.map(from_micros),
        run: row.get::<_, Option<i64>>(14)?.map(RunId),
    })
}

impl View<'_> {
    /// One attention.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn attention(&self, id: i64) -> Result<Attention, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id], |row| Ok(attention(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "attention", id: id.to_string() })?
    }

    /// The open attention of a cause.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn open_attention(&self, cause_key: &str) -> Result<Option<Attention>, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE cause_key = ?1 AND state = 'open'"))?
            .query_row([cause_key], |row| Ok(attention(row)))
            .optional()?
            .transpose()
    }

    /// Attentions in a state (or all), of a platform (or all), newest first.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn attentions(
        &self,
        state: Option<AttentionState>,
        platform: Option<PlatformId>,
        limit: u32,
    ) -> Result<Vec<Attention>, LedgerError> {
        self.connection
            .prepare_cached(&format!(
                "{COLUMNS} WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR platform = ?2) ORDER BY id DESC LIMIT ?3"
            ))?
            .query_map((state.map(AttentionState::as_str), platform.map(|id| id.0), limit), |row| Ok(attention(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Causes with this beginning that a person is being asked about.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn open_causes(&self, beginning: &str) -> Result<Vec<String>, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT cause_key FROM attention
                 WHERE state = 'open' AND substr(cause_key, 1, length(?1)) = ?1 ORDER BY cause_key",
            )?
            .query_map([beginning], |row| row.get(0))?
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }

    /// Whether a person wanted nothing to be done about this cause.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn was_dismissed(&self, cause_key: &str) -> Result<bool, LedgerError> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM attention WHERE cause_key = ?1 AND state = 'dismissed')")?
            .query_row([cause_key], |row| row.get(0))
            .map_err(Into::into)
    }

    /// How many wait.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn count_open_attentions(&self) -> Result<u64, LedgerError> {
        self.connection
            .prepare_cached("SELECT count(*) FROM attention WHERE state = 'open'")?
            .query_row([], |row| row.get(0).map(i64::cast_unsigned))
            .map_err(Into::into)
    }
}

impl Tx<'_> {
    /// Asks or tells a person. While the same cause is open, its words are renewed and, where records are grouped, the
    /// count rises.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn attend(&self, new: &NewAttention, run: Option<RunId>) -> Result<i64, LedgerError> {
        let data = if new.data.is_null() { "{}".to_owned() } else { to_json(&new.data)? };
        self.connection
            .prepare_cached(
                "INSERT INTO attention (cause_key, platform, kind, record, title, hint, choices, data, state, opened_at,
                     run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', ?9, ?10)
                 ON CONFLICT (cause_key) WHERE state = 'open' DO UPDATE SET
                     title = excluded.title, hint = excluded.hint, choices = excluded.choices, data = excluded.data,
                     count = count + ?11, run_id = excluded.run_id
                 RETURNING id",
            )?
            .query_row(
                (
                    &new.cause_key,
                    new.platform.map(|id| id.0),
                    new.kind.map(Kind::as_str),
                    new.record.map(|id| id.0),
                    &new.title,
                    &new.hint,
                    to_json(&new.choices)?,
                    data,
                    micros(self.now()),
                    run.map(|id| id.0),
                    i64::from(new.grouped),
                ),
                |row| row.get(0),
            )
            .map_err(Into::into)
    }

    /// A person chose one of the answers.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when it is closed or has no such answer.
    pub fn answer_attention(&self, id: i64, answer: &str) -> Result<Attention, LedgerError> {
        let attention = self.attention(id)?;
        if !attention.choices.iter().any(|choice| choice.name == answer) {
            let names: Vec<_> = attention.choices.iter().map(|choice| choice.name.as_str()).collect();
            return Err(LedgerError::Conflict {
                message: if names.is_empty() {
                    format!("attention {id} is not answered but solved by what its hint says; it can be dismissed")
                } else {
                    format!("`{answer}` is no answer to attention {id}; choose one of: {}", names.join(", "))
                },
            });
        }
        self.close_attention(&attention, AttentionState::Answered, Some(answer))?;
        Ok(attention)
    }

    /// A person wants nothing to be done, because.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when it is closed.
    pub fn dismiss_attention(&self, id: i64, why: &str) -> Result<Attention, LedgerError> {
        let attention = self.attention(id)?;
        self.close_attention(&attention, AttentionState::Dismissed, Some(why))?;
        Ok(attention)
    }

    /// The cause is gone; true when somebody was waiting.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn solve_attention(&self, cause_key: &str) -> Result<bool, LedgerError> {
        match self.open_attention(cause_key)? {
            Some(attention) => self.close_attention(&attention, AttentionState::Solved, None).map(|()| true),
            None => Ok(false),
        }
    }

    fn close_attention(
        &self,
        attention: &Attention,
        state: AttentionState,
        answer: Option<&str>,
    ) -> Result<(), LedgerError> {
        if attention.state != AttentionState::Open {
            return Err(LedgerError::Conflict {
                message: format!("attention {} is {} already", attention.id, attention.state),
            });
        }
        self.connection
            .prepare_cached("UPDATE attention SET state = ?2, answer = ?3, closed_at = ?4 WHERE id = ?1")?
            .execute((attention.id, state.as_str(), answer, micros(self.now())))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, write};

    #[tokio::test]
    async fn a_cause_is_told_once_until_it_is_closed() {
        let home = Home::new();
        let ledger = home.booted().await;
        write(&ledger, |tx| {
            let new = NewAttention {
                cause_key: "map:1:payment:paypal".into(),
                title: "Payment `paypal` is not mapped.".into(),
                hint: "Add it to the profile.".into(),
                choices: vec![Choice::new("skip", "Skip")],
                grouped: true,
                ..NewAttention::default()
            };
            let id = tx.attend(&new, None)?;
            assert_eq!(tx.attend(&new, None)?, id);
            assert_eq!(tx.attention(id)?.count, 2);
            assert_eq!(tx.attend(&NewAttention { grouped: false, ..new.clone() }, None)?, id);
            assert_eq!((tx.attention(id)?.count, tx.count_open_attentions()?), (2, 1));
            assert!(matches!(tx.answer_attention(id, "other"), Err(LedgerError::Conflict { .. })));
            tx.answer_attention(id, "skip")?;
            assert!(matches!(tx.dismiss_attention(id, "x"), Err(LedgerError::Conflict { .. })));
            assert!(!tx.solve_attention(&new.cause_key)?);
            assert_ne!(tx.attend(&new, None)?, id);
            assert!(tx.solve_attention(&new.cause_key)?);
            let states: Vec<_> = tx.attentions(None, None, 9)?.iter().map(|found| found.state).collect();
            assert_eq!(states, [AttentionState::Solved, AttentionState::Answered]);
            Ok(())
        })
        .await;
    }
}
