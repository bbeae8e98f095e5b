//! Push: what changed in the hub goes to a platform, and every write ends as done, certainly not done, or unknown.
//!
//! A run settles what is unknown, plans, asks the guard, looks up what might be there, stores intents as sending, calls
//! the connector and settles item by item. It can be cut at any point: what it left behind says what to do next.

mod answer;
mod desk;
mod lookup;
mod rules;
pub(crate) mod settle;

#[cfg(test)]
#[allow(clippy::await_holding_lock, reason = "one thread, and the guard is dropped before anything asks for it")]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::connector::{Connector, Connectors, Unserved};
use super::guard::{self, Weighed};
use super::ownership::Ownership;
use super::plan::{Contents, Next, Outline, PreviewLine, Scene};
use super::stock::fence_open;
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::instance::Mode;
use crate::ledger::platform::PlatformState;
use crate::ledger::run::RunState;
use crate::ledger::stream::Phase;
use crate::ledger::{Ledger, LedgerError};
use crate::model::description::StockFigure;
use crate::model::{IntentId, Kind, PlatformId, RunId};
pub use answer::{discard, dismiss, release, retry};
pub(crate) use lookup::Looked;
pub use lookup::answer_which;
pub use rules::{maps_changed, rules_changed};
use settle::Context;

/// Pushes to platforms.
#[derive(Clone)]
pub struct Pusher {
    /// Where everything is known.
    pub ledger: Ledger,
    /// Where connectors come from.
    pub connectors: Arc<dyn Connectors>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Longest that one call of a connector can take; with the platform's `max_settle`, after this nothing that was sent
    /// can still take effect.
    pub deadline: SignedDuration,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All well.
    Done,
    /// Some records wait for a person or for later.
    DoneWithIssues,
    /// The guard wants a confirmation.
    Held,
    /// The platform asked to wait until then.
    Resting(Timestamp),
    /// The credentials are refused.
    Paused,
    /// The shop's orders have to be read first; then run it again.
    Fenced,
    /// It was told to stop.
    Stopped,
    /// It could not begin, or not go on: the reason.
    Failed(String),
}

/// Why there is no end to tell of.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The ledger is closed or broken.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nobody serves the platform.
    #[error(transparent)]
    Unserved(#[from] Unserved),
}

/// Times that a run plans again because something became possible.
const ROUNDS: u32 = 200;
/// Lines of a held plan that are shown.
const SHOWN: usize = 100;
/// Cause of the attention that a held plan opens.
fn held_key(platform: PlatformId, kind: Kind) -> String {
    format!("guard:{platform}:{kind}")
}

/// One push under way.
pub(crate) struct Push {
    pub(crate) ledger: Ledger,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) connectors: Arc<dyn Connectors>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) deadline: SignedDuration,
    pub(crate) platform: PlatformId,
    pub(crate) kind: Kind,
    pub(crate) run: Option<RunId>,
    pub(crate) stop: CancellationToken,
    pub(crate) issues: bool,
}

impl Pusher {
    /// Executes a queued run of direction push, and writes its end into the run.
    ///
    /// # Errors
    /// Only when the ledger or the connector is not there; everything else is an [`End`].
    pub async fn run(&self, run: RunId, stop: &CancellationToken) -> Result<End, PushError> {
        let asked = self.ledger.read(move |view| view.run(run)).await?;
        let (platform, kind) = (asked.platform, asked.kind);
        if let Some(why) = self.barred(platform, kind).await? {
            self.end(run, &End::Failed(why.clone())).await?;
            return Ok(End::Failed(why));
        }
        let connector = match self.connectors.connector(platform, false) {
            Ok(connector) => connector,
            Err(unserved) => {
                self.end(run, &End::Failed(unserved.message.clone())).await?;
                return Err(unserved.into());
            }
        };
        let version = format!("{} {}", connector.description().id, connector.description().version);
        self.ledger.write(move |tx| tx.start_run(run, &version)).await?;
        let mut push = self.push(connector, platform, kind, Some(run), stop);
        let end = push.work().await?;
        self.end(run, &end).await?;
        Ok(end)
    }

