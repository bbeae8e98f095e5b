//! Identities: references, links, heads, parts.

use crate::head::{Head, Op, Part, PartKind};
use crate::outcomes::{Outcome, Written};
use crate::target::Found;
use crate::types::{Field, Link, RemoteRef};

/// ```
/// use tradepost_sdk::types::RemoteRef;
///
/// let variant = RemoteRef::new("71").below("7").version("W/\"3\"");
/// assert_eq!((variant.id.as_str(), variant.parent.as_deref()), ("71", Some("7")));
/// assert_eq!(RemoteRef::from(7u64).id, "7");
/// ```
impl RemoteRef {
    /// The platform's id of something.
    #[must_use]
    pub fn new(id: impl ToString) -> Self {
        Self { id: id.to_string(), parent: None, version: None }
    }

    /// Its owner, where it is only reachable below that.
    #[must_use]
    pub fn below(mut self, parent: impl ToString) -> Self {
        self.parent = Some(parent.to_string());
        self
    }

    /// Its version or ETag.
    #[must_use]
    pub fn version(mut self, version: impl ToString) -> Self {
        self.version = Some(version.to_string());
        self
    }
}

macro_rules! reference {
    ($($id:ty)*) => {$(
        impl From<$id> for RemoteRef {
            fn from(id: $id) -> Self {
                Self::new(id)
            }
        }
    )*};
}

reference!(&str String &String i32 i64 u32 u64);

/// ```
/// use tradepost_sdk::types::Link;
///
/// assert_eq!(Link::new(7, "POT").id.as_deref(), Some("7"));
/// assert!(Link::by_key("POT").id.is_none());
/// ```
impl Link {
    /// Another record, by its id on this platform and its natural key.
    #[must_use]
    pub fn new(id: impl ToString, key: impl Into<String>) -> Self {
        Self { id: Some(id.to_string()), key: key.into() }
    }

    /// Another record, by its natural key alone.
    #[must_use]
    pub fn by_key(key: impl Into<String>) -> Self {
        Self { id: None, key: key.into() }
    }
}

/// ```
/// use tradepost_sdk::types::Field;
///
/// assert_eq!(Field::new("gift", "yes").value, "yes");
/// ```
impl Field {
    /// A named value.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// ```
/// use tradepost_sdk::head::{Op, Part, Head, PartKind};
///
/// let head = Head::read("7").marked(Some("T-1".into())).part(Part::new(PartKind::Variant, "POT", 71));
/// assert_eq!((head.op, head.parts[0].id.as_str()), (Op::Read, "71"));
/// ```
impl Head {
    /// A record that was read.
    #[must_use]
    pub fn read(remote: impl Into<RemoteRef>) -> Self {
        Self {
            op: Op::Read,
            item: String::new(),
            marker: None,
            remote: Some(remote.into()),
            parts: Vec::new(),
            updated: None,
        }
    }

    /// With the marker that the object carries.
    #[must_use]
    pub fn marked(mut self, marker: Option<String>) -> Self {
        self.marker = marker;
        self
    }

    /// With a part that is worth remembering.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }
}

/// ```
/// use tradepost_sdk::head::{Part, PartKind};
///
/// assert_eq!(Part::new(PartKind::Line, "1", 99).id, "99");
/// ```
impl Part {
    /// A part with our key and its id on the platform.
    #[must_use]
    pub fn new(what: PartKind, key: impl Into<String>, id: impl ToString) -> Self {
        Self { what, key: key.into(), id: id.to_string() }
    }
}

/// ```
/// use tradepost_sdk::outcomes::{Outcome, Written};
///
/// let Outcome::Done(written) = Outcome::done("7") else { panic!() };
/// assert_eq!(written, Written::new("7"));
/// ```
impl Outcome {
    /// The object exists under this reference and all is written.
    #[must_use]
    pub fn done(remote: impl Into<RemoteRef>) -> Self {
        Self::Done(Written::new(remote))
    }

    /// The object exists under this reference, but steps are missing.
    #[must_use]
    pub fn partial(remote: impl Into<RemoteRef>) -> Self {
        Self::Partial(Written::new(remote))
    }
}

/// ```
/// use tradepost_sdk::head::{Part, PartKind};
/// use tradepost_sdk::outcomes::Written;
///
/// let written = Written::new("7").parts(vec![Part::new(PartKind::Line, "1", 99)]).total("119.00");
/// assert_eq!(written.total.as_deref(), Some("119.00"));
/// ```
impl Written {
    /// An object over there.
    #[must_use]
    pub fn new(remote: impl Into<RemoteRef>) -> Self {
        Self { remote: remote.into(), parts: Vec::new(), total: None, warnings: Vec::new() }
    }

    /// With the ids of its parts.
    #[must_use]
    pub fn parts(mut self, parts: Vec<Part>) -> Self {
        self.parts = parts;
        self
    }

    /// With the total that the platform computed, tax included.
    #[must_use]
    pub fn total(mut self, total: impl ToString) -> Self {
        self.total = Some(total.to_string());
        self
    }
}

/// ```
/// use tradepost_sdk::target::Found;
///
/// assert!(Found::new("7").whole);
/// assert!(!Found::new("7").cut_off().whole);
/// ```
impl Found {
    /// A match that is complete.
    #[must_use]
    pub fn new(remote: impl Into<RemoteRef>) -> Self {
        Self { remote: remote.into(), marker: None, whole: true, parts: Vec::new() }
    }

    /// With the marker that it carries.
    #[must_use]
    pub fn marked(mut self, marker: Option<String>) -> Self {
        self.marker = marker;
        self
    }

    /// Its creation was cut off.
    #[must_use]
    pub fn cut_off(mut self) -> Self {
        self.whole = false;
        self
    }
}
