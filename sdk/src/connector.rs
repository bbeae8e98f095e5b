//! What a connector implements, and the types of its description.

use crate::bindings::{describes, reads, writes};
use crate::records::{Kind, Records, Removal};
use crate::settings::Settings;
use crate::source::{self, Page, PullRequest};
use crate::target::{Doomed, Found, Probe};
use crate::types::Error;

pub use describes::exports::tradepost::connector::connector::{
    Ability, Account, Channel, Credential, Description, Environment, Lookup, Oauth, OrderHappening, Origin, Rate,
    Reading, Scheme, Session, StockFigure, Warehouse, Writing,
};

/// Every connector: what it is, and whom its credentials reach.
///
/// A fresh instance serves each call, made by [`open`](Connector::open) from the platform's settings. What should be
/// known in the next call goes into the cursor or into [`storage`](crate::storage).
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// struct Hello;
///
/// impl Connector for Hello {
///     type Settings = ();
///
///     fn describe() -> Description {
///         Description::new("org.example.hello", version!()).name("Hello").vendor("Example Ltd")
///     }
///
///     fn open((): ()) -> Result<Self, Error> {
///         Ok(Self)
///     }
///
///     fn check(&self) -> Result<Account, Error> {
///         Ok(Account::new("hello-1", "Hello").channel(Channel::main("EUR", TaxBasis::Gross)))
///     }
/// }
///
/// assert_eq!(Hello::describe().id, "org.example.hello");
/// ```
pub trait Connector: Sized {
    /// What the operator enters: derive [`Settings`](macro@crate::Settings), or `()` where there is nothing to enter.
    type Settings: Settings;

    /// What the connector is and can do. Called once per distinct file with every power refused; the same each time.
    /// Schema, secrets and origins of [`Connector::Settings`] are added to it.
    fn describe() -> Description;

    /// Makes the instance that serves one call.
    ///
    /// # Errors
    /// `rejected` when the settings contradict each other, see [`invalid`](crate::invalid).
    fn open(settings: Self::Settings) -> Result<Self, Error>;

    /// Asks the platform whose account the credentials reach; writes nothing.
    ///
    /// # Errors
    /// What keeps the platform from being used, in words that a merchant understands.
    fn check(&self) -> Result<Account, Error>;
}

/// A connector that reads from its platform.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// # struct Shop;
/// # impl Connector for Shop {
/// #     type Settings = ();
/// #     fn describe() -> Description { Description::new("org.example.shop", "1.0.0") }
/// #     fn open((): ()) -> Result<Self, Error> { Ok(Self) }
/// #     fn check(&self) -> Result<Account, Error> { Ok(Account::new("1", "Shop")) }
/// # }
/// impl Source for Shop {
///     fn pull(&self, request: PullRequest) -> Result<Page, Error> {
///         match request.kind {
///             Kind::Product => Ok(Page::of(vec![Product::read("7").text("en", "Tea pot")])),
///             other => Err(unsupported(other)),
///         }
///     }
/// }
///
/// let page = Shop.pull(PullRequest::all(Kind::Product)).unwrap();
/// assert_eq!(page.records.len(), 1);
/// assert!(page.next.is_none());
/// ```
pub trait Source: Connector {
    /// Reads one page.
    ///
    /// # Errors
    /// Why there is none; a single record that cannot be read is [`Page::unreadable`] and no error.
    fn pull(&self, request: PullRequest) -> Result<Page, Error>;

    /// The page with this receipt is durable. May be called again with the same receipt, also by a later build. Nothing
    /// has to be done where no page has a receipt.
    ///
    /// # Errors
    /// Why the platform could not be told.
    fn acknowledge(&self, kind: Kind, receipt: String) -> Result<(), Error> {
        let _ = (kind, receipt);
        Ok(())
    }
}

/// A connector that writes to its platform.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// # struct Shop;
/// # impl Connector for Shop {
/// #     type Settings = ();
/// #     fn describe() -> Description { Description::new("org.example.shop", "1.0.0") }
/// #     fn open((): ()) -> Result<Self, Error> { Ok(Self) }
/// #     fn check(&self) -> Result<Account, Error> { Ok(Account::new("1", "Shop")) }
/// # }
/// impl Target for Shop {
///     fn push(&self, batch: Records) -> Result<(), Error> {
///         match batch {
///             Records::Stock(levels) => settle_each(&levels, |level| {
///                 // .. send it to the platform ..
///                 Ok(Outcome::done(level.variant.id.as_deref().unwrap_or_default()))
///             }),
///             other => Err(unsupported(other.kind())),
///         }
///     }
/// }
///
/// let host = FakeHost::new();
/// let level = StockLevel::read("7", Link::new("7", "POT"), "4").as_update("item-1");
/// host.push::<Shop>(Records::Stock(vec![level])).unwrap();
/// assert!(matches!(host.outcome("item-1"), Some(Outcome::Done(_))));
/// # use tradepost_sdk::testing::FakeHost;
/// ```
pub trait Target: Connector {
    /// Writes the records and reports each with [`report::settle`](crate::report::settle), as
    /// [`settle_each`](crate::settle_each) does.
    ///
    /// # Errors
    /// Why the rest was not tried.
    fn push(&self, batch: Records) -> Result<(), Error>;

