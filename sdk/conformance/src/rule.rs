//! What a rule is, and what it works with.

use futures_util::future::BoxFuture;
use tradepost::model::{CallError, Kind, Scope};

use crate::bench::{Bench, BenchError, Platform};
use crate::control::{Control, ControlError, Hand};
use crate::proxy::{Armed, Exchange, Fault, On, Times};

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What a connector says of itself and of records.
    Shape,
    /// How it behaves, above all when something goes wrong.
    Behaviour,
}

impl Group {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Behaviour => "behaviour",
        }
    }
}

/// Something that a connector must stand.
pub struct Rule {
    /// Name, in kebab-case.
    pub name: &'static str,
    /// Group.
    pub group: Group,
    /// What it demands, in a sentence.
    pub demands: &'static str,
    pub(crate) run: Run,
}

pub(crate) type Run = for<'a> fn(&'a mut Trial<'_>) -> BoxFuture<'a, Result<(), End>>;

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How a rule ends that does not pass.
#[derive(Debug)]
pub(crate) enum End {
    /// The connector breaks it.
    Broken(String),
    /// It cannot be tested here.
    Skipped(String),
    /// The bench or the simulator gave out.
    Bench(BenchError),
}

impl From<BenchError> for End {
    fn from(error: BenchError) -> Self {
        Self::Bench(error)
    }
}

impl From<ControlError> for End {
    fn from(error: ControlError) -> Self {
        Self::Bench(error.into())
    }
}

/// The connector breaks the rule.
pub(crate) fn broken<T>(why: impl Into<String>) -> Result<T, End> {
    Err(End::Broken(why.into()))
}

/// The rule cannot be tested here.
pub(crate) fn skip<T>(why: impl Into<String>) -> Result<T, End> {
    Err(End::Skipped(why.into()))
}

/// Says what failed where an answer was expected.
pub(crate) trait Expected<T> {
    fn expected(self, what: &str) -> Result<T, End>;
}

impl<T> Expected<T> for Result<T, CallError> {
    fn expected(self, what: &str) -> Result<T, End> {
        self.map_err(|error| End::Broken(format!("{what} failed: {error}")))
    }
}

/// One rule on the bench.
pub(crate) struct Trial<'a> {
    pub(crate) bench: &'a Bench,
    /// What was not tested though the rule passed.
    pub(crate) notes: Vec<String>,
    mark: usize,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(bench: &'a Bench) -> Self {
        Self { bench, notes: Vec::new(), mark: bench.proxy.journal.mark() }
    }

    /// What went over the wire in it.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.bench.proxy.journal.since(self.mark)
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn platform(&self) -> Result<Platform, End> {
        if self.bench.scenario.simulator.is_none() {
            return skip("there is no simulator (`--simulator URL`)");
        }
        Ok(self.bench.platform()?)
    }

    /// The simulator's hand.
    pub(crate) fn control(&self) -> Result<&'a Control, End> {
        match &self.bench.control {
            Some(control) => Ok(control),
            None => skip("the simulator has no control interface"),
        }
    }

    pub(crate) fn hand(&self, kind: Kind) -> Hand {
        self.bench.control.as_ref().map(|control| control.hand(kind)).unwrap_or_default()
    }

    /// An empty platform, where it can be emptied.
    pub(crate) async fn reset(&self) -> Result<(), End> {
        self.bench.proxy.disarm();
        Ok(self.bench.reset().await?)
    }

    /// The kinds that are read and that the simulator can make, in the order in which rules prefer them.
    pub(crate) fn readable(&self, wants: impl Fn(Hand) -> bool) -> Vec<Kind> {
        let description = self.bench.description();
        let fits = |kind: &Kind| description.reading(*kind).is_some() && wants(self.hand(*kind));
        PREFERRED.iter().copied().filter(fits).collect()
    }

    /// All requests of this sort go wrong.
    pub(crate) fn arm(&self, fault: Fault, on: On) {
        self.bench.proxy.arm(Armed { fault, on, times: Times::Always, skip: 0 });
    }

    /// The next request of this sort goes wrong, after some.
    pub(crate) fn arm_once(&self, fault: Fault, on: On, skip: u32) {
        self.bench.proxy.arm(Armed { fault, on, times: Times::Once, skip });
    }

    /// One request of this sort goes wrong, after some, and so does whatever repeats it.
    pub(crate) fn arm_same(&self, fault: Fault, on: On, skip: u32) {
        self.bench.proxy.arm(Armed { fault, on, times: Times::Same(None), skip });
    }

    pub(crate) fn disarm(&self) {
        self.bench.proxy.disarm();
    }
}

/// Kinds in the order in which rules prefer them: those with records of their own first.
const PREFERRED: &[Kind] =
    &[Kind::Product, Kind::Category, Kind::Customer, Kind::Stock, Kind::Price, Kind::Order, Kind::Shipment];

/// Everything, up to now.
pub(crate) fn everything() -> Scope {
    Scope::Changed { since: None, until: jiff::Timestamp::now() }
}

/// Makes the table entry of a rule.
macro_rules! rule {
    ($group:ident, $name:literal, $demands:literal, $run:path) => {
        $crate::rule::Rule {
            name: $name,
            group: $crate::rule::Group::$group,
            demands: $demands,
            run: |trial| Box::pin($run(trial)),
        }
    };
}
pub(crate) use rule;
