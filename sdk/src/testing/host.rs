//! The host itself.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};

use super::memory::{Blobs, Folder, Store, piece};
use super::reply::Reply;
use super::server::Server;
use super::tape::Tape;
use super::wire::Wire;
use super::{schema, wire};
use crate::connector::Account;
use crate::files::Entry;
use crate::http;
use crate::lent::native::{self, Lender};
use crate::outcomes::Outcome;
use crate::records::{Kind, Records, Removal};
use crate::report::Level;
use crate::source::{Page, PullRequest};
use crate::target::{Doomed, Found, Probe};
use crate::types::{BlobRef, Error, Field};
use crate::{Connector, Source, Target};

/// A host in memory, for the quick loop: the connector's code runs natively, and its requests are answered by a closure, a
/// [`Tape`] or a [`Server`].
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::{FakeHost, Reply};
/// use serde_json::json;
///
/// #[derive(Settings)]
/// struct Config {
///     /// Address
///     #[setting(origin = "The shop")]
///     url: String,
/// }
///
/// struct Shop(Config);
///
/// impl Connector for Shop {
///     type Settings = Config;
///     fn describe() -> Description { Description::new("org.example.shop", "1.0.0") }
///     fn open(config: Config) -> Result<Self, Error> { Ok(Self(config)) }
///     fn check(&self) -> Result<Account, Error> {
///         let name: String = Http::new(&self.0.url).get("/name").read()?;
///         Ok(Account::new("1", name))
///     }
/// }
///
/// let host = FakeHost::new()
///     .settings(json!({"url": "https://shop.example"}))
///     .http(|request| {
///         assert_eq!(request.url, "https://shop.example/name");
///         Ok(Reply::json(&"Little Shop"))
///     });
/// assert_eq!(host.check::<Shop>().unwrap().name, "Little Shop");
///
/// let refused = host.run(|| Request::get("https://shop.example/name").header("Tradepost-Credential", "key").send());
/// assert!(matches!(refused, Err(Error::Denied(_))), "as by the real host");
/// ```
#[derive(Clone)]
pub struct FakeHost(Rc<State>);

type Answering = dyn Fn(&http::Request, Wire) -> Result<Reply, Error>;

struct State {
    settings: RefCell<Value>,
    /// With defaults, while a connector is called.
    filled: RefCell<Option<Value>>,
    preview: Cell<bool>,
    now: RefCell<String>,
    answering: RefCell<Rc<Answering>>,
    tape: RefCell<Option<Tape>>,
    sent: RefCell<Vec<http::Request>>,
    recorded: RefCell<String>,
    store: RefCell<Store>,
    blobs: RefCell<Blobs>,
    folder: RefCell<Folder>,
    logged: RefCell<Vec<String>>,
    settled: RefCell<Vec<(String, Outcome)>>,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for FakeHost {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FakeHost").field("settings", &self.0.settings.borrow()).finish_non_exhaustive()
    }
}

impl FakeHost {
    /// An empty host: no settings, nothing answers, the clock stands at 2026-11-22 12:00 UTC.
    #[must_use]
    pub fn new() -> Self {
        let nobody = |request: &http::Request, _: Wire| {
            Err(Error::Unavailable(format!("nobody answers `{} {}` in this test", request.method, request.url)))
        };
        Self(Rc::new(State {
            settings: RefCell::new(json!({})),
            filled: RefCell::default(),
            preview: Cell::new(false),
            now: RefCell::new("2026-11-22T12:00:00Z".into()),
            answering: RefCell::new(Rc::new(nobody)),
            tape: RefCell::default(),
            sent: RefCell::default(),
            recorded: RefCell::default(),
            store: RefCell::default(),
            blobs: RefCell::default(),
            folder: RefCell::default(),
            logged: RefCell::default(),
            settled: RefCell::default(),
        }))
    }

    /// What the operator entered.
    #[must_use]
    pub fn settings(self, settings: Value) -> Self {
        self.0.settings.replace(settings);
        self
    }

