//! The plugins folder's memory: builds that were looked at, what was decided about them, which one serves a connector.

use rusqlite::Row;

use super::{LedgerError, Tx, View, document, micros, to_json};
use crate::model::description::Description;
use crate::model::kind::names;

/// What was decided about a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PluginStanding {
    /// It may serve.
    Accepted,
    /// It waits for a person.
    Held,
    /// A person allowed it; it serves at the next look.
    Approved,
    /// It failed in its first calls.
    TakenBack,
}

names!(PluginStanding {
    Accepted => "accepted",
    Held => "held",
    Approved => "approved",
    TakenBack => "taken-back",
});

/// A build that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginRow {
    /// Hex of the file's BLAKE3.
    pub hash: String,
    /// The file that brought it.
    pub file: String,
    /// What it says of itself.
    pub description: Description,
    /// The host that checked it.
    pub host: String,
    /// What was decided.
    pub standing: PluginStanding,
    /// Why, a sentence.
    pub reason: Option<String>,
}

/// Which build serves a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRow {
    /// Id of the connector.
    pub id: String,
    /// The file that it belongs to.
    pub file: String,
    /// The build.
    pub hash: String,
    /// What served before; absent once the build has proved itself.
    pub previous: Option<String>,
}

impl View<'_> {
    /// All builds that were looked at.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn plugins(&self) -> Result<Vec<PluginRow>, LedgerError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT file_hash, file_name, description, host, standing, reason FROM plugin")?;
        let read = |row: &Row<'_>| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, Option<String>>(5)?,
            ))
        };
        statement
            .query_map([], read)?
            .map(|row| {
                let (hash, file, description, host, standing, reason) = row?;
                let description = document("plugin.description", &description)?;
                Ok(PluginRow { hash, file, description, host, standing: standing.parse()?, reason })
            })
            .collect()
    }

    /// Which builds serve.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn connectors(&self) -> Result<Vec<ConnectorRow>, LedgerError> {
        self.connection
            .prepare_cached("SELECT id, file_name, file_hash, previous_hash FROM connector ORDER BY id")?
            .query_map([], |row| {
                Ok(ConnectorRow { id: row.get(0)?, file: row.get(1)?, hash: row.get(2)?, previous: row.get(3)? })
            })?
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }
}

impl Tx<'_> {
    /// Remembers a build and what was decided about it.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_plugin(&self, plugin: &PluginRow) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "INSERT INTO plugin (file_hash, file_name, id, version, description, host, standing, reason, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (file_hash) DO UPDATE SET file_name = excluded.file_name, host = excluded.host,
                     standing = excluded.standing, reason = excluded.reason, at = excluded.at",
            )?
            .execute((
                &plugin.hash,
                &plugin.file,
                &plugin.description.id,
                &plugin.description.version,
                to_json(&plugin.description)?,
                &plugin.host,
                plugin.standing.as_str(),
                &plugin.reason,
                micros(self.now()),
            ))?;
        Ok(())
    }

    /// Says which build serves a connector from now on.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_served_connector(&self, connector: &ConnectorRow) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO connector (id, file_name, file_hash, previous_hash, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((&connector.id, &connector.file, &connector.hash, &connector.previous, micros(self.now())))?;
        Ok(())
    }

    /// Forgets which file a connector belongs to.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn remove_served_connector(&self, id: &str) -> Result<(), LedgerError> {
        self.connection.prepare_cached("DELETE FROM connector WHERE id = ?1")?.execute([id])?;
        Ok(())
    }

    /// Forgets builds that nothing needs any more: those that were looked at before the latest `keep` and serve no
    /// connector.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn prune_plugins(&self, keep: u32) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "DELETE FROM plugin
                 WHERE file_hash NOT IN (SELECT file_hash FROM connector)
                   AND file_hash NOT IN (SELECT previous_hash FROM connector WHERE previous_hash IS NOT NULL)
                   AND file_hash NOT IN (SELECT file_hash FROM plugin ORDER BY at DESC, file_hash LIMIT ?1)",
            )?
            .execute([keep])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, write};

    fn row(hash: &str, standing: PluginStanding) -> PluginRow {
        let description = crate::plugins::compare::tests::description();
        let (file, host) = ("shop.wasm".into(), "1".into());
        PluginRow { hash: hash.into(), file, description, host, standing, reason: Some("why".into()) }
    }

    #[tokio::test]
    async fn builds_and_what_serves_are_remembered() {
        let home = Home::new();
        let ledger = home.booted().await;
        let serving = ConnectorRow {
            id: "org.example.shop".into(),
            file: "shop.wasm".into(),
            hash: "b".into(),
            previous: Some("a".into()),
        };
        let kept = serving.clone();
        write(&ledger, move |tx| {
            tx.set_plugin(&row("a", PluginStanding::Accepted))?;
            tx.set_plugin(&row("b", PluginStanding::Accepted))?;
            tx.set_plugin(&row("c", PluginStanding::Held))?;
            tx.set_plugin(&row("c", PluginStanding::Approved))?;
            tx.set_served_connector(&kept)
        })
        .await;
        let (plugins, connectors) =
            ledger.read(|view| Ok::<_, LedgerError>((view.plugins()?, view.connectors()?))).await.unwrap();
        assert_eq!(connectors, [serving]);
        assert_eq!(plugins.len(), 3);
        assert!(plugins.contains(&row("c", PluginStanding::Approved)));
        write(&ledger, |tx| tx.prune_plugins(0)).await;
        let left = ledger.read(|view| view.plugins()).await.unwrap();
        assert_eq!(left.len(), 2, "what serves, and what served before");
    }
}
