//! `tradepost demo`: a simulated WooCommerce shop and a file-based ERP, kept in step before the reader's eyes. Everything
//! but the two sides is real: ledger, connectors built from source, sandbox, HTTP, files.

mod erp;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use tradepost_build::{Built, Connector, Progress, Step, Workspace};
use woocommerce_simulator::{Cart, Control, Simulator};

use crate::config::{Config, Flags};
use crate::ledger::run::{Cause, Direction, Run, RunState};
use crate::model::Kind;
use crate::plugins::Standing;
use crate::service::Service;
use crate::service::platforms::PlatformChange;
use crate::service::records::RecordView;
use crate::service::runs::Order;

/// Flags of the demo.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Stay up afterwards, with shop, ERP folder and API, until Ctrl-C.
    #[arg(long)]
    pub keep: bool,
    /// Products of the simulated shop.
    #[arg(long, default_value_t = 120)]
    pub products: usize,
    /// Orders of the simulated shop at its start.
    #[arg(long, default_value_t = 60)]
    pub orders: usize,
    /// Where everything is kept; a temporary folder when absent.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// Kinds in the order in which a cycle runs them.
const CYCLE: [(&str, Direction, Kind); 9] = [
    ("erp", Direction::Pull, Kind::Product),
    ("erp", Direction::Pull, Kind::Price),
    ("erp", Direction::Pull, Kind::Stock),
    ("shop", Direction::Pull, Kind::Order),
    ("shop", Direction::Push, Kind::Product),
    ("shop", Direction::Push, Kind::Price),
    ("shop", Direction::Push, Kind::Stock),
    ("erp", Direction::Push, Kind::Customer),
    ("erp", Direction::Push, Kind::Order),
];

/// What follows once the ERP has worked.
const AFTERWARDS: [(&str, Direction, Kind); 6] = [
    ("erp", Direction::Pull, Kind::Stock),
    ("erp", Direction::Pull, Kind::Order),
    ("erp", Direction::Pull, Kind::Shipment),
    ("shop", Direction::Push, Kind::Order),
    ("shop", Direction::Push, Kind::Shipment),
    ("shop", Direction::Push, Kind::Stock),
];