    /// A preview: what is not a read is refused.
    #[must_use]
    pub fn preview(self) -> Self {
        self.0.preview.set(true);
        self
    }

    /// Where the clock stands.
    #[must_use]
    pub fn now(self, now: impl ToString) -> Self {
        self.0.now.replace(now.to_string());
        self
    }

    /// A closure answers requests.
    #[must_use]
    pub fn http(self, answering: impl Fn(&http::Request) -> Result<Reply, Error> + 'static) -> Self {
        self.0.answering.replace(Rc::new(move |request, _| answering(request)));
        self
    }

    /// A recorded session answers requests.
    #[must_use]
    pub fn tape(self, tape: Tape) -> Self {
        self.0.tape.replace(Some(tape.clone()));
        self.0.answering.replace(Rc::new(move |request, wire| tape.answer(request, &wire)));
        self
    }

    /// Servers on this machine answer requests.
    #[must_use]
    pub fn server(self, server: Server) -> Self {
        self.0.answering.replace(Rc::new(move |request, wire| server.send(request, wire)));
        self
    }

    /// A file in the exchange folder.
    #[must_use]
    pub fn file(self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.folder.borrow_mut().put(path, bytes.into(), self.0.now.borrow().clone());
        self
    }

    /// Keeps bytes as a blob and gives its id.
    #[must_use]
    pub fn add_blob(&self, bytes: &[u8], media_type: &str) -> String {
        self.0.blobs.borrow_mut().put(bytes, media_type, None).id
    }

