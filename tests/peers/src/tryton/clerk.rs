//! The ERP's clerk at the suite's bidding.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;
use tradepost::model::Kind;

use super::Tryton;
use crate::hand::{Hand, Offer};

/// Acts on the ERP for the suite.
#[derive(Debug)]
pub struct Clerk {
    erp: Tryton,
}

impl Clerk {
    /// Looks around in the ERP and takes what is there for what stays.
    pub async fn of(erp: Tryton) -> Result<Self> {
        Ok(Self { erp })
    }
}

impl Hand for Clerk {
    fn offers(&self) -> BTreeMap<Kind, Offer> {
        BTreeMap::new()
    }

    fn cases(&self) -> &'static [&'static str] {
        &[]
    }

    async fn reset(&self) -> Result<()> {
        Ok(())
    }

    async fn make(&self, kind: Kind, _: usize) -> Result<Vec<String>> {
        bail!("nobody makes a {kind}")
    }

    async fn change(&self, kind: Kind, _: &str) -> Result<()> {
        bail!("nobody changes a {kind}")
    }

    async fn remove(&self, kind: Kind, _: &str) -> Result<()> {
        bail!("nobody removes a {kind}")
    }

    async fn count(&self, kind: Kind) -> Result<u64> {
        bail!("nobody counts a {kind}")
    }

    async fn golden(&self, case: &str) -> Result<Vec<Value>> {
        bail!("there are no records of `{case}`")
    }
}
