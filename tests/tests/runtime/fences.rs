//! Every fence with somebody who runs against it: the guest does its worst, the host says what happened in the right
//! type, and a neighbour goes on at its pace meanwhile.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::json;
use tradepost::capability::{Decision, Grants, Request, Secret};
use tradepost::model::description::Removal;
use tradepost::model::{CallError, Doomed, Kind, PlatformCode, PlatformId, Probe, RemoteRef};
use tradepost::runtime::http::{Lookup, Options, PlatformHttp};
use tradepost::runtime::limits::Limits;
use tradepost::runtime::{Build, Lent, PlatformConnector};
use tradepost::sync::connector::Connector;

use super::calls::{limit, pull, push, told, trap};
use super::server::{Answer, Server, answer};
use super::world::{Settled, World, guest_variant};

/// A resolver that knows a few names.
struct Names(BTreeMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl Lookup for Names {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        self.0.get(name).cloned().ok_or_else(|| std::io::Error::other("no such name"))
    }
}

/// A platform of the guest over the real HTTP power: `shop` and `partner` are its settings, all it asks for is granted,
/// with these private exceptions.
pub struct Net<'a> {
    world: &'a World,
    shop: String,
    pub partner: String,
    private: Vec<String>,
    pub names: BTreeMap<&'static str, Vec<IpAddr>>,
    /// Headers that the guest sets, as `name: value`.
    pub headers: Vec<String>,
    pub preview: bool,
}

impl<'a> Net<'a> {
    pub fn new(world: &'a World, shop: impl Into<String>) -> Self {
        let (partner, private) = ("http://partner.example".into(), Vec::new());
        let (names, headers) = (BTreeMap::new(), Vec::new());
        Self { world, shop: shop.into(), partner, private, names, headers, preview: false }
    }

    pub fn open(world: &'a World, server: &Server) -> Self {
        Self::new(world, format!("http://{}", server.address)).private(server)
    }

    pub fn private(self, server: &Server) -> Self {
        self.excepted(&format!("127.0.0.1,127.0.0.1/32,{}", server.address.port()))
    }

    pub fn excepted(mut self, private: &str) -> Self {
        self.private.push(private.into());
        self
    }

    pub fn connector(&self, behaviour: &str, urls: &[&str], change: impl FnOnce(&mut Limits)) -> PlatformConnector {
        self.with_credential(behaviour, urls, &[], change)
    }

    pub fn with_credential(
        &self,
        behaviour: &str,
        urls: &[&str],
        credential: &[&str],
        change: impl FnOnce(&mut Limits),
    ) -> PlatformConnector {
        let settings = json!({
            "behaviour": behaviour, "shop": self.shop, "partner": self.partner, "urls": urls, "credential": credential,
            "headers": self.headers,
        });
        let description = self.world.build().description();
        let asked = Request::of(description, &settings).unwrap();
        let private = self.private.iter().map(|text| text.parse().unwrap()).collect();
        let decision = Decision { origins: asked.origins, private, ..Decision::default() };
        let http = PlatformHttp::new(Options {
            grants: Arc::new(Grants::new(description, &settings, &decision)),
            settings: settings.clone(),
            secrets: BTreeMap::from([("key/token".to_owned(), Secret::new("s3cret-t0ken".into()))]),
            lookup: Arc::new(Names(self.names.clone())),
            owns: Arc::new(|| true),
        })
        .unwrap();
        self.world.lent(behaviour, change, |lent| {
            lent.http = Arc::new(http);
            lent.settings = settings;
            lent.preview = self.preview;
        })
    }
}

