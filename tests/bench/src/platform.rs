//! A fast platform: pages of products and orders that lie ready as text, and a batch endpoint that remembers what it made.
//! It runs in a process of its own, so that neither its memory nor its computing time counts as the host's.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Json, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

/// The process.
#[derive(Debug)]
pub(crate) struct Platform {
    /// Where it is.
    pub(crate) url: String,
    child: Child,
}

/// What it counted.
#[derive(Debug, Default, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Products made.
    pub(crate) created: usize,
    /// Products written again.
    pub(crate) updated: usize,
    /// Creates that came again under a key that was known.
    pub(crate) repeated: usize,
}

impl Platform {
    /// Starts it with so many records of each kind, all of them hidden.
    pub(crate) fn start(count: usize) -> Result<Self> {
        Self::numbered(count, 0)
    }

    /// The same with records that are numbered from here on.
    pub(crate) fn numbered(count: usize, from: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["platform", &count.to_string(), &from.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the platform does not start")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("it has a stdout")?).read_line(&mut line)?;
        if line.trim().is_empty() {
            bail!("the platform ended by itself");
        }
        Ok(Self { url: format!("http://{}", line.trim()), child })
    }

    /// Port.
    pub(crate) fn port(&self) -> Result<u16> {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).context("the platform has a port")
    }

