//! Types that a setting may have.

use rust_decimal::Decimal;
use serde_json::Value;

use super::form::Property;

/// A type that a setting may have: texts, whole numbers, yes or no, [`Decimal`], lists of texts, enums with
/// [`Choice`](macro@crate::Choice), and an `Option` of each.
///
/// A decimal is entered as text, and so is a list, with commas between its texts:
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::settings::Setting;
/// use serde_json::json;
///
/// assert_eq!(Decimal::read(&json!("0.10")).unwrap().to_string(), "0.10");
/// assert_eq!(Vec::<String>::read(&json!("cod, cheque")).unwrap(), ["cod", "cheque"]);
/// assert_eq!(Option::<u8>::read(&json!(7)), Ok(Some(7)));
/// assert_eq!(u8::read(&json!(300)).unwrap_err(), "must be at most 255, found 300");
/// ```
pub trait Setting: Sized {
    /// A setting of this name and type.
    fn property(name: &'static str) -> Property;

    /// The value as it was entered.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow the setting's name.
    fn read(value: &Value) -> Result<Self, String>;

    /// The value as it is entered.
    fn write(&self) -> Value;

    /// The value where nothing was entered and there is no default.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

impl Setting for String {
    fn property(name: &'static str) -> Property {
        Property::text(name)
    }

    fn read(value: &Value) -> Result<Self, String> {
        value.as_str().map(Into::into).ok_or_else(|| format!("must be a text, found {value}"))
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

impl Setting for bool {
    fn property(name: &'static str) -> Property {
        Property::boolean(name)
    }

    fn read(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| format!("must be true or false, found {value}"))
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

macro_rules! whole {
    ($($number:ty)*) => {$(
        impl Whole for $number {}

        impl Setting for $number {
            fn property(name: &'static str) -> Property {
                let property = Property::integer(name);
                // Bounds that are those of the machine mean nothing to a person, but for the sign.
                if <$number>::MIN == 0 { property.min(0) } else { property }
            }

            fn read(value: &Value) -> Result<Self, String> {
                let number = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
                let number = number.ok_or_else(|| format!("must be a whole number, found {value}"))?;
                if number < <$number>::MIN as i128 {
                    return Err(format!("must be at least {}, found {number}", <$number>::MIN));
                }
                <$number>::try_from(number).map_err(|_| format!("must be at most {}, found {number}", <$number>::MAX))
            }

            fn write(&self) -> Value {
                (*self).into()
            }
        }
    )*};
}

whole!(u8 u16 u32 u64 usize i8 i16 i32 i64);

impl Setting for Decimal {
    fn property(name: &'static str) -> Property {
        Property::text(name).pattern(r"^-?[0-9]+(\.[0-9]+)?$")
    }

    fn read(value: &Value) -> Result<Self, String> {
        let number = value.as_str().and_then(|text| crate::values::exactly(text.trim()).ok());
        number.ok_or_else(|| format!("must be a number like \"0.95\" in quotation marks, found {value}"))
    }

    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Setting for Vec<String> {
    fn property(name: &'static str) -> Property {
        Property::text(name)
    }

    fn read(value: &Value) -> Result<Self, String> {
        let text = String::read(value)?;
        Ok(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Into::into).collect())
    }

    fn write(&self) -> Value {
        self.join(", ").into()
    }
}

impl<T: Setting> Setting for Option<T> {
    fn property(name: &'static str) -> Property {
        T::property(name).optional()
    }

    /// An empty text is nothing: that is how a value is taken away in a form.
    fn read(value: &Value) -> Result<Self, String> {
        if value.as_str().is_some_and(str::is_empty) { Ok(None) } else { T::read(value).map(Some) }
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, Setting::write)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

#[diagnostic::on_unimplemented(
    message = "`min` and `max` are for whole numbers, `{Self}` is none",
    label = "this setting is no whole number",
    note = "a text is bounded by a `pattern`, any value by a `check` function"
)]
/// A setting that `min` and `max` mean something for: a whole number, or an `Option` of one.
///
/// ```compile_fail,E0277
/// # use tradepost_sdk::prelude::*;
/// #[derive(Settings)]
/// struct Config {
///     /// A text has no largest value
///     #[setting(max = 7)]
///     language: String,
/// }
/// ```
pub trait Whole: Setting {}

#[diagnostic::on_unimplemented(
    message = "`pattern` and `url` are for texts, `{Self}` is none",
    label = "this setting is no text",
    note = "a whole number is bounded by `min` and `max`, any value by a `check` function"
)]
/// A setting that is entered as text, for which `pattern` and `url` mean something.
///
/// ```compile_fail,E0277
/// # use tradepost_sdk::prelude::*;
/// #[derive(Settings)]
/// struct Config {
///     /// A number has no pattern
///     #[setting(pattern = "^[0-9]+$")]
///     company: u32,
/// }
/// ```
pub trait Written: Setting {}

impl Written for String {}
impl Written for Vec<String> {}
impl Written for Decimal {}
impl<T: Whole> Whole for Option<T> {}
impl<T: Written> Written for Option<T> {}

/// One of several things, by name. Derived for enums without fields; the names are those of the variants in
/// kebab-case, the comments what the operator reads.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// #[derive(Debug, PartialEq, Choice)]
/// enum Encoding {
///     #[setting(rename = "utf-8")]
///     Utf8,
///     /// what older ERPs write
///     #[setting(rename = "windows-1252")]
///     Windows1252,
/// }
///
/// assert_eq!(Encoding::CHOICES[1], ("windows-1252", "what older ERPs write"));
/// assert_eq!(Encoding::choose("utf-8"), Some(Encoding::Utf8));
/// assert_eq!(Encoding::Utf8.name(), "utf-8");
/// ```
pub trait Choice: Sized {
    /// Names and what they mean.
    const CHOICES: &'static [(&'static str, &'static str)];

    /// What has this name.
    fn choose(name: &str) -> Option<Self>;

    /// Its name.
    fn name(&self) -> &'static str;
}

/// Reads a choice.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// #[derive(Debug, PartialEq, Choice)]
/// enum Size { Small, Large }
///
/// let wrong = settings::choose::<Size>(&"huge".into());
/// assert_eq!(wrong.unwrap_err(), "must be one of `small`, `large`, found \"huge\"");
/// ```
///
/// # Errors
/// The names that there are, in words that follow the setting's name.
pub fn choose<C: Choice>(value: &Value) -> Result<C, String> {
    value.as_str().and_then(C::choose).ok_or_else(|| {
        let names: Vec<String> = C::CHOICES.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("must be one of {}, found {value}", names.join(", "))
    })
}

/// A secret of the operator's, which the connector never sees: it names it in its requests, and the host places it.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// #[derive(Settings)]
/// struct Config {
///     /// Consumer key and secret
///     #[setting(basic)]
///     api: Secret,
/// }
///
/// let config: Config = settings::parse("{}").unwrap();
/// let request = Request::get("https://shop.example/orders").credential(&config.api);
/// assert_eq!(request.0.credential.as_deref(), Some("api"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secret(&'static str);

impl Secret {
    /// The secret of this name, where it is declared by hand.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }
}

impl AsRef<str> for Secret {
    fn as_ref(&self) -> &str {
        self.0
    }
}
