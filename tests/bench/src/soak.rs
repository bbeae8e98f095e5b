//! Hours of work in a short time: ten platforms whose products change all the time, ten that hear of it, all in automatic
//! mode at its shortest interval (every 10 s, where the usual one is 5 minutes), with requests that go wrong before the
//! work, after it, slowly or half answered.
//!
//! `cargo run --release -p tradepost-bench -- soak [--minutes N]`. At its end nothing may be lost, doubled or out of date,
//! no question may be open, and memory and open files must be what they were after the warm-up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Member, Running, Site};
use crate::platform::Platform;

/// Works for a while and looks at what is left of it.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Arguments {
    /// How long.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Products of each platform that has some.
    #[arg(long, default_value_t = 40)]
    products: usize,
    /// Requests of 1,000 that go wrong.
    #[arg(long, default_value_t = 100)]
    faults: u32,
}

/// Platforms that are read, and as many that are written.
const PAIRS: usize = 10;
/// Between two changes somewhere.
const PACE: Duration = Duration::from_millis(1_500);
/// Between two looks at the process.
const LOOK: Duration = Duration::from_secs(30);
/// How long everything may take to come to rest.
const REST: Duration = Duration::from_secs(600);

/// One look.
#[derive(Debug, Clone, Copy)]
struct Look {
    minute: f64,
    memory: f64,
    files: usize,
    ledger: f64,
    open: usize,
}

pub(crate) fn main() -> Result<()> {
    let arguments = Arguments::parse_from(std::env::args().skip(1));
    tokio::runtime::Runtime::new()?.block_on(soak(&arguments))
}

