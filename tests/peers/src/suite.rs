//! The conformance suite over the connectors of the two servers, each against the real one: the suite's fault proxy in front of
//! the counting one, and a [`Hand`](crate::hand::Hand) that makes, changes and removes what the rules are about.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tradepost_conformance::{Entry, PLACE, Scenario, Suite, Verdict};

use crate::{
    classify::Server,
    hand,
    peers::Peers,
    proxy::Proxy,
    report::Report,
    setup,
    tryton::{self, Tryton},
    vendure::{self, Vendure},
};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    Vendure,
    Tryton,
}

impl Which {
    /// What must pass at least: a rule that the hand no longer reaches is skipped, and nobody would see it.
    fn least(self) -> usize {
        match self {
            Self::Vendure => 43,
            Self::Tryton => 45,
        }
    }

    fn server(self) -> Server {
        match self {
            Self::Vendure => Server::Vendure,
            Self::Tryton => Server::Tryton,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Vendure => "vendure",
            Self::Tryton => "tryton",
        }
    }
}

/// Runs it on fresh servers in `folder`: over both connectors, or over one, with all rules or with some.
pub async fn run(shared: &Path, folder: &Path, only: Option<Which>, rules: &[String]) -> Result<Report> {
    crate::http::use_tls();
    if let Some(unknown) =
        rules.iter().find(|name| tradepost_conformance::rules().iter().all(|rule| rule.name != **name))
    {
        bail!("there is no rule `{unknown}`; `cargo tradepost conformance --rules` lists them");
    }
    let wanted: Vec<Which> =
        [Which::Vendure, Which::Tryton].into_iter().filter(|which| only.is_none_or(|only| only == *which)).collect();
    let packages: Vec<String> = wanted.iter().map(|which| format!("{}-connector", which.name())).collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let built = crate::build::connectors(&packages).await?;
    let servers: Vec<Server> = wanted.iter().map(|which| which.server()).collect();
    let peers = Peers::start_of(shared, &folder.join("peers"), &servers).await?;
    // Side by side: each waits for its own server most of the time.
    let running = wanted.iter().zip(&built).map(|(which, file)| one(*which, file, &peers, rules));
    let mut report = Report::default();
    for (which, found) in wanted.iter().zip(try_join_all(running).await?) {
        let name = which.name();
        println!("{}", found.table(160));
        let (passed, failed, skipped) = found.counts();
        let words = format!("{passed} passed, {failed} failed, {skipped} skipped");
        report.judge(&format!("{name}: rules"), "none failed", words, failed == 0);
        for entry in &found.entries {
            if let Verdict::Failed { why, .. } = &entry.verdict {
                report.judge(&format!("{name}: {}", entry.rule), entry.demands, why, false);
            }
        }
        if rules.is_empty() {
            let least = which.least();
            report.judge(&format!("{name}: rules that passed"), format!("at least {least}"), passed, passed >= least);
        }
    }
    peers.stop();
    Ok(report)
}

/// The suite over one connector; each rule is told as it ends.
async fn one(which: Which, file: &Path, peers: &Peers, rules: &[String]) -> Result<tradepost_conformance::Report> {
    let scenario = match which {
        Which::Vendure => shop(peers).await,
        Which::Tryton => erp(peers).await,
    };
    let component = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let suite = Suite { component, scenario: scenario?, only: rules.to_vec(), ..Suite::default() };
    let name = which.name();
    let tell = |entry: &Entry| eprintln!("{:>7} ms  {name}: {}", entry.took.as_millis(), entry.rule);
    suite.run(tell).await.with_context(|| format!("the suite over {name}"))
}

async fn shop(peers: &Peers) -> Result<Scenario> {
    let proxy = Proxy::start(Server::Vendure, &peers.shop).await?;
    let control = hand::serve(vendure::Merchant::of(Vendure::login(&peers.shop).await?).await?, proxy.clone()).await?;
    let settings = json!({"url": PLACE, "credential": "login", "environment": "test", "fulfilment_method": "DHL"});
    let secrets = [("login/username", "superadmin"), ("login/password", "superadmin")];
    Ok(scenario(&proxy, control, &settings, &secrets))
}

/// Seeded goods that nobody bought. The ERP itself keeps whatever lay on a shelf once, and the suite reads all there is many
/// times over.
const UNSOLD: &str = "
    create temporary table unsold as select t.id from product_template t where t.type = 'goods' and not exists (
        select 1 from sale_line l join product_product p on p.id = l.product where p.template = t.id);
    create temporary table variants as select id from product_product where template in (select id from unsold);
    delete from stock_inventory_line where product in (select id from variants);
    delete from stock_move where product in (select id from variants);
    delete from product_template where id in (select id from unsold)";

async fn erp(peers: &Peers) -> Result<Scenario> {
    peers.erp_sql(UNSOLD).await?;
    let origin = peers.erp.trim_end_matches("/erp");
    let proxy = Proxy::start(Server::Tryton, origin).await?;
    let control =
        hand::serve(tryton::Clerk::of(Tryton::new(&peers.erp, &peers.erp_key)?).await?, proxy.clone()).await?;
    let settings = json!({
        "url": format!("{PLACE}/erp"), "environment": "test", "special_price_list": setup::SPECIAL_PRICES,
        "description_format": "html", "shipping_product": "SHIP",
    });
    Ok(scenario(&proxy, control, &settings, &[("key/token", &peers.erp_key)]))
}

fn scenario(proxy: &Proxy, control: String, settings: &Value, secrets: &[(&str, &str)]) -> Scenario {
    Scenario {
        simulator: Some(proxy.url.clone()),
        control: Some(control),
        settings: settings
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        secrets: secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        waived: BTreeMap::new(),
        ..Scenario::default()
    }
}
