//! Lists in pages: where a reading goes on, as a cursor that a later build and a fresh instance can read.
//!
//! Each kind of paging is a value that is resumed from the request, says what to ask the platform for, and gives the next
//! cursor:
//!
//! ```
//! use tradepost_sdk::prelude::*;
//! use tradepost_sdk::paging::PageNumber;
//! # use tradepost_sdk::testing::{FakeHost, Reply};
//! # #[derive(serde::Deserialize)]
//! # struct Row { id: u64 }
//! # struct Shop { api: Http }
//!
//! # impl Shop {
//! fn pull(&self, request: &PullRequest) -> Result<Page, Error> {
//!     let at = PageNumber::resume(request, 100)?;
//!     let rows: Vec<Box<Raw>> = self.api.get("/products").query("page", at.number).query("per_page", at.size).read()?;
//!     let next = at.next(rows.len());
//!     Ok(Page::read(rows, |row: Row| Ok(Product::read(row.id)))?.next(next))
//! }
//! # }
//! # let host = FakeHost::new().http(|request| Ok(Reply::json(&match request.url.contains("page=1&") {
//! #     true => vec![serde_json::json!({"id": 1}); 100],
//! #     false => vec![serde_json::json!({"id": 2})],
//! # })));
//! # let shop = Shop { api: Http::new("https://shop.example") };
//! # let first = host.run(|| shop.pull(&PullRequest::all(Kind::Product))).unwrap();
//! # assert_eq!(first.records[0].len(), 100);
//! # let second = host.run(|| shop.pull(&PullRequest::all(Kind::Product).after(first.next))).unwrap();
//! # assert_eq!((second.records[0].len(), second.next), (1, None));
//! ```
//!
//! | platform | |
//! |---|---|
//! | `page=3&per_page=100` | [`PageNumber`] |
//! | `offset=200&limit=100` | [`Offset`] |
//! | `next_token` in the answer | [`Token`] |
//! | `Link: <..>; rel="next"` | [`LinkHeader`] |
//! | hands out batches until they are confirmed | [`Batch`] |
//! | anything else | a type of your own with [`resume`] and [`cursor`] |
//!
//! Rows that vanish between two pages move the others: a list by page number or offset then passes over some. Read it in
//! the order of a field that never changes, or by a token, where the platform lets you.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::source::{Page, PullRequest};
use crate::types::Error;
use crate::{Http, Request, Response};

/// Most bytes of a cursor.
const MOST: usize = 4096;

/// Where the reading goes on, as a type of the connector's own; its default at the beginning.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::paging;
///
/// #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct After { id: u64 }
///
/// let first: After = paging::resume(&PullRequest::all(Kind::Order)).unwrap();
/// assert_eq!(first, After { id: 0 });
/// let next = paging::cursor(&After { id: 7 }).unwrap();
/// let second: After = paging::resume(&PullRequest::all(Kind::Order).after(Some(next))).unwrap();
/// assert_eq!(second.id, 7);
/// ```
///
/// # Errors
/// `bug`: the cursor is of another type. Raise `storage_version` in the description when the type changes.
pub fn resume<C: DeserializeOwned + Default>(request: &PullRequest) -> Result<C, Error> {
    let Some(text) = &request.cursor else { return Ok(C::default()) };
    serde_json::from_slice(text.as_bytes()).map_err(|error| Error::Bug(format!("unreadable cursor `{text}`: {error}")))
}

/// The cursor of a type of the connector's own.
///
/// ```
/// assert_eq!(tradepost_sdk::paging::cursor(&("orders", 7)).unwrap(), r#"["orders",7]"#);
/// assert!(tradepost_sdk::paging::cursor(&"x".repeat(5000)).is_err());
/// ```
///
/// # Errors
/// `bug`: it is no JSON, or has more than 4 KiB.
pub fn cursor(position: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string(position).map_err(|error| Error::Bug(format!("no cursor: {error}")))?;
    if text.len() > MOST {
        return Err(Error::Bug(format!("a cursor has at most {MOST} bytes, this one has {}", text.len())));
    }
    Ok(text)
}

fn size(request: &PullRequest, most: u32) -> u32 {
    request.limit.clamp(1, most.max(1))
}

