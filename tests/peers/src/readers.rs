//! The built connectors read both servers through the host's runtime, without the engine: whatever kind they say they read must
//! come whole, be readable, and cost no write.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Result;
use tradepost::{
    capability::{
        GrantedOrigin,
        grants::{Decision, Grants},
        secret::Secret,
    },
    model::{Kind, PlatformCode, PlatformId, PullRequest, Record, Scope},
    runtime::{
        Build, Engine, Lent, Runtime,
        blobs::BlobFolder,
        http::{Options, PlatformHttp, SystemLookup},
        limits::Limits,
        power::NoStore,
    },
    sync::connector::Connector,
};

use crate::{
    classify::Server,
    peers::Peers,
    proxy::Proxy,
    report::Report,
    setup::{self, Platform},
    vendure::Vendure,
};

/// Runs it on fresh servers in `folder`.
pub async fn run(shared: &Path, folder: &Path) -> Result<Report> {
    crate::http::use_tls();
    let built = crate::build::connectors(&["vendure-connector", "tryton-connector"]).await?;
    let peers = Peers::start(shared, &folder.join("peers")).await?;
    let shop_proxy = Proxy::start(Server::Vendure, &peers.shop).await?;
    let erp_proxy = Proxy::start(Server::Tryton, peers.erp.trim_end_matches("/erp")).await?;
    let shop = Vendure::login(&peers.shop).await?;
    let platforms = setup::platforms(&shop, &shop_proxy, &erp_proxy, &peers.erp_key).await?;
    let blobs = tempfolder(folder)?;
    let runtime = Runtime::new(Engine::new(None)?, Arc::new(NoStore), Arc::new(BlobFolder::open(&blobs)?));
    let mut report = Report::default();
    let pairs = [(&platforms.shop, &built[0], &shop_proxy), (&platforms.erp, &built[1], &erp_proxy)];
    for (turn, (platform, file, proxy)) in pairs.into_iter().enumerate() {
        let bytes: Arc<[u8]> = std::fs::read(file)?.into();
        let build = Arc::new(Build::load(runtime.engine(), bytes, None).await?);
        let connector = connector(&runtime, platform, build, i64::try_from(turn)? + 1)?;
        match connector.check().await.result {
            Ok(account) => report.judge(
                &format!("{}: account", platform.code),
                "EUR",
                format!("{account:?}"),
                format!("{account:?}").contains("EUR"),
            ),
            Err(error) => report.failed(&format!("{}: account", platform.code), &anyhow::anyhow!("{error:?}")),
        }
        let kinds: Vec<Kind> =
            connector.description().abilities.iter().filter(|a| a.reading.is_some()).map(|a| a.kind).collect();
        for kind in kinds {
            let name = format!("{}: {kind}", platform.code);
            match everything(connector.as_ref(), kind).await {
                Ok((records, unreadable)) => {
                    let shown = records.first().map_or_else(String::new, |r| format!("{:?} {:?}", r.keys, r.facets));
                    let found = format!("{} records, {} unreadable {shown}", records.len(), unreadable.len());
                    report.judge(&name, "readable", found.chars().take(300).collect::<String>(), unreadable.is_empty());
                }
                Err(error) => report.failed(&name, &error),
            }
        }
        report.equal(&format!("{}: writes while reading", platform.code), "", proxy.writes_since(0).join("; "));
    }
    std::fs::remove_dir_all(&blobs)?;
    peers.stop();
    Ok(report)
}

/// Everything there is of a kind, page by page.
async fn everything(connector: &dyn Connector, kind: Kind) -> Result<(Vec<Record>, Vec<String>)> {
    let scope = Scope::Changed { since: None, until: jiff::Timestamp::now() };
    let (mut records, mut unreadable, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let request = PullRequest { kind, scope: scope.clone(), cursor, limit: 7 };
        let page = connector.pull(request).await.result.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        records.extend(page.records);
        unreadable.extend(page.unreadable.into_iter().map(|one| one.why));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok((records, unreadable)),
        }
    }
}

fn connector(runtime: &Runtime, platform: &Platform, build: Arc<Build>, id: i64) -> Result<Box<dyn Connector>> {
    let settings = platform.document["settings"].clone();
    let declared = &build.description().origins;
    let decision = Decision {
        origins: declared.iter().map(|origin| GrantedOrigin::resolve(origin, &settings)).collect::<Result<_, _>>()?,
        private: vec![platform.document["private"][0].as_str().unwrap_or_default().parse()?],
        ..Decision::default()
    };
    let secrets: BTreeMap<String, Secret> = platform.document["secrets"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), Secret::new(value.as_str().unwrap_or_default().to_owned())))
        .collect();
    let grants = Arc::new(Grants::new(build.description(), &settings, &decision));
    let http = PlatformHttp::new(Options {
        grants,
        settings: settings.clone(),
        secrets,
        lookup: Arc::new(SystemLookup),
        owns: Arc::new(|| true),
    })?;
    let lent = Lent {
        platform: PlatformId(id),
        code: PlatformCode::parse(&platform.code)?,
        settings,
        http: Arc::new(http),
        exchange: None,
        limits: Arc::new(Limits::default()),
        preview: false,
    };
    Ok(Box::new(runtime.connector(build, lent)))
}

fn tempfolder(folder: &Path) -> Result<std::path::PathBuf> {
    let blobs = folder.join("peers-blobs");
    std::fs::create_dir_all(&blobs)?;
    Ok(blobs)
}
