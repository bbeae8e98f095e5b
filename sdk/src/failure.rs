//! Making errors. The case alone decides what the host does; the words are for a person.

use crate::records::Kind;
use crate::types::{Error, Issue};

/// Wrong data as a whole: a code, and the platform's words.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// let Error::Rejected(issues) = rejected("duplicate-sku", "The SKU is taken.") else { panic!() };
/// assert_eq!((issues[0].code.as_deref(), issues[0].path.as_str()), (Some("duplicate-sku"), ""));
/// ```
#[must_use]
pub fn rejected(code: &str, message: impl Into<String>) -> Error {
    Error::Rejected(vec![Issue { path: String::new(), code: Some(code.into()), message: message.into() }])
}

/// Wrong data in one field.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// let Error::Rejected(issues) = invalid("lines[2].tax-percent", "There is no such rate.") else { panic!() };
/// assert_eq!(issues[0].path, "lines[2].tax-percent");
/// ```
#[must_use]
pub fn invalid(path: &str, message: impl Into<String>) -> Error {
    Error::Rejected(vec![Issue { path: path.into(), code: None, message: message.into() }])
}

/// The connector does nothing for this kind.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// assert!(matches!(unsupported(Kind::Order), Error::Unsupported(words) if words.contains("order")));
/// ```
#[must_use]
pub fn unsupported(kind: Kind) -> Error {
    Error::Unsupported(format!("the kind `{}` is not handled by this connector", kind.name()))
}

/// Whether the next item of a batch would fare the same.
///
/// ```
/// use tradepost_sdk::types::Error;
///
/// assert!(tradepost_sdk::ends_the_call(&Error::Throttled(30)));
/// assert!(!tradepost_sdk::ends_the_call(&Error::Timeout("no answer".into())));
/// ```
#[must_use]
pub fn ends_the_call(error: &Error) -> bool {
    matches!(error, Error::Auth(_) | Error::Throttled(_) | Error::Unavailable(_) | Error::Denied(_))
}

/// What an error says to a person.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// assert_eq!(tradepost_sdk::words(&invalid("sku", "The SKU is taken.")), "The SKU is taken.");
/// assert_eq!(tradepost_sdk::words(&Error::Throttled(30)), "ask again after 30 s");
/// ```
#[must_use]
pub fn words(error: &Error) -> String {
    match error {
        Error::Auth(words)
        | Error::Unavailable(words)
        | Error::Timeout(words)
        | Error::NotFound(words)
        | Error::Unsupported(words)
        | Error::Denied(words)
        | Error::Bug(words) => words.clone(),
        Error::Throttled(seconds) => format!("ask again after {seconds} s"),
        Error::Rejected(issues) => issues.iter().map(|issue| issue.message.as_str()).collect::<Vec<_>>().join(" "),
        Error::MappingMissing(missing) => format!("{} `{}` is not mapped yet", missing.table, missing.value),
        Error::Conflict(version) => version.clone().unwrap_or_else(|| "somebody changed it meanwhile".into()),
    }
}
