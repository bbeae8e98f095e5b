//! Files of the plugins folder that cannot serve are questions to a person like any other, and are none any more once
//! they serve, are replaced or gone.

use std::collections::BTreeMap;

use super::Service;
use crate::ledger::attention::NewAttention;
use crate::ledger::{LedgerError, Tx};
use crate::plugins::{Plugin, Standing};

/// Beginning of the causes.
const CAUSE: &str = "plugin:";

impl Service {
    /// Keeps the questions in step with the folder.
    pub(super) async fn keep_plugin_questions(self) {
        let mut looked = self.registry().watch();
        let mut asked = None;
        loop {
            let due = questions(&self.registry().list());
            let said: Vec<_> = due.values().map(|one| (one.cause_key.clone(), one.hint.clone())).collect();
            // A folder that is looked at every few seconds and stays as it is costs no write.
            if asked.as_ref() != Some(&said) {
                match self.ledger().write(move |tx| ask(tx, &due)).await {
                    Ok(()) => asked = Some(said),
                    Err(error) => tracing::warn!(%error, "what waits in the plugins folder is not among the questions"),
                }
            }
            tokio::select! {
                () = self.inner.stop.cancelled() => return,
                told = looked.changed() => if told.is_err() {
                    return;
                },
            }
        }
    }
}

/// What is to be asked, by cause: the same bytes under the same name are one question.
fn questions(plugins: &[Plugin]) -> BTreeMap<String, NewAttention> {
    let question = |plugin: &Plugin| {
        let file = &plugin.file;
        let earlier = |serves: bool| if serves { " The build before it goes on serving." } else { "" };
        let (title, hint) = match &plugin.standing {
            Standing::Serving => return None,
            Standing::Held { reason, earlier_serves, .. } => (
                format!("The plugin file {file} waits for your approval.{}", earlier(*earlier_serves)),
                format!(
                    "{reason} See `tradepost plugin show {file}`, then `tradepost plugin approve {file}` or take it away."
                ),
            ),
            Standing::Waiting { reason, earlier_serves } => {
                (format!("The plugin file {file} waits for its signature.{}", earlier(*earlier_serves)), reason.clone())
            }
            Standing::Refused { reason, earlier_serves } => {
                (format!("The plugin file {file} cannot be used.{}", earlier(*earlier_serves)), reason.clone())
            }
        };
        let cause_key = format!("{CAUSE}{file}:{}", plugin.hash.as_deref().unwrap_or("unread"));
        Some((cause_key.clone(), NewAttention { cause_key, title, hint, ..NewAttention::default() }))
    };
    plugins.iter().filter_map(question).collect()
}

fn ask(tx: &Tx<'_>, due: &BTreeMap<String, NewAttention>) -> Result<(), LedgerError> {
    for open in tx.open_causes(CAUSE)? {
        if !due.contains_key(&open) {
            tx.solve_attention(&open)?;
        }
    }
    for question in due.values() {
        // Whom a person told to be quiet about these bytes is quiet.
        if !tx.was_dismissed(&question.cause_key)? {
            tx.attend(question, None)?;
        }
    }
    Ok(())
}
