//! Faults while something is written: nobody says more than is known of what was done.

use std::time::Duration;

use tradepost::model::description::Writing;
use tradepost::model::{Op, Record};

use super::super::kinds::{defect, record};
use super::{Right, Strike, strikes};
use crate::bench::{Differs, Fate};
use crate::proxy::{Fault, On};
use crate::rule::{End, Trial, broken};
use crate::sample;

/// Longest that a request may take where the answer is slow on purpose.
const PATIENCE: Duration = Duration::from_secs(1);

/// Strikes the writing of every kind; says whether there was anything to strike.
pub(super) async fn writes(trial: &mut Trial<'_>, fault: &Fault, right: Right<Fate>) -> Result<bool, End> {
    let description = trial.bench.description();
    let mut tried = false;
    for ability in &description.abilities {
        let (Some(writing), kind) = (&ability.writing, ability.kind) else { continue };
        trial.reset().await?;
        let Some(record) = record(trial, kind, writing).await? else { continue };
        let item = record.item.clone();
        let mark = trial.bench.proxy.journal.mark();
        let sound = trial.platform()?.push(vec![record.clone()]).await.fate(&item);
        if !matches!(sound, Fate::Done(_) | Fate::Unchanged) {
            trial.note(format!("{kind}: the sample is not taken, so that no fault was tried: {sound:?}"));
            continue;
        }
        let requests = trial.bench.proxy.journal.since(mark).iter().filter(|sent| sent.is(On::Writes)).count();
        if requests == 0 {
            trial.note(format!("writing {kind} sent no request that is not a read"));
            continue;
        }
        let mut record = record;
        for strike in strikes(trial, &format!("writing {kind}"), requests) {
            record = another(trial, &record, writing);
            tried |= struck(trial, &record, writing, fault, strike, right).await?;
        }
    }
    Ok(tried)
}

/// The record, made new or changed once more.
fn another(trial: &Trial<'_>, record: &Record, writing: &Writing) -> Record {
    let (item, unique) = (trial.bench.item(), trial.bench.unique());
    if record.op == Op::Create {
        return sample::create(record, writing, item, &unique);
    }
    let mut record = Record { item, ..record.clone() };
    sample::touch(&mut record, &unique);
    record
}

async fn struck(
    trial: &Trial<'_>,
    record: &Record,
    writing: &Writing,
    fault: &Fault,
    strike: Strike,
    right: Right<Fate>,
) -> Result<bool, End> {
    let (kind, item, name) = (record.kind, record.item.clone(), fault.name());
    let what = format!("writing a {kind}{strike}");
    let patience = (*fault == Fault::Slow).then_some(PATIENCE);
    let host = trial.bench.platform_that(Differs { patience, ..Differs::default() })?;
    let mark = trial.bench.proxy.journal.mark();
    strike.arm(trial, fault, On::Writes);
    let pushed = host.push(vec![record.clone()]).await;
    trial.disarm();
    if let Some(crash) = pushed.crash() {
        return broken(format!("{what}: {name} crashed it: {crash}"));
    }
    if !trial.bench.proxy.journal.since(mark).iter().any(|exchange| exchange.fault.is_some()) {
        return Ok(false);
    }
    let fate = pushed.fate(&item);
    let honest = match &fate {
        // Requests before it were done, so that not being sure is right; done is what says what is missing.
        Fate::Unknown(_) => strike != Strike::All,
        Fate::Done(written) => strike != Strike::All && !written.warnings.is_empty(),
        _ => false,
    };
    if !right(&fate) && !honest {
        return broken(format!("{what}: {name} ended as {fate:?}"));
    }
    if let Err(error) = &pushed.call
        && defect(error)
    {
        return broken(format!("{what}: {name} ended the call with: {error}"));
    }
    let after = trial.bench.platform_that(Differs { storage: host.storage(), ..Differs::default() })?;
    let again = match after.push(vec![record.clone()]).await.fate(&item) {
        Fate::Done(written) => Some(written.remote),
        Fate::Unchanged => None,
        fate => return broken(format!("{what}: the next call after {name} ended as {fate:?}")),
    };
    // Who says that it is done says which object it is.
    if let Fate::Done(written) = fate
        && let Some(known) = record.remote.clone().or(again.filter(|_| writing.idempotent))
        && known.id != written.remote.id
    {
        return broken(format!(
            "{what}: {name} was taken for the object `{}`, which is `{}`",
            written.remote.id, known.id
        ));
    }
    Ok(true)
}