/// Runs it.
///
/// # Errors
/// The tool chain is missing, or something did not end as it should.
pub(super) async fn run(args: DemoArgs) -> Result<()> {
    let started = Instant::now();
    title("1  Connectors, built from source");
    let workspace = Workspace::of_this_build()?;
    let packages = [Connector::new("files-connector"), Connector::new("woocommerce-connector")];
    let built = build(&workspace, &packages)?;
    // Dropped in at the end, compiled while the shop is read at the pace it allows.
    let newer = Connector::new("woocommerce-connector").with_version("0.1.1");
    let newer = std::thread::spawn(move || compile(&workspace, &[newer], &|_| {}));
    let temp = tempfile::tempdir().context("no temporary folder")?;
    let root = args.folder.clone().unwrap_or_else(|| temp.path().to_owned());
    let (plugins, exchange) = (root.join("plugins"), root.join("erp"));
    std::fs::create_dir_all(&plugins)?;
    for file in &built {
        drop_in(file, &plugins)?;
    }

    title("2  A shop, an ERP, and Tradepost between them");
    let shop = Simulator::start(woocommerce_simulator::Config {
        products: args.products,
        orders: args.orders,
        ..woocommerce_simulator::Config::default()
    })?;
    let goods = erp::Goods::of(shop.control())?;
    goods.write_first_export(&exchange)?;
    println!("   shop   {} with {} articles and {} orders", shop.url, goods.len(), args.orders);
    println!("   ERP    exchange folder {}", exchange.display());
    let config = Config::load(&Flags {
        data: Some(root.join("data")),
        plugins: Some(plugins.clone()),
        listen: Some(([127, 0, 0, 1], 0).into()),
        ..Flags::default()
    })?;
    let service = Service::start(config).await?;
    println!("   host   data in {}", root.join("data").display());
    set_up(&service, &shop, &exchange).await?;

    title("3  First contact: read and match both sides, push nothing");
    for code in ["erp", "shop"] {
        let review = service.onboard(code).await?;
        let mut table = table(&["", "linked", "left out", "only in hub", "would create", "would change"]);
        for kind in &review.kinds {
            table.add_row([
                format!("{code} {}", kind.kind),
                kind.linked.to_string(),
                kind.only_here.to_string(),
                kind.only_there.to_string(),
                kind.would_create.to_string(),
                kind.would_change.to_string(),
            ]);
        }
        print(&table);
        service.go_live(code, None).await?;
    }

    title("4  The first full cycle");
    let first = place(shop.control(), &goods, 0)?;
    let second = place(shop.control(), &goods, 3)?;
    println!("   two customers buy: orders {first} and {second}");
    cycle(&service, &CYCLE).await?;
    goods.number_orders(&exchange)?;
    cycle(&service, &AFTERWARDS).await?;
    check_stock(&shop, &goods)?;

    title("5  Something changes on either side");
    let (sku, pieces) = goods.change_stock(&exchange)?;
    println!("   ERP    counts {sku} again: {pieces} on hand");
    let third = place(shop.control(), &goods, 6)?;
    println!("   shop   a customer places order {third}");
    cycle(&service, &CYCLE).await?;
    goods.number_orders(&exchange)?;
    let shipped = goods.ship(&exchange, first, 0)?;
    println!("   ERP    ships order {first} as {shipped}");
    cycle(&service, &AFTERWARDS).await?;
    let order = shop.control().order(first).context("the order is gone")?;
    println!("   shop   order {first} is now `{}`", order["status"].as_str().unwrap_or("?"));
    if order["status"] != "completed" {
        bail!("order {first} should be completed in the shop after its shipment");
    }
    check_stock(&shop, &goods)?;

    title("6  Nothing changed: a cycle that writes nothing");
    shop.control().reset_journal();
    cycle(&service, &CYCLE).await?;
    cycle(&service, &AFTERWARDS).await?;
    let writes = shop.control().journal().write_requests();
    println!("   writes counted at the shop: {writes}");
    if writes > 0 {
        bail!("a cycle without changes wrote to the shop: {:?}", shop.control().journal().writes);
    }

    title("7  A new build of a connector, while everything runs");
    let newer = tokio::task::spawn_blocking(|| newer.join()).await?;
    let newer = newer.map_err(|_| anyhow::anyhow!("building the connector again panicked"))??;
    say_built(&newer);
    drop_in_as(&newer[0].path, &plugins.join(file_name(&built[1])?))?;
    let version = served(&service, "eu.tradepost.woocommerce", "0.1.1").await?;
    println!("   eu.tradepost.woocommerce {version} serves, without a restart");

    title("8  One order's way");
    print_history(&service, first).await?;
    let (_, questions) = service.status().await?;
    println!("\n   questions that wait for a person: {questions}");
    for asked in service.attentions(Some(crate::ledger::attention::AttentionState::Open), 5).await? {
        println!("   - {}\n     {}", asked.title, asked.hint);
    }
    println!("\nDone in {} s.", started.elapsed().as_secs());
    if args.keep {
        keep(&service, &shop, &root).await?;
    } else {
        println!(
            "Look around yourself: `cargo demo -- --keep` stays up. Connect your own shop: see README.md, \"Start\"."
        );
    }
    service.stop().await;
    Ok(())
}

fn build(workspace: &Workspace, connectors: &[Connector]) -> Result<Vec<PathBuf>> {
    let progress = |step: Step<'_>| {
        if let Step::Begun(text) = step {
            println!("   {text}");
        }
    };
    let built = compile(workspace, connectors, &progress)?;
    say_built(&built);
    Ok(built.into_iter().map(|connector| connector.path).collect())
}

fn compile(workspace: &Workspace, connectors: &[Connector], progress: &Progress<'_>) -> Result<Vec<Built>> {
    tradepost_build::build(workspace, connectors, progress).map_err(|error| match error.hint() {
        Some(hint) => anyhow::anyhow!("{error}\n{hint}"),
        None => error.into(),
    })
}

