//! What a call may use up. Every limit has a default that fits a page of 1,000 records, and an error that names it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::PlatformCode;

/// Limits of the calls of one platform: table `[limits]` of the configuration, for one platform alone
/// `[limits.platform.CODE]`. Sizes are bytes, times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory and tables, summed over the whole instance. 256 MiB.
    pub memory: u64,
    /// Time the connector's own code may compute in one call, with what its host calls compute for it. 30 s.
    pub cpu_seconds: u64,
    /// Time one call may take, waiting for the platform included. 600 s.
    pub call_seconds: u64,
    /// Time one call of a host function may take, requests with their repetitions included. 120 s.
    pub host_call_seconds: u64,
    /// Bytes that may cross from the sandbox to the host in one call of a host function or one result. 32 MiB.
    pub message: u64,
    /// Things of the host (streams, timers) that an instance may hold at a time. 1,000.
    pub handles: u64,
    /// Records, deletions and the rest of one page. 10,000.
    pub page_items: u64,
    /// Time one HTTP request may take. 60 s.
    pub http_seconds: u64,
    /// Decompressed bytes of one HTTP answer that goes into the sandbox. 16 MiB.
    pub http_answer: u64,
    /// HTTP requests of the platform at a time; more wait. 8.
    pub http_concurrent: u64,
    /// Bytes of one blob, fetched or written. 256 MiB.
    pub blob: u64,
    /// Bytes of all stored keys and values of one platform. 64 MiB.
    pub storage: u64,
    /// Bytes of one file of the exchange folder. 256 MiB.
    pub file: u64,
    /// Bytes of all blobs and files that one call may make. 1 GiB.
    pub written: u64,
    /// Log lines of the platform in one second, reported ones and those on stdout and stderr together; further ones
    /// are counted and dropped. 200.
    pub log_lines_per_second: u64,
    /// Whose own table these come from; absent: the table of all.
    #[serde(skip)]
    pub platform: Option<PlatformCode>,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            memory: 256 * MIB,
            cpu_seconds: 30,
            call_seconds: 600,
            host_call_seconds: 120,
            message: 32 * MIB,
            handles: 1000,
            page_items: 10_000,
            http_seconds: 60,
            http_answer: 16 * MIB,
            http_concurrent: 8,
            blob: 256 * MIB,
            storage: 64 * MIB,
            file: 256 * MIB,
            written: 1024 * MIB,
            log_lines_per_second: 200,
            platform: None,
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

    /// Time one call of a host function may take.
    #[must_use]
    pub fn host_call(&self) -> Duration {
        Duration::from_secs(self.host_call_seconds)
    }

    /// Time one HTTP request may take.
    #[must_use]
    pub fn http(&self) -> Duration {
        Duration::from_secs(self.http_seconds)
    }
}

/// The limits of all platforms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformLimits {
    all: Arc<Limits>,
    own: BTreeMap<PlatformCode, Arc<Limits>>,
}

impl PlatformLimits {
    /// One set for all, and whole sets for those that have their own.
    #[must_use]
    pub fn new(all: Limits, own: impl IntoIterator<Item = (PlatformCode, Limits)>) -> Self {
        let own = own
            .into_iter()
            .map(|(code, limits)| (code.clone(), Arc::new(Limits { platform: Some(code), ..limits })))
            .collect();
        Self { all: Arc::new(all), own }
    }

    /// Those of a platform.
    #[must_use]
    pub fn of(&self, platform: &PlatformCode) -> Arc<Limits> {
        self.own.get(platform).unwrap_or(&self.all).clone()
    }

    /// Those of platforms without their own.
    #[must_use]
    pub fn all(&self) -> &Limits {
        &self.all
    }

    /// The longest that any call may take.
    #[must_use]
    pub fn longest_call(&self) -> Duration {
        self.own.values().map(|limits| limits.call()).fold(self.all.call(), Duration::max)
    }
}

