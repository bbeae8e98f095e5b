//! Writing a batch item by item.

use crate::outcomes::Outcome;
use crate::records::Record;
use crate::report;
use crate::types::Error;

/// Writes and settles record by record. A failed one stops no other, unless the next would fare the same
/// ([`ends_the_call`](crate::ends_the_call)): what was not tried stays unsettled, and the host tries it again.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::FakeHost;
///
/// let products = vec![Product::read("1").as_create("a"), Product::read("2").text("en", "Pot").as_create("b")];
/// let host = FakeHost::new();
/// host.run(|| settle_each(&products, |product| match product.texts.as_slice() {
///     [] => Err(invalid("texts", "A product needs a name.")),
///     [texts, ..] => Ok(Outcome::done(texts.name.as_str())),
/// })).unwrap();
/// assert!(matches!(host.outcome("a"), Some(Outcome::Failed(Error::Rejected(_)))));
/// assert!(matches!(host.outcome("b"), Some(Outcome::Done(_))));
/// ```
///
/// # Errors
/// Why the rest was not tried.
pub fn settle_each<R: Record>(records: &[R], mut write: impl FnMut(&R) -> Result<Outcome, Error>) -> Result<(), Error> {
    for record in records {
        let item = &record.head().item;
        match write(record) {
            Ok(outcome) => report::settle(item, &outcome),
            Err(error) => {
                report::settle(item, &Outcome::Failed(error.clone()));
                if crate::ends_the_call(&error) {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}
