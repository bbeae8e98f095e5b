//! The deeds, good and bad.

use std::hint::black_box;
use std::time::Duration;

use tradepost_sdk::catalog::StockLevel;
use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::records::{Records, Unreadable};
use tradepost_sdk::source::{Page, Request};
use tradepost_sdk::target::Found;
use tradepost_sdk::types::{Error, Link, RemoteRef};
use tradepost_sdk::{Request as Http, Response, blobs, files, report, storage};

/// Asks a granted host.
pub(crate) fn network() -> Result<Response, Error> {
    Http::get("http://shop.example/stock").send()
}

fn remote(id: &str) -> RemoteRef {
    RemoteRef { id: id.into(), parent: None, version: None }
}

fn level(number: u32, quantity: &str) -> StockLevel {
    let head = Head {
        op: Op::Read,
        item: String::new(),
        marker: None,
        remote: Some(remote(&number.to_string())),
        parts: Vec::new(),
        updated: None,
    };
    let variant = Link { id: Some(number.to_string()), key: format!("SKU-{number}") };
    let (warehouse, quantity) = ("main".into(), quantity.into());
    StockLevel { head, variant, warehouse, quantity, unlimited: false, taken: None }
}

pub(crate) fn found(sku: &str) -> Found {
    Found { remote: remote(sku.trim_start_matches("SKU-")), marker: None, whole: true, parts: Vec::new() }
}

fn page(levels: Vec<StockLevel>, told: Vec<String>) -> Page {
    Page {
        records: vec![Records::Stock(levels)],
        deleted: Vec::new(),
        unreadable: told.into_iter().map(|why| Unreadable { id: None, raw: String::new(), why }).collect(),
        present: Vec::new(),
        next: None,
        watermark: None,
        receipt: Some("batch 1".into()),
        total: None,
    }
}

pub(crate) fn pull(behaviour: &str, request: &Request) -> Result<Page, Error> {
    let told = match behaviour {
        "good" => {
            let count = storage::get("count")?.map_or(0, |value| value[0]) + 1;
            storage::set("count", &[count])?;
            vec![format!("count {count}")]
        }
        "store and fail" => {
            storage::set("count", &[99])?;
            return Err(Error::Unavailable("the shop is closed".into()));
        }
        "store and trap" => {
            storage::set("count", &[99])?;
            storage::set_now("durable", b"yes")?;
            panic!("the shop burns\u{1b}[31m");
        }
        "storage" => stored()?,
        "loop" => loop {
            black_box(());
        },
        "loop with host calls" => loop {
            black_box(tradepost_sdk::platform::preview());
        },
        "sleep" => {
            std::thread::sleep(Duration::from_secs(3600));
            Vec::new()
        }
        "loop with storage calls" => loop {
            black_box(storage::get("count")?);
        },
        "handles" => loop {
            // SAFETY: a plain function of the C library's WASI bindings: a time goes in, the number of a timer comes out.
            // Nobody gives the timers back, which is the misdeed.
            black_box(unsafe { monotonic_clock_subscribe_duration(1_000_000_000) });
        },
        "write without end" => {
            let megabyte = vec![7; 1 << 20];
            let mut written = 0;
            while blobs::put(&[megabyte.as_slice(), &[written]].concat(), "image/png", None).is_ok() {
                written += 1;
            }
            let last = blobs::put(&megabyte, "image/png", None);
            vec![written.to_string(), format!("{last:?}")]
        }
        "fetch" => fetch(),
        "post" => posted(),
        "wasi fetch" => crate::door::fetch("GET"),
        "wasi head" => crate::door::fetch("HEAD"),
        "wasi post" => crate::door::fetch("POST"),
        "wasi headers" => crate::door::headers(),
        "wasi hoard" => crate::door::hoard(),
        "wasi unsent" => crate::door::unsent(),
        "wasi huge body" => vec![crate::door::huge_body()],
        "wasi half a body" => vec![crate::door::half_a_body()],
        "fetch together" => fetch_together(),
        "trap" => panic!("a trap in pull"),
        "memory" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        "recursion" => vec![deep(1).to_string()],
        "exit" => std::process::exit(7),
        "huge page" => vec!["x".repeat(40 << 20)],
        "long page" => vec![String::new(); 20_000],
        "flood" => {
            for i in 0..100_000 {
                println!("line {i}");
            }
            Vec::new()
        }
        "settle while reading" => {
            report::settle("x", &Outcome::Later(1));
            Vec::new()
        }
        "bad record" => return Ok(page(vec![level(1, "5"), level(2, "five"), level(3, "7")], Vec::new())),
        "other kind" => {
            return Ok(Page { records: vec![Records::Prices(Vec::new())], ..page(Vec::new(), Vec::new()) });
        }
        "look around" => look_around(),
        "paths" => paths(),
        "files" => {
            let names = files::entries("inbox")?.into_iter().map(|entry| entry.name);
            let moved = files::rename("inbox/a.csv", "done/a.csv").is_err();
            let outside = files::write("outbox/a.csv", b"x").is_err();
            files::write("failed/a.csv.rejects", b"line 1\n")?;
            names.chain([format!("rename refused {moved}, write refused {outside}")]).collect()
        }
        "blob" => {
            let blob = blobs::put(b"picture", "image/png", Some("a.png"))?;
            let again = blobs::put(b"picture", "image/png", None)?;
            let bytes = blobs::read(&blob.id, 3, 100)?;
            let foreign = blobs::read("0123456789abcdef", 0, 1).is_err();
            vec![format!("{} {foreign} {}", String::from_utf8_lossy(&bytes), blob.id != again.id)]
        }
        "network" => match network() {
            Ok(response) => vec![response.response.status.to_string()],
            Err(error) => return Err(error),
        },
        other => return Err(Error::Bug(format!("no such behaviour: {other}"))),
    };
    Ok(page(vec![level(1, "5"), level(2, "0.50")], told).limited(request))
}

