//! From an empty folder to a connector that syncs, in every language that the SDK is for: `new`, `build` and `test` by the
//! developer's tool, timed, and then all of them beside each other in one host with a WooCommerce shop.
//!
//! It needs npm and PyPI, so that it is a program that CI calls and no test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cargo_tradepost::project::Project;
use cargo_tradepost::simulator::Running;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::process::Command;
use tradepost_build::{Connector, Step, Workspace};
use woocommerce_simulator::{Cart, Config, Simulator};

use crate::host::{Host, Place};
use crate::trade;

/// What the tool calls the languages.
pub const LANGUAGES: [&str; 3] = ["rust", "ts", "python"];

/// Codes of their ERPs' platforms.
const ERPS: [&str; 3] = ["rust-erp", "ts-erp", "python-erp"];
/// Products of the WooCommerce shop.
const PRODUCTS: usize = 12;
/// SKU of the article that the ERPs of the templates make as their golden record.
const ARTICLE: &str = "G-1";
/// How long a host may take to compile a connector and take it up.
const SERVED: Duration = Duration::from_secs(900);

/// A connector that was made, and how long each step took.
#[derive(Debug)]
pub struct Made {
    /// As the tool calls it.
    pub language: &'static str,
    /// The shop's project.
    pub shop: PathBuf,
    /// The ERP's project.
    pub erp: PathBuf,
    /// Seconds of each step.
    pub steps: Vec<(&'static str, f32)>,
    /// Bytes of the component.
    pub size: u64,
}

/// The languages that are named, all where none is.
///
/// # Errors
/// There is none of a name.
pub fn wanted(named: &[String]) -> Result<Vec<&'static str>> {
    if let Some(unknown) = named.iter().find(|name| !LANGUAGES.contains(&name.as_str())) {
        bail!("there is no language `{unknown}`; there are {}", LANGUAGES.join(", "));
    }
    Ok(LANGUAGES.into_iter().filter(|one| named.is_empty() || named.iter().any(|name| name == one)).collect())
}

/// Makes, builds and tests a connector in a language.
///
/// # Errors
/// A step fails: what it printed was seen.
pub async fn make(tool: &Path, root: &Path, language: &'static str) -> Result<Made> {
    let name = format!("acorn-{language}");
    let folder = root.join(&name);
    let files = format!("files-{language}");
    let of_files = root.join(&files);
    let erp = format!("erp-{language}");
    let of_erp = root.join(&erp);
    let mut steps = Vec::new();
    // Another component of Python's 18 MB takes the host minutes to compile; the suite is run over the two that are served.
    let files_test = if language == "python" { vec!["test", "--unit"] } else { vec!["test"] };
    // Other languages are made meanwhile: what a step prints is shown when it has ended.
    let log = root.join(format!("{language}.log"));
    for (step, words, place) in [
        ("new", vec!["new", name.as_str(), "--lang", language], root),
        ("build", vec!["build"], &folder),
        ("test", vec!["test"], &folder),
        ("new", vec!["new", files.as_str(), "--lang", language, "--template", "file"], root),
        ("files", files_test, &of_files),
        ("new", vec!["new", erp.as_str(), "--lang", language, "--template", "erp"], root),
        ("erp", vec!["test"], &of_erp),
    ] {
        let command = format!("cargo tradepost {}", words.join(" "));
        println!("{language}: {command}");
        let began = Instant::now();
        drop(std::fs::File::create(&log)?);
        let out = std::fs::OpenOptions::new().append(true).open(&log)?;
        let mut run = Command::new(tool);
        run.args(&words).current_dir(place).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let status = run.kill_on_drop(true).status().await?;
        let took = began.elapsed().as_secs_f32();
        println!("\n{language}: {took:.1} s\n$ {command}\n{}", std::fs::read_to_string(&log)?);
        ensure!(status.success(), "`{command}` for {language}: {status}");
        steps.push((step, took));
    }
    let size = std::fs::metadata(folder.join(format!("dist/{name}.wasm")))?.len();
    Ok(Made { language, shop: folder, erp: of_erp, steps, size })
}

