//! `tradepost serve`: the service in the foreground until SIGTERM or SIGINT.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::client::address_file;
use super::failure::Failure;
use super::{Context, Exit};
use crate::config::{Config, LogFormat};
use crate::service::Service;
use crate::web;

/// A stop takes no longer.
const PATIENCE: Duration = Duration::from_millis(9_500);

pub(super) async fn run(context: Context) -> Result<Exit, Failure> {
    let config = context.config;
    log(&config)?;
    let mut signals = Signals::new()?;
    let (data, address) = (config.data.clone(), config.listen);
    let service = tokio::select! {
        service = Service::start(config) => service?,
        () = signals.next() => return Ok(Exit::Done),
    };
    let listener = match web::listen(address).await {
        Ok(listener) => listener,
        Err(error) => {
            service.stop().await;
            return Err(Failure::new(format!(
                "the address {address} cannot be used: {error}; choose another with `--listen 127.0.0.1:0` or end what runs there"
            )));
        }
    };
    let bound = listener.local_addr().map_err(|error| Failure::of(&error))?;
    let noted = address_file(&data);
    note(&noted, &format!("{bound}\n"))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", noted.display())))?;
    tracing::info!(address = %bound, data = %data.display(), "serving");
    context.out.line(format!("Tradepost serves at http://{bound} with the data folder {}.", data.display()));
    context.out.value(&serde_json::json!({ "address": bound.to_string(), "data": data }));

    let stop = CancellationToken::new();
    let mut serving = tokio::spawn(web::serve(service.clone(), listener, stop.clone()));
    let ended = tokio::select! {
        () = signals.next() => None,
        ended = &mut serving => Some(ended),
    };
    tracing::info!("stopping");
    stop.cancel();
    let ending = async {
        service.stop().await;
        if ended.is_none() {
            // It has been told to end, and ends by itself after a second.
            drop((&mut serving).await);
        }
    };
    let in_time = tokio::select! {
        ended = tokio::time::timeout(PATIENCE, ending) => ended.is_ok(),
        () = signals.next() => false,
    };
    // The address means nothing any more; a file that stays is seen through by the next command.
    drop(std::fs::remove_file(&noted));
    if !in_time {
        tracing::warn!("work under way was cut off; the next start recovers it");
    }
    tracing::info!("stopped");
    match ended {
        Some(Ok(Err(error))) => Err(Failure::new(format!("the API failed: {error}"))),
        Some(Err(error)) => Err(Failure::new(format!("the API failed: {error}"))),
        _ => Ok(Exit::Done),
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(|error| Failure::new(format!("signals cannot be heard: {error}")));
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Log lines go to standard error.
fn log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| Failure::usage(format!("`log.filter = {:?}` is no filter: {error}", config.log_filter)))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// Written beside and renamed: nobody reads half an address.
fn note(path: &std::path::Path, text: &str) -> io::Result<()> {
    let temp = path.with_extension("tmp");
    let mut file = std::fs::File::create(&temp)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&temp, path)
}
