//! The same job with nothing around it: the same pages, serde, one SQLite upsert per record, a commit per page with the
//! ledger's own `synchronous`. No sandbox, no matching, no history, no facets: faster than this it cannot be.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use bench_connector::wire::{Answer, Order, Product, read};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

/// Runs the loop in a process of its own; seconds. It must read as many records as the host, or its figure says nothing.
pub(crate) fn seconds(url: &str, kind: &str, count: usize, database: &Path) -> Result<f64> {
    let output = Command::new(std::env::current_exe()?).args(["floor", url, kind]).arg(database).output()?;
    if !output.status.success() {
        bail!("the native loop failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let found: i64 = Connection::open(database)?.query_row("SELECT count(*) FROM record", [], |row| row.get(0))?;
    if usize::try_from(found) != Ok(count) {
        bail!("the native loop read {found} {kind}, there are {count}");
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}

/// The loop's process: prints the seconds it took.
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let [url, kind, database] = arguments else { bail!("floor URL KIND DATABASE") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    runtime.block_on(async {
        let connection = Connection::open(database)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection
            .execute_batch("CREATE TABLE record (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID")?;
        let client = crate::platform::client()?;
        let mut page = Some(1);
        while let Some(number) = page {
            let answer = client.get(format!("{url}/{kind}?page={number}&per_page=500")).send().await?;
            let bytes = answer.error_for_status()?.bytes().await?;
            page = match kind.as_str() {
                "products" => take::<Product<'_>>(&connection, &bytes, |product| &product.id)?,
                _ => take::<Order<'_>>(&connection, &bytes, |order| &order.id)?,
            };
        }
        anyhow::Ok(())
    })?;
    println!("{}", began.elapsed().as_secs_f64());
    Ok(())
}

fn take<'a, T: Deserialize<'a> + Serialize>(
    connection: &Connection,
    bytes: &'a [u8],
    id: impl Fn(&T) -> &str,
) -> Result<Option<u64>> {
    let answer: Answer<T> = read(bytes).ok().context("a page that cannot be read")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    {
        let mut upsert = connection.prepare_cached(
            "INSERT INTO record (id, body) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        )?;
        for record in &answer.data {
            upsert.execute((id(record), serde_json::to_string(record)?))?;
        }
    }
    connection.execute_batch("COMMIT")?;
    Ok(answer.next)
}