fn say_built(built: &[Built]) {
    for connector in built {
        println!("   {} ({} kB)", connector.package, connector.size / 1000);
    }
}

fn file_name(path: &Path) -> Result<&std::ffi::OsStr> {
    path.file_name().context("a component has a file name")
}

/// As an operator should: under a temporary name, then renamed.
fn drop_in(file: &Path, plugins: &Path) -> Result<()> {
    drop_in_as(file, &plugins.join(file_name(file)?))
}

fn drop_in_as(file: &Path, target: &Path) -> Result<()> {
    let partial = target.with_extension("tmp");
    std::fs::copy(file, &partial)?;
    std::fs::rename(&partial, target)?;
    Ok(())
}

async fn set_up(service: &Service, shop: &Simulator, exchange: &Path) -> Result<()> {
    service.add_platform("erp", "eu.tradepost.files", "Our ERP").await?;
    service.change_platform("erp", change(erp::platform(exchange))?).await?;
    service.add_platform("shop", "eu.tradepost.woocommerce", "Hafenkontor").await?;
    let port = shop.url.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).context("the shop has a port")?;
    service
        .change_platform(
            "shop",
            change(json!({
                "settings": {"url": shop.url, "environment": "test"},
                "secrets": {"api/username": shop.key, "api/password": shop.secret},
                "grant-all": true,
                "private": [{"host": "127.0.0.1", "range": "127.0.0.1/32", "port": port}],
                "policy": {
                    "owns": [
                        {"record": "product", "facet": "texts:*"},
                        {"record": "product", "facet": "media"},
                        {"record": "product", "facet": "categories"},
                        {"record": "product", "facet": "attributes"},
                    ],
                    "creates": ["customer", "order"],
                    "create_on": ["product", "variant", "shipment"],
                    "pushes": ["product", "price", "stock", "order-event", "shipment"],
                },
            }))?,
        )
        .await?;
    for code in ["erp", "shop"] {
        let account = service.test_platform(code).await?;
        println!("   {code:<6} reached: {} ({:?})", account.name, account.environment);
    }
    Ok(())
}

fn change(document: Value) -> Result<PlatformChange> {
    serde_json::from_value(document).context("the demo's own platform document")
}

/// A customer buys two articles.
fn place(shop: &Control, goods: &erp::Goods, from: usize) -> Result<u64> {
    let people = [
        ("Mara", "Lindqvist", "mara.lindqvist@example.org", "Deichstraße 9", "20459", "Hamburg"),
        ("Jonas", "Okafor", "jonas.okafor@example.org", "Am Speicher 3", "28195", "Bremen"),
        ("Ilse", "Brandt", "ilse.brandt@example.org", "Kirchgasse 12", "01067", "Dresden"),
    ];
    let (first_name, last_name, email, street, postcode, city) = people[(from / 3) % people.len()];
    let items = goods.sold(from).into_iter().map(|sku| (sku, 1)).collect();
    let billing = json!({
        "first_name": first_name, "last_name": last_name, "email": email,
        "address_1": street, "postcode": postcode, "city": city, "country": "DE",
    });
    Ok(shop.place_order(&Cart { items, billing, payment_method: "card".into(), ..Cart::default() })?)
}

async fn cycle(service: &Service, steps: &[(&str, Direction, Kind)]) -> Result<()> {
    let mut table = table(&["", "", "", "what moved", ""]);
    for (code, direction, kind) in steps {
        let platform = service.platform(code).await?.id;
        let began = Instant::now();
        let mut run = service.run_to_end(Order::new(platform, *direction, *kind, Cause::Manual)).await?;
        // Stock waits behind the shop's orders: they were read, and it is sent by a run of its own.
        if run.state == RunState::Held {
            run = release(service, &run).await?;
        }
        if !matches!(run.state, RunState::Done | RunState::DoneWithIssues) {
            bail!("{code} {direction} {kind} ended as {}: {}", run.state, run.message.unwrap_or_default());
        }
        let arrow = if *direction == Direction::Pull { "->" } else { "<-" };
        table.add_row([
            (*code).to_owned(),
            arrow.to_owned(),
            kind.to_string(),
            crate::service::contact::counts_line(&run.counts),
            format!("{} ms", began.elapsed().as_millis()),
        ]);
    }
    print(&table);
    Ok(())
}

