//! Runs the rules.

use std::time::Instant;

use tradepost::runtime::Engine;

use crate::bench::{Bench, BenchError};
use crate::proxy::Exchange;
use crate::report::{Entry, Report, Verdict};
use crate::rule::{End, Rule, Trial};
use crate::rules;
use crate::scenario::Scenario;

/// What to test, and against what.
#[derive(Clone, Default)]
pub struct Suite {
    /// The built component.
    pub component: Vec<u8>,
    /// A build that users have: settings and storage of it must go on working.
    pub earlier: Option<Vec<u8>>,
    /// What the developer says of the platform.
    pub scenario: Scenario,
    /// Names of the rules to run; empty: all.
    pub only: Vec<String>,
    /// The host's engine, where several suites share one; else one is started.
    pub engine: Option<Engine>,
}

impl Suite {
    /// Runs the rules one after another and tells of each as it ends.
    ///
    /// # Errors
    /// The suite cannot work: the component does not load, there is no simulator, or it does not do as it says.
    pub async fn run(self, mut tell: impl FnMut(&Entry)) -> Result<Report, BenchError> {
        let Self { component, earlier, scenario, only, engine } = self;
        let wanted: Vec<&Rule> =
            rules::all().iter().filter(|rule| only.is_empty() || only.iter().any(|name| name == rule.name)).collect();
        known("asked for", only.iter())?;
        known("waived by the scenario", scenario.waived.keys())?;
        let bench = Bench::open(component, earlier, scenario, engine).await?;
        known("offered by the simulator", bench.control.iter().flat_map(|control| &control.offers.golden))?;
        let mut entries = Vec::new();
        for rule in wanted {
            let entry = one(&bench, rule).await?;
            tell(&entry);
            entries.push(entry);
        }
        let description = bench.description();
        let (connector, version) = (description.id.clone(), description.version.clone());
        Ok(Report { connector, version, hash: bench.build.hash().to_owned(), entries })
    }
}

/// A name that is misspelt would leave a rule out without a word.
fn known<'a>(place: &'static str, names: impl Iterator<Item = &'a String>) -> Result<(), BenchError> {
    for name in names {
        if rules::all().iter().all(|rule| rule.name != name) {
            return Err(BenchError::Rule { name: name.clone(), place });
        }
    }
    Ok(())
}

async fn one(bench: &Bench, rule: &Rule) -> Result<Entry, BenchError> {
    let begun = Instant::now();
    let mut trial = Trial::new(bench);
    let end = match trial.reset().await {
        Ok(()) => (rule.run)(&mut trial).await,
        Err(end) => Err(end),
    };
    trial.disarm();
    if end.is_ok() && bench.scenario.waived.contains_key(rule.name) {
        trial.note("it is waived by the scenario, and it passes: the waiver can go");
    }
    let verdict = match end {
        Ok(()) => Verdict::Passed,
        Err(End::Skipped(reason)) => Verdict::Skipped { reason },
        Err(End::Bench(error)) => return Err(error),
        Err(End::Broken(why)) => match bench.scenario.waived.get(rule.name) {
            Some(reason) => Verdict::Skipped { reason: format!("waived by the scenario: {reason} (it failed: {why})") },
            None => Verdict::Failed { why, exchange: telling(trial.exchanges()).map(Box::new) },
        },
    };
    let Rule { name, group, demands, .. } = *rule;
    Ok(Entry { rule: name, group, demands, verdict, notes: trial.notes, took: begun.elapsed() })
}

/// The exchange that shows it: the last one that went wrong on purpose, else the last one.
fn telling(mut exchanges: Vec<Exchange>) -> Option<Exchange> {
    match exchanges.iter().rposition(|exchange| exchange.fault.is_some()) {
        Some(at) => Some(exchanges.swap_remove(at)),
        None => exchanges.pop(),
    }
}
