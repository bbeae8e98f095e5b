//! A Singer pair that does the same job, where one is installed: a tap that reads the platform and a target that writes
//! SQLite, as the singer-sdk makes them. Nothing of it is part of this repository.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The tap, told where the platform is; for orders its stream is pointed at them.
const TAP: &str = "\
import sys, singer_tap as tap
from singer_sdk import typing as th
tap.S.url_base = sys.argv.pop(1)
if sys.argv.pop(1) == 'orders':
    tap.S.path, tap.S.name = '/orders', 'orders'
    text = [th.Property(name, th.StringType) for name in ('id', 'number', 'customer_id', 'email', 'currency', 'total', 'status', 'payment',
        'shipping', 'ship_name', 'ship_street', 'ship_zip', 'ship_city', 'ship_country')]
    line = th.ObjectType(th.Property('line', th.IntegerType), th.Property('sku', th.StringType), th.Property('qty', th.IntegerType),
        th.Property('price', th.StringType), th.Property('total', th.StringType), th.Property('tax', th.IntegerType))
    times = [th.Property(name, th.DateTimeType) for name in ('created_at', 'updated_at')]
    tap.S.schema = th.PropertiesList(*text, *times, th.Property('items', th.ArrayType(line))).to_dict()
tap.T.cli()
";

/// Runs the pair; seconds.
pub(crate) fn seconds(folder: &Path, url: &str, kind: &str, count: usize) -> Result<f64> {
    let folder = folder.canonicalize().with_context(|| format!("there is no folder {}", folder.display()))?;
    let python = folder.join("v/bin/python");
    let work = tempfile::tempdir()?;
    std::fs::write(work.path().join("config.json"), "{}")?;
    let began = Instant::now();
    let mut tap = Command::new(&python)
        .args(["-c", TAP, url, kind, "--config", "config.json"])
        .env("PYTHONPATH", &folder)
        .current_dir(work.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} does not start", python.display()))?;
    let records = tap.stdout.take().context("the tap has a stdout")?;
    let target = Command::new(&python)
        .arg(folder.join("singer_target.py"))
        .args(["--config", "config.json"])
        .current_dir(work.path())
        .stdin(records)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let tap = tap.wait()?;
    let seconds = began.elapsed().as_secs_f64();
    if !tap.success() || !target.success() {
        bail!("the Singer pair failed: tap {tap}, target {target}");
    }
    let database = rusqlite::Connection::open(work.path().join("singer.db"))?;
    let found: i64 = database.query_row(&format!("SELECT count(*) FROM {kind}"), [], |row| row.get(0))?;
    if usize::try_from(found)? != count {
        bail!("the Singer pair wrote {found} {kind}, {count} were there");
    }
    Ok(seconds)
}