    /// Runs code that asks the host for something.
    ///
    /// ```
    /// use tradepost_sdk::{platform, testing::FakeHost};
    ///
    /// assert_eq!(FakeHost::new().run(platform::now), "2026-11-22T12:00:00Z");
    /// ```
    pub fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        let result = self.inside(code);
        self.0.store.borrow_mut().end(true);
        result
    }

    /// Runs code as one call of the host: what it stores is dropped with an error.
    ///
    /// ```
    /// use tradepost_sdk::{storage, testing::FakeHost, types::Error};
    ///
    /// let host = FakeHost::new();
    /// let failed: Result<(), Error> = host.call(|| {
    ///     storage::set("seen", b"1")?;
    ///     Err(Error::Unavailable("down".into()))
    /// });
    /// assert!(failed.is_err() && host.stored("seen").is_none());
    /// ```
    ///
    /// # Errors
    /// Those of the code.
    pub fn call<T>(&self, code: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let result = self.inside(code);
        self.0.store.borrow_mut().end(result.is_ok());
        result
    }

    /// One call of a connector, with its settings as the host would hand them over.
    fn of<C: Connector, T>(&self, ask: impl FnOnce(C) -> Result<T, Error>) -> Result<T, Error> {
        let told = crate::describe::<C>();
        let filled = schema::filled(&told.settings_schema, &self.0.settings.borrow())?;
        self.0.filled.replace(Some(filled));
        let result = self.call(|| ask(C::open(crate::settings()?)?));
        self.0.filled.replace(None);
        result
    }

    fn inside<T>(&self, code: impl FnOnce() -> T) -> T {
        let _installed = native::install(self.0.clone());
        code()
    }

    /// Calls `check`.
    ///
    /// # Errors
    /// Those of the connector.
    pub fn check<C: Connector>(&self) -> Result<Account, Error> {
        self.of(|connector: C| connector.check())
    }

    /// Calls `pull`.
    ///
    /// # Errors
    /// Those of the connector.
    pub fn pull<C: Source>(&self, request: PullRequest) -> Result<Page, Error> {
        self.of(|connector: C| connector.pull(request))
    }

    /// Pulls page after page, each with a fresh instance, and acknowledges those that want it.
    ///
    /// # Errors
    /// Those of the connector.
    ///
    /// # Panics
    /// When the reading does not end within 1,000 pages.
    pub fn pull_all<C: Source>(&self, request: PullRequest) -> Result<Vec<Page>, Error> {
        let mut pages: Vec<Page> = Vec::new();
        let mut cursor = request.cursor.clone();
        loop {
            assert!(pages.len() < 1000, "the reading does not end: it goes on at {cursor:?}");
            let page = self.pull::<C>(request.clone().after(cursor))?;
            if let Some(receipt) = &page.receipt {
                self.acknowledge::<C>(request.kind, receipt)?;
            }
            cursor = page.next.clone();
            pages.push(page);
            if cursor.is_none() {
                return Ok(pages);
            }
        }
    }

    /// Calls `acknowledge`.
    ///
    /// # Errors
    /// Those of the connector.
    pub fn acknowledge<C: Source>(&self, kind: Kind, receipt: &str) -> Result<(), Error> {
        self.of(|connector: C| connector.acknowledge(kind, receipt.into()))
    }

    /// Calls `push`; see [`outcome`](Self::outcome) for what became of the items.
    ///
    /// # Errors
    /// Those of the connector.
    pub fn push<C: Target>(&self, batch: impl Into<Records>) -> Result<(), Error> {
        let batch = batch.into();
        self.of(|connector: C| connector.push(batch))
    }

    /// Calls `remove`.
    ///
    /// # Errors
    /// Those of the connector.
    pub fn remove<C: Target>(&self, kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        self.of(|connector: C| connector.remove(kind, items, how))
    }

    /// Calls `find`.
    ///
    /// # Errors
    /// Those of the connector.
    pub fn find<C: Target>(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        self.of(|connector: C| connector.find(kind, probes))
    }

    /// The requests that left, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<http::Request> {
        self.0.sent.borrow().clone()
    }

    /// The session so far as the text of a [`Tape`]: what a server answered today answers a test without it tomorrow.
    ///
    /// ```
    /// use tradepost_sdk::testing::{FakeHost, Reply, Tape};
    /// use tradepost_sdk::Request;
    ///
    /// let host = FakeHost::new().http(|_| Ok(Reply::json(&[1, 2])));
    /// let ask = || Request::get("https://shop.example/ids").read::<Vec<u32>>();
    /// host.run(ask).unwrap();
    /// let later = FakeHost::new().tape(Tape::parse(&host.recorded()).unwrap());
    /// assert_eq!(later.run(ask).unwrap(), [1, 2]);
    /// ```
    #[must_use]
    pub fn recorded(&self) -> String {
        self.0.recorded.borrow().clone()
    }

    /// What is on the tape and was not asked for.
    #[must_use]
    pub fn unplayed(&self) -> Vec<String> {
        self.0.tape.borrow().as_ref().map(Tape::unplayed).unwrap_or_default()
    }

    /// What was logged: level, colon, message.
    #[must_use]
    pub fn logged(&self) -> Vec<String> {
        self.0.logged.borrow().clone()
    }

    /// Everything that was settled, in order.
    #[must_use]
    pub fn settled(&self) -> Vec<(String, Outcome)> {
        self.0.settled.borrow().clone()
    }

    /// The last word about an item.
    #[must_use]
    pub fn outcome(&self, item: &str) -> Option<Outcome> {
        let settled = self.0.settled.borrow();
        settled.iter().rev().find(|(of, _)| of == item).map(|(_, outcome)| outcome.clone())
    }

    /// A durable value of the storage.
    #[must_use]
    pub fn stored(&self, key: &str) -> Option<Vec<u8>> {
        self.0.store.borrow().durable(key).cloned()
    }

    /// The bytes of a file.
    #[must_use]
    pub fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        self.0.folder.borrow().bytes(path).ok().map(Into::into)
    }
}

impl State {
    fn fence(&self, what: &str) -> Result<(), Error> {
        if self.preview.get() { Err(Error::Denied(format!("a preview writes nothing: {what}"))) } else { Ok(()) }
    }
}

impl Lender for State {
    fn settings(&self) -> String {
        self.filled.borrow().as_ref().unwrap_or(&self.settings.borrow()).to_string()
    }

    fn preview(&self) -> bool {
        self.preview.get()
    }

