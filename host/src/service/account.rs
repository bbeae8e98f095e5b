//! Whom the credentials of a platform reach.
//!
//! Links belong to the account that they were made in. Credentials or settings that reach another one would match its
//! objects with records they have nothing to do with, so it is asked before the first run of a boot and after each change.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::ledger::attention::NewAttention;
use crate::ledger::platform::PlatformState;
use crate::ledger::{Ledger, LedgerError, Tx};
use crate::model::description::Account;
use crate::model::{CallError, PlatformId};
use crate::sync::clock::Clock;
use crate::sync::connector::Connector;

/// Beyond this a person is told of the clocks.
const SKEW_MS: i64 = 120_000;

/// Platforms whose account was asked for since the start and since their last change.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashSet<PlatformId>>);

impl Known {
    pub(super) fn contains(&self, platform: PlatformId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&platform)
    }

    pub(super) fn add(&self, platform: PlatformId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(platform);
    }

    /// Settings or credentials were changed.
    pub(super) fn forget(&self, platform: PlatformId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&platform);
    }
}

/// Why nobody knows whom the credentials reach.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Whom they reach.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) account: Account,
    /// The links belong to another one; the platform has left work.
    pub(super) other: bool,
}

impl Reached {
    /// What is said of another account.
    pub(super) fn refusal(&self, code: &str) -> String {
        format!(
            "the credentials of `{code}` reach another account (`{}`) than before; nothing is sent there until that is \
             cleared",
            self.account.id
        )
    }
}

/// Asks the platform, and pins the account at the first time.
pub(super) async fn ask(
    ledger: &Ledger,
    clock: &dyn Clock,
    connector: &dyn Connector,
    platform: PlatformId,
) -> Result<Reached, AskError> {
    let asked = clock.now();
    let account = connector.check().await.result?;
    let answered = clock.now();
    // Halfway between question and answer is the fairest guess at when the platform looked at its clock.
    let skew = account.now.map_or(0, |now| {
        let middle = asked + (answered.duration_since(asked) / 2);
        i64::try_from(now.duration_since(middle).as_millis()).unwrap_or(i64::MAX)
    });
    let id_space = connector.description().id_space.clone();
    let found = account.clone();
    let other = ledger
        .write(move |tx| {
            let stored = tx.platform(platform)?;
            if let Some(before) = stored.account_id.filter(|before| *before != found.id) {
                other_account(tx, platform, stored.code.as_str(), &before, &found)?;
                return Ok::<_, LedgerError>(true);
            }
            tx.set_account(platform, &found, skew)?;
            tx.pin_account(platform, &found.id, &id_space)?;
            tx.solve_attention(&other_key(platform))?;
            clocks(tx, platform, stored.code.as_str(), skew)?;
            Ok(false)
        })
        .await?;
    Ok(Reached { account, other })
}

fn other_key(id: PlatformId) -> String {
    format!("account:{id}")
}

fn other_account(tx: &Tx<'_>, id: PlatformId, code: &str, before: &str, found: &Account) -> Result<(), LedgerError> {
    tx.set_platform_state(
        id,
        PlatformState::Recovering,
        Some(&format!("The credentials reach the account `{}`, the links belong to `{before}`.", found.id)),
    )?;
    tx.attend(
        &NewAttention {
            cause_key: other_key(id),
            platform: Some(id),
            title: format!("The credentials of `{code}` reach another account than before."),
            hint: format!(
                "It was `{before}` and is `{}` ({}). Enter the credentials of the old account and resume it with \
                 `tradepost platform resume {code}`, or add a new platform for the new one.",
                found.id, found.name
            ),
            ..NewAttention::default()
        },
        None,
    )?;
    Ok(())
}

fn clocks(tx: &Tx<'_>, id: PlatformId, code: &str, skew: i64) -> Result<(), LedgerError> {
    let cause_key = format!("clock:{id}");
    if skew.abs() <= SKEW_MS {
        tx.solve_attention(&cause_key)?;
        return Ok(());
    }
    tx.attend(
        &NewAttention {
            cause_key,
            platform: Some(id),
            title: format!("The clock of `{code}` and this machine's differ by {} seconds.", skew / 1000),
            hint: "Set this machine's clock by NTP; if the platform's is wrong, tell its operator. Changes are read by the \
                   platform's clock, so nothing is lost meanwhile."
                .into(),
            ..NewAttention::default()
        },
        None,
    )?;
    Ok(())
}
