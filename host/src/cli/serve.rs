//! `tradepost serve`: the service in the foreground until SIGTERM or SIGINT; SIGHUP reads the configuration anew.

mod journal;
mod manager;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::client::address_file;
use super::failure::Failure;
use super::{Context, Exit};
use crate::ledger::trouble::Trouble;
use crate::service::Service;
use crate::web;

/// A stop takes no longer.
const PATIENCE: Duration = Duration::from_millis(9_500);

pub(super) async fn run(context: Context) -> Result<Exit, Failure> {
    let config = context.config;
    let filter = journal::begin(&config)?;
    let (mut signals, mut hang_ups) = Signals::new()?;
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
    let place = format!("serving at http://{bound}");
    manager::ready(&status(&place, service.ledger().trouble()));
    let watchdog = tokio::spawn(manager::keep_watchdog(service.clone()));
    let (mut settings, mut trouble) = (service.watch_config(), service.ledger().watch_trouble());
    let ended = loop {
        tokio::select! {
            () = signals.next() => break None,
            ended = &mut serving => break Some(ended),
            () = hang_ups.next() => {
                manager::reloading();
                // What is wrong with it stands in the log; the one in force stays.
                drop(service.reload().await);
                manager::ready(&status(&place, service.ledger().trouble()));
            }
            Ok(()) = settings.changed() => filter.change(&settings.borrow_and_update().log_filter),
            Ok(()) = trouble.changed() => manager::status(&status(&place, *trouble.borrow_and_update())),
        }
    };
    manager::stopping();
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
    watchdog.abort();
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

/// What the service manager shows.
fn status(place: &str, trouble: Option<Trouble>) -> String {
    match trouble {
        None => place.to_owned(),
        Some(trouble) => format!("{place}; {trouble}, runs rest: {}", trouble.hint()),
    }
}

/// What ends the service. A terminal that is closed ends what runs in it.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    closed: Option<Signal>,
    /// Heard by nobody: a file that may not grow is an error of a write then, not the end of the process.
    _too_large: Signal,
}

/// `SIGXFSZ` on Linux, where the service runs.
const TOO_LARGE: i32 = 25;

impl Signals {
    /// With what asks for the configuration to be read anew.
    fn new() -> Result<(Self, HangUps), Failure> {
        let on = |kind| signal(kind).map_err(|error| Failure::new(format!("signals cannot be heard: {error}")));
        let (closed, hang_ups) = match (on(SignalKind::hangup())?, io::stdin().is_terminal()) {
            (hang_up, true) => (Some(hang_up), None),
            (hang_up, false) => (None, Some(hang_up)),
        };
        let signals = Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            closed,
            _too_large: on(SignalKind::from_raw(TOO_LARGE))?,
        };
        Ok((signals, HangUps(hang_ups)))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = heard(&mut self.closed) => {}
        }
    }
}

/// SIGHUP where no terminal is.
struct HangUps(Option<Signal>);

impl HangUps {
    async fn next(&mut self) {
        heard(&mut self.0).await;
    }
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Written beside and renamed: nobody reads half an address.
fn note(path: &std::path::Path, text: &str) -> io::Result<()> {
    let temp = path.with_extension("tmp");
    let mut file = std::fs::File::create(&temp)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&temp, path)
}
