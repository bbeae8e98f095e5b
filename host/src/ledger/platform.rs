//! Configured platforms.

use rusqlite::{OptionalExtension, Row};
use serde_json::Value;

use super::{LedgerError, Tx, View, document, to_json};
use crate::model::description::{Account, Environment};
use crate::model::kind::names;
use crate::model::policy::Policy;
use crate::model::{PlatformCode, PlatformId};

/// What may happen with a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlatformState {
    /// Being set up: pulled for first contact at most.
    Setup,
    /// At work.
    Active,
    /// Nothing runs.
    Paused,
    /// Only pulls, until it is known what happened meanwhile.
    Recovering,
    /// Taken away; its history stays.
    Removed,
}

names!(PlatformState {
    Setup => "setup", Active => "active", Paused => "paused", Recovering => "recovering", Removed => "removed",
});

/// A configured platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Platform {
    /// Number.
    pub id: PlatformId,
    /// Permanent short name.
    pub code: PlatformCode,
    /// Shown name.
    pub name: String,
    /// Id of the connector that serves it.
    pub connector: String,
    /// Who shares its remote ids, as the connector said.
    pub id_space: Option<String>,
    /// Account that its credentials reach; another one stops the platform.
    pub account_id: Option<String>,
    /// Live or test.
    pub environment: Option<Environment>,
    /// What may happen with it.
    pub state: PlatformState,
    /// Why it is in that state, a sentence.
    pub state_reason: Option<String>,
    /// Settings by the connector's schema, without secrets.
    pub settings: Value,
    /// What the operator decided.
    pub policy: Policy,
    /// Raised with every change of the policy.
    pub policy_rev: i64,
    /// What the operator allowed.
    pub grants: Value,
    /// What `check` found last.
    pub account: Option<Account>,
    /// The platform's clock minus ours.
    pub clock_skew_ms: i64,
    /// After so many seconds no timed-out request of it can still take effect.
    pub max_settle_s: i64,
}

/// What a new platform needs.
#[derive(Debug, Clone)]
pub struct NewPlatform {
    /// Permanent short name.
    pub code: PlatformCode,
    /// Shown name.
    pub name: String,
    /// Id of the connector.
    pub connector: String,
    /// Settings, without secrets.
    pub settings: Value,
}

const COLUMNS: &str = "SELECT id, code, name, connector, id_space, account_id, environment, state, state_reason, \
    settings, policy, policy_rev, grants, account, clock_skew_ms, max_settle_s FROM platform";

fn platform(row: &Row<'_>) -> Result<Platform, LedgerError> {
    let text = |column| row.get::<_, String>(column);
    let maybe = |column| row.get::<_, Option<String>>(column);
    let code = text(1)?;
    Ok(Platform {
        id: PlatformId(row.get(0)?),
        code: PlatformCode::parse(&code)
            .map_err(|error| LedgerError::Conflict { message: format!("the ledger was changed by hand: {error}") })?,
        name: text(2)?,
        connector: text(3)?,
        id_space: maybe(4)?,
        account_id: maybe(5)?,
        environment: maybe(6)?.map(|name| if name == "live" { Environment::Live } else { Environment::Test }),
        state: text(7)?.parse()?,
        state_reason: maybe(8)?,
        settings: document("platform.settings", &text(9)?)?,
        policy: document("platform.policy", &text(10)?)?,
        policy_rev: row.get(11)?,
        grants: document("platform.grants", &text(12)?)?,
        account: maybe(13)?.map(|text| document("platform.account", &text)).transpose()?,
        clock_skew_ms: row.get(14)?,
        max_settle_s: row.get(15)?,
    })
}

impl View<'_> {
    /// A platform by number, removed ones too.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn platform(&self, id: PlatformId) -> Result<Platform, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id.0], |row| Ok(platform(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "platform", id: id.to_string() })?
    }

    /// A platform by code, unless it is removed.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn platform_by_code(&self, code: &str) -> Result<Platform, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE code = ?1 AND state <> 'removed'"))?
            .query_row([code], |row| Ok(platform(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "platform", id: code.to_owned() })?
    }

    /// All platforms but the removed ones, in the order in which they were added.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn platforms(&self) -> Result<Vec<Platform>, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE state <> 'removed' ORDER BY id"))?
            .query_map([], |row| Ok(platform(row)))?
            .map(|row| row?)
            .collect()
    }
}

