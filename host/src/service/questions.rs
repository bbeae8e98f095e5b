//! Attention: what waits for a person, and what follows from the answers.

use serde_json::json;

use super::runs::Order;
use super::{Service, ServiceError};
use crate::ledger::attention::Attention;
use crate::ledger::run::{Cause, Direction, RunState};
use crate::ledger::{LedgerError, Tx};
use crate::model::{IntentId, RunId};
use crate::sync::{answers, push, unknown};

impl Service {
    /// Answers a question with one of its choices and does what follows.
    ///
    /// # Errors
    /// It is answered already, the answer is none of its choices, or it contradicts what is by now.
    pub async fn answer(&self, id: i64, answer: &str, remote_id: Option<String>) -> Result<Attention, ServiceError> {
        let (answer, now) = (answer.to_owned(), self.clock().now());
        let (asked, again) = self
            .ledger()
            .write(move |tx| {
                let asked = tx.answer_attention(id, &answer)?;
                follow(tx, &asked, &answer, remote_id.as_deref(), now)?;
                let again = held_run(tx, &asked)?;
                tx.audit("operator", "attention.answer", &json!({"attention": id, "answer": answer}))?;
                Ok::<_, LedgerError>((asked, again))
            })
            .await?;
        if let Some(order) = again {
            self.runs().queue(order).await?;
        }
        Ok(asked)
    }

    /// Has what a question is about tried again.
    ///
    /// # Errors
    /// There is nothing to be tried again.
    pub async fn retry(&self, id: i64) -> Result<Attention, ServiceError> {
        Ok(self
            .ledger()
            .write(move |tx| {
                let asked = tx.attention(id)?;
                let intent = asked.data.get("intent").and_then(serde_json::Value::as_i64).ok_or_else(|| {
                    LedgerError::Conflict { message: "this is not about a write, so nothing can be tried again".into() }
                })?;
                push::retry(tx, IntentId(intent))?;
                tx.solve_attention(&asked.cause_key)?;
                tx.audit("operator", "attention.retry", &json!({ "attention": id }))?;
                tx.attention(id)
            })
            .await?)
    }

    /// Gives up what a question is about.
    ///
    /// # Errors
    /// It is answered already, or the write it is about is under way.
    pub async fn dismiss(&self, id: i64, why: &str) -> Result<Attention, ServiceError> {
        let why = if why.is_empty() { "dismissed by a person".to_owned() } else { why.to_owned() };
        Ok(self
            .ledger()
            .write(move |tx| {
                let asked = tx.dismiss_attention(id, &why)?;
                if let Some(intent) = asked.data.get("intent").and_then(serde_json::Value::as_i64) {
                    push::dismiss(tx, IntentId(intent), &why)?;
                }
                tx.audit("operator", "attention.dismiss", &json!({"attention": id, "why": why}))?;
                Ok::<_, LedgerError>(asked)
            })
            .await?)
    }
}

fn follow(
    tx: &Tx<'_>,
    asked: &Attention,
    answer: &str,
    remote_id: Option<&str>,
    now: jiff::Timestamp,
) -> Result<(), LedgerError> {
    if answers::apply(tx, asked, answer, now)? {
        return Ok(());
    }
    let intent = asked.data.get("intent").and_then(serde_json::Value::as_i64).map(IntentId);
    match (asked.cause_key.split(':').next().unwrap_or_default(), intent) {
        ("guard", _) if answer == "release" => push::release(tx, asked).map(drop),
        ("guard", _) => push::discard(tx, asked, now).map(drop),
        ("which", Some(_)) => push::answer_which(tx, asked, answer, now),
        (_, Some(intent)) if matches!(answer, "there" | "not-there") => {
            unknown::answer(tx, intent, answer == "there", remote_id, now)
        }
        (_, Some(intent)) if answer == "retry" => push::retry(tx, intent),
        (_, Some(intent)) if answer == "dismiss" => push::dismiss(tx, intent, "dismissed by a person"),
        _ => Ok(()),
    }
}

/// A run that the question held: it is over now, and a new one goes on.
fn held_run(tx: &Tx<'_>, asked: &Attention) -> Result<Option<Order>, LedgerError> {
    let kind = asked.cause_key.split(':').next().unwrap_or_default();
    if !matches!(kind, "guard" | "sweep") {
        return Ok(None);
    }
    let run = asked.data.get("run").and_then(serde_json::Value::as_i64).map(RunId).or(asked.run);
    let Some(run) = run else { return Ok(None) };
    let run = tx.run(run)?;
    if run.state == RunState::Held {
        tx.set_run(run.id, RunState::Done, Some("Held, then answered by a person."), None)?;
    }
    let released = matches!(asked.answer.as_deref(), Some("release" | "gone" | "confirm"));
    if kind == "sweep" && !released {
        // Left as it is; the next sweep asks again.
        return Ok(None);
    }
    let direction = if kind == "sweep" { Direction::Sweep } else { run.direction };
    let order = Order { released, ..Order::new(run.platform, direction, run.kind, Cause::Manual) };
    Ok(Some(order))
}