/// Pages that are counted.
///
/// The size belongs to the cursor: another one in the middle would move the borders of the pages.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::paging::PageNumber;
///
/// let request = PullRequest::all(Kind::Order);
/// let first = PageNumber::resume(&request, 100).unwrap();
/// assert_eq!((first.number, first.size), (1, 100));
/// let second = PageNumber::resume(&request.clone().limit(7).after(first.next(100)), 50).unwrap();
/// assert_eq!((second.number, second.size), (2, 100));
/// assert_eq!(second.next(99), None, "a page that is not full is the last");
/// assert!(second.next_of(Some(3)).is_some() && second.next_of(Some(2)).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageNumber {
    /// From 1.
    pub number: u32,
    /// Rows per page.
    pub size: u32,
}

impl PageNumber {
    /// The page to read, with at most so many rows.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn resume(request: &PullRequest, most: u32) -> Result<Self, Error> {
        let found: Option<Self> = resume(request)?;
        Ok(found.unwrap_or_else(|| Self { number: 1, size: size(request, most) }))
    }

    /// The cursor after a page with so many rows.
    #[must_use]
    pub fn next(self, rows: usize) -> Option<String> {
        self.next_if(rows >= self.size as usize)
    }

    /// The cursor after a page where the platform tells how many pages there are.
    #[must_use]
    pub fn next_of(self, pages: Option<u32>) -> Option<String> {
        self.next_if(pages.is_some_and(|pages| self.number < pages))
    }

    /// The cursor after a page where the platform tells whether there is more.
    #[must_use]
    pub fn next_if(self, more: bool) -> Option<String> {
        more.then(|| number_cursor(&Self { number: self.number + 1, ..self }))
    }
}

/// The cursor of plain numbers.
fn number_cursor(position: &impl Serialize) -> String {
    serde_json::to_string(position).expect("numbers are JSON")
}

/// Pages by the number of rows before them.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::paging::Offset;
///
/// let request = PullRequest::all(Kind::Order).limit(50);
/// let first = Offset::resume(&request, 100).unwrap();
/// assert_eq!((first.offset, first.size), (0, 50));
/// let second = Offset::resume(&request.after(first.next(50)), 100).unwrap();
/// assert_eq!(second.offset, 50);
/// assert_eq!(second.next_of(20, Some(70)), None);
/// assert!(second.next_of(20, Some(71)).is_some(), "a short page in the middle");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// Rows before the page.
    pub offset: u64,
    /// Rows per page.
    pub size: u32,
}

impl Offset {
    /// The page to read, with at most so many rows.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn resume(request: &PullRequest, most: u32) -> Result<Self, Error> {
        let found: Option<Self> = resume(request)?;
        Ok(found.unwrap_or_else(|| Self { offset: 0, size: size(request, most) }))
    }

    /// The cursor after a page with so many rows.
    #[must_use]
    pub fn next(self, rows: usize) -> Option<String> {
        self.next_if(rows, rows >= self.size as usize)
    }

    /// The cursor after so many rows where the platform tells how many there are in all.
    #[must_use]
    pub fn next_of(self, rows: usize, total: Option<u64>) -> Option<String> {
        self.next_if(rows, rows > 0 && total.is_some_and(|total| self.offset + (rows as u64) < total))
    }

    fn next_if(self, rows: usize, more: bool) -> Option<String> {
        more.then(|| number_cursor(&Self { offset: self.offset + rows as u64, ..self }))
    }
}

/// Pages by a token that the platform gives with each.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::paging::Token;
///
/// let request = PullRequest::all(Kind::Order);
/// let first = Token::resume(&request, 250).unwrap();
/// assert_eq!((first.token.as_deref(), first.size), (None, 250));
/// let second = Token::resume(&request.after(first.next(Some("b64==")).unwrap()), 250).unwrap();
/// assert_eq!(second.token.as_deref(), Some("b64=="));
/// assert_eq!(second.next(None::<&str>).unwrap(), None);
/// assert_eq!(second.next(Some("")).unwrap(), None);
/// assert!(second.next(Some("b64==")).is_err(), "a token that leads to itself never ends");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// None for the first page.
    pub token: Option<String>,
    /// Rows per page.
    pub size: u32,
}

