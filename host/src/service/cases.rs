//! Calls that went wrong, kept in the data folder so that an operator can hand one to the developer of the connector.
//! Other people's data is replaced before anything is written; number, bytes and age are bounded.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Service, ServiceError};
use crate::ledger::LedgerError;
use crate::ledger::run::{Direction, Run, RunState};
use crate::model::{Kind, Outcome, RecordId, RunId};
use crate::runtime::case::{Bundle, Keep, sha256};
use crate::runtime::witness::{Input, Returned, Seen, Witness};

/// Cases that wait to be written; more are dropped.
const WAITING: usize = 16;
/// The same failure is kept once in this time.
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// Failures that are remembered for that.
const REMEMBERED: usize = 500;
/// A call may begin and end a little outside of its run's times.
const LEEWAY: SignedDuration = SignedDuration::from_secs(1);
/// What stands for the call as a whole instead of a record.
pub const CALL: &str = "call";

/// The folder `cases` of a data folder, and the way into it.
pub struct Cases {
    folder: PathBuf,
    keep: Arc<RwLock<Keep>>,
    queue: mpsc::Sender<Bundle>,
    /// When a failure was kept last, by what makes it the same.
    lately: Mutex<HashMap<String, Instant>>,
}

impl Cases {
    /// Opens the folder, making it. `connectors` is where the bytes of builds are. Needs a tokio runtime.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn open(folder: &Path, connectors: &Path, keep: Keep) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        sweep(folder)?;
        prune(folder, &keep, Timestamp::now())?;
        let keep = Arc::new(RwLock::new(keep));
        let (queue, mut waiting) = mpsc::channel::<Bundle>(WAITING);
        let (to, connectors, limits) = (folder.to_owned(), connectors.to_owned(), keep.clone());
        tokio::spawn(async move {
            while let Some(bundle) = waiting.recv().await {
                let keep = limits.read().unwrap_or_else(PoisonError::into_inner).clone();
                let (to, connectors) = (to.clone(), connectors.clone());
                let written = tokio::task::spawn_blocking(move || write(&to, &connectors, bundle, &keep)).await;
                if let Err(error) = written.unwrap_or_else(|error| Err(io::Error::other(error))) {
                    tracing::warn!(%error, "a call that went wrong could not be kept");
                }
            }
        });
        Ok(Self { folder: folder.to_owned(), keep, queue, lately: Mutex::default() })
    }

    /// Bounds from now on.
    pub(super) fn set_keep(&self, keep: Keep) {
        *self.keep.write().unwrap_or_else(PoisonError::into_inner) = keep;
        self.tidy();
    }

    /// Removes what is too old or too much, in the background.
    pub(super) fn tidy(&self) {
        let (folder, keep) = (self.folder.clone(), self.keep.read().unwrap_or_else(PoisonError::into_inner).clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = prune(&folder, &keep, Timestamp::now()) {
                tracing::warn!(%error, "old cases could not be removed");
            }
        });
    }

    /// Whether any are kept.
    pub(super) fn wanted(&self) -> bool {
        self.keep.read().unwrap_or_else(PoisonError::into_inner).count > 0
    }

    /// Whether this failure was not kept lately.
    fn is_new(&self, what: &str) -> bool {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.len() >= REMEMBERED {
            lately.retain(|_, at| at.elapsed() < AGAIN);
        }
        if lately.get(what).is_some_and(|at| at.elapsed() < AGAIN) || lately.len() >= REMEMBERED {
            return false;
        }
        lately.insert(what.to_owned(), Instant::now());
        true
    }
}

impl Witness for Cases {
    fn seen(&self, call: Seen<'_>) {
        if !call.went_wrong() || !self.wanted() {
            return;
        }
        let said = match &call.result {
            Err(error) => error.to_string(),
            Ok(Returned::Page(page)) => page.unreadable.first().map(|one| one.why.clone()).unwrap_or_default(),
            Ok(_) => {
                let failed = call.settled.iter().find_map(|(_, outcome)| match outcome {
                    Outcome::Failed(error) => Some(error.to_string()),
                    _ => None,
                });
                failed.unwrap_or_default()
            }
        };
        let kind = call.input.kind().map_or("", Kind::as_str);
        let failure = format!("{} {} {kind} {said}", call.platform, call.input.function());
        if !self.is_new(&failure) {
            return;
        }
        match Bundle::of(&call) {
            Ok(bundle) => {
                if self.queue.try_send(bundle).is_err() {
                    self.lately.lock().unwrap_or_else(PoisonError::into_inner).remove(&failure);
                    tracing::warn!(platform = %call.platform, "a call that went wrong is not kept: others wait for the disk");
                }
            }
            Err(error) => {
                tracing::error!(%error, "a call that went wrong cannot be kept");
            }
        }
    }
}

