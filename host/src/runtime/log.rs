//! What a connector says: lines of its own log, stdout and stderr. All of it is foreign text, so it is escaped and
//! limited before it reaches a terminal or a journal.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use super::limits::{Limit, Limits};
use crate::model::PlatformCode;

/// Longest line, in bytes; the rest is cut.
const LINE: usize = 8 << 10;
/// Lines of stdout and stderr that are kept to explain a trap.
const TAIL: usize = 5;

/// Severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The log of one call; clones write to the same one.
#[derive(Clone)]
pub(super) struct Log {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    platform: String,
    connector: String,
    limits: Arc<Limits>,
    rate: LineRate,
    tail: Vec<String>,
}

/// How many lines a platform wrote in the current second; its calls share it.
#[derive(Debug, Clone, Default)]
pub(super) struct LineRate(Arc<Mutex<Second>>);

#[derive(Debug, Default)]
struct Second {
    began: Option<Instant>,
    lines: u64,
    dropped: u64,
}

/// Whether a line may be written.
enum Admission {
    /// Yes; so many were dropped in the second before.
    Granted { dropped: u64 },
    /// No; the first such line of a second is worth a word.
    Denied { first: bool },
}

impl LineRate {
    fn admit(&self, most: u64, now: Instant) -> Admission {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = second.began.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1));
        let dropped = if over { std::mem::take(&mut *second).dropped } else { 0 };
        if over {
            second.began = Some(now);
        }
        if second.lines >= most {
            second.dropped += 1;
            return Admission::Denied { first: second.dropped == 1 };
        }
        second.lines += 1;
        Admission::Granted { dropped }
    }
}

impl Log {
    pub(super) fn new(platform: Option<&PlatformCode>, connector: &str, limits: &Arc<Limits>, rate: LineRate) -> Self {
        let platform = platform.map_or("-", PlatformCode::as_str).to_owned();
        let inner = Inner { platform, connector: connector.to_owned(), limits: limits.clone(), rate, tail: Vec::new() };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// One line, escaped and cut; dropped when the platform has written too many in this second.
    pub(super) fn line(&self, level: Level, message: &str, fields: &[(String, String)]) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (platform, connector) = (inner.platform.as_str(), inner.connector.as_str());
        let limit = Limit::LogLines.exceeded(&inner.limits);
        match inner.rate.admit(limit.value, Instant::now()) {
            Admission::Granted { dropped: 0 } => {}
            Admission::Granted { dropped } => {
                tracing::warn!(target: "connector", platform, connector, dropped, "log lines were dropped");
            }
            Admission::Denied { first } => {
                if first {
                    tracing::warn!(target: "connector", platform, connector, %limit, "further log lines are dropped");
                }
                return;
            }
        }
        let mut text = escaped(message);
        for (name, value) in fields {
            let _ = write!(text, " {}={}", escaped(name), escaped(value));
            if text.len() > LINE {
                break;
            }
        }
        cut(&mut text);
        match level {
            Level::Debug => tracing::debug!(target: "connector", platform, connector, "{text}"),
            Level::Info => tracing::info!(target: "connector", platform, connector, "{text}"),
            Level::Warn => tracing::warn!(target: "connector", platform, connector, "{text}"),
            Level::Error => tracing::error!(target: "connector", platform, connector, "{text}"),
        }
    }

    /// A line of stdout or stderr.
    fn stdio(&self, line: &str) {
        if line.is_empty() {
            return;
        }
        self.line(Level::Debug, line, &[]);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.tail.len() == TAIL {
            inner.tail.remove(0);
        }
        let mut text = escaped(line);
        text.truncate(text.floor_char_boundary(500));
        inner.tail.push(text);
    }

    /// The last lines of stdout and stderr, where a panic says what it was.
    pub(super) fn tail(&self) -> Vec<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).tail.clone()
    }

    /// A stream for stdout or stderr.
    pub(super) fn stream(&self) -> Lines {
        Lines { log: self.clone(), line: Arc::default() }
    }
}

/// Whether a character acts on a terminal, hides, or turns the reading direction. In foreign text it is shown by its number.
#[must_use]
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Foreign text on one line, with nothing in it that is [`hidden`].
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(LINE));
    for c in text.chars() {
        match c {
            '\t' => safe.push(' '),
            c if hidden(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
        if safe.len() > LINE {
            break;
        }
    }
    safe
}

fn cut(text: &mut String) {
    if text.len() > LINE {
        text.truncate(text.floor_char_boundary(LINE - 3));
        text.push('…');
    }
}

/// Stdout or stderr of an instance, taken apart into lines.
#[derive(Clone)]
pub(super) struct Lines {
    log: Log,
    line: Arc<Mutex<Vec<u8>>>,
}

impl Lines {
    fn take(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if *byte == b'\n' {
                self.log.stdio(&String::from_utf8_lossy(&line));
                line.clear();
            } else if line.len() < LINE {
                line.push(*byte);
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // The last line may have no end; the last of all clones writes it.
        if Arc::strong_count(&self.line) == 1 {
            let line = std::mem::take(&mut *self.line.lock().unwrap_or_else(PoisonError::into_inner));
            self.log.stdio(&String::from_utf8_lossy(&line));
        }
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Lines {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_act_on_a_terminal_or_forge_a_line() {
        assert_eq!(escaped("grün\tok"), "grün ok");
        assert_eq!(escaped("a\u{1b}[31mb\r\nERROR forged"), "a\\u{1b}[31mb\\u{d}\\u{a}ERROR forged");
        assert_eq!(escaped("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
        for turns in ["\u{2066}", "\u{200b}", "\u{feff}", "\u{e0041}"] {
            assert!(!escaped(turns).contains(turns), "{turns:?}");
        }
        assert!(escaped(&"x".repeat(100_000)).len() <= LINE + 1);
    }

    #[test]
    fn stdio_is_taken_apart_into_lines_and_its_end_is_kept() {
        let log = Log::new(None, "test", &Arc::default(), LineRate::default());
        let stream = log.stream();
        stream.take(b"one\ntw");
        stream.take(b"o\nthree");
        assert_eq!(log.tail(), ["one", "two"]);
        drop(stream);
        assert_eq!(log.tail(), ["one", "two", "three"]);
    }

    #[test]
    fn a_platform_cannot_flood_the_log() {
        let (rate, begin) = (LineRate::default(), Instant::now());
        let granted = |at: Duration| matches!(rate.admit(3, begin + at), Admission::Granted { .. });
        // Two calls of one platform share the second.
        let written = (0..1000).filter(|_| granted(Duration::from_millis(500))).count();
        assert_eq!(written, 3);
        let next = rate.admit(3, begin + Duration::from_millis(1600));
        assert!(matches!(next, Admission::Granted { dropped: 997 }), "what was dropped is told");
    }
}