impl Token {
    /// The page to read, with at most so many rows.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn resume(request: &PullRequest, most: u32) -> Result<Self, Error> {
        let found: Option<Self> = resume(request)?;
        Ok(found.unwrap_or_else(|| Self { token: None, size: size(request, most) }))
    }

    /// The cursor after a page with this token in its answer.
    ///
    /// # Errors
    /// `bug`: the token is that of the page itself, or too long for a cursor.
    pub fn next(&self, token: Option<impl Into<String>>) -> Result<Option<String>, Error> {
        let token: Option<String> = token.map(Into::into).filter(|token: &String| !token.is_empty());
        if token.is_some() && token == self.token {
            return Err(Error::Bug(format!("the page after `{}` is said to be that page", token.unwrap_or_default())));
        }
        token.map(|token| cursor(&Self { token: Some(token), size: self.size })).transpose()
    }
}

/// Pages whose answers name the next one in a `Link` header.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::paging::LinkHeader;
/// use tradepost_sdk::testing::{FakeHost, Reply};
///
/// let host = FakeHost::new().http(|request| {
///     let reply = Reply::json(&[&request.url]);
///     let more = request.url.ends_with("/orders?limit=50");
///     Ok(if more { reply.header("link", "<https://a.example/orders?cursor=x>; rel=\"next\"") } else { reply })
/// });
/// let api = Http::new("https://a.example");
/// host.run(|| {
///     let request = PullRequest::all(Kind::Order);
///     let first = LinkHeader::resume(&request)?;
///     let answer = first.request(&api, || api.get("/orders").query("limit", 50)).send()?.success()?;
///     let next = first.next(&api, &answer)?;
///
///     let second = LinkHeader::resume(&request.after(next))?;
///     let answer = second.request(&api, || unreachable!("it has an address")).send()?.success()?;
///     assert_eq!(answer.response.url, "https://a.example/orders?cursor=x");
///     assert_eq!(second.next(&api, &answer)?, None);
///     Ok::<_, Error>(())
/// }).unwrap();
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkHeader {
    /// Address of the page; none for the first one.
    pub url: Option<String>,
}

impl LinkHeader {
    /// The page to read.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn resume(request: &PullRequest) -> Result<Self, Error> {
        resume(request)
    }

    /// The request for the page: the first one is yours to make.
    #[must_use]
    pub fn request(&self, api: &Http, first: impl FnOnce() -> Request) -> Request {
        self.url.as_ref().map_or_else(first, |url| api.get(url))
    }

    /// The cursor after an answer. An address of another server is no page of this one.
    ///
    /// # Errors
    /// `bug`: the address is that of the page itself, leads elsewhere, or is too long for a cursor.
    pub fn next(&self, api: &Http, answer: &Response) -> Result<Option<String>, Error> {
        let Some(url) = answer.link("next") else { return Ok(None) };
        if self.url.as_ref() == Some(&url) || url == answer.response.url {
            return Err(Error::Bug(format!("the page after {url} is said to be that page")));
        }
        if origin(&url) != origin(api.base()) {
            return Err(Error::Bug(format!("the next page is said to be elsewhere: {url}")));
        }
        cursor(&Self { url: Some(url) }).map(Some)
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    let end = url[from..].find(['/', '?', '#']).map_or(url.len(), |at| from + at);
    &url[..end]
}

/// The target of a relation in a `Link` header, as it stands there.
pub(crate) fn link(header: &str, rel: &str) -> Option<String> {
    // Commas may stand inside of addresses: a new link begins with `<`.
    header.split('<').skip(1).find_map(|part| {
        let (target, parameters) = part.split_once('>')?;
        let is_rel = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
            let value = value.trim_matches(|sign: char| sign.is_whitespace() || matches!(sign, '"' | ','));
            name.trim().eq_ignore_ascii_case("rel") && value.split_whitespace().any(|one| one.eq_ignore_ascii_case(rel))
        });
        is_rel.then(|| target.trim().to_owned())
    })
}

/// A target as an address of its own (RFC 3986, section 5.2). The crate for it would bring tables of half a megabyte into
/// each component.
pub(crate) fn absolute(base: &str, target: &str) -> String {
    let base = base.split('#').next().unwrap_or_default();
    let whole = match target {
        whole if whole.starts_with("https://") || whole.starts_with("http://") => return whole.into(),
        "" => return base.into(),
        elsewhere if elsewhere.starts_with("//") => {
            format!("{}:{elsewhere}", base.split(':').next().unwrap_or_default())
        }
        path if path.starts_with('/') => format!("{}{path}", origin(base)),
        query if query.starts_with('?') => return format!("{}{query}", base.split('?').next().unwrap_or_default()),
        relative => {
            let path = base.split('?').next().unwrap_or_default();
            let folder = path.rfind('/').filter(|at| *at >= origin(path).len()).map_or(path, |at| &path[..at]);
            format!("{folder}/{relative}")
        }
    };
    let host = origin(&whole).len();
    let end = whole[host..].find(['?', '#']).map_or(whole.len(), |at| host + at);
    format!("{}{}{}", &whole[..host], without_dots(&whole[host..end]), &whole[end..])
}

