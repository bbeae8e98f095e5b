//! Secrets: in no log line, error, record, cursor, receipt, stored value or file of the exchange folder.

use super::kinds::record;
use crate::proxy::{Fault, On};
use crate::rule::{End, Rule, Trial, broken, everything, rule, skip};

/// Shorter texts stand in anything by chance.
const SHORTEST: usize = 6;

pub(super) const SECRETS: Rule = rule!(
    Behaviour,
    "secrets-stay-secret",
    "no secret of the operator and none of those the platform's answers hold shows in anything that leaves the connector",
    secrets
);

async fn secrets(trial: &mut Trial<'_>) -> Result<(), End> {
    let bench = trial.bench;
    // Who logs in is no secret, and often a plain word.
    let names = |field: &str| field.ends_with("/username") || field.ends_with("/client-id");
    let entered = bench.scenario.secrets.iter().filter(|(field, _)| !names(field));
    let mut secrets: Vec<String> = entered.map(|(_, value)| value.clone()).collect();
    secrets.extend(bench.control.iter().flat_map(|control| control.offers.secrets.clone()));
    secrets.retain(|secret| secret.len() >= SHORTEST);
    if secrets.is_empty() {
        return skip("neither scenario nor simulator names a secret");
    }
    let kinds: Vec<_> = bench.description().abilities.iter().filter(|a| a.reading.is_some()).map(|a| a.kind).collect();
    for kind in kinds {
        trial.reset().await?;
        if trial.hand(kind).make {
            trial.control()?.make(kind, 3).await?;
        }
        // What fails is told with words of the platform: there they slip through.
        drop(trial.platform()?.scan(kind, &everything(), 10).await);
        for fault in [Fault::ServerError, Fault::InvalidJson] {
            trial.arm(fault, On::Reads);
            drop(trial.platform()?.pull(kind, &everything(), None, 10).await);
            trial.disarm();
        }
    }
    for ability in &bench.description().abilities {
        let Some(writing) = &ability.writing else { continue };
        trial.reset().await?;
        let Some(record) = record(trial, ability.kind, writing).await? else { continue };
        for fault in [Fault::ServerError, Fault::InvalidJson] {
            trial.arm(fault, On::Writes);
            drop(trial.platform()?.push(vec![record.clone()]).await);
            trial.disarm();
        }
    }
    let mut outputs = bench.outputs();
    outputs.extend(bench.exchanged()?);
    // With all that any rule before has seen. What is shown for a developer has signs escaped.
    let escaped = |secret: &String| format!("{secret:?}").trim_matches('"').to_owned();
    let secrets: Vec<String> = secrets.iter().flat_map(|secret| [secret.clone(), escaped(secret)]).collect();
    for (place, text) in outputs {
        for secret in &secrets {
            if text.contains(secret.as_str()) {
                let shown = text.replace(secret.as_str(), "***");
                let at = shown.find("***").unwrap_or_default();
                let around = &shown[shown.floor_char_boundary(at.saturating_sub(80))
                    ..shown.ceil_char_boundary((at + 80).min(shown.len()))];
                return broken(format!("a secret shows in {place}: …{around}…"));
            }
        }
    }
    Ok(())
}
