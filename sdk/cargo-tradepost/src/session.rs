//! Sessions: what a connector read of a platform, kept as a tape that is repeated without the platform.
//!
//! A tape says what it takes to repeat it in the field `session` of its first line: settings, the time that the connector
//! saw, and what came of it. Secrets are never on one, and other people's data is replaced by stand-ins before it is
//! written, the same ones everywhere.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tradepost::model::description::Account;
use tradepost::model::{CallError, Kind, PullRequest, Scope};
use tradepost::runtime::Build;
use tradepost::runtime::tape::redact::Redactor;
use tradepost::runtime::tape::{self, Exchange, Request, Tape};
use tradepost::runtime::workbench::{BenchPlatform, Setup, Workbench};

use crate::failure::Hinted;
use crate::output::{escape, line, note};
use crate::project::Project;

/// Folder of a project whose tapes `cargo tradepost test` repeats.
pub const FOLDER: &str = "tapes";

/// Field of the first line.
const FIELD: &str = "session";

/// Pages of each kind, where a tape says nothing of them.
pub const PAGES: usize = 20;

/// A tape with what has to be known to repeat it.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Absent on tapes that `record` did not write.
    pub head: Option<Head>,
    /// Requests with their answers.
    pub exchanges: Vec<Exchange>,
}

/// How a session was made, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Head {
    /// Id of the connector.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// The time that the connector saw.
    pub at: Timestamp,
    /// Settings that were entered. Secrets are none.
    pub settings: Value,
    /// Most pages per kind.
    pub pages: usize,
    /// What was read, in this order.
    pub read: Vec<Reading>,
}

/// What reading a kind came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reading {
    /// Kind of record.
    pub kind: Kind,
    /// Records.
    pub records: usize,
    /// Records that the connector could not read.
    #[serde(default)]
    pub unreadable: usize,
    /// There was more than the pages that were read.
    #[serde(default)]
    pub more: bool,
    /// A call failed.
    #[serde(default)]
    pub failed: bool,
}

impl Reading {
    /// Everything was read and understood.
    #[must_use]
    pub fn whole(&self) -> bool {
        !self.failed && !self.more && self.unreadable == 0
    }

    fn words(&self) -> String {
        let Self { kind, records, unreadable, more, .. } = self;
        let unreadable = if *unreadable > 0 { format!(", {unreadable} that cannot be read") } else { String::new() };
        let more = if *more { ", and more on further pages" } else { "" };
        format!("{kind}: {records} records{unreadable}{more}")
    }
}

impl Session {
    /// Reads a tape.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let bytes = fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
        if bytes.starts_with(b"\0asm") {
            let hint = "name a file that `cargo tradepost record` wrote; the project's component is built for it";
            return Err(Hinted::new(format!("{shown} is a component, no tape"), hint).into());
        }
        let mut text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{shown} is no tape: it is no text"))?;
        let mut head = None;
        let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).map(str::to_owned);
        if let Some(first) = first
            && let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(&first)
            && let Some(said) = fields.remove(FIELD)
        {
            head = Some(serde_json::from_value(said).with_context(|| format!("{shown} is a tape of another version"))?);
            text = text.replacen(&first, &Value::Object(fields).to_string(), 1);
        }
        let exchanges = tape::read(text.as_bytes()).with_context(|| format!("{shown} is no tape"))?;
        Ok(Self { head, exchanges })
    }

    /// Writes a tape that only its owner reads. Nothing is overwritten.
    ///
    /// # Errors
    /// A file is there already, or the disk refuses.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        tape::write(&mut bytes, &self.exchanges)?;
        if let Some(head) = &self.head {
            let text = String::from_utf8(bytes)?;
            let (first, rest) = text.split_once('\n').context("a session has an exchange")?;
            let mut fields: Map<String, Value> = serde_json::from_str(first)?;
            fields.insert(FIELD.to_owned(), serde_json::to_value(head)?);
            bytes = format!("{}\n{rest}", Value::Object(fields)).into_bytes();
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = match File::options().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(taken(path)),
            made => made.with_context(|| format!("{} cannot be written", path.display()))?,
        };
        file.write_all(&bytes).with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// A tape that is there is not overwritten: it may not be had again.
