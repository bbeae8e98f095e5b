//! Where log lines go, and the filter that a reload changes.

use std::io::{self, IsTerminal};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::cli::failure::Failure;
use crate::config::{Config, LogFormat};
use crate::service::meters;

/// Changes the filter of a process that logs.
pub(super) struct Filter(reload::Handle<EnvFilter, Registry>);

/// Text and JSON go to standard error, the journal's lines to its socket.
pub(super) fn begin(config: &Config) -> Result<Filter, Failure> {
    let (filter, handle) = reload::Layer::new(filter(&config.log_filter)?);
    let lines = match config.log_format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer().json().with_writer(io::stderr).flatten_event(true).boxed(),
        LogFormat::Journald => tracing_journald::layer()
            .map_err(|error| {
                Failure::usage(format!(
                    "`log.format = \"journald\"` finds no journal ({error}); use \"json\" or \"text\" where systemd does not run"
                ))
            })?
            .with_syslog_identifier("tradepost".to_owned())
            .with_field_prefix(Some("TRADEPOST".to_owned()))
            .boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines).with(meters::Logged).init();
    Ok(Filter(handle))
}

impl Filter {
    /// Other levels from now on.
    pub(super) fn change(&self, text: &str) {
        // The configuration was checked when it was read.
        let changed = filter(text)
            .map_err(|failure| failure.title)
            .and_then(|filter| self.0.reload(filter).map_err(|error| error.to_string()));
        if let Err(error) = changed {
            tracing::error!(error, "the log filter stays as it was");
        }
    }
}

fn filter(text: &str) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(text).map_err(|error| Failure::usage(format!("`log.filter = {text:?}` is no filter: {error}")))
}
