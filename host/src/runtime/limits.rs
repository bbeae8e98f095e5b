//! What a call may use up. Every limit has a default that fits a page of 1,000 records, and an error that names it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits of the calls of one platform: table `[limits]` of the configuration. Sizes are bytes, times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory and tables, summed over the whole instance. 256 MiB.
    pub memory: u64,
    /// Time the connector's own code may compute in one call. 30 s.
    pub cpu_seconds: u64,
    /// Time one call may take, waiting for the platform included. 600 s.
    pub call_seconds: u64,
    /// Bytes that may cross from the sandbox to the host in one call of a host function or one result. 32 MiB.
    pub message: u64,
    /// Records, deletions and the rest of one page. 10,000.
    pub page_items: u64,
    /// Time one HTTP request may take. 60 s.
    pub http_seconds: u64,
    /// Decompressed bytes of one HTTP answer that goes into the sandbox. 16 MiB.
    pub http_answer: u64,
    /// Bytes of one blob, fetched or written. 256 MiB.
    pub blob: u64,
    /// Bytes of all stored keys and values of one platform. 64 MiB.
    pub storage: u64,
    /// Bytes of one file of the exchange folder. 256 MiB.
    pub file: u64,
    /// Log lines of one call, reported ones and those on stdout and stderr together. 10,000.
    pub log_lines: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            memory: 256 * MIB,
            cpu_seconds: 30,
            call_seconds: 600,
            message: 32 * MIB,
            page_items: 10_000,
            http_seconds: 60,
            http_answer: 16 * MIB,
            blob: 256 * MIB,
            storage: 64 * MIB,
            file: 256 * MIB,
            log_lines: 10_000,
        }
    }
}

impl Limits {
    /// Time the connector's own code may compute in one call.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        Duration::from_secs(self.cpu_seconds)
    }

    /// Time one call may take.
    #[must_use]
    pub fn call(&self) -> Duration {
        Duration::from_secs(self.call_seconds)
    }

    /// Time one HTTP request may take.
    #[must_use]
    pub fn http(&self) -> Duration {
        Duration::from_secs(self.http_seconds)
    }
}

/// A limit was reached. Its text names the limit, its value and the line of the configuration that changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct Exceeded {
    /// Key in the table `[limits]`.
    pub limit: Limit,
    /// Its value.
    pub value: u64,
}

/// Name of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::cpu_seconds`].
    Cpu,
    /// [`Limits::call_seconds`].
    Call,
    /// [`Limits::message`].
    Message,
    /// [`Limits::page_items`].
    PageItems,
    /// [`Limits::http_seconds`].
    Http,
    /// [`Limits::http_answer`].
    HttpAnswer,
    /// [`Limits::blob`].
    Blob,
    /// [`Limits::storage`].
    Storage,
    /// [`Limits::file`].
    File,
}

impl Limit {
    /// Key in the table `[limits]` of the configuration.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu-seconds",
            Self::Call => "call-seconds",
            Self::Message => "message",
            Self::PageItems => "page-items",
            Self::Http => "http-seconds",
            Self::HttpAnswer => "http-answer",
            Self::Blob => "blob",
            Self::Storage => "storage",
            Self::File => "file",
        }
    }

    /// This limit, reached at its value in `limits`.
    #[must_use]
    pub fn exceeded(self, limits: &Limits) -> Exceeded {
        let value = match self {
            Self::Memory => limits.memory,
            Self::Cpu => limits.cpu_seconds,
            Self::Call => limits.call_seconds,
            Self::Message => limits.message,
            Self::PageItems => limits.page_items,
            Self::Http => limits.http_seconds,
            Self::HttpAnswer => limits.http_answer,
            Self::Blob => limits.blob,
            Self::Storage => limits.storage,
            Self::File => limits.file,
        };
        Exceeded { limit: self, value }
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, unit) = match self.limit {
            Limit::Memory => ("the connector needs more memory than", "bytes"),
            Limit::Cpu => ("the connector computed longer than", "seconds"),
            Limit::Call => ("the call took longer than", "seconds"),
            Limit::Message => ("the connector handed over more at once than", "bytes"),
            Limit::PageItems => ("the page has more items than", "items"),
            Limit::Http => ("the request took longer than", "seconds"),
            Limit::HttpAnswer => ("the platform's answer is larger than", "bytes"),
            Limit::Blob => ("the blob is larger than", "bytes"),
            Limit::Storage => ("the platform's stored values are larger than", "bytes"),
            Limit::File => ("the file is larger than", "bytes"),
        };
        let key = self.limit.key();
        write!(
            f,
            "{what} the limit of {} {unit}; raise it with `[limits] {key} = ...` in the configuration",
            self.value
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reached_limit_names_its_value_and_its_line() {
        let text = Limit::Memory.exceeded(&Limits { memory: 1024, ..Limits::default() }).to_string();
        assert_eq!(
            text,
            "the connector needs more memory than the limit of 1024 bytes; raise it with `[limits] memory = ...` in the \
             configuration"
        );
    }
}