///
/// # Errors
/// There is a file of this name.
pub fn is_free(path: &Path) -> anyhow::Result<()> {
    if path.exists() { Err(taken(path)) } else { Ok(()) }
}

fn taken(path: &Path) -> anyhow::Error {
    let title = format!("{} is there already", path.display());
    Hinted::new(title, "name another file, or take this one away first").into()
}

/// The kinds to read: those that were named, else all that can be read.
///
/// # Errors
/// The connector does not read one that was named.
pub fn kinds(build: &Build, named: &[Kind]) -> anyhow::Result<Vec<Kind>> {
    let readable = build.description().abilities.iter().filter(|ability| ability.reading.is_some());
    let readable: Vec<Kind> = readable.map(|ability| ability.kind).collect();
    if let Some(unknown) = named.iter().find(|kind| !readable.contains(kind)) {
        let all: Vec<String> = readable.iter().map(ToString::to_string).collect();
        let hint = format!("it reads {}", if all.is_empty() { "nothing".to_owned() } else { all.join(", ") });
        return Err(Hinted::new(format!("the connector does not read `{unknown}`"), hint).into());
    }
    Ok(readable.into_iter().filter(|kind| named.is_empty() || named.contains(kind)).collect())
}

/// Checks the account of a platform and reads these kinds, so many pages of each at most; says what came. What is
/// returned has stand-ins for other people's data.
///
/// # Errors
/// The settings do not fit, the account cannot be used, or no request was sent.
pub async fn record(
    bench: &Workbench,
    build: &Arc<Build>,
    setup: Setup,
    kinds: &[Kind],
    pages: usize,
) -> anyhow::Result<Session> {
    let (at, settings) = (Timestamp::now(), setup.settings.clone());
    // Its clock stands still, as it does when the tape is repeated: a request may name the time.
    let platform = bench.platform(build, Setup { preview: true, loopback: true, now: Some(at), ..setup })?;
    let checked = platform.check().await;
    let mut exchanges = checked.exchanges;
    let account = checked.result.map_err(|error| anyhow::anyhow!("the platform cannot be used: {error}"))?;
    note(account_words(&account));
    let mut texts = vec![settings.to_string(), serde_json::to_string(&account)?];
    let mut read = Vec::new();
    for kind in kinds {
        let all = read_kind(&platform, *kind, pages).await;
        exchanges.extend(all.exchanges);
        texts.extend(all.pages);
        note(all.reading.words());
        all.told.iter().for_each(note);
        read.push(all.reading);
    }
    ensure!(!exchanges.is_empty(), "the connector sent no request, so that there is nothing to record");
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("this machine gives no random numbers: {error}"))?;
    let mut redactor = Redactor::new(key);
    redactor.learn(&exchanges);
    for text in &texts {
        redactor.learn_text(text);
    }
    let description = build.description();
    let head = Head {
        connector: description.id.clone(),
        version: description.version.clone(),
        at,
        settings: redactor.json(&settings),
        pages,
        read,
    };
    Ok(Session { head: Some(head), exchanges: redactor.exchanges(&exchanges) })
}

/// What one kind came to.
struct Read {
    reading: Reading,
    exchanges: Vec<Exchange>,
    /// What the connector made of it, as JSON.
    pages: Vec<String>,
    /// What went wrong.
    told: Vec<String>,
}