fn write(folder: &Path, connectors: &Path, mut bundle: Bundle, keep: &Keep) -> io::Result<()> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    bundle.component.sha256 =
        fs::read(connectors.join(format!("{}.wasm", bundle.component.blake3))).ok().map(|bytes| sha256(&bytes));
    let bundle = bundle.redacted(key).map_err(io::Error::other)?;
    let bytes = serde_json::to_vec_pretty(&bundle).map_err(io::Error::other)?;
    let name = format!("{:020}-{}-{}.json", bundle.at.as_microsecond(), bundle.platform, bundle.call.function());
    let temp = folder.join(format!(".{name}.tmp"));
    if bytes.len() as u64 <= keep.bytes {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temp)?;
        file.write_all(&bytes)?;
        fs::rename(&temp, folder.join(name))?;
    }
    prune(folder, keep, Timestamp::now())
}

/// Removes what a writing that was cut off has left.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') && name.rsplit('.').next() == Some("tmp") {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes the oldest beyond the bounds. The newest of each platform go before the second newest of any, so that one where much
/// goes wrong leaves room for the others.
fn prune(folder: &Path, keep: &Keep, now: Timestamp) -> io::Result<()> {
    let mut kept = 0_u64;
    let (mut count, mut files) = (0, listed(folder)?);
    files.sort_by_key(|file| Reverse(file.0));
    let mut seen: HashMap<String, usize> = HashMap::new();
    let rank = |(began, path): (Timestamp, PathBuf)| {
        let newer = seen.entry(platform(&path)).or_default();
        *newer += 1;
        (*newer, began, path)
    };
    let mut files: Vec<(usize, Timestamp, PathBuf)> = files.into_iter().map(rank).collect();
    files.sort_by_key(|(newer, began, _)| (*newer, Reverse(*began)));
    let oldest = now - SignedDuration::from_hours(24 * i64::from(keep.days));
    for (_, began, path) in files {
        let size = fs::metadata(&path).map(|meta| meta.len()).unwrap_or_default();
        if count >= keep.count || kept + size > keep.bytes || (keep.days > 0 && began < oldest) {
            fs::remove_file(&path)?;
        } else {
            (count, kept) = (count + 1, kept + size);
        }
    }
    Ok(())
}

/// The platform that a case's file is named after: `TIME-PLATFORM-FUNCTION.json`.
fn platform(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let rest = name.split_once('-').map_or("", |(_, rest)| rest);
    rest.rsplit_once('-').map_or("", |(platform, _)| platform).to_owned()
}

/// Cases with when they began.
fn listed(folder: &Path) -> io::Result<Vec<(Timestamp, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let began = path
            .file_name()
            .and_then(|name| name.to_str())
            .filter(|name| name.ends_with(".json"))
            .and_then(|name| name.split('-').next()?.parse().ok())
            .and_then(|micros| Timestamp::from_microsecond(micros).ok());
        files.extend(began.map(|began| (began, path)));
    }
    Ok(files)
}

/// Whether a run makes such calls. Runs of other kinds and the other direction go on at the same time.
fn is_part(direction: Direction, kind: Kind, call: &Input) -> bool {
    let sends = matches!(call, Input::Push { .. } | Input::Remove { .. });
    let reads = matches!(call, Input::Pull { .. } | Input::Acknowledge { .. });
    let fits = match direction {
        Direction::Push | Direction::Settle | Direction::Backfill => !reads,
        Direction::Pull | Direction::Sweep | Direction::Onboard => !sends,
    };
    // What happens to an order is sent with the orders.
    let of_order = |other| kind == Kind::Order && other == Kind::OrderEvent;
    fits && call.kind().is_none_or(|other| other == kind || of_order(other))
}

/// The newest case of a platform and of such calls within a time that has to do with one of the names; one in which just that
/// went wrong goes first.
fn find(
    folder: &Path,
    platform: &str,
    (from, to): (Timestamp, Timestamp),
    is_part: impl Fn(&Bundle) -> bool,
    names: Option<&[String]>,
) -> io::Result<Option<Bundle>> {
    let mut files = listed(folder)?;
    files.retain(|(began, _)| (from..=to).contains(began));
    files.sort_by_key(|file| Reverse(file.0));
    let mut second = None;
    for (_, path) in files {
        let Ok(bundle) =
            fs::File::open(&path).map_err(Into::into).and_then(|file| Bundle::read(io::BufReader::new(file)))
        else {
            continue;
        };
        if bundle.platform.as_str() != platform || !is_part(&bundle) {
            continue;
        }
        let Some(names) = names else { return Ok(Some(bundle)) };
        if names.iter().any(|name| bundle.blames(name)) {
            return Ok(Some(bundle));
        }
        if second.is_none() && names.iter().any(|name| bundle.mentions(name)) {
            second = Some(bundle);
        }
    }
    Ok(second)
}

