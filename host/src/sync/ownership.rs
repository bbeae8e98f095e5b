//! Who owns a facet: the narrowest `owns` pattern over all platforms, else the platform that the record came from.

use crate::ledger::platform::Platform;
use crate::model::{FacetKey, FacetPattern, PlatformId, RecordKind};

/// The owners that the operator named.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    record: RecordKind,
    facet: FacetPattern,
    platform: PlatformId,
}

/// Two platforms that both claim to own a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Kind of record.
    pub record: RecordKind,
    /// What one of them claims.
    pub one: (PlatformId, FacetPattern),
    /// What the other claims.
    pub other: (PlatformId, FacetPattern),
}

impl Ownership {
    /// Of these platforms.
    #[must_use]
    pub fn of(platforms: &[Platform]) -> Self {
        let rules = platforms.iter().flat_map(|platform| {
            platform.policy.owns.iter().map(|owns| Rule {
                record: owns.record,
                facet: owns.facet.clone(),
                platform: platform.id,
            })
        });
        Self { rules: rules.collect() }
    }

    /// The owner of a facet of a record that came from `origin`; `None`: a person. Where two platforms claim it alike,
    /// the one that was added first has it until the dispute is settled.
    #[must_use]
    pub fn owner(&self, record: RecordKind, key: &FacetKey, origin: Option<PlatformId>) -> Option<PlatformId> {
        self.rules
            .iter()
            .filter(|rule| rule.record == record && rule.facet.matches(key))
            .max_by_key(|rule| (rule.facet.weight(), std::cmp::Reverse(rule.platform)))
            .map(|rule| rule.platform)
            .or(origin)
    }

    /// Claims of two platforms that are equally narrow and can fit the same facet: a mistake in the configuration.
    #[must_use]
    pub fn disputes(&self) -> Vec<Dispute> {
        let mut disputes = Vec::new();
        for (n, one) in self.rules.iter().enumerate() {
            for other in &self.rules[n + 1..] {
                if one.record == other.record
                    && one.platform != other.platform
                    && one.facet.weight() == other.facet.weight()
                    && overlap(&one.facet, &other.facet)
                {
                    disputes.push(Dispute {
                        record: one.record,
                        one: (one.platform, one.facet.clone()),
                        other: (other.platform, other.facet.clone()),
                    });
                }
            }
        }
        disputes
    }
}

/// Whether there can be a key that both fit.
fn overlap(one: &FacetPattern, other: &FacetPattern) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.0.split(':').collect(), other.0.split(':').collect());
    for n in 0..one.len().max(other.len()) {
        match (one.get(n), other.get(n)) {
            (Some(a), Some(b)) => {
                let last = |parts: &[&str]| n + 1 == parts.len();
                if (*a == "*" && last(&one)) || (*b == "*" && last(&other)) {
                    return true;
                }
                if a != b && *a != "*" && *b != "*" {
                    return false;
                }
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: PlatformId = PlatformId(1);
    const ERP: PlatformId = PlatformId(2);

    fn ownership(rules: &[(RecordKind, &str, PlatformId)]) -> Ownership {
        let rule = |(record, facet, platform): &(RecordKind, &str, PlatformId)| Rule {
            record: *record,
            facet: FacetPattern((*facet).into()),
            platform: *platform,
        };
        Ownership { rules: rules.iter().map(rule).collect() }
    }

    #[test]
    fn the_narrowest_claim_wins_and_the_origin_has_the_rest() {
        let owners = ownership(&[(RecordKind::Product, "*", ERP), (RecordKind::Product, "texts:hu", SHOP)]);
        for (kind, key, origin, expected) in [
            (RecordKind::Product, "texts:hu", None, Some(SHOP)),
            (RecordKind::Product, "texts:de", None, Some(ERP)),
            (RecordKind::Order, "placed", Some(SHOP), Some(SHOP)),
            (RecordKind::Order, "placed", None, None),
        ] {
            assert_eq!(owners.owner(kind, &key.into(), origin), expected, "{kind} {key}");
        }
    }

    #[test]
    fn claims_that_can_meet_are_disputes() {
        for (one, other, expected) in [
            ("texts:*", "texts:*", 1),
            ("texts:*", "texts:de", 0),
            ("texts:de", "texts:hu", 0),
            ("price:special:*:10", "price:*:CH:10", 1),
            ("head", "stock:*", 0),
        ] {
            let owners = ownership(&[(RecordKind::Product, one, ERP), (RecordKind::Product, other, SHOP)]);
            assert_eq!(owners.disputes().len(), expected, "{one} {other}");
        }
        let own = ownership(&[(RecordKind::Product, "*", ERP), (RecordKind::Product, "*", ERP)]);
        assert_eq!(own.disputes(), []);
    }
}