async fn read_kind(platform: &BenchPlatform, kind: Kind, pages: usize) -> Read {
    let reading = Reading { kind, records: 0, unreadable: 0, more: false, failed: false };
    let mut all = Read { reading, exchanges: Vec::new(), pages: Vec::new(), told: Vec::new() };
    let mut cursor = None;
    for _ in 0..pages {
        let until = "2999-01-01T00:00:00Z".parse().expect("a time by its rule");
        let scope = Scope::Changed { since: None, until };
        let ended = platform.pull(PullRequest { kind, scope, cursor, limit: 100 }).await;
        all.exchanges.extend(ended.exchanges);
        let page = match ended.result {
            Ok(page) => page,
            Err(error) => {
                all.reading.failed = true;
                all.told.push(failed(kind, &error));
                return all;
            }
        };
        all.pages.extend(serde_json::to_string(&page));
        all.reading.records += page.records.len();
        all.reading.unreadable += page.unreadable.len();
        for one in &page.unreadable {
            let id = one.id.as_deref().unwrap_or("one without an id");
            all.told.push(format!("{kind}: {} cannot be read: {}", escape(id), escape(&one.why)));
        }
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
    all.reading.more = true;
    all
}

fn failed(kind: Kind, error: &CallError) -> String {
    format!("{kind}: {}", escape(&error.to_string()))
}

fn account_words(account: &Account) -> String {
    format!("account {} ({})", escape(&account.name), escape(&account.id))
}

/// How a session is repeated: as its tape says, where nothing else is said here.
#[derive(Debug, Default)]
pub struct Ask {
    /// Settings in place of the tape's.
    pub settings: Map<String, Value>,
    /// Only these kinds.
    pub kinds: Vec<Kind>,
    /// Most pages per kind.
    pub pages: Option<usize>,
}

/// Repeats a session with a component and says what came of it. True: nothing failed, everything that was asked for is on
/// the tape, and as many records came as when it was recorded.
///
/// # Errors
/// The settings do not fit, or a kind was named that the connector does not read.
pub async fn repeat(session: &Session, bench: &Workbench, build: &Arc<Build>, ask: &Ask) -> anyhow::Result<bool> {
    let description = build.description();
    let mut fine = true;
    let mut wrong = |words: String| {
        fine = false;
        line(words);
    };
    let head = session.head.as_ref();
    if let Some(Head { connector, version, .. }) = head
        && (connector, version) != (&description.id, &description.version)
    {
        let (theirs, ours) = (escape(&format!("{connector} {version}")), &description.id);
        note(format!("the tape is of {theirs}, the component is {ours} {}", description.version));
    }
    let mut settings = head.and_then(|head| head.settings.as_object().cloned()).unwrap_or_default();
    settings.extend(ask.settings.clone());
    // Any value does: no secret leaves over a tape.
    let stand_in = |name: &str, field: &&str| (format!("{name}/{field}"), "replayed secret".to_owned());
    let credentials = description.credentials.iter();
    let secrets = credentials.flat_map(|one| one.scheme.fields().iter().map(|field| stand_in(&one.name, field)));
    let tape = Arc::new(Tape::new(session.exchanges.clone()));
    let setup = Setup {
        settings: Value::Object(settings),
        secrets: secrets.collect(),
        preview: true,
        loopback: true,
        wire: Some(tape.clone()),
        now: head.map(|head| head.at),
        ..Setup::default()
    };
    let platform = bench.platform(build, setup)?;
    match platform.check().await.result {
        Ok(account) => note(account_words(&account)),
        Err(error) => wrong(format!("check: {}", escape(&error.to_string()))),
    }
    let recorded: Vec<Kind> = head.iter().flat_map(|head| head.read.iter().map(|reading| reading.kind)).collect();
    let named = if ask.kinds.is_empty() { &recorded } else { &ask.kinds };
    let pages = ask.pages.or(head.map(|head| head.pages)).unwrap_or(PAGES);
    for kind in kinds(build, named)? {
        let Read { reading, told, .. } = read_kind(&platform, kind, pages).await;
        line(reading.words());
        told.iter().for_each(line);
        let then = head.and_then(|head| head.read.iter().find(|then| then.kind == kind));
        let as_many =
            then.is_none_or(|then| then.failed || head.is_some_and(|head| head.pages != pages) || *then == reading);
        if reading.failed {
            wrong(format!("{kind}: a call failed"));
        } else if let Some(then) = then.filter(|_| !as_many) {
            wrong(format!("when it was recorded: {}", then.words()));
        }
    }
    unplayed(&tape, session, &mut wrong);
    Ok(fine)
}

/// Says what was asked for in vain, and what nobody asked for.
fn unplayed(tape: &Tape, session: &Session, wrong: &mut impl FnMut(String)) {
    let shown = |request: &Request| escape(&format!("{} {}", request.method, request.url));
    // The host asks again where no answer came.
    let unmatched: BTreeSet<String> = tape.unmatched().iter().map(shown).collect();
    for request in unmatched {
        wrong(format!("not on the tape: {request}"));
    }
    let unused = tape.unused();
    for exchange in &unused {
        note(format!("not asked for: {}", shown(&exchange.request)));
    }
    if unused.len() == session.exchanges.len() {
        wrong("nothing on the tape was asked for: it is of another connector, or of another platform".to_owned());
    }
}

/// Scheme, host and port of the first request: where a tape was recorded.
#[must_use]
pub fn address(session: &Session) -> String {
    let first = session.exchanges.first().and_then(|exchange| reqwest::Url::parse(&exchange.request.url).ok());
    first.map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// Copies a tape into a project, where `cargo tradepost test` repeats it from then on.
///
/// # Errors
/// There is one of this name already, or the disk refuses.
pub fn keep(project: &Project, path: &Path) -> anyhow::Result<PathBuf> {
    let session = Session::read(path)?;
    ensure!(session.head.is_some(), "{} was not written by `record`: how it is repeated is not known", path.display());
    let to = project.folder.join(FOLDER).join(path.file_name().context("a tape has a name")?).with_extension("jsonl");
    session.write(&to)?;
    Ok(to)
}

/// Repeats all tapes of a project that `record` wrote; the names of those that are not served as they were.
///
/// # Errors
/// A file of the folder is no tape, or cannot be repeated.
pub async fn all(project: &Project, bench: &Workbench, component: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut loaded = None;
    for path in project.files(FOLDER, "jsonl")? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let session = Session::read(&path)?;
        if session.head.is_none() {
            note(format!("tape {name}: not written by `record`, left to the project's own tests"));
            continue;
        }
        line(format!("tape {name}"));
        let build = match &loaded {
            Some(build) => build,
            None => loaded.insert(bench.load(component).await?),
        };
        if !repeat(&session, bench, build, &Ask::default()).await? {
            wrong.push(name);
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn session() -> Session {
        let lines = r#"{"request":{"method":"GET","url":"https://shop.example/a"},"response":{"status":200,"body":"[]"}}
{"request":{"method":"GET","url":"https://shop.example/b"},"response":{"status":200,"body":"[]"}}"#;
        let reading = Reading { kind: Kind::Order, records: 2, unreadable: 1, more: true, failed: false };
        let head = Head {
            connector: "org.example.shop".into(),
            version: "0.1.0".into(),
            at: "2026-11-30T00:00:00Z".parse().unwrap(),
            settings: serde_json::json!({ "url": "https://shop.example" }),
            pages: 1,
            read: vec![reading],
        };
        Session { head: Some(head), exchanges: tape::read(lines.as_bytes()).unwrap() }
    }

    #[test]
    fn a_tape_is_read_as_it_was_written_and_is_its_owners() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tapes/all.jsonl");
        is_free(&path).unwrap();
        session().write(&path).unwrap();
        assert_eq!(Session::read(&path).unwrap(), session());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let plain = Session { head: None, ..session() };
        plain.write(&root.path().join("plain.jsonl")).unwrap();
        assert_eq!(Session::read(&root.path().join("plain.jsonl")).unwrap(), plain);
        assert_eq!(address(&plain), "https://shop.example");
    }

    #[test]
    fn a_tape_is_not_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("all.jsonl");
        fs::write(&path, "another").unwrap();
        for refused in [is_free(&path).unwrap_err(), session().write(&path).unwrap_err()] {
            assert!(refused.to_string().contains("is there already"), "{refused}");
            assert!(crate::failure::hint(&refused).unwrap().contains("another file"));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "another");
    }

    #[test]
    fn what_is_no_tape_is_named() {
        let root = tempfile::tempdir().unwrap();
        let said = |bytes: &[u8]| {
            let path = root.path().join("x");
            fs::write(&path, bytes).unwrap();
            crate::failure::sentence(&Session::read(&path).unwrap_err())
        };
        assert!(said(b"\0asm\x0d\0\x01\0").ends_with("x is a component, no tape"));
        assert!(said(b"\xff\xfe").ends_with("x is no tape: it is no text"));
        let other = said(b"{\"request\":{\"method\":\"GET\",\"url\":\"a\"},\"session\":{\"from\":\"the future\"}}");
        assert!(other.contains("a tape of another version") && other.contains("from"), "{other}");
    }

    #[test]
    fn what_was_not_read_is_told() {
        let reading = session().head.unwrap().read.remove(0);
        assert!(!reading.whole());
        assert_eq!(reading.words(), "order: 2 records, 1 that cannot be read, and more on further pages");
    }
}