impl Service {
    /// The kept call of a run that went wrong with a record: a number of a record, the id of an object over there, the
    /// key of a write, or [`CALL`] for the newest call that failed.
    ///
    /// # Errors
    /// There is no such run, or nothing was kept.
    pub async fn case(&self, run: RunId, record: &str) -> Result<Bundle, ServiceError> {
        let wanted = record.to_owned();
        let read = move |view: &crate::ledger::View<'_>| {
            let run = view.run(run)?;
            let platform = view.platform(run.platform)?;
            let mut names = vec![wanted.clone()];
            if let Ok(id) = wanted.parse().map(RecordId) {
                let intents = view.intents_of(id)?.into_iter().filter(|intent| intent.platform == run.platform);
                names.extend(intents.map(|intent| intent.idem_key));
                let links = view.links_of(id)?.into_iter().filter(|link| link.platform == run.platform);
                names.extend(links.map(|link| link.remote.id));
            }
            Ok::<_, LedgerError>((run, platform.code, names))
        };
        let (run, code, names) = self.ledger().read(read).await?;
        let Run { id, direction, kind, state, started_at, ended_at, .. } = run;
        let now = self.clock().now();
        let window = (started_at.unwrap_or(now) - LEEWAY, ended_at.unwrap_or(now) + LEEWAY);
        let folder = self.inner.cases.folder.clone();
        let whole = record == CALL;
        let search = move || {
            // A check is of no kind. One that went wrong ends a run; a run that ended well had none.
            let checked = |case: &Bundle| case.call.kind().is_some() || state != RunState::Done;
            let is_part = |case: &Bundle| is_part(direction, kind, &case.call) && checked(case);
            find(&folder, code.as_str(), window, is_part, (!whole).then_some(names.as_slice()))
        };
        let found = tokio::task::spawn_blocking(search).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        found.map_err(|error| ServiceError::refused(format!("the kept cases cannot be read: {error}")))?.ok_or_else(|| {
            ServiceError::refused(format!(
                "nothing was kept of run {id} about `{record}`; kept are calls that failed or refused something, within the \
                 bounds of `[cases]` in the configuration; `tradepost run show {id}` shows what went wrong, and `{CALL}` \
                 instead of a record takes the newest call that failed"
            ))
        })
    }

    pub(super) fn cases(&self) -> &Cases {
        &self.inner.cases
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::description::Removal;

    #[test]
    fn a_run_makes_calls_of_its_kind_and_direction() {
        let check = Input::Check;
        let read = |kind| Input::Acknowledge { kind, receipt: String::new() };
        let sent = |kind| Input::Remove { kind, items: Vec::new(), how: Removal::Delete };
        let find = |kind| Input::Find { kind, probes: Vec::new() };
        for direction in [Direction::Pull, Direction::Sweep, Direction::Onboard] {
            assert!(is_part(direction, Kind::Order, &read(Kind::Order)) && is_part(direction, Kind::Order, &check));
            assert!(!is_part(direction, Kind::Order, &sent(Kind::Order)), "{direction:?}");
            assert!(!is_part(direction, Kind::Order, &read(Kind::Product)), "{direction:?}");
        }
        for direction in [Direction::Push, Direction::Settle, Direction::Backfill] {
            assert!(is_part(direction, Kind::Order, &sent(Kind::OrderEvent)), "{direction:?}");
            assert!(is_part(direction, Kind::Order, &find(Kind::Order)) && is_part(direction, Kind::Order, &check));
            assert!(!is_part(direction, Kind::Order, &read(Kind::Order)), "{direction:?}");
        }
    }

    #[test]
    fn the_oldest_go_beyond_the_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-29T00:00:00Z".parse().unwrap();
        let put = |hours: i64| {
            let began = (now - SignedDuration::from_hours(hours)).as_microsecond();
            fs::write(folder.path().join(format!("{began:020}-shop-push.json")), vec![b'x'; 100]).unwrap();
        };
        let left = |keep: &Keep| {
            prune(folder.path(), keep, now).unwrap();
            listed(folder.path()).unwrap().len()
        };
        for hours in [1, 2, 3, 30, 50] {
            put(hours);
        }
        assert_eq!(left(&Keep { count: 10, bytes: 1_000, days: 2 }), 4, "age");
        assert_eq!(left(&Keep { count: 10, bytes: 350, days: 0 }), 3, "bytes");
        assert_eq!(left(&Keep { count: 1, bytes: 1_000, days: 0 }), 1, "number");
        let newest = listed(folder.path()).unwrap()[0].0;
        assert_eq!(newest, now - SignedDuration::from_hours(1));
        assert_eq!(left(&Keep { count: 0, bytes: 1_000, days: 0 }), 0, "none are wanted");
        for hours in [1, 2, 3, 4] {
            put(hours);
        }
        let quiet = folder
            .path()
            .join(format!("{:020}-my-erp-pull.json", (now - SignedDuration::from_hours(9)).as_microsecond()));
        fs::write(&quiet, "x").unwrap();
        assert_eq!(left(&Keep { count: 3, bytes: 1_000, days: 0 }), 3);
        assert!(quiet.exists(), "one platform where much goes wrong leaves room for another");
        fs::write(folder.path().join(".half.json.tmp"), "").unwrap();
        assert_eq!(left(&Keep { count: 0, bytes: 1_000, days: 0 }), 0);
        sweep(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "what was cut off is gone");
    }
}