    /// Lets so many records be seen from now on.
    pub(crate) async fn show(&self, products: usize, orders: usize) -> Result<()> {
        let url = format!("{}/show?products={products}&orders={orders}", self.url);
        client()?.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Makes so many of 1,000 requests go wrong from now on.
    pub(crate) async fn misbehave(&self, per_mille: u32) -> Result<()> {
        client()?.post(format!("{}/faults?per_mille={per_mille}", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Changes a product.
    pub(crate) async fn touch(&self, n: u64) -> Result<()> {
        client()?.post(format!("{}/touch?n={n}", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// SKU and name of every product it offers, or of every object that was made there.
    pub(crate) async fn holdings(&self) -> Result<Holdings> {
        Ok(client()?.get(format!("{}/holdings", self.url)).send().await?.error_for_status()?.json().await?)
    }

    /// What was written.
    pub(crate) async fn counts(&self) -> Result<Counts> {
        Ok(client()?.get(format!("{}/counts", self.url)).send().await?.error_for_status()?.json().await?)
    }
}

/// What a platform has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Holdings {
    /// SKU and German name of each product it offers.
    pub(crate) offered: Vec<(String, String)>,
    /// SKU and German name of each object that was made there.
    pub(crate) made: Vec<(String, String)>,
    /// Requests that went wrong on purpose.
    pub(crate) faults: usize,
}

impl Drop for Platform {
    fn drop(&mut self) {
        // It ends with its stdin; a kill is for the case that it hangs.
        drop(self.child.stdin.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client for loopback.
pub(crate) fn client() -> Result<reqwest::Client> {
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

struct Shelf {
    products: RwLock<Vec<String>>,
    orders: Vec<String>,
    products_shown: AtomicUsize,
    orders_shown: AtomicUsize,
    made: Mutex<(HashMap<String, usize>, Counts)>,
    /// What stands in each object, where somebody will ask for it.
    objects: Mutex<HashMap<String, (String, String)>>,
    per_mille: AtomicU32,
    requests: AtomicUsize,
    faults: AtomicUsize,
}

/// The server's process: prints its address and serves until its stdin is closed.
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let count: usize = arguments.first().context("how many records?")?.parse()?;
    let from: usize = arguments.get(1).map_or(Ok(0), |from| from.parse())?;
    let shelf = Arc::new(Shelf {
        products: RwLock::new((from..from + count).map(product).collect()),
        orders: (0..count).map(|n| order(n, count)).collect(),
        products_shown: AtomicUsize::new(0),
        orders_shown: AtomicUsize::new(0),
        made: Mutex::default(),
        objects: Mutex::default(),
        per_mille: AtomicU32::new(0),
        requests: AtomicUsize::new(0),
        faults: AtomicUsize::new(0),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let routes = Router::new()
            .route("/products", get(products))
            .route("/orders", get(orders))
            .route("/products/batch", post(write))
            .route("/products/find", post(find))
            .layer(from_fn_with_state(Arc::clone(&shelf), misbehave))
            .route("/faults", post(faults))
            .route("/touch", post(touch))
            .route("/holdings", get(holdings))
            .route("/show", post(show))
            .route("/counts", get(counts))
            .layer(DefaultBodyLimit::max(64 << 20))
            .with_state(shelf);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            served = async { axum::serve(listener, routes).await } => Ok(served?),
            _ = closed => Ok(()),
        }
    })
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default = "first")]
    page: usize,
    #[serde(default = "usual")]
    per_page: usize,
    updated_since: Option<String>,
}

fn first() -> usize {
    1
}

fn usual() -> usize {
    500
}

async fn products(State(shelf): State<Arc<Shelf>>, Query(asked): Query<Asked>) -> impl IntoResponse {
    let products = shelf.products.read().unwrap_or_else(PoisonError::into_inner);
    page(&products[..shelf.products_shown.load(Ordering::SeqCst)], &asked)
}

async fn orders(State(shelf): State<Arc<Shelf>>, Query(asked): Query<Asked>) -> impl IntoResponse {
    page(&shelf.orders[..shelf.orders_shown.load(Ordering::SeqCst)], &asked)
}

fn page(rows: &[String], asked: &Asked) -> impl IntoResponse + use<> {
    // Records are in the order of their times, which all have one length.
    let since = asked.updated_since.as_deref().and_then(|since| since.get(..19)).unwrap_or_default();
    let begin = if since.is_empty() { 0 } else { rows.partition_point(|row| stamp(row) < since) };
    let begin = (begin + asked.page.saturating_sub(1) * asked.per_page).min(rows.len());
    let end = (begin + asked.per_page).min(rows.len());
    let mut text = String::with_capacity((end - begin) * 800 + 64);
    text.push_str("{\"data\":[");
    text.push_str(&rows[begin..end].join(","));
    text.push_str("],\"next\":");
    text.push_str(&if end < rows.len() { (asked.page + 1).to_string() } else { "null".into() });
    text.push('}');
    ([(CONTENT_TYPE, "application/json")], text)
}

fn stamp(row: &str) -> &str {
    const NAME: &str = "\"updated_at\":\"";
    row.find(NAME).and_then(|at| row.get(at + NAME.len()..at + NAME.len() + 19)).unwrap_or_default()
}

#[derive(Debug, Deserialize)]
struct Shown {
    products: usize,
    orders: usize,
}

async fn show(State(shelf): State<Arc<Shelf>>, Query(shown): Query<Shown>) {
    shelf.products_shown.store(
        shown.products.min(shelf.products.read().unwrap_or_else(PoisonError::into_inner).len()),
        Ordering::SeqCst,
    );
    shelf.orders_shown.store(shown.orders.min(shelf.orders.len()), Ordering::SeqCst);
}

async fn counts(State(shelf): State<Arc<Shelf>>) -> Json<Counts> {
    Json(shelf.made.lock().unwrap_or_else(PoisonError::into_inner).1.clone())
}

#[derive(Debug, Deserialize)]
struct Batch {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    key: String,
    id: Option<String>,
    sku: Option<String>,
    #[serde(default)]
    names: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct Made {
    ids: Vec<String>,
}

async fn write(State(shelf): State<Arc<Shelf>>, Json(batch): Json<Batch>) -> Json<Made> {
    let mut made = shelf.made.lock().unwrap_or_else(PoisonError::into_inner);
    let (known, counts) = &mut *made;
    let mut ids = Vec::with_capacity(batch.items.len());
    let mut objects = shelf.objects.lock().unwrap_or_else(PoisonError::into_inner);
    let mut note = |id: &str, sku: Option<String>, names: Vec<(String, String)>| {
        let object = objects.entry(id.to_owned()).or_default();
        if let Some(sku) = sku {
            object.0 = sku;
        }
        if let Some((_, name)) = names.into_iter().find(|(language, _)| language == "de") {
            object.1 = name;
        }
    };
    for item in batch.items {
        if let Some(id) = item.id {
            counts.updated += 1;
            note(&id, item.sku, item.names);
            ids.push(id);
            continue;
        }
        let next = known.len();
        let number = *known.entry(item.key).or_insert(next);
        if number == next {
            counts.created += 1;
        } else {
            counts.repeated += 1;
        }
        let id = format!("R{number}");
        note(&id, item.sku, item.names);
        ids.push(id);
    }
    Json(Made { ids })
}

#[derive(Debug, Deserialize)]
struct Keys {
    keys: Vec<String>,
}

#[derive(Debug, Serialize)]
struct There {
    ids: Vec<Option<String>>,
}

async fn find(State(shelf): State<Arc<Shelf>>, Json(asked): Json<Keys>) -> Json<There> {
    let made = shelf.made.lock().unwrap_or_else(PoisonError::into_inner);
    let ids = asked.keys.iter().map(|key| made.0.get(key).map(|number| format!("R{number}"))).collect();
    Json(There { ids })
}

#[derive(Debug, Deserialize)]
struct Faults {
    per_mille: u32,
}

async fn faults(State(shelf): State<Arc<Shelf>>, Query(faults): Query<Faults>) {
    shelf.per_mille.store(faults.per_mille, Ordering::SeqCst);
}

/// Some requests go wrong: before the work, after it, slowly, half answered, or with a wish to be left alone.
async fn misbehave(State(shelf): State<Arc<Shelf>>, request: Request, next: Next) -> Response {
    let number = shelf.requests.fetch_add(1, Ordering::SeqCst);
    if dice(number, 99) % 1_000 >= u64::from(shelf.per_mille.load(Ordering::SeqCst)) {
        return next.run(request).await;
    }
    shelf.faults.fetch_add(1, Ordering::SeqCst);
    match dice(number, 98) % 5 {
        0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        1 => {
            drop(next.run(request).await);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        2 => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "2")]).into_response(),
        3 => {
            drop(next.run(request).await);
            ([(CONTENT_TYPE, "application/json")], "{\"ids\":[\"R").into_response()
        }
        _ => {
            let answer = next.run(request).await;
            // Longer than the host waits.
            tokio::time::sleep(Duration::from_secs(8)).await;
            answer
        }
    }
}

#[derive(Debug, Deserialize)]
struct Touched {
    n: usize,
}

/// A product gets another name and goes to the end, because it changed last.
async fn touch(State(shelf): State<Arc<Shelf>>, Query(touched): Query<Touched>) {
    let mut products = shelf.products.write().unwrap_or_else(PoisonError::into_inner);
    let at = touched.n % products.len().max(1);
    if products.is_empty() {
        return;
    }
    let row = products.remove(at);
    let Ok(mut row) = serde_json::from_str::<serde_json::Value>(&row) else { return };
    let version = shelf.requests.fetch_add(1, Ordering::SeqCst);
    let name = row["name_de"].as_str().unwrap_or_default().split(" v").next().unwrap_or_default().to_owned();
    row["name_de"] = format!("{name} v{version}").into();
    row["updated_at"] = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
    products.push(row.to_string());
}

async fn holdings(State(shelf): State<Arc<Shelf>>) -> Json<Holdings> {
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let products = shelf.products.read().unwrap_or_else(PoisonError::into_inner);
    let rows = products.iter().filter_map(|row| serde_json::from_str::<serde_json::Value>(row).ok());
    Json(Holdings {
        offered: rows.map(|row| (text(&row, "sku"), text(&row, "name_de"))).collect(),
        made: shelf.objects.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect(),
        faults: shelf.faults.load(Ordering::SeqCst),
    })
}

/// A page of products as it would be answered.
pub(crate) fn sample(count: usize) -> String {
    format!("{{\"data\":[{}],\"next\":null}}", (0..count).map(product).collect::<Vec<_>>().join(","))
}

/// The same for the same number, and well spread.
fn dice(n: usize, salt: u64) -> u64 {
    let mut x = (n as u64).wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn time(n: usize) -> String {
    let (day, second) = (n / 86_400, n % 86_400);
    let (month, day) = (day / 28 + 1, day % 28 + 1);
    format!("2026-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

fn product(n: usize) -> String {
    const COLOURS: [&str; 4] = ["rot", "blau", "grün", "schwarz"];
    const SIZES: [&str; 4] = ["S", "M", "L", "XL"];
    let cents = dice(n, 1) % 100_000 + 100;
    format!(
        "{{\"id\":\"P{n:07}\",\"sku\":\"SKU-{n:07}\",\"ean\":\"40{n:011}\",\"name_de\":\"Artikel {n} {}\",\"name_en\":\"Item {n}\",\
         \"description\":\"{}\",\"price\":\"{}.{:02}\",\"tax\":{},\"stock\":{},\"category\":\"C{:04}\",\"manufacturer\":\"M{}\",\
         \"active\":true,\"weight\":{}.{:03},\"color\":\"{}\",\"size\":\"{}\",\"image\":\"https://img.example/{n}.jpg\",\
         \"updated_at\":\"{}\"}}",
        COLOURS[dice(n, 2) as usize % 4],
        "Lorem ipsum dolor sit amet, consetetur sadipscing elitr. ".repeat(4),
        cents / 100,
        cents % 100,
        if dice(n, 3).is_multiple_of(5) { 7 } else { 19 },
        dice(n, 4) % 500,
        n % 300,
        n % 50,
        dice(n, 5) % 10,
        dice(n, 6) % 1000,
        COLOURS[dice(n, 7) as usize % 4],
        SIZES[dice(n, 8) as usize % 4],
        time(n),
    )
}

fn order(n: usize, products: usize) -> String {
    let lines = dice(n, 11) % 4 + 1;
    let mut total = 0;
    let items: Vec<String> = (0..lines)
        .map(|line| {
            let sku = dice(n, 20 + line) as usize % products.max(1);
            let (qty, cents) = (dice(n, 30 + line) % 5 + 1, 999);
            let sum = qty * cents;
            total += sum;
            format!(
                "{{\"line\":{line},\"sku\":\"SKU-{sku:07}\",\"qty\":{qty},\"price\":\"9.99\",\"total\":\"{}.{:02}\",\"tax\":19}}",
                sum / 100,
                sum % 100
            )
        })
        .collect();
    let (customer, at) = (n % 20_000, time(n));
    format!(
        "{{\"id\":\"O{n:07}\",\"number\":\"2026-{n}\",\"customer_id\":\"K{customer}\",\"email\":\"k{customer}@example.de\",\
         \"currency\":\"EUR\",\"total\":\"{}.{:02}\",\"status\":\"open\",\"payment\":\"paypal\",\"shipping\":\"dhl\",\
         \"created_at\":\"{at}\",\"updated_at\":\"{at}\",\"ship_name\":\"Max Mustermann\",\"ship_street\":\"Hauptstr. 1\",\
         \"ship_zip\":\"10115\",\"ship_city\":\"Berlin\",\"ship_country\":\"DE\",\"items\":[{}]}}",
        total / 100,
        total % 100,
        items.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_gives_is_what_its_connector_reads() {
        use bench_connector::wire::{Order, Product, read};
        let answer = |row: String| format!("{{\"data\":[{row}],\"next\":2}}");
        let text = answer(product(7));
        let products = read::<Product<'_>>(text.as_bytes()).unwrap();
        assert_eq!(products.data[0].sku, "SKU-0000007");
        let text = answer(order(7, 100));
        let orders = read::<Order<'_>>(text.as_bytes()).unwrap();
        assert!(!orders.data[0].items.is_empty());
        assert!(stamp(&product(5)) < stamp(&product(100_000)));
        assert!(time(99_999).starts_with("2026-01-02"));
    }
}
