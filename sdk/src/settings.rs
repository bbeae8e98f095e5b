//! What the operator enters: a struct whose doc comments are what he reads.
//!
//! The first paragraph of a field's comment is its title, the rest its explanation. The schema that the host shows and
//! checks is made of the struct; the connector gets the struct, filled in and checked once more, with an error that names
//! the setting.
//!
//! ```
//! use tradepost_sdk::prelude::*;
//!
//! #[derive(Debug, Settings)]
//! struct Config {
//!     /// Address of the shop
//!     ///
//!     /// Without a slash at the end, e.g. https://shop.example.
//!     #[setting(origin = "The shop's API and its pictures")]
//!     url: String,
//!     /// API token
//!     ///
//!     /// From the shop's back office under Integrations.
//!     #[setting(bearer)]
//!     token: Secret,
//!     /// Prices contain tax
//!     #[setting(default = Prices::Ask)]
//!     prices: Prices,
//!     /// Records per request
//!     #[setting(default = 50, min = 1, max = 250)]
//!     page_size: u32,
//!     /// Warehouse
//!     ///
//!     /// Empty for all of them.
//!     warehouse: Option<String>,
//! }
//!
//! #[derive(Debug, PartialEq, Choice)]
//! enum Prices {
//!     /// the shop says
//!     Ask,
//!     Net,
//!     Gross,
//! }
//!
//! let config: Config = settings::parse(r#"{"url": "https://shop.example/"}"#).unwrap();
//! assert_eq!((config.url.as_str(), config.prices, config.page_size), ("https://shop.example", Prices::Ask, 50));
//!
//! let error = settings::parse::<Config>(r#"{"url": "shop", "page_size": 0}"#).unwrap_err();
//! let Error::Rejected(issues) = error else { panic!() };
//! assert_eq!(issues[0].path, "settings.url");
//! assert_eq!(issues[1].message, "the setting `page_size` must be at least 1, found 0");
//! ```
//!
//! | attribute | |
//! |---|---|
//! | `default`, `default = VALUE` | used where the operator says nothing; without it the setting must be entered, unless it is an `Option` |
//! | `min = N`, `max = N` | for whole numbers |
//! | `pattern = "REGEX"` | for texts; the host's to check |
//! | `url` | an absolute http or https address; slashes at its end are taken off |
//! | `origin = "WHY"` | such an address to which requests go: asks the operator for leave |
//! | `check = FUNCTION` | `fn(&T) -> Result<(), String>`; the words follow the setting's name |
//! | `rename`, `title`, `help` | instead of the field's name and comment |
//! | `bearer`, `basic`, `header = "NAME"`, `query = "NAME"`, `scheme = EXPRESSION` | for a [`Secret`]: how the host places it |
//! | `optional`, `to = "SETTING"` | for a [`Secret`]: may be left out; goes only to the address in this setting, which says `origin` |
//!
//! What makes no sense does not compile:
//!
//! ```compile_fail
//! # use tradepost_sdk::prelude::*;
//! #[derive(Settings)]
//! struct Config {
//!     /// A default for a secret
//!     #[setting(bearer, default = "s3cret")]
//!     token: Secret,
//! }
//! ```
//!
//! ```compile_fail
//! # use tradepost_sdk::prelude::*;
//! #[derive(Settings)]
//! struct Config {
//!     /// A misspelt attribute
//!     #[setting(defautl = 7)]
//!     size: u32,
//! }
//! ```
//!
//! ```compile_fail
//! # use tradepost_sdk::prelude::*;
//! #[derive(Settings)]
//! struct Config {
//!     /// Address of the shop
//!     #[setting(origin = "The shop's API")]
//!     url: String,
//!     /// A secret that would go nowhere
//!     #[setting(bearer, to = "ulr")]
//!     token: Secret,
//! }
//! ```
//!
//! ```compile_fail
//! # use tradepost_sdk::prelude::*;
//! #[derive(Choice)]
//! enum Mode {
//!     /// A choice with fields
//!     Custom(String),
//! }
//! ```

mod form;
mod reader;
mod value;

use crate::types::Error;

pub use form::{Form, Property, SecretField};
pub use reader::{Reader, parse, settings};
pub use serde_json::Value;
pub use value::{Choice, Secret, Setting, Whole, Written, choose};

/// What the operator enters. Derived: see the [module](self); `()` where there is nothing to enter.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// #[derive(Settings)]
/// struct Config {
///     /// Company
///     company: Option<u32>,
/// }
///
/// let schema = Config::form().schema();
/// assert!(schema.contains(r#""company":{"minimum":0,"title":"Company","type":"integer"}"#), "{schema}");
/// assert_eq!(<() as Settings>::form().properties.len(), 0);
/// ```
pub trait Settings: Sized {
    /// What there is to enter.
    fn form() -> Form;

    /// Takes the values; nothing when something was wrong, which the reader has noted.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Reads them from their JSON text; see [`parse`].
    ///
    /// # Errors
    /// As [`parse`].
    fn parse(json: &str) -> Result<Self, Error> {
        reader::of_form(json)
    }
}

impl Settings for () {
    fn form() -> Form {
        Form::new()
    }

    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(())
    }

    /// Without a reader of JSON in the component.
    fn parse(_: &str) -> Result<Self, Error> {
        Ok(())
    }
}

/// Settings of a type that reads itself with serde; their schema is put into the description by hand.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Config { url: String }
///
/// let settings::Json(config) = settings::parse::<settings::Json<Config>>(r#"{"url": "https://a.example"}"#).unwrap();
/// assert_eq!(config.url, "https://a.example");
/// ```
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: serde::de::DeserializeOwned> Settings for Json<T> {
    fn form() -> Form {
        Form::new()
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.whole().map(Self)
    }
}