/// The guard asks before a mass change; here the reader is told, and the answer is yes.
async fn release(service: &Service, run: &Run) -> Result<Run> {
    let open = service.attentions(Some(crate::ledger::attention::AttentionState::Open), 100).await?;
    let asked = open
        .into_iter()
        .find(|asked| asked.cause_key.starts_with("guard:") && asked.platform == Some(run.platform))
        .context("a held run has its question")?;
    println!("   held   {} -> released", asked.title);
    service.answer(asked.id, "release", None).await?;
    Ok(service.run_to_end(Order::new(run.platform, run.direction, run.kind, Cause::Manual)).await?)
}

/// Every article's stock in the shop is what the ERP has, less what was sold and is not in the ERP's figure yet.
fn check_stock(shop: &Simulator, goods: &erp::Goods) -> Result<()> {
    let wrong: Vec<String> = goods
        .expected_stock()
        .filter_map(|(sku, expected)| {
            let found = shop.control().stock(sku);
            (found != Some(expected)).then(|| format!("{sku}: expected {expected}, the shop has {found:?}"))
        })
        .collect();
    if !wrong.is_empty() {
        bail!("stock differs: {}", wrong.join("; "));
    }
    println!("   stock of {} articles compared with the ERP: equal", goods.len());
    Ok(())
}

async fn served(service: &Service, connector: &str, version: &str) -> Result<String> {
    for _ in 0..300 {
        if let Some(build) = service.registry().get(connector)
            && build.description().version == version
        {
            return Ok(version.to_owned());
        }
        if let Some(refused) = service.registry().list().into_iter().find_map(|plugin| match plugin.standing {
            Standing::Refused { reason, .. } => Some(reason),
            _ => None,
        }) {
            bail!("the new build was refused: {refused}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the new build was not taken up within 30 s")
}

async fn print_history(service: &Service, order: u64) -> Result<()> {
    let found: Vec<RecordView> =
        service.find_records(Some(crate::model::RecordKind::Order), order.to_string(), 5).await?;
    let record = found.first().context("the order is in the hub")?;
    let mut table = table(&["time", "platform", "by", "what", ""]);
    for line in service.record_history(record.id).await? {
        table.add_row([
            line.at.strftime("%H:%M:%S").to_string(),
            line.platform.unwrap_or_default(),
            line.by,
            line.what,
            line.detail.chars().take(60).collect(),
        ]);
    }
    print(&table);
    Ok(())
}

async fn keep(service: &Service, shop: &Simulator, root: &Path) -> Result<()> {
    let listener = crate::web::listen(([127, 0, 0, 1], 0).into()).await?;
    let address = listener.local_addr()?;
    std::fs::write(super::client::address_file(&root.join("data")), format!("{address}\n"))?;
    let stop = tokio_util::sync::CancellationToken::new();
    let serving = tokio::spawn(crate::web::serve(service.clone(), listener, stop.clone()));
    println!("\nStaying up. API on http://{address}; the shop's control page: {}/__sim", shop.url);
    println!("From another terminal, for example:");
    let data = root.join("data");
    for command in ["run list", "attention list", "record find TEE", "plugin list"] {
        println!("   cargo run -q -p tradepost -- --data {} {command}", data.display());
    }
    println!("Ctrl-C ends it.");
    tokio::signal::ctrl_c().await?;
    stop.cancel();
    drop(serving.await);
    Ok(())
}

fn title(text: &str) {
    println!("\n{text}");
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if header.iter().any(|text| !text.is_empty()) {
        table.set_header(header);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

fn print(table: &Table) {
    for line in table.to_string().lines() {
        println!("   {}", line.trim_end());
    }
}
