//! What the service manager is told (systemd's protocol: a datagram to `NOTIFY_SOCKET`); nothing where there is none.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::service::Service;

/// It serves: what waits for the service may go on.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is read anew; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager does not hear of the reload"),
    }
}

/// It ends by its own will.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: runs finish the step they are at")]);
}

/// A line for `systemctl status`.
pub(super) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// Tells the watchdog that we live as long as the ledger takes turns: threads that hang, or a writer that ended, are cured
/// by a restart. A full disk is not, so it does not count.
pub(super) async fn keep_watchdog(service: Service) {
    let Some(interval) = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero()) else { return };
    let pause = interval / 3;
    loop {
        match tokio::time::timeout(pause.max(Duration::from_secs(1)), service.ledger().answers()).await {
            Ok(true) => tell(&[NotifyState::Watchdog]),
            Ok(false) => tracing::error!("the ledger's writer has ended; the watchdog is not fed"),
            Err(_) => tracing::error!("the ledger does not answer; the watchdog is not fed"),
        }
        tokio::time::sleep(pause).await;
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