    /// What a run would do, without writing anywhere.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn preview(&self, platform: PlatformId, kind: Kind) -> Result<Vec<PreviewLine>, PushError> {
        let connector = self.connectors.connector(platform, true)?;
        let push = self.push(connector, platform, kind, None, &CancellationToken::new());
        let mut lines = Vec::new();
        for kind in push.kinds() {
            let scene = push.scene(Arc::default()).await?;
            let found = push
                .ledger
                .rehearse(move |tx| {
                    let mut lines = Vec::new();
                    let mut next = None;
                    loop {
                        let outline = scene.plan(tx, kind, next)?;
                        lines.extend(outline.lines);
                        next = outline.next;
                        if next.is_none() {
                            return Ok::<_, LedgerError>(lines);
                        }
                    }
                })
                .await?;
            lines.extend(found);
        }
        Ok(lines)
    }

    fn push(
        &self,
        connector: Arc<dyn Connector>,
        platform: PlatformId,
        kind: Kind,
        run: Option<RunId>,
        stop: &CancellationToken,
    ) -> Push {
        Push {
            ledger: self.ledger.clone(),
            connector,
            connectors: Arc::clone(&self.connectors),
            clock: Arc::clone(&self.clock),
            deadline: self.deadline,
            platform,
            kind,
            run,
            stop: stop.clone(),
            issues: false,
        }
    }

    /// Why nothing may be sent now.
    async fn barred(&self, platform: PlatformId, kind: Kind) -> Result<Option<String>, LedgerError> {
        self.ledger
            .read(move |view| {
                if view.instance()?.mode == Mode::Safe {
                    return Ok(Some("safe mode: nothing is sent until it is left".to_owned()));
                }
                let platform = view.platform(platform)?;
                if platform.state != PlatformState::Active {
                    return Ok(Some(format!("{} is {}: nothing is sent", platform.name, platform.state)));
                }
                let phase = view.stream(platform.id, kind)?.phase;
                Ok((phase != Phase::Live).then(|| {
                    format!("{kind} of {} is {phase}: nothing is sent before its review is answered", platform.name)
                }))
            })
            .await
    }

    async fn end(&self, run: RunId, end: &End) -> Result<(), LedgerError> {
        let (state, message, until) = match end {
            End::Done => (RunState::Done, None, None),
            End::DoneWithIssues => (RunState::DoneWithIssues, None, None),
            End::Held => (RunState::Held, Some("the plan waits for a confirmation".to_owned()), None),
            End::Resting(until) => (RunState::Resting, Some("the platform asked to wait".to_owned()), Some(*until)),
            End::Paused => (RunState::Failed, Some("the platform refuses the credentials".to_owned()), None),
            End::Fenced => (RunState::Failed, Some("the shop's orders have to be read first".to_owned()), None),
            End::Stopped => (RunState::Cancelled, None, None),
            End::Failed(why) => (RunState::Failed, Some(why.clone()), None),
        };
        self.ledger.write(move |tx| tx.set_run(run, state, message.as_deref(), until)).await
    }
}

impl Push {
    /// Kinds that are pushed together: an order and what happens to it.
    fn kinds(&self) -> Vec<Kind> {
        let kinds = if self.kind == Kind::Order { vec![Kind::Order, Kind::OrderEvent] } else { vec![self.kind] };
        kinds.into_iter().filter(|kind| self.connector.description().writing(*kind).is_some()).collect()
    }

    pub(crate) fn context(&self) -> Context {
        Context { platform: self.platform, run: self.run, now: self.clock.now() }
    }

    async fn work(&mut self) -> Result<End, PushError> {
        for kind in self.kinds() {
            if let Some(end) = self.settle_unknowns(kind).await? {
                return Ok(end);
            }
        }
        let mut contents = Arc::default();
        let mut weighed: BTreeMap<IntentId, Weighed> = BTreeMap::new();
        let mut tried = HashSet::new();
        for _ in 0..ROUNDS {
            let mut lines = Vec::new();
            for kind in self.kinds() {
                self.plan(kind, &mut contents, &mut weighed, &mut lines).await?;
            }
            if self.hold(&weighed, lines).await? {
                return Ok(End::Held);
            }
            let mut sent = 0;
            for kind in self.kinds() {
                match self.send(kind, &mut tried).await? {
                    Ok(count) => sent += count,
                    Err(end) => return Ok(end),
                }
            }
            if sent == 0 {
                break;
            }
        }
        Ok(if self.issues { End::DoneWithIssues } else { End::Done })
    }

    async fn scene(&self, contents: Arc<Contents>) -> Result<Scene, PushError> {
        let (platform, now, run) = (self.platform, self.clock.now(), self.run);
        let description = self.connector.description().clone();
        let mut scene = self
            .ledger
            .read(move |view| {
                let platforms = view.platforms()?;
                Ok::<_, LedgerError>(Scene {
                    platform: view.platform(platform)?,
                    description,
                    instance: view.instance()?,
                    codes: platforms.iter().map(|p| (p.id, p.code.to_string())).collect(),
                    ownership: Ownership::of(&platforms),
                    figures: BTreeMap::new(),
                    contents,
                    now,
                    run,
                })
            })
            .await?;
        if self.kind == Kind::Stock {
            let ids: Vec<PlatformId> = scene.codes.keys().copied().collect();
            for id in ids {
                let Ok(connector) = self.connectors.connector(id, true) else { continue };
                let figure = connector.description().reading(Kind::Stock).and_then(|reading| reading.figure);
                scene.figures.insert(id, figure.unwrap_or(StockFigure::Available));
            }
        }
        Ok(scene)
    }

