//! The program is killed at random moments, again and again, while a shop sells and an ERP works, and while the shop's
//! answers go wrong. In the end nothing is lost, nothing is doubled, and stock is right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::Instant;
use tradepost::crash::Point;
use tradepost_tests::build;
use tradepost_tests::dice::{Dice, SEED};
use tradepost_tests::erp::{Entry, Erp};
use tradepost_tests::host::{Host, Place, tail};
use tradepost_tests::powercut;
use tradepost_tests::trade::{self, CYCLE};
use woocommerce_simulator::{Cart, Config, Control, Misbehaviour, Script, Simulator};

/// How often the program is killed, and how often the power is cut; other numbers come from the environment.
const KILLS: (&str, usize) = ("TRADEPOST_TEST_KILLS", 50);
const CUTS: (&str, usize) = ("TRADEPOST_TEST_CUTS", 25);
/// How many times as many lives there are at most where too few of them get anything done.
const MORE: usize = 4;
/// The moments at which it is killed, after its start or after its first answer.
const EARLIEST: Duration = Duration::from_millis(20);
const LATEST: Duration = Duration::from_millis(1_500);
/// How long it is given to come to the point where it was told to die.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long nothing may get better before everything has come to rest.
const REST: Duration = Duration::from_secs(180);
/// Orders that the ERP ships at a time meanwhile.
const SHIPPED: usize = 40;
/// Field of the shop's order that holds a shipment, and the one with the ERP's number.
const SHIPMENT: &str = "_tradepost_shipment_";
const NUMBER: &str = "_tradepost_number";
/// Where a running trade comes through.
const POINTS: [Point; 8] = [
    Point::IntentWritten,
    Point::Sent,
    Point::Answered,
    Point::Committed,
    Point::Acknowledged,
    Point::Compiling,
    Point::Swapping,
    Point::BackingUp,
];

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_nothing_is_lost_nothing_doubled_and_stock_is_right() -> Result<()> {
    let program = tokio::task::spawn_blocking(build::program).await??;
    dies_often(program, false, number(KILLS)?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_power_is_cut_nothing_is_lost_nothing_doubled_and_stock_is_right() -> Result<()> {
    dies_often(env!("CARGO_BIN_EXE_tradepost-on-bad-disk").into(), true, number(CUTS)?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_was_killed_while_it_made_the_ledger_is_made_good_by_the_next() -> Result<()> {
    let root = tempfile::tempdir()?;
    let program = tokio::task::spawn_blocking(build::program).await??;
    let place = Place { program, root: root.path().to_owned(), notes: None };
    std::fs::create_dir_all(place.plugins())?;
    std::fs::write(place.config(), "")?;
    let mut host = place.spawn_to_die(Point::Migrating, 1)?;
    assert!(host.ready().await.is_err(), "it came to life without a ledger");
    assert!(host.kill().await?, "it was not killed while it made the ledger");
    let mut host = place.spawn()?;
    host.ready().await?;
    assert_eq!(host.ask(Method::GET, "/status", None).await?["automatic"], false);
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}

fn number((name, usual): (&str, usize)) -> Result<usize> {
    match std::env::var(name) {
        Ok(given) => given.parse().with_context(|| format!("{name}={given} is no number")),
        Err(_) => Ok(usual),
    }
}

/// How often lives ended in which way.
#[derive(Default)]
struct Deaths {
    at: BTreeMap<Point, usize>,
    anywhere: usize,
    /// Sectors that the disk had not kept.
    sectors: usize,
}

async fn dies_often(program: PathBuf, power: bool, times: usize) -> Result<()> {
    let seed = Dice::seed();
    eprintln!("seed {seed}; repeat with {SEED}={seed}");
    let mut dice = Dice::new(seed);
    let began = std::time::Instant::now();
    let mut root = tempfile::tempdir()?;
    // What is wrong in the end is found in the ledger; a green run leaves nothing behind.
    root.disable_cleanup(true);
    eprintln!("in {}", root.path().display());
    let notes = power.then(|| root.path().join("notes"));
    let place = Place { program, root: root.path().to_owned(), notes };
    let plugins = place.plugins();
    tokio::task::spawn_blocking(move || build::connectors(&["files-connector", "woocommerce-connector"], &plugins))
        .await??;
    let shop = Simulator::start(Config { products: 14, ..Config::default() })?;
    let mut erp = Erp::of(shop.control(), &root.path().join("exchange"))?;
    trade::begin(&place, &shop, &mut erp).await?;
    eprintln!("{:>4} s  {} articles are in step", began.elapsed().as_secs(), erp.skus().len());

    let mut world = World { shop: shop.control().clone(), skus: erp.skus(), erp, orders: BTreeMap::new() };
    world.shop.reset_journal();
    let mut deaths = Deaths::default();
    let mut lives = 0;
    // How much is done in a life depends on the machine; on one that is busy there are more of them.
    while lives < times || (lives < MORE * times && !hit_work(times, &world, &deaths, power)) {
        lives += 1;
        life(&place, &mut world, &mut dice, &mut deaths, lives)
            .await
            .with_context(|| format!("life {lives}, seed {seed}"))?;
        if let Some(notes) = &place.notes {
            deaths.sectors += powercut::cut(notes, &mut dice).with_context(|| format!("life {lives}, seed {seed}"))?;
        }
        if lives % 10 == 0 {
            eprintln!("{:>4} s  killed {lives} times; {}", began.elapsed().as_secs(), world.summary());
        }
    }
    let writes = world.shop.journal().write_requests();
    let runs = trade::cut_off(&place.data()).await?;
    let at: Vec<String> = deaths.at.iter().map(|(point, n)| format!("{} {n}", point.as_str())).collect();
    eprintln!(
        "{:>4} s  the shop saw {writes} writes; {runs} runs were cut off; killed at random {}, {}; {} sectors lost",
        began.elapsed().as_secs(),
        deaths.anywhere,
        at.join(", "),
        deaths.sectors
    );
    assert!(hit_work(times, &world, &deaths, power), "{lives} lives hit hardly any work, which proves nothing");
    assert!(runs >= times / 2, "hardly a kill hit a run: {runs}");

    let host = come_to_rest(&place, &mut world).await.with_context(|| format!("seed {seed}"))?;
    eprintln!("{:>4} s  at rest; {}", began.elapsed().as_secs(), world.summary());

    world.shop.reset_journal();
    cycle(&host).await?;
    let journal = world.shop.journal();
    assert_eq!(journal.write_requests(), 0, "a cycle without changes wrote to the shop: {:?}", journal.writes);
    assert_eq!(world.erp.waiting()?, Vec::<String>::new(), "a cycle without changes wrote for the ERP");
    assert_eq!(host.stop().await?.code(), Some(0));
    assert_eq!(trade::left_undone(&place.data()).await?, Vec::<String>::new(), "seed {seed}");
    root.disable_cleanup(false);
    eprintln!("{:>4} s  done", began.elapsed().as_secs());
    Ok(())
}

/// Whether the kills have hit work: else they prove nothing.
fn hit_work(times: usize, world: &World, deaths: &Deaths, power: bool) -> bool {
    world.shop.journal().write_requests() >= (times / 3) as u64
        && world.orders.len() >= times
        && !world.erp.entries().is_empty()
        && deaths.at.values().sum::<usize>() >= times / 6
        && (!power || deaths.sectors > 0)
}

/// One life of the program: it works, the world goes on, and at some moment it is killed.
async fn life(place: &Place, world: &mut World, dice: &mut Dice, deaths: &mut Deaths, round: usize) -> Result<()> {
    for _ in 0..=dice.below(3) {
        world.go_on(dice)?;
    }
    let point = if dice.chance(50) { dice.pick(&POINTS).copied() } else { None };
    let rebuilds = matches!(point, Some(Point::Compiling | Point::Swapping)) || dice.chance(5);
    let backs_up = point == Some(Point::BackingUp) || dice.chance(5);
    let (mut host, moment) = match point {
        Some(point) => {
            // So that there is something to do on the way to it.
            world.sell(dice)?;
            world.erp.take_up()?;
            world.erp.number(1)?;
            (place.spawn_to_die(point, 1 + dice.below(2))?, PATIENCE)
        }
        None => (place.spawn()?, dice.between(EARLIEST, LATEST)),
    };
    // Some die while they start, or soon after: starting anew must itself be safe to be cut off.
    if point.is_none() && dice.chance(25) {
        tokio::time::sleep(moment).await;
        deaths.anywhere += 1;
        return host.kill().await.map(drop);
    }
    let came_up = host.ready().await;
    if came_up.is_ok() {
        if rebuilds {
            another_build(&place.plugins(), round)?;
        }
        work(&host, world, dice, moment, backs_up.then(|| place.root.join(format!("backup-{round}.db")))).await?;
    }
    let told = host.kill().await?;
    match point {
        Some(point) if told => *deaths.at.entry(point).or_default() += 1,
        _ if told => bail!("the program was killed, but not by us"),
        _ => {
            came_up?;
            deaths.anywhere += 1;
        }
    }
    Ok(())
}

/// Everything is started that an operator would start, in any order, until the time is over or the program is dead.
async fn work(
    host: &Host,
    world: &mut World,
    dice: &mut Dice,
    moment: Duration,
    backup: Option<PathBuf>,
) -> Result<()> {
    let end = Instant::now() + moment;
    let mut steps = CYCLE;
    // Automatic mode does its own besides.
    if dice.chance(50) {
        dice.shuffle(&mut steps);
    }
    for step in steps {
        // Only its end keeps it from taking an order; a dead one takes none.
        match tokio::time::timeout_at(end, host.start(step)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => break,
        }
        if dice.chance(25) {
            world.go_on(dice)?;
        }
    }
    if let Some(file) = backup {
        let asked = json!({ "file": file });
        drop(tokio::time::timeout_at(end, host.ask(Method::POST, "/backup", Some(&asked))).await);
    }
    while Instant::now() < end && host.lives() {
        let pause = dice.between(Duration::from_millis(20), Duration::from_millis(200));
        tokio::time::sleep_until(end.min(Instant::now() + pause)).await;
        world.go_on(dice)?;
    }
    Ok(())
}

/// A new build of a connector is dropped into the folder: the same code in a file of another content.
fn another_build(plugins: &Path, round: usize) -> Result<()> {
    let file = plugins.join("files.wasm");
    let kept = plugins.with_file_name("files.built");
    if !kept.exists() {
        std::fs::copy(&file, &kept)?;
    }
    let mut bytes = std::fs::read(&kept)?;
    // A custom section: its number, its size, a name and the text.
    let text = format!("{round:08}");
    bytes.extend([0, u8::try_from(6 + text.len())?, 5]);
    bytes.extend(b"build");
    bytes.extend(text.as_bytes());
    let dropped = plugins.join(".files.tmp");
    std::fs::write(&dropped, bytes)?;
    std::fs::rename(&dropped, &file)?;
    Ok(())
}

/// No more trouble and no more sales: works until everything has arrived. The program runs on.
async fn come_to_rest(place: &Place, world: &mut World) -> Result<Host> {
    world.shop.behave();
    let mut host = place.spawn()?;
    host.ready().await?;
    let (mut end, mut least) = (Instant::now() + REST, usize::MAX);
    loop {
        cycle(&host).await?;
        world.erp.take_up()?;
        world.erp.number(usize::MAX)?;
        world.ship_some(SHIPPED)?;
        let wrong = world.wrong()?;
        if wrong.is_empty() && open_runs(&host).await? == 0 {
            return Ok(host);
        }
        if wrong.len() < least {
            (end, least) = (Instant::now() + REST, wrong.len());
        }
        if Instant::now() > end {
            let asked = host.ask(Method::GET, "/attention", None).await?;
            bail!(
                "not at rest, and nothing got better for {} s:\n{}\nquestions: {asked:#}\n{}",
                REST.as_secs(),
                wrong.join("\n"),
                tail(&place.log())
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Everything once. A run that failed or is held is an error; one that rests goes on by itself.
async fn cycle(host: &Host) -> Result<()> {
    for step in CYCLE {
        let run = host.run(step).await?;
        if !matches!(run["state"].as_str(), Some("done" | "done_with_issues" | "resting")) {
            let asked = host.ask(Method::GET, "/attention", None).await?;
            bail!("{step:?} ended as {run:#}\nquestions: {asked:#}");
        }
    }
    Ok(())
}

async fn open_runs(host: &Host) -> Result<usize> {
    let status = host.ask(Method::GET, "/status", None).await?;
    Ok(status["runs"].as_array().context("status without runs")?.len())
}

/// What became of an order on the side that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Cancelled,
    Shipped,
}

/// An order of the shop.
#[derive(Debug, Clone)]
struct Sold {
    goods: Vec<(String, u32)>,
    paid: bool,
    fate: Fate,
}

struct World {
    shop: Control,
    erp: Erp,
    skus: Vec<String>,
    orders: BTreeMap<u64, Sold>,
}

impl World {
    /// Something happens on one of both sides.
    fn go_on(&mut self, dice: &mut Dice) -> Result<()> {
        match dice.below(12) {
            0..=2 => self.sell(dice)?,
            3 => self.cancel(dice)?,
            4 => self.pay(dice)?,
            5..=6 => {
                self.erp.take_up()?;
                self.erp.number(1 + dice.below(4))?;
            }
            7 => self.ship_some(1)?,
            8 => {
                let sku = dice.pick(&self.skus).context("there are articles")?.clone();
                // Never so few that the open orders do not fit in.
                let pieces = 60 + i64::try_from(dice.below(40))?;
                self.erp.count(&sku, pieces)?;
            }
            _ => self.trouble(dice),
        }
        Ok(())
    }

    fn sell(&mut self, dice: &mut Dice) -> Result<()> {
        let mut goods: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..=dice.below(2) {
            let sku = dice.pick(&self.skus).context("there are articles")?.clone();
            goods.insert(sku, 1 + u32::try_from(dice.below(2))?);
        }
        let goods: Vec<(String, u32)> = goods.into_iter().collect();
        let paid = dice.chance(70);
        let n = self.orders.len();
        let order = self.shop.place_order(&Cart {
            items: goods.clone(),
            billing: json!({
                "first_name": "Mara", "last_name": format!("Lindqvist {n}"),
                "email": format!("mara{}@example.org", n % 7), "address_1": format!("Deichstraße {}", n + 1),
                "postcode": "20459", "city": "Hamburg", "country": "DE",
            }),
            payment_method: if paid { "card" } else { "bacs" }.into(),
            ..Cart::default()
        });
        match order {
            Ok(order) => drop(self.orders.insert(order, Sold { goods, paid, fate: Fate::Open })),
            Err(refusal) if refusal.code == "out_of_stock" => {}
            Err(refusal) => return Err(refusal.into()),
        }
        Ok(())
    }

    /// Orders that nobody has done anything with.
    fn open(&self) -> Vec<u64> {
        self.orders.iter().filter(|(_, sold)| sold.fate == Fate::Open).map(|(id, _)| *id).collect()
    }

    fn cancel(&mut self, dice: &mut Dice) -> Result<()> {
        let open = self.open();
        if let Some(order) = dice.pick(&open) {
            self.shop.cancel_order(*order)?;
            self.orders.entry(*order).and_modify(|sold| sold.fate = Fate::Cancelled);
        }
        Ok(())
    }

    fn pay(&mut self, dice: &mut Dice) -> Result<()> {
        let mut unpaid = self.open();
        unpaid.retain(|order| !self.orders[order].paid);
        if let Some(order) = dice.pick(&unpaid) {
            self.shop.pay_order(*order)?;
            self.orders.entry(*order).and_modify(|sold| sold.paid = true);
        }
        Ok(())
    }

    /// The ERP ships some of the oldest orders that it has given a number.
    fn ship_some(&mut self, most: usize) -> Result<()> {
        let mut shipped = 0;
        // Some stay open, so that reservations count in the end.
        for order in self.open().into_iter().filter(|order| order % 3 != 0) {
            if shipped == most {
                break;
            }
            if self.orders[&order].paid && self.erp.ship(&order.to_string())? {
                self.orders.entry(order).and_modify(|sold| sold.fate = Fate::Shipped);
                shipped += 1;
            }
        }
        Ok(())
    }

    /// One of the next requests goes wrong: before the work, or worse, after it.
    fn trouble(&self, dice: &mut Dice) {
        if self.shop.pending_scripts().len() > 3 {
            return;
        }
        let places = [
            ("PUT", "/orders/*"),
            ("PUT", "/orders/*"),
            ("POST", "/orders/*"),
            ("POST", "*/batch"),
            ("PUT", "/products/*"),
            ("GET", "/orders*"),
            ("GET", "/products*"),
        ];
        let all = [
            Misbehaviour::ErrorAfter { status: 500 },
            Misbehaviour::ErrorAfter { status: 503 },
            Misbehaviour::DropAfter,
            Misbehaviour::DropAfter,
            Misbehaviour::HangAfter,
            Misbehaviour::BadGatewayAfter,
            Misbehaviour::InvalidJson,
            Misbehaviour::ErrorBefore { status: 500 },
            Misbehaviour::DropBefore,
            Misbehaviour::HangBefore,
            Misbehaviour::TooMany { retry_after: Some(1) },
        ];
        if let (Some((method, path)), Some(misbehave)) = (dice.pick(&places), dice.pick(&all)) {
            self.shop.misbehave(Script::next(method, path, misbehave.clone()));
        }
    }

    /// What is not as it should be once everything has arrived.
    fn wrong(&self) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for entry in self.erp.entries() {
            if !self.orders.keys().any(|order| order.to_string() == entry.shop_number) {
                wrong.push(format!("the ERP has order {}, which nobody placed", entry.shop_number));
            }
        }
        for (id, sold) in &self.orders {
            let order = self.shop.order(*id).with_context(|| format!("the shop has lost order {id}"))?;
            let number = id.to_string();
            let entries: Vec<&Entry> = self.erp.entries().iter().filter(|e| e.shop_number == number).collect();
            let notes = self.shop.as_staff("GET", &format!("/orders/{id}/notes"), Value::Null)?;
            wrong.extend(judge(*id, sold, &order, &notes, &entries, &self.erp));
        }
        for sku in &self.skus {
            // The shelf, less what is sold and still on it.
            let sold: i64 = self
                .orders
                .values()
                .filter(|sold| sold.fate == Fate::Open)
                .flat_map(|sold| &sold.goods)
                .filter(|(of, _)| of == sku)
                .map(|(_, pieces)| i64::from(*pieces))
                .sum();
            let expected = (self.erp.on_hand(sku) - sold).max(0);
            let found = self.shop.stock(sku);
            if found != Some(expected) {
                let shelf = self.erp.on_hand(sku);
                wrong.push(format!("stock of {sku}: {expected} expected ({shelf} - {sold}), the shop has {found:?}"));
            }
        }
        let waiting = self.erp.waiting()?;
        if !waiting.is_empty() {
            wrong.push(format!("the ERP has not taken up {waiting:?}"));
        }
        Ok(wrong)
    }

    fn summary(&self) -> String {
        let of = |fate| self.orders.values().filter(|sold| sold.fate == fate).count();
        format!(
            "{} orders placed, {} in the ERP, {} cancelled, {} shipped",
            self.orders.len(),
            self.erp.entries().len(),
            of(Fate::Cancelled),
            of(Fate::Shipped)
        )
    }
}

/// Compares one order on both sides.
fn judge(id: u64, sold: &Sold, order: &Value, notes: &Value, entries: &[&Entry], erp: &Erp) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |what: &str, expected: usize, found: usize| {
        if expected != found {
            wrong.push(format!("order {id} ({:?}): {what}: {expected} expected, {found} found", sold.fate));
        }
    };
    let status = order["status"].as_str().unwrap_or_default();
    let fields: Vec<(&str, &str)> = order["meta_data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| Some((field["key"].as_str()?, field["value"].as_str()?)))
        .collect();
    let shipments = fields.iter().filter(|(key, _)| key.starts_with(SHIPMENT)).count();
    let numbers: Vec<&str> = fields.iter().filter(|(key, _)| *key == NUMBER).map(|(_, number)| *number).collect();
    let noted = |tracking: &str| {
        let texts = notes.as_array().into_iter().flatten().filter_map(|note| note["note"].as_str());
        texts.filter(|text| text.contains(tracking)).count()
    };
    match sold.fate {
        Fate::Cancelled => {
            // One that was cancelled before it was sent need not be sent at all; twice is wrong in any case.
            expect("entries in the ERP", entries.len().min(1), entries.len());
            for entry in entries {
                expect("cancellations in the ERP", 1, erp.heard(&entry.id, "cancelled"));
            }
            expect("cancelled in the shop", 1, usize::from(status == "cancelled"));
            expect("shipments in the shop", 0, shipments);
        }
        Fate::Open | Fate::Shipped => {
            expect("entries in the ERP", 1, entries.len());
            let Some(entry) = entries.first() else { return wrong };
            expect("cancellations in the ERP", 0, erp.heard(&entry.id, "cancelled"));
            let paid = usize::from(entry.paid) + erp.heard(&entry.id, "paid");
            expect("payments known to the ERP", usize::from(sold.paid), paid);
            let total: Option<Decimal> = order["total"].as_str().and_then(|total| total.parse().ok());
            expect("same total on both sides", 1, usize::from(total == Some(entry.total)));
            let mut goods: Vec<(String, i64)> = sold.goods.iter().map(|(s, n)| (s.clone(), i64::from(*n))).collect();
            let mut there = entry.goods.clone();
            goods.sort();
            there.sort();
            expect("same goods on both sides", 1, usize::from(goods == there));
            expect("the ERP's number in the shop", 1, numbers.len());
            expect("the right number", 1, usize::from(numbers.first().copied() == entry.number.as_deref()));
            let shipped = usize::from(sold.fate == Fate::Shipped);
            expect("shipments in the shop", shipped, shipments);
            expect("completed in the shop", shipped, usize::from(status == "completed"));
            expect("completions told to the ERP", shipped, erp.heard(&entry.id, "completed"));
            let told = entry.tracking.as_deref().map_or(0, noted);
            expect("notes with the tracking code", shipped, told);
        }
    }
    wrong
}
