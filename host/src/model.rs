//! Plain values that every other module speaks in: identities, kinds, facets, records, outcomes, policies. No I/O.

pub mod call;
pub mod catalog;
pub mod description;
pub mod facet;
pub mod id;
pub mod kind;
pub mod outcome;
pub mod policy;
pub mod record;
pub mod sales;

pub use call::{
    CallError, Called, Doomed, Found, Page, Present, Probe, PullRequest, Scope, StorageWrite, Turn, Unreadable,
};
pub use facet::{Canonical, FacetKey, FacetPattern, Facets, Hash};
pub use id::{EventId, IntentId, LinkId, PlatformCode, PlatformId, RecordId, Rev, RunId};
pub use kind::{Kind, RecordKind};
pub use outcome::{Issue, Outcome, RemoteError, Written};
pub use record::{Key, KeyType, Link, Op, Part, PartKind, Record, RemoteRef, VariantRecord};