// Of the C library that every Rust component is linked with.
unsafe extern "C" {
    fn monotonic_clock_subscribe_duration(nanoseconds: u64) -> i32;
}

pub(crate) fn setting(name: &str) -> Vec<String> {
    let settings: serde_json::Value = serde_json::from_str(&tradepost_sdk::platform::settings()).unwrap_or_default();
    let items = settings[name].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn said(result: Result<Response, Error>) -> String {
    match result {
        Ok(response) => format!("{} {}", response.response.status, String::from_utf8_lossy(response.bytes())),
        Err(error) => format!("{error:?}"),
    }
}

/// Asks every address of the setting `urls`, with the headers of the setting `headers` and the credential named in the
/// setting `credential`, and tells what came back.
fn fetch() -> Vec<String> {
    let ask = |url: String| {
        let mut request = Http::get(url);
        for header in setting("headers") {
            let (name, value) = header.split_once(": ").unwrap_or((&header, ""));
            request = request.header(name, value);
        }
        match setting("credential").first() {
            Some(name) => request.credential(name).send(),
            None => request.send(),
        }
    };
    setting("urls").into_iter().map(|url| said(ask(url))).collect()
}

/// Writes to every address of the setting `urls`.
fn posted() -> Vec<String> {
    setting("urls").into_iter().map(|url| said(Http::new("POST", url).json(&"x").send())).collect()
}

/// Asks all addresses at a time.
fn fetch_together() -> Vec<String> {
    let requests: Vec<_> = setting("urls").into_iter().map(|url| Http::get(url).0).collect();
    let answers = tradepost_sdk::http::send_all(&requests);
    answers
        .iter()
        .map(|answer| answer.as_ref().map_or_else(|error| format!("{error:?}"), |a| a.status.to_string()))
        .collect()
}

trait Limited {
    fn limited(self, request: &Request) -> Self;
}

impl Limited for Page {
    fn limited(mut self, request: &Request) -> Self {
        if request.cursor.is_none() && request.limit == 1 {
            self.next = Some("more".into());
        }
        self
    }
}

#[allow(unconditional_recursion, reason = "it is the misdeed")]
fn deep(depth: u64) -> u64 {
    black_box(deep(black_box(depth + 1))) + 1
}

/// Uses the storage as a good connector does and tells what it saw.
fn stored() -> Result<Vec<String>, Error> {
    storage::set("b", b"2")?;
    storage::set("a", b"1")?;
    storage::set("c", b"3")?;
    storage::remove("c")?;
    storage::remove("old-1")?;
    let keys = storage::keys("", None, 10)?.join(",");
    let after = storage::keys("", Some("a"), 1)?.join(",");
    let refused = |result: Result<(), Error>| matches!(result, Err(Error::Denied(_)));
    let limits = [
        refused(storage::set("", b"")),
        refused(storage::set(&"k".repeat(256), b"")),
        refused(storage::set("big", &vec![0; (1 << 20) + 1])),
        refused((0..100).try_for_each(|i| storage::set(&format!("fill-{i}"), &vec![0; 1 << 20]))),
    ];
    for i in 0..100 {
        storage::remove(&format!("fill-{i}"))?;
    }
    Ok(vec![keys, after, format!("{limits:?}")])
}

/// What WASI gives away.
fn look_around() -> Vec<String> {
    vec![
        format!("files {}", std::fs::read_dir("/").is_ok() || std::fs::read_dir(".").is_ok()),
        format!("file {}", std::fs::read("/etc/passwd").is_ok()),
        format!("environment {}", std::env::vars().count()),
        format!("arguments {}", std::env::args().count()),
        format!("socket {}", std::net::TcpStream::connect("127.0.0.1:80").is_ok()),
        format!("listener {}", std::net::TcpListener::bind("127.0.0.1:0").is_ok()),
        format!(
            "datagram {}",
            std::net::UdpSocket::bind("127.0.0.1:0").and_then(|s| s.send_to(b"x", "127.0.0.1:9")).is_ok()
        ),
        format!("names {}", std::net::ToSocketAddrs::to_socket_addrs("localhost:80").is_ok()),
    ]
}

/// Which paths the exchange folder lets through.
fn paths() -> Vec<String> {
    ["../secret", "/etc/passwd", "inbox/../../secret", "inbox/link", "inbox/.hidden", "inbox/a.csv"]
        .into_iter()
        .filter(|path| files::read(path, 0, 100).is_ok())
        .map(str::to_owned)
        .collect()
}

pub(crate) fn acknowledge(behaviour: &str, receipt: &str) -> Result<(), Error> {
    if behaviour == "trap" {
        panic!("a trap in acknowledge");
    }
    if behaviour == "files" {
        return files::rename("inbox/a.csv", "done/a.csv");
    }
    if receipt == "batch 1" { Ok(()) } else { Err(Error::NotFound(receipt.into())) }
}

fn done(item: &str, id: &str) {
    let written = Written { remote: remote(id), parts: Vec::new(), total: None, warnings: Vec::new() };
    report::settle(item, &Outcome::Done(written));
}

pub(crate) fn push(behaviour: &str, levels: Vec<StockLevel>) -> Result<(), Error> {
    for (i, level) in levels.iter().enumerate() {
        match behaviour {
            "trap" => panic!("a trap in push"),
            "trap at the third" if i == 2 => panic!("the third"),
            "loop at the third" if i == 2 => loop {
                black_box(());
            },
            "nameless object" => {
                done(&level.head.item, "");
                continue;
            }
            "write a file" => files::write(&format!("outbox/{}.csv", level.variant.key), level.quantity.as_bytes())?,
            "send" => drop(Http::new("POST", "http://shop.example/stock").json(&level.quantity).send()?),
            _ => {}
        }
        done(&level.head.item, level.variant.id.as_deref().unwrap_or("new"));
    }
    Ok(())
}