/// Calls of a well-behaved platform while `work` runs; each must be answered, and none may wait for the other.
pub async fn beside<T>(world: &World, work: impl Future<Output = T>) -> T {
    let good = world.lent("good", |limits| limits.call_seconds = 10, |lent| lent.platform = PlatformId(2));
    let neighbour = async {
        let mut calls = 0_u32;
        loop {
            let called = pull(&good).await;
            assert!(called.result.is_ok(), "the neighbour's call {calls}: {:?}", called.result);
            calls += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = neighbour => unreachable!("it goes on for ever"),
    }
}

#[tokio::test]
async fn every_limit_ends_its_offender_by_name_while_a_neighbour_goes_on() {
    let world = World::new().await;
    let small = |limits: &mut Limits| {
        limits.cpu_seconds = 1;
        limits.call_seconds = 20;
        limits.memory = 64 << 20;
        limits.handles = 100;
    };
    for (behaviour, line) in [
        ("loop", "[limits] cpu-seconds = "),
        ("loop with host calls", "[limits] cpu-seconds = "),
        ("loop with storage calls", "[limits] cpu-seconds = "),
        ("memory", "[limits] memory = "),
        ("handles", "[limits] handles = "),
        ("huge page", "[limits] message = "),
        ("long page", "[limits] page-items = "),
    ] {
        let connector = world.limited(behaviour, small);
        let began = Instant::now();
        let called = beside(&world, pull(&connector)).await;
        let message = limit(called);
        assert!(message.contains(line), "{behaviour}: {message}");
        assert!(began.elapsed() < Duration::from_secs(18), "{behaviour} took {:?}", began.elapsed());
    }
}

/// A core module whose memories are others: so many, each with so many pages from the start.
fn with_memories(module: &[u8], count: u8, pages: u16) -> Vec<u8> {
    let leb = |n: u16| [(n & 0x7f) as u8 | 0x80, (n >> 7) as u8];
    let memory = [&[0][..], &leb(pages)].concat();
    let section = [&[count][..], &memory.repeat(count.into())].concat();
    let mut edited = module[..8].to_vec();
    let mut at = 8;
    while at < module.len() {
        let (id, mut size, mut shift, begin) = (module[at], 0_usize, 0, at);
        at += 1;
        loop {
            size |= usize::from(module[at] & 0x7f) << shift;
            (at, shift) = (at + 1, shift + 7);
            if module[at - 1] & 0x80 == 0 {
                break;
            }
        }
        at += size;
        // Section 5 is that of the memories.
        if id == 5 {
            edited.extend([5, u8::try_from(section.len()).unwrap()]);
            edited.extend(&section);
        } else {
            edited.extend(&module[begin..at]);
        }
    }
    edited
}

#[tokio::test]
async fn memory_is_summed_over_several_memories() {
    let world = World::new().await;
    let description = world.build().description().clone();
    for (count, fits) in [(1, true), (3, false)] {
        // 25 MB each.
        let bytes = super::check::built("shop", |text| text, |module| with_memories(&module, count, 400));
        let build = Build::load(&super::world::engine(), bytes.into(), Some(description.clone())).await.unwrap();
        let connector = world.lent_build(build.into(), "good", |limits| limits.memory = 64 << 20);
        let called = beside(&world, pull(&connector)).await;
        if fits {
            assert!(trap(called).contains("unreachable"), "its functions only trap");
        } else {
            let message = limit(called);
            assert!(message.contains("limit of 67108864 bytes") && message.contains("[limits] memory = "), "{message}");
        }
    }
}

#[tokio::test]
async fn blobs_of_one_call_are_limited_together() {
    let world = World::new().await;
    let connector = world.limited("write without end", |limits| limits.written = 5 << 20);
    let told = told(&connector).await;
    assert_eq!(told[0], "4", "each is a byte more than a megabyte");
    assert!(told[1].contains("Denied") && told[1].contains("[limits] written = "), "{}", told[1]);
}

#[tokio::test]
async fn a_host_function_that_waits_too_long_ends_the_call() {
    let world = World::new().await;
    // The first run does not give the storage back.
    let first = pull(&world.connector("good")).await;
    let second = world.limited("good", |limits| limits.host_call_seconds = 1);
    let message = limit(beside(&world, pull(&second)).await);
    assert!(message.contains("limit of 1 seconds") && message.contains("[limits] host-call-seconds = "), "{message}");
    drop(first);
    assert!(pull(&second).await.result.is_ok());
}

#[tokio::test]
async fn a_trap_in_any_export_is_that_calls_failure_and_nothing_else() {
    let world = World::new().await;
    let broken = world.connector("trap");
    assert!(trap(broken.check().await).contains("a trap in check"));
    assert!(trap(pull(&broken).await).contains("a trap in pull"));
    assert!(trap(broken.acknowledge(Kind::Stock, "r".into()).await).contains("a trap in acknowledge"));
    assert!(trap(push(&broken, 1).await.0).contains("a trap in push"));
    let settled = Arc::new(Settled::default());
    let doomed = vec![Doomed { item: "i".into(), remote: RemoteRef::new("1") }];
    let removed = broken.remove(Kind::Stock, doomed, Removal::Deactivate, settled).await;
    assert!(trap(removed).contains("a trap in remove"));
    let probe = Probe { item: "i".into(), marker: None, of: None, keys: Vec::new() };
    assert!(trap(broken.find(Kind::Stock, vec![probe]).await).contains("a trap in find"));
    assert!(pull(&world.connector("good")).await.result.is_ok());
}

#[tokio::test]
async fn a_build_that_traps_or_loops_while_it_describes_itself_is_refused() {
    let engine = super::world::engine();
    for (variant, words) in [("traps-describing", "a trap in describe"), ("loops-describing", "computed longer than")] {
        let bytes = guest_variant(variant, "1.0.0");
        let error = Build::load(&engine, bytes.into(), None).await.unwrap_err().to_string();
        assert!(error.contains("cannot describe itself") && error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn requests_go_only_where_they_were_granted() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"shop")).await;
    let shop = format!("http://{}/x", server.address);
    let net = Net::open(&world, &server);
    let urls = [shop.as_str(), "http://evil.example/", "ftp://shop.example/", "http://u:p@shop.example/"];
    let told = told(&net.connector("fetch", &urls, |_| {})).await;
    assert_eq!(told[0], "200 shop");
    for said in &told[1..] {
        assert!(said.starts_with("Error::Denied"), "{said}");
    }
    assert!(told[1].contains("evil.example"), "{}", told[1]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_denied_by_its_address() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"inside")).await;
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "::ffff:127.0.0.1"] {
        let port = server.address.port();
        let mut net = Net::new(&world, format!("http://rebound.example:{port}"));
        net.names.insert("rebound.example", vec![address.parse().unwrap()]);
        let url = format!("http://rebound.example:{port}/");
        let told = told(&net.connector("fetch", &[&url], |_| {})).await;
        assert!(told[0].starts_with("Error::Denied") && told[0].contains("rebound.example"), "{address}: {}", told[0]);
    }
    assert!(server.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_redirect_inside_is_denied_by_its_address() {
    let world = World::new().await;
    let inside = Server::start(|_| answer("200 OK", "", b"inside")).await;
    let port = inside.address.port();
    let outside = Server::start(move |request| {
        let target = if request.starts_with("GET /name") { "rebound.example" } else { "127.0.0.1" };
        answer("302 Found", &format!("location: http://{target}:{port}/\r\n"), b"")
    })
    .await;
    // Both places are granted by name; only the first may be at a private address.
    for partner in [format!("http://rebound.example:{port}"), format!("http://127.0.0.1:{port}")] {
        let mut net = Net::open(&world, &outside);
        net.names.insert("rebound.example", vec!["127.0.0.1".parse().unwrap()]);
        let path = if partner.contains("rebound") { "name" } else { "literal" };
        net.partner = partner;
        let url = format!("http://{}/{path}", outside.address);
        let told = told(&net.connector("fetch", &[&url], |_| {})).await;
        assert!(told[0].starts_with("Error::Denied"), "{}", told[0]);
    }
    assert_eq!((inside.requests().len(), outside.requests().len()), (0, 2));
}

#[tokio::test]
async fn address_literals_are_denied_in_every_spelling() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"inside")).await;
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "127.0.0.1.",
        "１２７.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ] {
        // As a setting that the operator granted, without naming it as private.
        let url = format!("http://{host}:{port}");
        let told = told(&Net::new(&world, url.clone()).connector("fetch", &[&url], |_| {})).await;
        assert!(told[0].starts_with("Error::Denied"), "{host}: {}", told[0]);
    }
    assert!(server.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_credential_goes_only_where_it_is_bound() {
    let world = World::new().await;
    let shop = Server::start(|request| {
        let seen = request.lines().any(|line| line.eq_ignore_ascii_case("authorization: Bearer s3cret-t0ken"));
        answer("200 OK", "", if seen { b"with s3cret-t0ken" } else { b"without" })
    })
    .await;
    let partner = Server::start(|_| answer("200 OK", "", b"partner")).await;
    let mut net = Net::open(&world, &shop).private(&partner);
    net.partner = format!("http://{}", partner.address);
    let (bound, other) = (format!("http://{}/", shop.address), format!("http://{}/", partner.address));
    let told = told(&net.with_credential("fetch", &[&bound, &other], &["key"], |_| {})).await;
    assert!(told[0].starts_with("200 with ") && !told[0].contains("s3cret"), "placed and masked: {}", told[0]);
    assert!(told[1].starts_with("Error::Denied"), "{}", told[1]);
    assert!(partner.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn answers_are_limited_in_time_and_in_decompressed_size() {
    let world = World::new().await;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 8 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 16 << 10, "small on the wire");
    let server = Server::start(move |request| match request.split(' ').nth(1) {
        Some("/bomb") => answer("200 OK", "content-encoding: gzip\r\n", &bomb),
        Some("/silent") => Answer::Late(Duration::from_secs(60)),
        _ => Answer::Endless,
    })
    .await;
    let net = Net::open(&world, &server);
    let url = |path: &str| format!("http://{}/{path}", server.address);
    let small = |limits: &mut Limits| {
        limits.http_seconds = 1;
        limits.http_answer = 1 << 20;
        limits.host_call_seconds = 2;
    };
    let told1 = beside(&world, told(&net.connector("fetch", &[&url("bomb")], small))).await;
    assert!(told1[0].starts_with("Error::Denied") && told1[0].contains("[limits] http-answer = "), "{}", told1[0]);
    // A read is repeated until the time of the whole call of the host is over.
    let told2 = beside(&world, told(&net.connector("fetch", &[&url("endless")], small))).await;
    assert!(told2[0].starts_with("Error::Timeout") && told2[0].contains("-seconds = "), "{}", told2[0]);
    let told3 = beside(&world, told(&net.connector("post", &[&url("silent")], small))).await;
    assert!(told3[0].starts_with("Error::Timeout") && told3[0].contains("[limits] http-seconds = "), "{}", told3[0]);
    let called = pull(&net.connector("post", &[&url("silent")], small)).await;
    assert_eq!(called.unsafe_sent, 1, "it may have been done");
}

#[tokio::test]
async fn requests_at_a_time_are_limited() {
    let world = World::new().await;
    let server = Server::start(|_| Answer::Late(Duration::from_millis(100))).await;
    let url = format!("http://{}/", server.address);
    let urls = vec![url.as_str(); 12];
    let net = Net::open(&world, &server);
    let said = told(&net.connector("fetch together", &urls, |limits| limits.http_concurrent = 3)).await;
    assert_eq!(said, vec!["200"; 12], "they wait for each other");
    assert_eq!(server.most(), 3);
    let said = told(&net.connector("fetch together", &urls, |limits| {
        limits.http_concurrent = 1;
        limits.host_call_seconds = 1;
    }))
    .await;
    let (served, refused): (Vec<_>, Vec<_>) = said.iter().partition(|said| *said == "200");
    assert!(served.len() >= 3 && !refused.is_empty(), "{said:?}");
    assert!(refused.iter().any(|said| said.contains("[limits] http-concurrent = ")), "{said:?}");
}

#[tokio::test]
async fn a_platform_does_not_see_anothers_storage_files_or_blobs() {
    let world = World::new().await;
    world.memory.values.lock().unwrap().insert("private".into(), b"of platform 1".to_vec());
    assert_eq!(told(&world.connector("storage")).await[0], "a,b,private");
    let other = world.lent("storage", |_| {}, |lent| lent.platform = PlatformId(2));
    assert_eq!(told(&other).await[0], "a,b");
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("secret"), "x").unwrap();
    let inbox = world.exchange.path().join("inbox");
    std::os::unix::fs::symlink(elsewhere.path(), inbox.join("link")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("secret"), inbox.join("secret")).unwrap();
    assert!(told(&world.connector("paths")).await.is_empty());
    let other = world.lent(
        "files",
        |_| {},
        |lent: &mut Lent| {
            lent.platform = PlatformId(2);
            lent.code = PlatformCode::parse("other").unwrap();
            lent.exchange = None;
        },
    );
    assert!(matches!(pull(&other).await.result, Err(CallError::Remote(_))), "no folder was granted");
}