async fn soak(arguments: &Arguments) -> Result<()> {
    let connector = crate::host::connector()?;
    let sources =
        (0..PAIRS).map(|n| Platform::numbered(arguments.products, n * 1_000_000)).collect::<Result<Vec<_>>>()?;
    let targets = (0..PAIRS).map(|_| Platform::start(0)).collect::<Result<Vec<_>>>()?;
    let names: Vec<(String, String)> = (0..PAIRS).map(|n| (format!("source{n}"), format!("target{n}"))).collect();
    let site = Site::new(&connector)?;
    let mut members = Vec::new();
    for ((source, target), (from, to)) in sources.iter().zip(&targets).zip(&names) {
        members.push(Member { code: from, platform: source, policy: json!({"creates": ["product", "variant"]}) });
        let policy = json!({
            "create_on": ["product", "variant"],
            "pushes": ["product"],
            "guard": {"creates": u32::MAX, "rules": u32::MAX},
        });
        members.push(Member { code: to, platform: target, policy });
    }
    site.set_up(&members).await?;
    let host = site.start().await?;
    for (source, _) in &names {
        let change = json!({ "start": "automatic", "schedule": "every 10s" });
        host.ask(Method::PUT, &format!("/actions/{source}/pull/product"), Some(&change)).await?;
    }
    host.ask(Method::PUT, "/automatic", Some(&json!({ "on": true }))).await?;
    for source in &sources {
        source.show(arguments.products, 0).await?;
        // What was there at first contact counts as read; so each one changes. What changed goes to the end.
        for _ in 0..arguments.products {
            source.touch(0).await?;
        }
    }
    for platform in sources.iter().chain(&targets) {
        platform.misbehave(arguments.faults).await?;
    }

    let began = Instant::now();
    let end = Duration::from_secs(arguments.minutes * 60);
    let mut looks = Vec::new();
    let mut next = began;
    let mut changes = 0_u64;
    println!("minute  memory MB  files  ledger MB  open questions");
    while began.elapsed() < end {
        let n = usize::try_from(changes).unwrap_or(0);
        sources[n % PAIRS].touch(changes / 3).await?;
        changes += 1;
        if Instant::now() >= next {
            let look = look(&host, &site, began).await?;
            print(&look);
            looks.push(look);
            next += LOOK;
        }
        tokio::time::sleep(PACE).await;
    }

    // Whoever was told to wait is told that it may go on.
    for platform in sources.iter().chain(&targets) {
        platform.misbehave(0).await?;
    }
    let rest = Instant::now();
    let wrong = loop {
        let wrong = wrong(&sources, &targets).await?;
        if wrong.is_empty() || rest.elapsed() > REST {
            break wrong;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    };
    let mut faults = 0;
    for platform in sources.iter().chain(&targets) {
        faults += platform.holdings().await?.faults;
    }
    let last = look(&host, &site, began).await?;
    print(&last);
    let open = questions(&host).await?;
    host.stop().await?;
    println!("{changes} changes, {faults} requests that went wrong, at rest after {} s", rest.elapsed().as_secs());
    for (table, rows) in rows(&site)? {
        println!("{rows:>9} rows of {table}");
    }
    report(&looks, last, &wrong, &open)
}

fn report(looks: &[Look], last: Look, wrong: &[String], open: &[String]) -> Result<()> {
    let mut bad = Vec::new();
    bad.extend(wrong.iter().take(20).cloned());
    bad.extend(open.iter().map(|asked| format!("a person is asked: {asked}")));
    // The first third warms up.
    let warm = &looks[looks.len() / 3..];
    if let (Some(first), true) = (warm.first(), warm.len() >= 4) {
        println!(
            "since minute {:.1}: memory {:+.1} MB, open files {:+}, ledger {:+.2} MB",
            first.minute,
            last.memory - first.memory,
            last.files as i64 - first.files as i64,
            last.ledger - first.ledger
        );
        if last.memory > first.memory * 1.2 + 10.0 {
            bad.push(format!("memory grew from {:.0} to {:.0} MB", first.memory, last.memory));
        }
        if last.files > first.files + 20 {
            bad.push(format!("open files grew from {} to {}", first.files, last.files));
        }
    }
    if !bad.is_empty() {
        bail!("{}", bad.join("\n"));
    }
    println!("nothing lost, nothing doubled, nothing out of date, no open question");
    Ok(())
}

fn print(look: &Look) {
    let Look { minute, memory, files, ledger, open } = look;
    println!("{minute:>6.1}  {memory:>9.1}  {files:>5}  {ledger:>9.2}  {open:>14}");
}

async fn look(host: &Running, site: &Site, began: Instant) -> Result<Look> {
    let (memory, files) = host.usage()?;
    let minute = began.elapsed().as_secs_f64() / 60.0;
    Ok(Look { minute, memory, files, ledger: site.ledger_bytes()? as f64 / 1e6, open: questions(host).await?.len() })
}

async fn questions(host: &Running) -> Result<Vec<String>> {
    let open = host.ask(Method::GET, "/attention?state=open", None).await?;
    let title = |asked: &Value| format!("{} {}", asked["title"], asked["hint"]);
    Ok(open.as_array().into_iter().flatten().map(title).collect())
}

/// Every product of every source stands once, as it is now, on every target.
async fn wrong(sources: &[Platform], targets: &[Platform]) -> Result<Vec<String>> {
    let mut expected = BTreeMap::new();
    for source in sources {
        expected.extend(source.holdings().await?.offered);
    }
    let mut wrong = Vec::new();
    for (n, target) in targets.iter().enumerate() {
        let mut there: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (sku, name) in target.holdings().await?.made {
            there.entry(sku).or_default().push(name);
        }
        for (sku, name) in &expected {
            match there.get(sku).map(Vec::as_slice) {
                None | Some([]) => wrong.push(format!("target{n}: {sku} is lost")),
                Some([found]) if found == name => {}
                Some([found]) => wrong.push(format!("target{n}: {sku} is `{found}`, it should be `{name}`")),
                Some(found) => wrong.push(format!("target{n}: {sku} is there {} times", found.len())),
            }
        }
    }
    Ok(wrong)
}

/// What the ledger grew by.
fn rows(site: &Site) -> Result<Vec<(&'static str, i64)>> {
    const TABLES: [&str; 8] = ["record", "link", "facet_history", "intent", "run", "run_item", "attention", "want"];
    let ledger = rusqlite::Connection::open(site.ledger())?;
    let count = |table| {
        let sql = format!("SELECT count(*) FROM {table}");
        ledger.query_row(&sql, [], |row| row.get(0)).with_context(|| format!("the rows of {table}"))
    };
    TABLES.into_iter().map(|table| Ok((table, count(table)?))).collect()
}
