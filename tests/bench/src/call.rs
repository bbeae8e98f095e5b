//! A fresh instance and a call that does nothing, each after a call that used a page's worth of memory: what an instance
//! left behind has to be taken away before the next one may have its place.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tradepost::model::{Kind, PlatformCode, PlatformId, PullRequest, RemoteError, Scope};
use tradepost::runtime::blobs::BlobFolder;
use tradepost::runtime::limits::Limits;
use tradepost::runtime::power::{Answer, CallContext, HttpClient, NoStore, Request, Response};
use tradepost::runtime::{Build, Engine, Lent, Runtime};
use tradepost::sync::connector::Connector;

use crate::figure::{Figure, percentile};
use crate::platform;

/// Calls that are timed.
const CALLS: usize = 5_000;
/// One call in so many reads a page.
const PAGES: usize = 10;

/// Always the same page.
struct Page(Vec<u8>);

#[async_trait]
impl HttpClient for Page {
    async fn send(&self, _: &CallContext, request: Request) -> Result<Response, RemoteError> {
        Ok(Response { status: 200, headers: Vec::new(), body: Answer::Bytes(self.0.clone().into()), url: request.url })
    }
}

/// Measures both percentiles.
pub(crate) async fn measure(connector: &Path) -> Result<Vec<Figure>> {
    let blobs = tempfile::tempdir()?;
    let engine = Engine::new(None)?;
    let build = Arc::new(Build::load(&engine, std::fs::read(connector)?.into(), None).await?);
    let runtime = Runtime::new(engine, Arc::new(NoStore), Arc::new(BlobFolder::open(blobs.path())?));
    let guest = runtime.connector(
        build,
        Lent {
            platform: PlatformId(1),
            code: PlatformCode::parse("bench").context("a code by its rule")?,
            settings: json!({ "url": "http://127.0.0.1" }),
            http: Arc::new(Page(platform::sample(500).into_bytes())),
            exchange: None,
            limits: Arc::new(Limits::default()),
            preview: false,
        },
    );
    let mut micros = Vec::with_capacity(CALLS);
    let mut computed = Vec::with_capacity(CALLS);
    for n in 0..CALLS + CALLS / 10 {
        if n % PAGES == 0 {
            let until = jiff::Timestamp::now();
            let scope = Scope::Changed { since: None, until };
            let asked = PullRequest { kind: Kind::Product, scope, cursor: None, limit: 500 };
            let page = guest.pull(asked).await.result.context("the page")?;
            if page.records.len() != 500 {
                bail!("the page has {} records", page.records.len());
            }
        }
        let (began, thread) = (Instant::now(), thread_time());
        guest.acknowledge(Kind::Product, "receipt".into()).await.result.context("the call")?;
        // The first ones warm up.
        if n >= CALLS / 10 {
            micros.push(began.elapsed().as_secs_f64() * 1e6);
            computed.push((thread_time() - thread) * 1e6);
        }
    }
    Ok(vec![
        Figure::new("call p50", percentile(&mut micros, 0.5), "us").at_most(60.0),
        Figure::new("call p99", percentile(&mut micros, 0.99), "us").at_most(200.0),
        // Without what the machine did for others meanwhile; the call stays on the thread that makes it.
        Figure::new("call p50, computing", percentile(&mut computed, 0.5), "us").at_most(60.0),
        Figure::new("call p99, computing", percentile(&mut computed, 0.99), "us").at_most(200.0),
    ])
}

/// Seconds that this thread computed.
fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    std::time::Duration::try_from(time).unwrap_or_default().as_secs_f64()
}