/// Runs the connectors beside each other in one host: what a WooCommerce shop has comes to the shop of each, and what it sells to
/// the ERP of each.
///
/// # Errors
/// Something does not arrive.
pub async fn side_by_side(place: &Place, made: &[Made]) -> Result<()> {
    std::fs::create_dir_all(place.plugins())?;
    std::fs::write(place.config(), trade::CONFIG)?;
    let woo = Simulator::start(Config { products: PRODUCTS, ..Config::default() })?;
    let mut host = place.spawn()?;
    host.ready().await?;
    // Dropped into a running host: the largest is compiled for minutes, and a start would wait for it.
    woocommerce(&place.plugins())?;
    let mut shops = Vec::new();
    let mut erps = Vec::new();
    for one in made {
        shops.push((one.language, Taken::up(&one.shop, &place.plugins())?));
        let code = ERPS.into_iter().find(|code| code.starts_with(one.language)).context("an ERP for each language")?;
        erps.push((code, Taken::up(&one.erp, &place.plugins())?));
    }
    for (_, erp) in &erps {
        sells(&woo, erp).await?;
    }
    let mut documents = vec![("woo", "eu.tradepost.woocommerce".to_owned(), source(&woo)?)];
    for (language, shop) in &shops {
        let policy = json!({"create_on": ["product", "variant"], "pushes": ["product", "price", "stock"]});
        documents.push((language, shop.id(), shop.platform(policy)?));
    }
    for (code, erp) in &erps {
        let names = json!({"payment": {"card": "card"}, "shipping": {"flat_rate": "parcel"}});
        let policy = json!({"create_on": ["order"], "pushes": ["order"], "orders": names});
        documents.push((code, erp.id(), erp.platform(policy)?));
    }
    for (code, connector, document) in &documents {
        served(&host, connector).await?;
        let body = json!({"code": code, "connector": connector, "name": code});
        host.ask(Method::POST, "/platforms", Some(&body)).await?;
        host.ask(Method::PATCH, &format!("/platforms/{code}"), Some(document)).await?;
        host.ask(Method::POST, &format!("/platforms/{code}/onboard"), Some(&json!({}))).await?;
        host.ask(Method::POST, &format!("/platforms/{code}/live"), Some(&json!({}))).await?;
    }
    for kind in ["product", "price", "stock"] {
        over(&host, ("woo", "pull", kind)).await?;
    }
    let expected = simple(&woo)?;
    for (language, shop) in &shops {
        for kind in ["product", "price", "stock"] {
            over(&host, (language, "push", kind)).await?;
        }
        let found = stock(&shop.running.address).await?;
        ensure!(found == expected, "{language}: the shop has {found:?}, WooCommerce has {expected:?}");
        println!("{language}: {} products with price and stock arrived", found.len());
    }
    // A sale over there shows here.
    let (sku, before) = expected.iter().find(|(_, stock)| *stock > 1).context("something is in stock")?;
    woo.control()
        .edit_article(sku, json!({"stock_quantity": before - 1}))
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    over(&host, ("woo", "pull", "stock")).await?;
    for (language, shop) in &shops {
        over(&host, (language, "push", "stock")).await?;
        let now = stock(&shop.running.address).await?;
        ensure!(now.contains(&(sku.clone(), before - 1)), "{language}: {sku} is not {}: {now:?}", before - 1);
    }
    println!("a change of {sku} arrived in all {} shops", shops.len());
    let order = woo.control().place_order(&cart()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let total = woo.control().order(order).context("the order is there")?["total"].clone();
    over(&host, ("woo", "pull", "order")).await?;
    for (code, erp) in &erps {
        // The second time there is nothing left to do.
        for _ in 0..2 {
            over(&host, (code, "push", "order")).await?;
        }
        let found = ordered(&erp.running.address, order).await?;
        ensure!(
            found == [total.as_str().unwrap_or_default()],
            "{code}: order {order} of {total} is there as {found:?}"
        );
        println!("{code}: the order arrived once, and costs the same");
    }
    host.stop().await?;
    Ok(())
}

fn woocommerce(plugins: &Path) -> Result<()> {
    let workspace = Workspace::of_this_build()?;
    let built = tradepost_build::build(&workspace, &[Connector::new("woocommerce-connector")], &|step| {
        if let Step::Begun(text) = step {
            println!("{text}");
        }
    })?;
    std::fs::copy(&built[0].path, plugins.join("woocommerce.wasm"))?;
    Ok(())
}

/// The shop that everything comes from.
fn source(shop: &Simulator) -> Result<Value> {
    let mut document = trade::shop_platform(shop)?;
    document["policy"] = json!({
        "owns": [{"record": "product", "facet": "*"}, {"record": "variant", "facet": "*"}],
        "creates": ["product", "variant", "customer", "order"],
    });
    Ok(document)
}

/// A connector that was dropped into the plugins folder, with the simulator of its platform.
struct Taken {
    project: Project,
    running: Running,
}

impl Taken {
    fn up(folder: &Path, plugins: &Path) -> Result<Self> {
        let project = Project::find(folder)?;
        let component = project.component();
        std::fs::copy(&component, plugins.join(component.file_name().context("a component has a name")?))?;
        let running = Running::start(&project)?.context("the template has a simulator")?;
        Ok(Self { project, running })
    }

    fn id(&self) -> String {
        format!("org.example.{}", self.project.manifest.name)
    }

    fn platform(&self, policy: Value) -> Result<Value> {
        let simulator = self.project.manifest.simulator.as_ref().context("the template has a simulator")?;
        let address = &self.running.address;
        let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).context("it has a port")?;
        Ok(json!({
            "settings": {"url": address},
            "secrets": simulator.secrets,
            "grant-all": true,
            "private": [{"host": "127.0.0.1", "range": "127.0.0.1/32", "port": port}],
            "policy": policy,
        }))
    }
}