/// A path in which `.` and `..` are gone; `..` ends at the root.
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    let folder = kept.last().is_some_and(|last| !last.is_empty()) && (path.ends_with("/.") || path.ends_with("/.."));
    let root = if path.is_empty() { "" } else { "/" };
    format!("{root}{}{}", kept.join("/"), if folder { "/" } else { "" })
}

/// Batches that a platform hands out one by one, each until it is confirmed: the receipt of the page names the batch, and
/// [`Source::acknowledge`](crate::Source::acknowledge) confirms it once the page is durable.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::paging::Batch;
///
/// let request = PullRequest::all(Kind::Order);
/// let page = Batch::resume(&request).unwrap().page(Page::of(vec![Product::read("7")]), Some("b1")).unwrap();
/// assert_eq!(page.receipt.as_deref(), Some("b1"));
///
/// let second = Batch::resume(&request.after(page.next)).unwrap();
/// assert!(second.page(Page::empty(), Some("b1")).is_err(), "it was confirmed and is handed out again");
/// assert_eq!(second.page(Page::empty(), None::<&str>).unwrap().next, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    last: Option<String>,
}

impl Batch {
    /// Where the reading goes on.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn resume(request: &PullRequest) -> Result<Self, Error> {
        resume(request)
    }

    /// The page of a batch; the last one where the platform hands out none.
    ///
    /// # Errors
    /// `unavailable`: the batch before, which was confirmed, is handed out again.
    pub fn page(&self, page: Page, batch: Option<impl Into<String>>) -> Result<Page, Error> {
        let Some(batch) = batch.map(Into::into) else { return Ok(page.next(None)) };
        if self.last.as_ref() == Some(&batch) {
            return Err(Error::Unavailable(format!("the platform hands out batch {batch} again, which was confirmed")));
        }
        let next = cursor(&Self { last: Some(batch.clone()) })?;
        Ok(page.receipt(batch).next(Some(next)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_many_shapes_are_read() {
        let github = r#"<https://a.example/x?page=2,3>; rel="next", <https://a.example/x?page=9>; rel="last""#;
        assert_eq!(link(github, "next").unwrap(), "https://a.example/x?page=2,3");
        assert_eq!(link(github, "last").unwrap(), "https://a.example/x?page=9");
        assert_eq!(link("</x>; title=\"a\"; rel=\"prev next\"", "next").unwrap(), "/x");
        assert_eq!(link("<x", "next"), None);
        assert_eq!(link("", "next"), None);
    }

    #[test]
    fn targets_become_addresses() {
        let base = "https://a.example:8443/v1/orders?page=1";
        for (target, whole) in [
            ("https://b.example/x", "https://b.example/x"),
            ("/v2/x", "https://a.example:8443/v2/x"),
            ("?page=2", "https://a.example:8443/v1/orders?page=2"),
            ("more?page=2", "https://a.example:8443/v1/more?page=2"),
            ("//b.example/x", "https://b.example/x"),
            ("//b.example", "https://b.example"),
            ("../x", "https://a.example:8443/x"),
            ("../../../x?a=/../b", "https://a.example:8443/x?a=/../b"),
            ("./more/../x/.", "https://a.example:8443/v1/x/"),
            ("/v2/./x/..", "https://a.example:8443/v2/"),
            ("a//b/", "https://a.example:8443/v1/a//b/"),
            ("", "https://a.example:8443/v1/orders?page=1"),
        ] {
            assert_eq!(absolute(base, target), whole);
        }
        assert_eq!(absolute("https://a.example", "x"), "https://a.example/x");
        assert_eq!(absolute("https://a.example/v1/x#part", "y"), "https://a.example/v1/y");
    }

    #[test]
    fn a_cursor_of_another_kind_is_said_so() {
        let request = PullRequest::all(crate::records::Kind::Order).after(Some("{\"offset\":1}".into()));
        assert!(matches!(PageNumber::resume(&request, 100), Err(Error::Bug(words)) if words.contains("offset")));
    }
}
