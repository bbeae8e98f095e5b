//! Watches the plugins folder: something happened there, so look again. What happened is not its business.

use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::registry::Registry;

/// Events come in bursts; one look serves them all.
const BURST: Duration = Duration::from_millis(100);
/// Without any event the folder is looked at too: network file systems tell nothing.
const POLL: Duration = Duration::from_secs(15);

/// Watches until it is dropped.
pub struct Watcher {
    task: JoinHandle<()>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Watches the registry's folder and reconciles after every change: as the system tells, or with `poll` at every such
/// interval, for network mounts that tell nothing. Call [`Registry::reconcile`] once before, so that a start does not
/// begin without connectors.
#[must_use]
pub fn watch(registry: Registry, poll: Option<Duration>) -> Watcher {
    Watcher {
        task: tokio::spawn(async move {
            match poll {
                Some(every) => look_regularly(registry, every).await,
                None => run(registry).await,
            }
        }),
    }
}

async fn look_regularly(registry: Registry, every: Duration) {
    loop {
        if let Err(error) = registry.reconcile().await {
            tracing::warn!(%error, "the plugins folder cannot be read; what serves goes on serving");
        }
        tokio::time::sleep(every).await;
    }
}

async fn run(registry: Registry) {
    let (send, mut events) = mpsc::channel::<()>(1);
    let heard = move |event: notify::Result<notify::Event>| {
        // A reading of ours is no change. A full channel already says "look again".
        if !event.is_ok_and(|event| event.kind.is_access()) {
            let _ = send.try_send(());
        }
    };
    let watcher = notify::recommended_watcher(heard).and_then(|mut watcher| {
        watcher.watch(registry.folder(), RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    if let Err(error) = &watcher {
        tracing::warn!(%error, every = ?POLL, "the plugins folder cannot be watched; it is looked at regularly instead");
    }
    loop {
        // First what happened before the watcher stood.
        match registry.reconcile().await {
            Ok(true) => {}
            Ok(false) => {
                tokio::time::sleep(BURST).await;
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "the plugins folder cannot be read; what serves goes on serving");
            }
        }
        // Without a watcher the channel is closed; then only time passes.
        let event = async {
            if events.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        };
        let _ = tokio::time::timeout(POLL, event).await;
        tokio::time::sleep(BURST).await;
        while events.try_recv().is_ok() {}
    }
}
