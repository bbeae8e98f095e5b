//! Signatures in a reconciliation: nothing of a file is used before its signature counts, where one is asked for.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::registry::Verdict;
use super::super::signature::{SignatureError, Signed};
use super::Round;
use crate::model::description::Description;

impl Round<'_> {
    /// Whether the kept bytes of a build have a signature that counts, where one is needed.
    pub(super) async fn judge_kept(&self, hash: &str) -> Result<(), SignatureError> {
        let (Some(memory), Some(looked)) = (&self.registry.inner.memory, self.table.looked.get(hash)) else {
            return Ok(());
        };
        if !self.signers.required() {
            return Ok(());
        }
        let path = memory.kept.path(hash);
        let bytes = tokio::fs::read(&path).await.unwrap_or_default();
        self.verify(path, bytes.into()).await?.agrees(&looked.description)
    }

    /// Takes builds out of service whose signature does not count any more, and those that a build on trial could give
    /// way to. Runs under way finish.
    pub(super) async fn dismiss_unsigned(&mut self) {
        let serving: Vec<(String, String, Option<String>)> = self
            .table
            .connectors
            .iter()
            .map(|(id, served)| (id.clone(), served.hash.clone(), served.previous.clone()))
            .collect();
        for (id, hash, previous) in serving {
            if let Some(previous) = previous
                && let Err(error) = self.judge_kept(&previous).await
                && let Some(served) = self.table.connectors.get_mut(&id)
            {
                tracing::warn!(%error, connector = id, "a build that could serve again has no valid signature");
                served.previous = None;
                if let Some(build) = &served.build {
                    build.end_trial();
                }
            }
            if let Err(error) = self.judge_kept(&hash).await {
                tracing::warn!(%error, connector = id, "a connector that serves has no valid signature");
                if let Some(served) = self.table.connectors.get_mut(&id) {
                    (served.build, served.previous) = (None, None);
                }
            }
        }
    }

    /// Judges a file of the folder by its signature, where one is needed. Before anything else is done with it: nothing
    /// of an unknown file is compiled or run.
    pub(super) async fn judge_file(&mut self, file: &str, hash: &str, bytes: &Arc<[u8]>) -> Result<(), Verdict> {
        if !self.signers.required() {
            return Ok(());
        }
        match self.verify(self.registry.inner.folder.join(file), bytes.clone()).await {
            Ok(signed) => {
                self.signed.insert(hash.to_owned(), signed);
                Ok(())
            }
            Err(error @ SignatureError::Missing { .. }) => Err(Verdict::Waiting { reason: error.to_string() }),
            Err(error) => Err(Verdict::Refused { reason: error.to_string(), passes: false }),
        }
    }

    /// Hashes the bytes where that keeps nobody waiting.
    async fn verify(&self, path: PathBuf, bytes: Arc<[u8]>) -> Result<Signed, SignatureError> {
        let signers = self.signers.clone();
        let verified = tokio::task::spawn_blocking(move || signers.verify_file(&path, &bytes)).await;
        verified.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Whether the connector is what it was signed as.
    pub(super) fn agree(&self, hash: &str, description: &Description) -> Result<(), (String, bool)> {
        match self.signed.get(hash) {
            Some(signed) => signed.agrees(description).map_err(|error| (error.to_string(), false)),
            None => Ok(()),
        }
    }
}
