//! The end of a call: what its result means, what is kept of it, and what the witness is told.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::build::Build;
use super::super::imports::storage::Overlay;
use super::super::power::{Blob, Deeds};
use super::super::witness::{Heard, Input, Return, Seen};
use super::PlatformConnector;
use crate::model::{CallError, Called};
use crate::sync::connector::Settle;

impl PlatformConnector {
    /// The end of a call with what its result means in the model, told to the witness.
    pub(super) fn ended<T: Return>(
        &self,
        build: &Build,
        told: Option<Told>,
        mut end: End,
        result: Result<T, CallError>,
    ) -> Called<T> {
        if let (Some(witness), Some(Told { input, blobs, heard })) = (&self.witness, told) {
            witness.seen(Seen {
                platform: &self.code,
                description: build.description(),
                hash: build.hash(),
                began: end.began,
                input: &input,
                settings: &self.powers.settings,
                reads: end.storage.take_reads(),
                blobs: &blobs,
                files: end.deeds.take_files(),
                exchanges: end.deeds.take_exchanges(),
                settled: heard.map(|heard| heard.take()).unwrap_or_default(),
                result: result.as_ref().map(Return::returned),
                unsafe_sent: end.unsafe_sent,
            });
        }
        end.called(result)
    }

    /// What to tell the witness, if there is one.
    pub(super) fn told(&self, input: impl FnOnce() -> Input) -> Option<Told> {
        self.witness.as_ref().map(|_| Told { input: input(), blobs: Vec::new(), heard: None })
    }
}

/// What the host saw while a call ran.
pub(super) struct End {
    pub(super) began: Timestamp,
    pub(super) unsafe_sent: u32,
    pub(super) storage: Overlay,
    pub(super) deeds: Arc<Deeds>,
}

/// What the witness is told beside the end.
pub(super) struct Told {
    pub(super) input: Input,
    pub(super) blobs: Vec<Blob>,
    pub(super) heard: Option<Arc<Heard>>,
}

impl Told {
    /// Hears the outcomes too.
    pub(super) fn hearing(told: &mut Option<Self>, settle: Arc<dyn Settle>) -> Arc<dyn Settle> {
        match told {
            Some(told) => {
                let heard = Heard::new(settle);
                told.heard = Some(heard.clone());
                heard
            }
            None => settle,
        }
    }
}

impl End {
    /// The end with what the result means in the model. A result that was refused is a failed call too: nothing that
    /// the call stored is kept then.
    pub(super) fn called<T>(self, result: Result<T, CallError>) -> Called<T> {
        if result.is_err() {
            return Called { unsafe_sent: self.unsafe_sent, ..Called::plain(result) };
        }
        let (storage, turn) = self.storage.into_writes();
        Called { result, unsafe_sent: self.unsafe_sent, storage, turn }
    }
}