    fn now(&self) -> String {
        self.now.borrow().clone()
    }

    fn send(&self, request: &http::Request) -> Result<http::Response, Error> {
        let read = match request.repeat {
            http::Repeat::Safe => true,
            http::Repeat::Never => false,
            http::Repeat::ByMethod => matches!(request.method.as_str(), "GET" | "HEAD"),
        };
        if !read {
            self.fence(&format!("{} {}", request.method, request.url))?;
        }
        let for_the_host = |header: &&Field| header.name.to_ascii_lowercase().starts_with("tradepost-");
        if let Some(header) = request.headers.iter().find(for_the_host) {
            return Err(Error::Denied(format!(
                "the header `{}` is not sent: a request has the methods `credential`, `rate`, `safe` and `once` for the host",
                header.name
            )));
        }
        self.sent.borrow_mut().push(request.clone());
        let blob = |id: &str| self.blobs.borrow().bytes(id).map(Into::into);
        let (body, sent) = (wire::body(request, &blob)?, wire::body(request, &blob)?);
        let answering = self.answering.borrow().clone();
        let response = answering(request, body)?.response(&request.url);
        if let http::Answer::Bytes(answer) = &response.body {
            let line = Tape::line(request, &sent.body, &response, answer);
            self.recorded.borrow_mut().push_str(&(line + "\n"));
        }
        Ok(if request.to_blob { self.as_blob(response) } else { response })
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.store.borrow_mut().set(key, value)
    }

    fn set_now(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.store.borrow_mut().set_now(key, value)
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        self.store.borrow_mut().remove(key);
        Ok(())
    }

    fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error> {
        Ok(self.store.borrow().keys(prefix, after, limit))
    }

    fn put(&self, bytes: &[u8], media_type: &str, name: Option<&str>) -> Result<BlobRef, Error> {
        Ok(self.blobs.borrow_mut().put(bytes, media_type, name))
    }

    fn read_blob(&self, id: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
        Ok(piece(self.blobs.borrow().bytes(id)?, offset, length))
    }

    fn entries(&self, folder: &str) -> Result<Vec<Entry>, Error> {
        Ok(self.folder.borrow().entries(folder))
    }

    fn read_file(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
        Ok(piece(self.folder.borrow().bytes(path)?, offset, length))
    }

    fn to_blob(&self, path: &str, media_type: &str) -> Result<BlobRef, Error> {
        let name = path.rsplit('/').next();
        Ok(self.blobs.borrow_mut().put(self.folder.borrow().bytes(path)?, media_type, name))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.fence(path)?;
        self.folder.borrow_mut().put(path, bytes.into(), self.now());
        Ok(())
    }

    fn write_blob(&self, path: &str, id: &str) -> Result<(), Error> {
        let bytes = self.blobs.borrow().bytes(id)?.to_vec();
        self.write(path, &bytes)
    }

    fn rename(&self, path: &str, target: &str) -> Result<(), Error> {
        self.folder.borrow_mut().rename(path, target)
    }

    fn log(&self, level: Level, message: &str, fields: &[Field]) {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        let fields: String = fields.iter().map(|field| format!(" {}={}", field.name, field.value)).collect();
        self.logged.borrow_mut().push(format!("{level}: {message}{fields}"));
    }

    fn progress(&self, _done: u64, _total: Option<u64>, _current: &str) {}

    fn settle(&self, item: &str, outcome: &Outcome) {
        self.settled.borrow_mut().push((item.into(), outcome.clone()));
    }
}

impl State {
    /// The answer with its body kept outside.
    fn as_blob(&self, response: http::Response) -> http::Response {
        let http::Answer::Bytes(bytes) = &response.body else { return response };
        let media_type = response.headers.iter().find(|header| header.name == "content-type");
        let media_type = media_type.map_or("application/octet-stream", |header| header.value.as_str());
        let blob = self.blobs.borrow_mut().put(bytes, media_type, None);
        http::Response { body: http::Answer::Blob(blob), ..response }
    }
}