    /// Removes records, settled like [`push`](Target::push). Where the description declares no removals, it is never
    /// called.
    ///
    /// # Errors
    /// Why the rest was not tried.
    fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        let _ = (items, how);
        Err(Error::Unsupported(format!("{} is not removed through this connector", kind.name())))
    }

    /// All matches per probe, in the order of the probes: looks for what a write whose answer was lost has made. Where
    /// the description declares no lookup, it is never called.
    ///
    /// # Errors
    /// Why the platform could not be asked.
    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        let _ = probes;
        Err(Error::Unsupported(format!("{} is not looked up by this connector", kind.name())))
    }
}

/// What the host gets to see of a connector's description: with all that its settings declare.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// #[derive(Settings)]
/// struct Config {
///     /// Address
///     #[setting(origin = "The shop")]
///     url: String,
/// }
///
/// # struct Shop;
/// # impl Connector for Shop {
/// #     type Settings = Config;
/// #     fn describe() -> Description { Description::new("org.example.shop", "1.0.0") }
/// #     fn open(_: Config) -> Result<Self, Error> { Ok(Self) }
/// #     fn check(&self) -> Result<Account, Error> { Ok(Account::new("1", "Shop")) }
/// # }
/// let told = tradepost_sdk::describe::<Shop>();
/// assert_eq!(told.origins[0].host, "{url}");
/// assert!(told.settings_schema.contains("\"format\":\"uri\""));
/// ```
#[must_use]
pub fn describe<C: Connector>() -> Description {
    C::describe().with(&C::Settings::form())
}

/// The instance that serves this call.
fn open<C: Connector>() -> Result<C, Error> {
    C::open(crate::settings::settings()?)
}

impl<C: Connector> describes::exports::tradepost::connector::connector::Guest for C {
    fn describe() -> Description {
        describe::<C>()
    }

    fn check() -> Result<Account, Error> {
        open::<C>()?.check()
    }
}

impl<C: Source> reads::exports::tradepost::connector::source::Guest for C {
    fn pull(request: source::Request) -> Result<Page, Error> {
        open::<C>()?.pull(request)
    }

    fn acknowledge(kind: Kind, receipt: String) -> Result<(), Error> {
        open::<C>()?.acknowledge(kind, receipt)
    }
}

impl<C: Target> writes::exports::tradepost::connector::target::Guest for C {
    fn push(batch: Records) -> Result<(), Error> {
        open::<C>()?.push(batch)
    }

    fn remove(kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        open::<C>()?.remove(kind, items, how)
    }

    fn find(kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        open::<C>()?.find(kind, probes)
    }
}

/// Makes a type the component: names its abilities, which the host reads from what the file exports.
///
/// `export!(Shop: Source)` for a connector that reads, `export!(Shop: Target)` for one that writes, `export!(Shop: Source +
/// Target)` for both. Natively it does nothing, so that a connector's crate is a plain library to its tests.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// struct Hello;
/// # impl Connector for Hello {
/// #     type Settings = ();
/// #     fn describe() -> Description { Description::new("org.example.hello", "1.0.0") }
/// #     fn open((): ()) -> Result<Self, Error> { Ok(Self) }
/// #     fn check(&self) -> Result<Account, Error> { Ok(Account::new("1", "Hello")) }
/// # }
/// # impl Source for Hello {
/// #     fn pull(&self, _: PullRequest) -> Result<Page, Error> { Ok(Page::empty()) }
/// # }
///
/// tradepost_sdk::export!(Hello: Source);
/// # fn main() {}
/// ```
///
/// What is named must be there:
///
/// ```compile_fail,E0277
/// # use tradepost_sdk::prelude::*;
/// # struct Hello;
/// # impl Connector for Hello {
/// #     type Settings = ();
/// #     fn describe() -> Description { Description::new("org.example.hello", "1.0.0") }
/// #     fn open((): ()) -> Result<Self, Error> { Ok(Self) }
/// #     fn check(&self) -> Result<Account, Error> { Ok(Account::new("1", "Hello")) }
/// # }
/// tradepost_sdk::export!(Hello: Target);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    ($connector:ident: $first:ident + $second:ident) => {
        $crate::export!($connector: $first);
        $crate::__export_ability!($second $connector);
    };
    ($connector:ident: $ability:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::describes::export_describes!($connector with_types_in $crate::bindings::describes);
        $crate::__export_ability!($ability $connector);
    };
}

/// One ability of [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __export_ability {
    (Source $connector:ident) => {
        const _: () = $crate::__private::reads::<$connector>();
        #[cfg(target_family = "wasm")]
        $crate::bindings::reads::export_reads!($connector with_types_in $crate::bindings::reads);
    };
    (Target $connector:ident) => {
        const _: () = $crate::__private::writes::<$connector>();
        #[cfg(target_family = "wasm")]
        $crate::bindings::writes::export_writes!($connector with_types_in $crate::bindings::writes);
    };
    ($other:ident $connector:ident) => {
        compile_error!(concat!("`", stringify!($other), "` is no ability: name `Source`, `Target` or `Source + Target`"));
    };
}

/// The version of the connector's own crate, which is also that of the build; a build under another version
/// (`TRADEPOST_CONNECTOR_VERSION`) goes first.
///
/// ```
/// assert!(tradepost_sdk::version!().contains('.'));
/// ```
#[macro_export]
macro_rules! version {
    () => {
        match ::core::option_env!("TRADEPOST_CONNECTOR_VERSION") {
            ::core::option::Option::Some(version) => version,
            ::core::option::Option::None => ::core::env!("CARGO_PKG_VERSION"),
        }
    };
}
