//! Old orders on their way as finished business.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::runs::Order;
use super::{Service, ServiceError};
use crate::ledger::instance::Mode as InstanceMode;
use crate::ledger::platform::{Platform, PlatformState};
use crate::ledger::run::{Cause, Direction};
use crate::ledger::stream::Phase;
use crate::model::{Kind, LinkId, RecordKind, RunId};
use crate::sync::pull::backfill::{Backfill, Backfilled};

/// What a back-fill did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// How many orders ended how.
    pub counts: BTreeMap<Backfilled, u64>,
    /// Pushes that carry them, one for each platform that takes them.
    pub runs: Vec<RunId>,
}

impl Service {
    /// Hands orders of a shop that were read and left out (from before its cut-over) on as finished business, to every
    /// platform that makes orders and can create finished ones. Nothing is handed on twice; actions keep their settings.
    ///
    /// # Errors
    /// No platform can take them, or nothing may be sent now: what to do about it.
    pub async fn backfill(
        &self,
        code: &str,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Filled, ServiceError> {
        let shop = self.platform(code).await?;
        let now = self.clock().now();
        let until = until.unwrap_or(now);
        if since >= until {
            return Err(ServiceError::refused("the time ends before it begins; give an earlier `since`"));
        }
        let (mode, phase) = self
            .ledger()
            .read({
                let id = shop.id;
                move |view| {
                    Ok::<_, crate::ledger::LedgerError>((view.instance()?.mode, view.stream(id, Kind::Order)?.phase))
                }
            })
            .await?;
        if mode == InstanceMode::Safe {
            return Err(ServiceError::refused(
                "nothing is sent in safe mode; leave it with `tradepost restore --resume`",
            ));
        }
        if phase != Phase::Live {
            return Err(ServiceError::refused(format!(
                "orders of `{code}` are not live yet; put it to work with `tradepost platform live {code}` first"
            )));
        }
        let able = self.takers(&shop).await?;
        let asked = Backfill { shop: shop.id, since, until, able: able.iter().map(|target| target.id).collect() };
        let mut counts = BTreeMap::new();
        let mut after = LinkId(0);
        loop {
            let (asked, before) = (asked.clone(), std::mem::take(&mut counts));
            let (next, sum) = self
                .ledger()
                .write(move |tx| {
                    let mut sum = before;
                    let next = asked.chunk(tx, after, now, &mut sum)?;
                    Ok::<_, crate::ledger::LedgerError>((next, sum))
                })
                .await?;
            counts = sum;
            match next {
                Some(last) => after = last,
                None => break,
            }
        }
        let detail =
            json!({ "platform": code, "since": since, "until": until, "orders": counts.get(&Backfilled::Sent) });
        self.ledger().write(move |tx| tx.audit("operator", "orders.backfill", &detail)).await?;
        let mut runs = Vec::new();
        // Also when nothing is new: what an earlier back-fill left on its way goes on.
        for target in able {
            let id = target.id;
            if self.ledger().read(move |view| view.has_due(id, Kind::Order)).await? {
                runs.push(self.runs().queue(Order::new(id, Direction::Push, Kind::Order, Cause::Manual)).await?);
            }
        }
        Ok(Filled { counts, runs })
    }

    /// Platforms that make orders, are at work, and whose connectors can create finished orders.
    async fn takers(&self, shop: &Platform) -> Result<Vec<Platform>, ServiceError> {
        let platforms = self.ledger().read(|view| view.platforms()).await?;
        let makes = |target: &Platform| {
            target.id != shop.id
                && target.state != PlatformState::Removed
                && target.policy.create_on.contains(&RecordKind::Order)
                && target.policy.pushes.contains(&Kind::Order)
        };
        let mut able = Vec::new();
        let mut unable = Vec::new();
        for target in platforms.into_iter().filter(makes) {
            let can = self
                .description(&target)
                .is_ok_and(|description| description.writing(Kind::Order).is_some_and(|writing| writing.create_done));
            if !can {
                unable.push(format!("the connector of `{}` cannot create finished orders", target.code));
            } else if target.state != PlatformState::Active {
                unable.push(format!("`{}` is {}", target.code, target.state));
            } else {
                able.push(target);
            }
        }
        if !able.is_empty() {
            return Ok(able);
        }
        if unable.is_empty() {
            unable.push("no platform makes orders".to_owned());
        }
        Err(ServiceError::refused(format!(
            "old orders cannot be handed on as finished business: {}; `--as known` reads them into the hub, where they \
             count for matching and history and go nowhere",
            unable.join(", ")
        )))
    }
}
