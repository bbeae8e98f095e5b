//! The lines of an order have an id of their own on every platform. The hub's are those of the platform that the order
//! came from; which line of another platform is which of them was said when the order was made there.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::ledger::event::EventName;
use crate::ledger::link::MAIN;
use crate::ledger::{LedgerError, View};
use crate::model::sales::{AmountOf, Placed};
use crate::model::{FacetKey, PartKind, PlatformId, RecordId, RecordKind};
use crate::sync::projection::read;

/// The lines of one order as the hub and one platform name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// Id in the hub -> id on the platform.
    there: BTreeMap<String, String>,
}

impl Lines {
    /// The lines that are known on the platform.
    ///
    /// # Errors
    /// Of the ledger.
    pub(crate) fn on(view: &View<'_>, platform: PlatformId, order: RecordId) -> Result<Self, LedgerError> {
        let hub = of_hub(view, order)?;
        let mut there = BTreeMap::new();
        if view.record(order)?.origin == Some(platform) {
            there.extend(hub.iter().map(|id| (id.clone(), id.clone())));
        }
        if let Some(link) = view.link_of(platform, RecordKind::Order, order, MAIN)? {
            let parts = view.parts_of(link.id)?.into_iter().filter(|part| part.kind == PartKind::Line);
            there.extend(parts.filter(|part| hub.contains(&part.key)).map(|part| (part.key, part.id)));
        }
        Ok(Self { there })
    }

    /// Id on the platform.
    pub(crate) fn there(&self, hub: &str) -> Option<&str> {
        self.there.get(hub).map(String::as_str)
    }

    /// Id in the hub.
    pub(crate) fn hub(&self, there: &str) -> Option<&str> {
        self.there.iter().find(|(_, id)| *id == there).map(|(hub, _)| hub.as_str())
    }
}

/// The hub's lines, those of the order as it was sent among them: the shop may have dropped one since.
fn of_hub(view: &View<'_>, order: RecordId) -> Result<BTreeSet<String>, LedgerError> {
    let key = FacetKey::from("placed");
    let mut bodies: Vec<Placed> = view.record(order)?.body(&key)?.into_iter().collect();
    for event in view.events_of(order)?.into_iter().filter(|event| event.name == EventName::Placed) {
        bodies.extend(event.body.get(&key).map(read::<Placed>).transpose()?.flatten());
    }
    Ok(bodies.into_iter().flat_map(|placed| placed.lines).map(|line| line.id).collect())
}

/// Puts the target's ids in place of the sender's. A line that is not known is named, and nothing is changed then: on the
/// target the sender's id may be that of another line, or of somebody else's order.
pub(crate) fn translate(from: &Lines, to: &Lines, lines: &mut [AmountOf]) -> Result<(), Vec<String>> {
    let found = |line: &AmountOf| from.hub(&line.line).and_then(|hub| to.there(hub)).map(ToOwned::to_owned);
    let unknown: Vec<String> =
        lines.iter().filter(|line| found(line).is_none()).map(|line| line.line.clone()).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    for line in lines {
        if let Some(id) = found(line) {
            line.line = id;
        }
    }
    Ok(())
}

/// Reason key of what waits until the lines of an order are known everywhere.
pub(crate) fn of_order(order: RecordId) -> String {
    format!("lines:{order}")
}

/// Goods on a line of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Goods {
    /// Of the line, there.
    pub(crate) line: String,
    pub(crate) variant: RecordId,
    pub(crate) pieces: Decimal,
}

/// Lines (ours, theirs) that must be the same, although each side has ids of its own: of the same article and as many
/// pieces, or the only ones of that article. What fits twice is left out.
pub(crate) fn same(ours: &[Goods], theirs: &[Goods]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for with_pieces in [true, false] {
        let equal = |a: &Goods, b: &Goods| a.variant == b.variant && (!with_pieces || a.pieces == b.pieces);
        let ours: Vec<&Goods> = ours.iter().filter(|goods| pairs.iter().all(|(our, _)| *our != goods.line)).collect();
        let theirs: Vec<&Goods> =
            theirs.iter().filter(|goods| pairs.iter().all(|(_, their)| *their != goods.line)).collect();
        for goods in &ours {
            let twins = ours.iter().filter(|other| equal(goods, other)).count();
            let mut fitting = theirs.iter().filter(|other| equal(goods, other));
            if let (1, Some(their), None) = (twins, fitting.next(), fitting.next()) {
                pairs.push((goods.line.clone(), their.line.clone()));
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::fake::dec;

    fn lines(ids: &[(&str, &str)]) -> Lines {
        Lines { there: ids.iter().map(|(hub, there)| ((*hub).into(), (*there).into())).collect() }
    }

    fn amounts(ids: &[&str]) -> Vec<AmountOf> {
        ids.iter().map(|id| AmountOf { line: (*id).into(), quantity: dec("1") }).collect()
    }

    #[test]
    fn ids_of_one_platform_never_pass_for_those_of_another() {
        let shop = lines(&[("1", "1"), ("2", "2")]);
        let erp = lines(&[("1", "2"), ("2", "3")]);
        let mut shipped = amounts(&["3", "2"]);
        assert_eq!(translate(&erp, &shop, &mut shipped), Ok(()));
        assert_eq!(shipped, amounts(&["2", "1"]));
        // Line 1 of the ERP is somebody else's, although the shop has a line 1.
        let mut shipped = amounts(&["2", "1"]);
        assert_eq!(translate(&erp, &shop, &mut shipped), Err(vec!["1".to_owned()]));
        assert_eq!(shipped, amounts(&["2", "1"]));
        assert_eq!(translate(&shop, &Lines::default(), &mut amounts(&["1"])), Err(vec!["1".to_owned()]));
    }

    #[test]
    fn only_what_fits_once_is_the_same() {
        let line = |id: &str, article: i64, pieces: &str| Goods {
            line: id.to_owned(),
            variant: RecordId(article),
            pieces: dec(pieces),
        };
        let pairs = |ours: &[Goods], theirs: &[Goods]| {
            let mut pairs = same(ours, theirs);
            pairs.sort();
            pairs.into_iter().map(|(our, their)| format!("{our}{their}")).collect::<Vec<_>>()
        };
        let ours = [line("a", 1, "2"), line("b", 1, "3"), line("c", 2, "1")];
        let theirs = [line("x", 1, "3"), line("y", 2, "5"), line("z", 1, "2")];
        assert_eq!(pairs(&ours, &theirs), ["az", "bx", "cy"]);
        // Twice the same, and nothing says which is which.
        let twice = [line("a", 1, "1"), line("b", 1, "1"), line("c", 2, "1")];
        assert_eq!(pairs(&twice, &[line("x", 1, "1"), line("y", 1, "1"), line("z", 2, "1")]), ["cz"]);
        assert_eq!(pairs(&twice, &[line("x", 1, "1")]), Vec::<String>::new());
        assert_eq!(pairs(&twice[..1], &[line("x", 1, "1"), line("y", 1, "1")]), Vec::<String>::new());
    }
}
