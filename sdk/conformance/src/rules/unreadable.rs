//! Records that cannot be read: told one by one, and in nobody's way.

use super::words::understood;
use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};

pub(super) const STOPS_NOTHING: Rule = rule!(
    Behaviour,
    "unreadable-record-stops-nothing",
    "a record that cannot be read is told by its id or place with a reason, not left out or halved, and the others come",
    stops_nothing
);

async fn stops_nothing(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = trial.readable(|hand| hand.make && hand.spoil);
    if kinds.is_empty() {
        return skip("the simulator spoils no records of a kind that is read");
    }
    for kind in kinds {
        // With its neighbours on a page, and alone on one.
        for limit in [100, 1] {
            trial.reset().await?;
            let control = trial.control()?;
            let made = control.make(kind, 3).await?;
            let spoilt = &made[1];
            control.spoil(kind, spoilt).await?;
            let scan = trial.platform()?.scan(kind, &everything(), limit).await;
            let scan = scan.expected(&format!("reading {kind} records of which {spoilt} cannot be read"))?;
            let found = scan.ids();
            for id in [&made[0], &made[2]] {
                match found.iter().filter(|found| *found == id).count() {
                    1 => {}
                    times => return broken(format!("the {kind} {spoilt} cannot be read, and {id} came {times} times")),
                }
                if scan.unreadable.iter().any(|one| one.id.as_ref() == Some(id)) {
                    return broken(format!(
                        "the {kind} {spoilt} cannot be read, and {id} is said to be unreadable too"
                    ));
                }
            }
            if found.contains(spoilt) {
                return broken(format!("the {kind} {spoilt} cannot be read, and came all the same: half of it"));
            }
            // By its id, or by the place where its text stands.
            let told = |one: &&_| names(one, spoilt);
            match scan.unreadable.iter().filter(told).collect::<Vec<_>>().as_slice() {
                [] => {
                    return broken(format!("the {kind} {spoilt} cannot be read, and nobody is told: it was left out"));
                }
                [one] => understood(&one.why)?,
                more => return broken(format!("the {kind} {spoilt} cannot be read, and is told {} times", more.len())),
            }
        }
    }
    Ok(())
}

fn names(one: &tradepost::model::Unreadable, id: &str) -> bool {
    match &one.id {
        Some(told) if told == id => true,
        Some(place) => !place.is_empty() && one.raw.contains(id),
        None => false,
    }
}
