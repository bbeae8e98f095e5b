//! Moments at which a debug build can be told to be killed, for the tests that prove that nothing is lost or doubled then.
//!
//! `TRADEPOST_CRASH=sent:3` kills the process when it comes to the point `sent` for the third time. A release build has
//! neither the points nor the variable.

/// A moment between two things that have to be done, or not done, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// What is about to be sent is durable, and nothing has left.
    IntentWritten,
    /// A request that changes something was answered, or a file lies in the exchange folder; the connector does not know.
    Sent,
    /// The connector said what became of an item, and it is not written down.
    Answered,
    /// What was read, or became of an item, is written down.
    Committed,
    /// The platform was told what is durable, and that it was told is not written down.
    Acknowledged,
    /// A component is being compiled.
    Compiling,
    /// A new build is about to serve.
    Swapping,
    /// The ledger's tables are about to be made or changed.
    Migrating,
    /// Part of a backup is copied.
    BackingUp,
}

impl Point {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::IntentWritten,
        Self::Sent,
        Self::Answered,
        Self::Committed,
        Self::Acknowledged,
        Self::Compiling,
        Self::Swapping,
        Self::Migrating,
        Self::BackingUp,
    ];

    /// As `TRADEPOST_CRASH` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IntentWritten => "intent-written",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Committed => "committed",
            Self::Acknowledged => "acknowledged",
            Self::Compiling => "compiling",
            Self::Swapping => "swapping",
            Self::Migrating => "migrating",
            Self::BackingUp => "backing-up",
        }
    }
}

/// Says that the program has come to a point.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn point(_: Point) {}

/// Says that the program has come to a point; it is killed here if it was told so.
#[cfg(debug_assertions)]
pub(crate) fn point(point: Point) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ASKED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let asked = std::env::var("TRADEPOST_CRASH").ok()?;
        let (name, nth) = asked.split_once(':').unwrap_or((&asked, "1"));
        Some((name.to_owned(), nth.parse().ok()?))
    });
    static PASSED: AtomicU64 = AtomicU64::new(0);

    let Some((name, nth)) = &*ASKED else { return };
    if name == point.as_str() && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
            .expect("a process may end itself");
        // Nothing more of this thread happens until the signal has arrived.
        loop {
            std::thread::park();
        }
    }
}