    async fn plan(
        &mut self,
        kind: Kind,
        contents: &mut Arc<Contents>,
        weighed: &mut BTreeMap<IntentId, Weighed>,
        lines: &mut Vec<PreviewLine>,
    ) -> Result<(), PushError> {
        let mut next: Option<Next> = None;
        loop {
            let scene = self.scene(Arc::clone(contents)).await?;
            let outline: Outline = self.ledger.write(move |tx| scene.plan(tx, kind, next)).await?;
            let missing: Vec<_> = outline.contents.into_iter().filter(|key| !contents.contains_key(key)).collect();
            if !missing.is_empty() {
                for (from, url) in missing {
                    let content = self.fetch(from, &url).await;
                    Arc::make_mut(contents).insert((from, url), content);
                }
                // The same chunk again, now with its pictures.
                continue;
            }
            self.issues |= outline.items.iter().any(|item| item.what.is_issue());
            weighed.extend(outline.weighed);
            lines.extend(outline.lines.into_iter().take(SHOWN.saturating_sub(lines.len())));
            next = outline.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    async fn fetch(&self, from: PlatformId, url: &str) -> Option<String> {
        let connector = self.connectors.connector(from, false).ok()?;
        match connector.fetch(url).await {
            Ok(content) => Some(content.id),
            Err(error) => {
                tracing::warn!(%error, platform = %from, "picture not fetched");
                None
            }
        }
    }

    /// Holds the run when the plan is beyond the operator's bounds.
    async fn hold(&self, weighed: &BTreeMap<IntentId, Weighed>, lines: Vec<PreviewLine>) -> Result<bool, LedgerError> {
        let (platform, kind, run) = (self.platform, self.kind, self.run);
        let plan: Vec<(IntentId, Weighed)> = weighed.iter().map(|(id, one)| (*id, *one)).collect();
        self.ledger
            .write(move |tx| {
                let stored = tx.platform(platform)?;
                let all: Vec<Weighed> = plan.iter().map(|(_, one)| *one).collect();
                let exceeded = guard::judge(&stored.policy.guard, &all);
                if exceeded.is_empty() {
                    tx.solve_attention(&held_key(platform, kind))?;
                    return Ok(false);
                }
                let words: Vec<String> =
                    exceeded.iter().map(|one| format!("{} {} (limit {})", one.count, one.what, one.limit)).collect();
                let intents: Vec<i64> = plan.iter().map(|(id, _)| id.0).collect();
                let preview: Vec<_> = lines.iter().map(|line| format!("{}: {}", line.name, line.why)).collect();
                tx.attend(
                    &NewAttention {
                        cause_key: held_key(platform, kind),
                        platform: Some(platform),
                        kind: Some(kind),
                        title: format!("A push of {kind} to {} is held: {}.", stored.name, words.join(", ")),
                        hint: "Look at the preview; release the plan if it is what you mean, else take it back.".into(),
                        choices: vec![
                            Choice::new("release", "Send all of it"),
                            Choice::new("discard", "Take the plan back"),
                        ],
                        data: serde_json::json!({"intents": intents, "preview": preview}),
                        ..NewAttention::default()
                    },
                    run,
                )?;
                Ok(true)
            })
            .await
    }

    /// Whether the stock fence is closed.
    pub(crate) async fn fenced(&self, kind: Kind) -> Result<bool, LedgerError> {
        Ok(kind == Kind::Stock && fenced(&self.ledger, &*self.connector, &*self.clock, self.platform).await?)
    }
}

/// Whether stock must not be sent now: the shop's orders were not read just before.
pub(crate) async fn fenced(
    ledger: &Ledger,
    connector: &dyn Connector,
    clock: &dyn Clock,
    platform: PlatformId,
) -> Result<bool, LedgerError> {
    if connector.description().reading(Kind::Order).is_none() {
        return Ok(false);
    }
    let now = clock.now();
    ledger
        .read(move |view| {
            let rule = view.platform(platform)?.policy.stock;
            let orders = view.stream(platform, Kind::Order)?;
            Ok(orders.phase == Phase::Live && !fence_open(orders.pulled_at, now, rule.fence_seconds))
        })
        .await
}
