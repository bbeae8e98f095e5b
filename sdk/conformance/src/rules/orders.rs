//! Money on orders.

use rust_decimal::Decimal;
use tradepost::model::catalog::TaxBasis;
use tradepost::model::sales::Placed;
use tradepost::model::{FacetKey, Kind};

use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};

pub(super) const TOTALS: Rule = rule!(
    Behaviour,
    "order-totals-add-up",
    "lines (and on top of net ones, taxes) add up to what the platform says the buyer pays, to the last unit",
    totals
);

async fn totals(trial: &mut Trial<'_>) -> Result<(), End> {
    const CASE: &str = "order-totals-add-up";
    if trial.bench.description().reading(Kind::Order).is_none() {
        return skip("the connector reads no orders");
    }
    let mut expected = Vec::new();
    if let Some(control) = trial.bench.control.as_ref().filter(|c| c.offers.golden.iter().any(|case| case == CASE)) {
        expected = control.golden(CASE).await?;
    } else if trial.hand(Kind::Order).make {
        trial.control()?.make(Kind::Order, 3).await?;
    }
    let scan = trial.platform()?.scan(Kind::Order, &everything(), 100).await.expected("reading orders")?;
    let read =
        |id: &str| scan.records.iter().any(|record| record.remote.as_ref().is_some_and(|remote| remote.id == id));
    if let Some(missed) = expected.iter().find(|golden| golden.kind == Kind::Order && !read(&golden.id)) {
        return broken(format!("the order {} is on the platform and was not read", missed.id));
    }
    if scan.records.is_empty() {
        return skip("the simulator has no orders");
    }
    for record in &scan.records {
        let id = record.remote.as_ref().map(|remote| remote.id.clone()).unwrap_or_default();
        let body = record.facets.get(&FacetKey::from("placed")).cloned().unwrap_or_default();
        let placed: Placed = serde_json::from_value(body)
            .map_err(|error| End::Broken(format!("the order {id} cannot be read: {error}")))?;
        let lines: Decimal = placed.lines.iter().map(|line| line.total).sum();
        let taxes: Decimal = match placed.basis {
            TaxBasis::Gross => Decimal::ZERO,
            TaxBasis::Net if placed.taxes.is_empty() => placed.lines.iter().filter_map(|line| line.tax).sum(),
            TaxBasis::Net => placed.taxes.iter().map(|tax| tax.amount).sum(),
        };
        let (computed, total) = (lines + taxes, placed.total);
        if computed != total {
            return broken(format!(
                "order {}: lines and taxes add up to {computed}, the buyer pays {total}",
                placed.number
            ));
        }
        let golden = expected.iter().find(|golden| golden.kind == Kind::Order && golden.id == id);
        let stated = golden.and_then(|golden| golden.facets.get("placed")?["total"].as_str()?.parse::<Decimal>().ok());
        if let Some(stated) = stated.filter(|stated| *stated != total) {
            return broken(format!("order {}: the platform says {stated}, the connector {total}", placed.number));
        }
    }
    if expected.is_empty() {
        trial.note("the simulator does not say its totals; only the connector's own were added up");
    }
    Ok(())
}
