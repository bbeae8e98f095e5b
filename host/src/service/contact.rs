//! First contact: both sides are read and linked, a person looks at what was found, then the streams go live.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::runs::Order;
use super::{Service, ServiceError};
use crate::ledger::action::{NewAction, StartMode};
use crate::ledger::attention::AttentionState;
use crate::ledger::instance::Mode as InstanceMode;
use crate::ledger::link::LinkState;
use crate::ledger::platform::PlatformState;
use crate::ledger::run::{Cause, Direction, RunState};
use crate::ledger::stream::Phase;
use crate::ledger::want::WantReason;
use crate::ledger::{LedgerError, Tx};
use crate::model::description::Description;
use crate::model::policy::Policy;
use crate::model::{Kind, PlatformId, RecordId, RecordKind};
use crate::sync::plan::Foreseen;
use crate::sync::pull::Mode;

/// Records looked at in one transaction.
const CHUNK: u32 = 500;
/// Kinds in the order in which they lean on each other.
const ORDER: [Kind; 7] =
    [Kind::Category, Kind::Product, Kind::Price, Kind::Stock, Kind::Customer, Kind::Order, Kind::Shipment];

/// What matching found for one kind.
#[derive(Debug, Clone, Serialize)]
pub struct KindReview {
    /// Kind.
    pub kind: Kind,
    /// How far the stream is.
    pub phase: String,
    /// Objects here that belong to a hub record.
    pub linked: u64,
    /// Objects here that are known and left out.
    pub only_here: u64,
    /// Hub records without an object here.
    pub only_there: u64,
    /// Questions that wait for a person: ambiguous matches, doubled keys, unreadable records.
    pub questions: u64,
    /// What a push would create.
    pub would_create: u64,
    /// What a push would change.
    pub would_change: u64,
    /// What a push could not do yet.
    pub blocked: u64,
}

/// What a person looks at before a platform goes live.
#[derive(Debug, Clone, Serialize)]
pub struct Review {
    /// Platform.
    pub platform: String,
    /// Its state.
    pub state: String,
    /// Per kind.
    pub kinds: Vec<KindReview>,
    /// The first things that a push would do, in words.
    pub plan: Vec<String>,
}

impl Service {
    /// Reads everything of a platform and links it, pushing nothing. May be repeated.
    ///
    /// # Errors
    /// The platform cannot be reached, or a pull failed: its reason.
    pub async fn onboard(&self, code: &str) -> Result<Review, ServiceError> {
        let platform = self.platform(code).await?;
        if !matches!(platform.state, PlatformState::Setup | PlatformState::Active) {
            return Err(ServiceError::refused(format!(
                "platform `{code}` is {}; first contact needs a platform in setup",
                platform.state
            )));
        }
        self.test_platform(code).await?;
        let description = self.description(&platform)?;
        for kind in kinds(&description, &platform.policy) {
            let id = platform.id;
            let phase = self.ledger().read(move |view| view.stream(id, kind)).await?.phase;
            if phase == Phase::Live {
                continue;
            }
            self.ledger().write(move |tx| tx.set_phase(id, kind, Phase::Matching)).await?;
            if description.reading(kind).is_some() {
                let order = Order { mode: Mode::Full, ..Order::new(id, Direction::Pull, kind, Cause::Manual) };
                let run = self.run_to_end(order).await?;
                if !matches!(run.state, RunState::Done | RunState::DoneWithIssues) {
                    let why = run.message.unwrap_or_else(|| format!("run {} ended as {}", run.id, run.state));
                    return Err(ServiceError::refused(format!("reading {kind} of `{code}` did not end well: {why}")));
                }
            }
            self.ledger().write(move |tx| tx.set_phase(id, kind, Phase::Review)).await?;
        }
        self.review(code).await
    }

    /// What matching found, and what going live would do.
    ///
    /// # Errors
    /// When the ledger or the connector cannot be used.
    pub async fn review(&self, code: &str) -> Result<Review, ServiceError> {
        let platform = self.platform(code).await?;
        let description = self.description(&platform)?;
        let mut reviews = Vec::new();
        let mut plan = Vec::new();
        for kind in kinds(&description, &platform.policy) {
            let id = platform.id;
            let mut review = self
                .ledger()
                .read(move |view| {
                    let record_kind = link_kind(kind);
                    let linked = view.count_links(id, record_kind, LinkState::Live)?;
                    let questions = view
                        .attentions(Some(AttentionState::Open), Some(id), 1_000)?
                        .iter()
                        .filter(|attention| attention.kind == Some(kind))
                        .count() as u64;
                    Ok::<_, LedgerError>(KindReview {
                        kind,
                        phase: view.stream(id, kind)?.phase.to_string(),
                        linked,
                        only_here: view.count_links(id, record_kind, LinkState::Ignored)?,
                        only_there: view.count_records(record_kind)?.saturating_sub(linked),
                        questions,
                        would_create: 0,
                        would_change: 0,
                        blocked: 0,
                    })
                })
                .await?;
            if platform.policy.pushes.contains(&kind) && description.writing(kind).is_some() {
                let lines = self.preview_everything(platform.id, kind).await?;
                for line in lines {
                    match line.foreseen {
                        Foreseen::Create => review.would_create += 1,
                        Foreseen::Change | Foreseen::Remove | Foreseen::Apply => review.would_change += 1,
                        Foreseen::Block => review.blocked += 1,
                        Foreseen::Skip => continue,
                    }
                    if plan.len() < 200 {
                        plan.push(super::preview::sentence(kind, &line));
                    }
                }
            }
            reviews.push(review);
        }
        Ok(Review { platform: code.to_owned(), state: platform.state.to_string(), kinds: reviews, plan })
    }

