//! Pages, and what asks for them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue as Raw;

use crate::records::{Deletion, Kind, Present, Record, Records, Unreadable};
use crate::source::{Page, PullRequest, Scope, Window};
use crate::types::{Error, Issue, RemoteRef};

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let mut page = Page::of(vec![Product::read("7")]).next(Some("2".into()));
/// page.gone("8");
/// page.unreadable(Some("9".into()), "{\"id\":9}", "the product has no name");
/// assert_eq!((page.deleted.len(), page.unreadable.len(), page.next.as_deref()), (1, 1, Some("2")));
/// ```
impl Page {
    /// Nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            records: Vec::new(),
            deleted: Vec::new(),
            unreadable: Vec::new(),
            present: Vec::new(),
            next: None,
            watermark: None,
            receipt: None,
            total: None,
        }
    }

    /// These records, and no page after them.
    #[must_use]
    pub fn of(records: impl Into<Records>) -> Self {
        Self { records: vec![records.into()], ..Self::empty() }
    }

    /// What each row of the platform's JSON is as a record. A row that cannot be read is handed over raw with the reason
    /// and stops no other.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Row { id: u64, name: String }
    ///
    /// let rows: Vec<Box<Raw>> = serde_json::from_str(r#"[{"id": 1, "name": "Tea pot"}, {"id": 2}]"#).unwrap();
    /// let page = Page::read(rows, |row: Row| Ok(Product::read(row.id).text("en", row.name))).unwrap();
    /// assert_eq!(page.records[0].len(), 1);
    /// assert_eq!(page.unreadable[0].id.as_deref(), Some("2"));
    /// assert!(page.unreadable[0].why.starts_with("missing field `name`"));
    /// ```
    ///
    /// # Errors
    /// Those that concern more than the row: all but `rejected` and `bug`.
    pub fn read<Row: DeserializeOwned, R: Record>(
        rows: Vec<Box<Raw>>,
        mut convert: impl FnMut(Row) -> Result<R, Error>,
    ) -> Result<Self, Error> {
        let mut page = Self::empty();
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let read = serde_json::from_slice(row.get().as_bytes()).map_err(|error| Error::Bug(error.to_string()));
            match read.and_then(&mut convert) {
                Ok(record) => records.push(record),
                Err(error) => page.unread(id_of(&row), row.get(), error)?,
            }
        }
        page.records.push(records.into());
        Ok(page)
    }

    /// Where to go on; nothing at the end.
    #[must_use]
    pub fn next(mut self, cursor: Option<String>) -> Self {
        self.next = cursor;
        self
    }

    /// Up to which time of the platform everything has been seen once the reading is complete.
    #[must_use]
    pub fn watermark(mut self, at: impl ToString) -> Self {
        self.watermark = Some(at.to_string());
        self
    }

    /// To be acknowledged once the page is durable.
    #[must_use]
    pub fn receipt(mut self, receipt: impl Into<String>) -> Self {
        self.receipt = Some(receipt.into());
        self
    }

    /// How many records there are in all.
    #[must_use]
    pub fn total(mut self, records: u64) -> Self {
        self.total = Some(records);
        self
    }

    /// Adds a record that is gone from the platform.
    pub fn gone(&mut self, remote: impl Into<RemoteRef>) {
        self.deleted.push(Deletion { remote: remote.into(), at: None });
    }

    /// Adds a record that is there.
    pub fn present(&mut self, remote: impl Into<RemoteRef>, key: Option<String>) {
        self.present.push(Present { remote: remote.into(), marker: None, key });
    }

    /// Adds something that could not be read.
    pub fn unreadable(&mut self, id: Option<String>, raw: impl Into<String>, why: impl Into<String>) {
        self.unreadable.push(Unreadable { id, raw: raw.into(), why: why.into() });
    }

    /// Adds something that could not be read, for the reason in an error.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    ///
    /// let mut page = Page::empty();
    /// page.unread(Some("7".into()), "{}", invalid("name", "It has no name.")).unwrap();
    /// assert_eq!(page.unreadable[0].why, "It has no name.");
    /// let down = page.unread(Some("8".into()), "{}", Error::Unavailable("down".into()));
    /// assert!(down.is_err());
    /// ```
    ///
    /// # Errors
    /// The same one where it concerns more than this record: all but `rejected` and `bug`.
    pub fn unread(&mut self, id: Option<String>, raw: impl Into<String>, error: Error) -> Result<(), Error> {
        let why = match error {
            Error::Rejected(issues) => {
                issues.into_iter().map(|Issue { message, .. }| message).collect::<Vec<_>>().join(" ")
            }
            Error::Bug(words) => words,
            other => return Err(other),
        };
        self.unreadable(id, raw, why);
        Ok(())
    }
}

/// ```
/// use tradepost_sdk::prelude::*;
///
/// let request = PullRequest::changed(Kind::Order, "2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z").limit(10);
/// let Scope::Changed(window) = &request.scope else { panic!() };
/// assert_eq!(window.since.as_deref(), Some("2026-11-22T08:00:00Z"));
/// assert_eq!(request.after(Some("2".into())).cursor.as_deref(), Some("2"));
/// ```
impl PullRequest {
    /// Everything of a kind up to now: for tests.
    #[must_use]
    pub fn all(kind: Kind) -> Self {
        let window = Window { since: None, until: "2099-01-01T00:00:00Z".into() };
        Self { kind, scope: Scope::Changed(window), cursor: None, limit: 500 }
    }

    /// What has changed in a time: for tests.
    #[must_use]
    pub fn changed(kind: Kind, since: impl ToString, until: impl ToString) -> Self {
        let window = Window { since: Some(since.to_string()), until: until.to_string() };
        Self { scope: Scope::Changed(window), ..Self::all(kind) }
    }

    /// Just these ids: for tests.
    #[must_use]
    pub fn ids<T: ToString>(kind: Kind, ids: impl IntoIterator<Item = T>) -> Self {
        let ids = ids.into_iter().map(|id| id.to_string()).collect();
        Self { scope: Scope::Ids(ids), ..Self::all(kind) }
    }

    /// The ids of all there is: for tests.
    #[must_use]
    pub fn present(kind: Kind) -> Self {
        Self { scope: Scope::Present, ..Self::all(kind) }
    }

    /// So many records are wanted.
    #[must_use]
    pub fn limit(mut self, records: u32) -> Self {
        self.limit = records;
        self
    }

    /// Goes on at a cursor.
    #[must_use]
    pub fn after(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }
}

/// The `id` of a row, where it has one that is a text or a number.
fn id_of(row: &Raw) -> Option<String> {
    #[derive(Deserialize)]
    struct Id {
        id: Value,
    }
    match serde_json::from_slice::<Id>(row.get().as_bytes()).ok()?.id {
        Value::String(id) => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
