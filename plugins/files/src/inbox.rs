//! Which file is what, in which order they are read, and where they go afterwards.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tradepost_sdk::files::Entry;
use tradepost_sdk::records::Kind;
use tradepost_sdk::report::Level;
use tradepost_sdk::types::Error;

use crate::host::Folder;

pub(crate) const INBOX: &str = "inbox";
pub(crate) const OUTBOX: &str = "outbox";
pub(crate) const DONE: &str = "done";
pub(crate) const FAILED: &str = "failed";

/// Cursors and receipts hold names and are at most 4 KiB.
const NAME: usize = 200;
/// Most bytes of a receipt.
const RECEIPT: usize = 3_000;

/// What a file consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

/// From the end of a file's name.
pub(crate) fn format(name: &str) -> Option<Format> {
    match name.rsplit_once('.')?.1.to_lowercase().as_str() {
        "csv" | "txt" => Some(Format::Csv),
        "json" | "jsonl" | "ndjson" => Some(Format::Json),
        _ => None,
    }
}

/// The files of a kind, oldest first: the order of names is the order of time. `aloud`: say what is left lying.
pub(crate) fn files(folder: &Folder<'_>, kind: Kind, aloud: bool) -> Result<Vec<Entry>, Error> {
    let mut entries = folder.host.entries(INBOX)?;
    entries.retain(|entry| !entry.folder);
    if aloud {
        for entry in &entries {
            if let Some(why) = left_lying(folder, &entry.name) {
                folder.host.log(Level::Warn, &format!("`{}` is left in the inbox: {why}", entry.name));
            }
        }
    }
    entries
        .retain(|entry| left_lying(folder, &entry.name).is_none() && folder.setup.kind_of(&entry.name) == Some(kind));
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Why a file is not read by any kind.
pub(crate) fn left_lying(folder: &Folder<'_>, name: &str) -> Option<&'static str> {
    if name.len() > NAME || name.chars().any(char::is_control) {
        Some("its name is longer than 200 bytes or has control characters in it")
    } else if folder.setup.kind_of(name).is_none() {
        Some("its name fits the pattern of no kind; rename it or change the settings")
    } else if format(name).is_none() {
        Some("it is not called .csv, .txt, .json, .jsonl or .ndjson")
    } else {
        None
    }
}

/// Whether nobody has written to it for the time of the settings.
pub(crate) fn at_rest(folder: &Folder<'_>, entry: &Entry) -> bool {
    let (Ok(now), Ok(modified)) = (folder.host.now().parse::<Timestamp>(), entry.modified.parse::<Timestamp>()) else {
        return true;
    };
    let age = now.duration_since(modified).as_secs();
    // A time in the future says that clocks differ, not that somebody is writing.
    age < 0 || age >= i64::from(folder.setup.settings.settle_seconds)
}

/// A file that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finished {
    #[serde(rename = "n")]
    pub(crate) name: String,
    #[serde(rename = "s")]
    pub(crate) size: u64,
    #[serde(rename = "m")]
    pub(crate) modified: String,
    /// It could not be read at all.
    #[serde(rename = "f", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) failed: bool,
    /// Goes between stem and ending of the name, where the name is taken.
    #[serde(rename = "x", default, skip_serializing_if = "String::is_empty")]
    pub(crate) suffix: String,
}

impl Finished {
    /// The name it gets is decided here, so that an acknowledgement that is repeated names the same.
    pub(crate) fn new(folder: &Folder<'_>, entry: &Entry, failed: bool) -> Result<Self, Error> {
        let Entry { name, size, modified, .. } = entry.clone();
        let mut finished = Self { name, size, modified, failed, suffix: String::new() };
        let stamp = stamp(&finished.modified);
        for n in 1..1_000 {
            if !folder.is_there(&finished.target())? {
                return Ok(finished);
            }
            finished.suffix = if n == 1 { format!("~{stamp}") } else { format!("~{stamp}-{n}") };
        }
        Err(Error::Denied(format!("`{}` is taken in `{DONE}` under every suffix; clear that folder", finished.name)))
    }

    fn target(&self) -> String {
        let folder = if self.failed { FAILED } else { DONE };
        format!("{folder}/{}", with_suffix(&self.name, &self.suffix))
    }
}

/// `stock.csv` and `~2` is `stock~2.csv`.
pub(crate) fn with_suffix(name: &str, suffix: &str) -> String {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}{suffix}.{end}")
}

/// A time that fits into a name.
pub(crate) fn stamp(modified: &str) -> String {
    let seconds = modified.parse::<Timestamp>().map(|at| at.strftime("%Y%m%dT%H%M%SZ").to_string());
    seconds.unwrap_or_else(|_| modified.chars().filter(char::is_ascii_alphanumeric).collect())
}

/// Whether one more name fits into the receipt.
pub(crate) fn is_full(finished: &[Finished]) -> bool {
    let sizes = finished.iter().map(|file| file.name.len() * 2 + file.suffix.len() + 80);
    sizes.sum::<usize>() + 2 * NAME + 120 > RECEIPT
}

/// The receipt for files that were read; nothing where none was read to its end.
pub(crate) fn receipt(finished: &[Finished]) -> Option<String> {
    (!finished.is_empty()).then(|| serde_json::to_string(finished).expect("strings and numbers are JSON"))
}

/// What was read is durable: moves the files out of the inbox. Repeating it changes nothing.
pub(crate) fn acknowledge(folder: &Folder<'_>, receipt: &str) -> Result<(), Error> {
    let finished: Vec<Finished> = serde_json::from_str(receipt)
        .map_err(|error| Error::Bug(format!("a receipt that this connector did not write ({error}): {receipt}")))?;
    let inbox = folder.host.entries(INBOX)?;
    for file in finished {
        let target = file.target();
        match inbox.iter().find(|entry| entry.name == file.name) {
            Some(entry) if entry.size != file.size || entry.modified != file.modified => {
                folder.host.log(Level::Info, &format!("`{}` was replaced meanwhile and is read again", file.name));
                continue;
            }
            Some(_) => {}
            // Moved before, or taken away by somebody: what it said is durable.
            None => continue,
        }
        match folder.host.rename(&format!("{INBOX}/{}", file.name), &target) {
            Ok(()) | Err(Error::NotFound(_)) => {}
            // The name was taken since; the file is read again and gets another one.
            Err(Error::Conflict(_)) => {
                folder.host.log(Level::Warn, &format!("`{target}` is already there; `{}` is read again", file.name));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