/// A limit was reached. Its text names the limit, its value and the line of the configuration that changes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Exceeded {
    /// Key in the table.
    pub limit: Limit,
    /// Its value.
    pub value: u64,
    /// Whose table; absent: `[limits]`.
    pub platform: Option<PlatformCode>,
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
    /// [`Limits::host_call_seconds`].
    HostCall,
    /// [`Limits::message`].
    Message,
    /// [`Limits::handles`].
    Handles,
    /// [`Limits::page_items`].
    PageItems,
    /// [`Limits::http_seconds`].
    Http,
    /// [`Limits::http_answer`].
    HttpAnswer,
    /// [`Limits::http_concurrent`].
    HttpConcurrent,
    /// [`Limits::blob`].
    Blob,
    /// [`Limits::storage`].
    Storage,
    /// [`Limits::file`].
    File,
    /// [`Limits::written`].
    Written,
    /// [`Limits::log_lines_per_second`].
    LogLines,
}

impl Limit {
    /// Key in the table `[limits]` of the configuration.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu-seconds",
            Self::Call => "call-seconds",
            Self::HostCall => "host-call-seconds",
            Self::Message => "message",
            Self::Handles => "handles",
            Self::PageItems => "page-items",
            Self::Http => "http-seconds",
            Self::HttpAnswer => "http-answer",
            Self::HttpConcurrent => "http-concurrent",
            Self::Blob => "blob",
            Self::Storage => "storage",
            Self::File => "file",
            Self::Written => "written",
            Self::LogLines => "log-lines-per-second",
        }
    }

    /// This limit, reached at its value in `limits`.
    #[must_use]
    pub fn exceeded(self, limits: &Limits) -> Exceeded {
        let value = match self {
            Self::Memory => limits.memory,
            Self::Cpu => limits.cpu_seconds,
            Self::Call => limits.call_seconds,
            Self::HostCall => limits.host_call_seconds,
            Self::Message => limits.message,
            Self::Handles => limits.handles,
            Self::PageItems => limits.page_items,
            Self::Http => limits.http_seconds,
            Self::HttpAnswer => limits.http_answer,
            Self::HttpConcurrent => limits.http_concurrent,
            Self::Blob => limits.blob,
            Self::Storage => limits.storage,
            Self::File => limits.file,
            Self::Written => limits.written,
            Self::LogLines => limits.log_lines_per_second,
        };
        Exceeded { limit: self, value, platform: limits.platform.clone() }
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, unit) = match self.limit {
            Limit::Memory => ("the connector needs more memory than", "bytes"),
            Limit::Cpu => ("the connector computed longer than", "seconds"),
            Limit::Call => ("the call took longer than", "seconds"),
            Limit::HostCall => ("a call of the host took longer than", "seconds"),
            Limit::Message => ("the connector handed over more at once than", "bytes"),
            Limit::Handles => ("the connector holds more of the host's things at a time than", "handles"),
            Limit::PageItems => ("the page has more items than", "items"),
            Limit::Http => ("the request took longer than", "seconds"),
            Limit::HttpAnswer => ("the platform's answer is larger than", "bytes"),
            Limit::HttpConcurrent => ("the platform has more requests under way than", "requests at a time"),
            Limit::Blob => ("the blob is larger than", "bytes"),
            Limit::Storage => ("the platform's stored values are larger than", "bytes"),
            Limit::File => ("the file is larger than", "bytes"),
            Limit::Written => ("the call made more blobs and files than", "bytes"),
            Limit::LogLines => ("the platform writes more log lines than", "lines per second"),
        };
        let key = self.limit.key();
        let table = match &self.platform {
            Some(platform) => format!("limits.platform.{platform}"),
            None => "limits".into(),
        };
        write!(
            f,
            "{what} the limit of {} {unit}; raise it with `[{table}] {key} = ...` in the configuration",
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

    #[test]
    fn a_platform_with_its_own_limits_is_told_its_own_line() {
        let shop = PlatformCode::parse("shop").unwrap();
        let own = Limits { handles: 7, ..Limits::default() };
        let limits = PlatformLimits::new(Limits::default(), [(shop.clone(), own)]);
        let text = Limit::Handles.exceeded(&limits.of(&shop)).to_string();
        assert!(text.contains("limit of 7 handles; raise it with `[limits.platform.shop] handles = ...`"), "{text}");
        assert_eq!(*limits.of(&PlatformCode::parse("erp").unwrap()), Limits::default());
    }
}