/// The ERP gets the article of its golden records, and WooCommerce sells it.
async fn sells(woo: &Simulator, erp: &Taken) -> Result<()> {
    let url = format!("{}/_control/golden", erp.running.address);
    let body = json!({"case": "golden-records"});
    let answer: Value = client()?.post(url).json(&body).send().await?.error_for_status()?.json().await?;
    let made = answer["records"].as_array().into_iter().flatten().find(|record| record["kind"] == "product");
    let sku = &made.context("the ERP makes a product")?["variants"][0]["sku"];
    ensure!(*sku == ARTICLE, "the ERP's article is {sku}");
    if woo.control().stock(ARTICLE).is_none() {
        let article = json!({
            "name": "Cup", "sku": ARTICLE, "type": "simple", "status": "publish", "regular_price": "23.74",
            "manage_stock": true, "stock_quantity": 9,
        });
        woo.control().as_staff("POST", "/products", article).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    }
    Ok(())
}

fn cart() -> Cart {
    let billing = json!({
        "first_name": "Ada", "last_name": "Lovelace", "address_1": "Ringweg 1", "postcode": "10115", "city": "Berlin",
        "country": "DE", "email": "ada@example.com",
    });
    Cart { items: vec![(ARTICLE.to_owned(), 3)], billing, ..Cart::default() }
}

/// What the ERP's entries of an order cost.
async fn ordered(address: &str, order: u64) -> Result<Vec<String>> {
    let url = format!("{address}/v1/orders?customer_reference={order}");
    let request = client()?.get(url).header("X-Api-Key", "k3y-of-the-simulator");
    let answer: Value = request.send().await?.error_for_status()?.json().await?;
    let rows = answer["data"].as_array().cloned().unwrap_or_default();
    let total = |row: &Value| format!("{}", Decimal::new(row["gross"].as_i64().unwrap_or(-1), 2));
    Ok(rows.iter().map(total).collect())
}

async fn served(host: &Host, connector: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let plugins = host.ask(Method::GET, "/plugins", None).await?;
        let all = plugins.as_array().cloned().unwrap_or_default();
        if all.iter().any(|plugin| plugin["connector"] == connector && plugin["standing"] == "serving") {
            return Ok(());
        }
        ensure!(began.elapsed() < SERVED, "{connector} is not served: {plugins}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Runs to an end; a mass change that the host asks about is wanted.
async fn over(host: &Host, step: (&'static str, &'static str, &'static str)) -> Result<()> {
    for _ in 0..10 {
        let run = host.run(step).await?;
        match run["state"].as_str() {
            Some("done" | "done_with_issues") => return Ok(()),
            Some("held") => {
                let open = host.ask(Method::GET, "/attention?state=open", None).await?;
                let asked = open.as_array().into_iter().flatten();
                let asked =
                    asked.clone().find(|one| one["cause"].as_str().is_some_and(|key| key.starts_with("guard:")));
                let id = asked.context("a held run has its question")?["id"].clone();
                host.ask(Method::POST, &format!("/attention/{id}/answer"), Some(&json!({"answer": "release"}))).await?;
            }
            Some("resting") => tokio::time::sleep(Duration::from_secs(2)).await,
            _ => bail!("{step:?} ended as {run}"),
        }
    }
    bail!("{step:?} comes to no end")
}

/// SKU and stock of WooCommerce's products without variations, which is what the small shops can have.
fn simple(woo: &Simulator) -> Result<Vec<(String, i64)>> {
    let rows = woo.control().as_staff("GET", "/products?per_page=100&status=any", Value::Null);
    let rows = rows.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let simple = rows.as_array().into_iter().flatten().filter(|row| row["type"] == "simple");
    Ok(sorted(simple.map(|row| (row["sku"].clone(), row["stock_quantity"].as_i64().unwrap_or(0)))))
}

/// SKU and stock of a small shop.
async fn stock(address: &str) -> Result<Vec<(String, i64)>> {
    let request = client()?.get(format!("{address}/api/products?limit=100")).bearer_auth("t0ken-of-the-simulator");
    let answer: Value = request.send().await?.error_for_status()?.json().await?;
    let rows = answer["items"].as_array().cloned().unwrap_or_default();
    Ok(sorted(rows.iter().map(|row| {
        let text = row["stock"].as_str().unwrap_or_default();
        (row["sku"].clone(), text.parse().unwrap_or(-1))
    })))
}

fn client() -> Result<reqwest::Client> {
    // An error means that somebody installed one already, which serves as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

fn sorted(rows: impl Iterator<Item = (Value, i64)>) -> Vec<(String, i64)> {
    let mut all: Vec<_> = rows.map(|(sku, stock)| (sku.as_str().unwrap_or_default().to_owned(), stock)).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_is_none_is_refused() {
        let of = |words: &[&str]| wanted(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]).unwrap(), LANGUAGES);
        assert_eq!(of(&["python", "rust"]).unwrap(), ["rust", "python"]);
        for typo in [&["typo"][..], &["rust", "typescript"]] {
            assert!(of(typo).unwrap_err().to_string().contains("rust, ts, python"));
        }
    }
}