impl Tx<'_> {
    /// Adds a platform in the state `setup`, without policy and grants.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the code is or was in use: it stands in markers for ever.
    pub fn add_platform(&self, new: &NewPlatform) -> Result<PlatformId, LedgerError> {
        let added = self.connection.execute(
            "INSERT INTO platform (code, name, connector, state, settings, policy) VALUES (?1, ?2, ?3, 'setup', ?4, ?5)
             ON CONFLICT (code) DO NOTHING",
            (new.code.as_str(), &new.name, &new.connector, to_json(&new.settings)?, to_json(&Policy::default())?),
        )?;
        if added == 0 {
            return Err(LedgerError::Conflict {
                message: format!(
                    "the code `{}` is or was in use; codes are never given twice, choose another",
                    new.code
                ),
            });
        }
        Ok(PlatformId(self.connection.last_insert_rowid()))
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_settings(&self, id: PlatformId, settings: &Value) -> Result<(), LedgerError> {
        self.set_platform(id, "settings", to_json(settings)?)
    }

    /// Replaces the policy and raises its revision, unless it is the same.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_policy(&self, id: PlatformId, policy: &Policy) -> Result<(), LedgerError> {
        if self.platform(id)?.policy == *policy {
            return Ok(());
        }
        self.connection.execute(
            "UPDATE platform SET policy = ?2, policy_rev = policy_rev + 1 WHERE id = ?1",
            (id.0, to_json(policy)?),
        )?;
        Ok(())
    }

    /// Replaces the grants.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_grants(&self, id: PlatformId, grants: &Value) -> Result<(), LedgerError> {
        self.set_platform(id, "grants", to_json(grants)?)
    }

    /// Keeps what `check` found. The account id is pinned by [`Tx::pin_account`] alone.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_account(&self, id: PlatformId, account: &Account, clock_skew_ms: i64) -> Result<(), LedgerError> {
        self.set_platform(id, "account", to_json(account)?)?;
        let environment = if account.environment == Environment::Live { "live" } else { "test" };
        self.set_platform(id, "environment", environment)?;
        self.set_platform(id, "clock_skew_ms", clock_skew_ms)
    }

    /// Says which account and which id space the platform's links belong to.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn pin_account(&self, id: PlatformId, account_id: &str, id_space: &str) -> Result<(), LedgerError> {
        self.set_platform(id, "account_id", account_id)?;
        self.set_platform(id, "id_space", id_space)
    }

    /// Changes what may happen with the platform, with the reason as a sentence.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_platform_state(
        &self,
        id: PlatformId,
        state: PlatformState,
        reason: Option<&str>,
    ) -> Result<(), LedgerError> {
        self.set_platform(id, "state", state.as_str())?;
        self.set_platform(id, "state_reason", reason)
    }

    /// Changes the shown name.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_platform_name(&self, id: PlatformId, name: &str) -> Result<(), LedgerError> {
        self.set_platform(id, "name", name)
    }

    /// Lets another connector serve the platform.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_connector(&self, id: PlatformId, connector: &str) -> Result<(), LedgerError> {
        self.set_platform(id, "connector", connector)
    }

    /// Changes after how many seconds no timed-out request can still take effect.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_max_settle(&self, id: PlatformId, seconds: i64) -> Result<(), LedgerError> {
        self.set_platform(id, "max_settle_s", seconds)
    }

    /// Takes the platform away: it never runs again, what it wanted is forgotten, links and history stay.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn remove_platform(&self, id: PlatformId) -> Result<(), LedgerError> {
        self.set_platform_state(id, PlatformState::Removed, None)?;
        for sql in [
            "DELETE FROM want WHERE platform = ?1",
            "DELETE FROM storage WHERE platform = ?1",
            "DELETE FROM secret WHERE platform = ?1",
            "UPDATE delivery SET state = 'void', reason = 'the platform was removed'
             WHERE platform = ?1 AND state IN ('due', 'open')",
            "UPDATE attention SET state = 'solved' WHERE platform = ?1 AND state = 'open'",
            "UPDATE action SET enabled = 0 WHERE platform = ?1",
        ] {
            self.connection.execute(sql, [id.0])?;
        }
        Ok(())
    }

    fn set_platform(
        &self,
        id: PlatformId,
        column: &'static str,
        value: impl rusqlite::ToSql,
    ) -> Result<(), LedgerError> {
        let changed = self
            .connection
            .prepare_cached(&format!("UPDATE platform SET {column} = ?2 WHERE id = ?1"))?
            .execute((id.0, value))?;
        if changed == 0 {
            return Err(LedgerError::Missing { what: "platform", id: id.to_string() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, platform, read, write};
    use crate::model::RecordKind;

    #[tokio::test]
    async fn policies_have_revisions() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        let policy = Policy { creates: vec![RecordKind::Order], ..Policy::default() };
        for expected in [2, 2] {
            let policy = policy.clone();
            write(&ledger, move |tx| tx.set_policy(shop, &policy)).await;
            assert_eq!(read(&ledger, move |view| view.platform(shop)).await.policy_rev, expected);
        }
        assert_eq!(read(&ledger, |view| view.platform_by_code("shop")).await.policy, policy);
    }

    #[tokio::test]
    async fn a_code_is_never_given_twice() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        write(&ledger, move |tx| tx.remove_platform(shop)).await;
        assert!(read(&ledger, |view| view.platforms()).await.is_empty());
        let again = NewPlatform {
            code: PlatformCode::parse("shop").unwrap(),
            name: "again".into(),
            connector: "test".into(),
            settings: serde_json::json!({}),
        };
        let refused = ledger.write(move |tx| tx.add_platform(&again)).await;
        assert!(matches!(refused, Err(LedgerError::Conflict { .. })));
    }
}