    /// Puts a reviewed platform to work: its streams are live, everything that differs is planned, and it gets an action
    /// for each kind. Orders placed before the cut-over stay known and go nowhere.
    ///
    /// # Errors
    /// Questions are open, or a kind was not read yet.
    pub async fn go_live(&self, code: &str, cut_over: Option<Timestamp>) -> Result<(), ServiceError> {
        let platform = self.platform(code).await?;
        let description = self.description(&platform)?;
        let kinds = kinds(&description, &platform.policy);
        let id = platform.id;
        // Platforms tell times by the second: an order of this very second must not count as older.
        let now = self.clock().now();
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let policy = platform.policy.clone();
        let state = platform.state;
        let name = code.to_owned();
        self.ledger()
            .write(move |tx| {
                if tx.instance()?.mode == InstanceMode::Safe {
                    return Err(LedgerError::Conflict { message: "nothing goes live in safe mode".into() });
                }
                if !matches!(state, PlatformState::Setup | PlatformState::Active) {
                    return Err(LedgerError::Conflict { message: format!("platform `{name}` is {state}") });
                }
                for kind in &kinds {
                    match tx.stream(id, *kind)?.phase {
                        Phase::Review => {
                            tx.set_phase(id, *kind, Phase::Live)?;
                            if *kind == Kind::Order {
                                tx.set_cut_over(id, *kind, Some(cut_over.unwrap_or(now)))?;
                                crate::sync::pull::admit_orders(tx, id, now)?;
                            }
                        }
                        Phase::Live => {}
                        Phase::Off | Phase::Matching => {
                            return Err(LedgerError::Conflict {
                                message: format!(
                                    "{kind} of `{name}` was not read yet; run `tradepost platform onboard {name}` first"
                                ),
                            });
                        }
                    }
                    add_actions(tx, id, *kind, &policy, &description)?;
                }
                tx.set_platform_state(id, PlatformState::Active, None)?;
                tx.audit("operator", "platform.live", &serde_json::json!({ "platform": name }))
            })
            .await?;
        // From here on everybody hears of everything; what is equal already is not sent.
        let platforms = self.ledger().read(|view| view.platforms()).await?;
        for target in platforms.into_iter().filter(|p| p.state == PlatformState::Active) {
            self.want_everything(target.id, &target.policy.pushes).await?;
        }
        self.refresh().await
    }

    /// Every record of these kinds is looked at by the next push.
    pub(super) async fn want_everything(&self, platform: PlatformId, kinds: &[Kind]) -> Result<(), LedgerError> {
        for kind in kinds.iter().copied().filter(|kind| !kind.is_event()) {
            let mut after = RecordId(0);
            loop {
                let last = self.ledger().write(move |tx| want_chunk(tx, platform, kind, after)).await?;
                let Some(last) = last else { break };
                after = last;
            }
        }
        Ok(())
    }

    /// A push preview in which every record counts as changed.
    async fn preview_everything(
        &self,
        platform: PlatformId,
        kind: Kind,
    ) -> Result<Vec<crate::sync::plan::PreviewLine>, ServiceError> {
        if !kind.is_event() {
            // Wants of a platform that is not live are only looked at by previews.
            self.want_everything(platform, &[kind]).await?;
        }
        Ok(self.runs().pusher().preview(platform, kind).await?)
    }
}

fn want_chunk(tx: &Tx<'_>, platform: PlatformId, kind: Kind, after: RecordId) -> Result<Option<RecordId>, LedgerError> {
    let records = tx.records_after(kind.record_kind(), after, CHUNK)?;
    for record in &records {
        let relevant = match kind {
            Kind::Stock => record.facets.keys().any(|key| key.name() == "stock"),
            Kind::Price => record.facets.keys().any(|key| key.name() == "price"),
            _ => true,
        };
        if relevant {
            tx.want(platform, kind, record.id, "", WantReason::Data, None)?;
        }
    }
    Ok(records.last().map(|record| record.id))
}

/// Kinds that a platform takes part in, in the order in which they lean on each other.
pub(super) fn kinds(description: &Description, policy: &Policy) -> Vec<Kind> {
    ORDER
        .into_iter()
        .filter(|kind| {
            let pushed = |pushed: &Kind| pushed.stream() == *kind && description.writing(*pushed).is_some();
            description.reading(*kind).is_some() || policy.pushes.iter().any(pushed)
        })
        .collect()
}

fn link_kind(kind: Kind) -> RecordKind {
    if kind == Kind::Shipment { RecordKind::Shipment } else { kind.record_kind() }
}

/// An action for what the platform can do: pulls by the clock, pushes when something changed.
fn add_actions(
    tx: &Tx<'_>,
    platform: PlatformId,
    kind: Kind,
    policy: &Policy,
    description: &Description,
) -> Result<(), LedgerError> {
    if description.reading(kind).is_some() {
        let schedule = match kind {
            Kind::Order | Kind::Stock | Kind::Shipment => "every 1m",
            _ => "every 5m",
        };
        tx.add_action(&NewAction {
            platform,
            direction: Direction::Pull,
            kind,
            start_mode: StartMode::Automatic,
            schedule: Some(schedule.into()),
        })?;
    }
    // A shop may take what happens to an order without taking orders.
    if policy.pushes.iter().any(|pushed| pushed.stream() == kind && description.writing(*pushed).is_some()) {
        tx.add_action(&NewAction {
            platform,
            direction: Direction::Push,
            kind,
            start_mode: StartMode::Event,
            schedule: None,
        })?;
    }
    Ok(())
}

/// Counts of a run for people.
#[must_use]
pub fn counts_line(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}
