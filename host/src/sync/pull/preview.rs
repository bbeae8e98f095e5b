//! What a pull would do, without doing it.

use super::{Commit, End, LedgerError, Mode, Pull, RunItem, RunState, Scope, apply, page};

/// Most pages of a preview.
const PREVIEW_PAGES: usize = 20;

impl Pull {
    /// What the run would do, without doing it: nothing is written or acknowledged.
    ///
    /// # Errors
    /// When the ledger cannot be used; `Ok(Err(..))` when the platform cannot be read.
    pub async fn preview(&self, mode: Mode) -> Result<Result<Vec<RunItem>, End>, LedgerError> {
        let stream = self.stream().await?;
        let now = self.clock.now();
        let scope = match mode {
            Mode::Changes => {
                let open = self.open_scope(&stream, false).await?;
                Scope::Changed { since: open.since, until: open.until }
            }
            Mode::Full => Scope::Changed { since: None, until: self.platform_time(now).await? },
            Mode::Window { since, until } => Scope::Changed {
                since: Some(since),
                until: match until {
                    Some(until) => until,
                    None => self.platform_time(now).await?,
                },
            },
            Mode::Ids(ids) => Scope::Ids(ids),
        };
        let mut pages = Vec::new();
        let mut cursor = None;
        while pages.len() < PREVIEW_PAGES {
            let read_at = self.clock.now();
            let called = self.call(scope.clone(), cursor.clone()).await;
            let page = match called.result {
                Ok(page) => page,
                Err(error) => return Ok(Err(End::because(RunState::Failed, error.to_string()))),
            };
            let next = page.next.clone();
            pages.push((page, read_at));
            if next.is_none() || next == cursor {
                break;
            }
            cursor = next;
        }
        let (platform, kind, finds) = (self.platform, self.kind, self.finds());
        let items = self
            .ledger
            .rehearse(move |tx| {
                let me = tx.platform(platform)?;
                let mut items = Vec::new();
                for (mut page, read_at) in pages {
                    let checked = page::check(&mut page, kind, &me, now);
                    let mut commit = Commit::new(tx, platform, kind, None, read_at, finds)?;
                    apply(&mut commit, &page, &checked)?;
                    items.append(&mut commit.items);
                }
                Ok::<_, LedgerError>(items)
            })
            .await?;
        Ok(Ok(items))
    }
}
