//! What a connector says of itself, and whom its credentials reach.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalog::{TaxBasis, Text};
use super::facet::{FacetKey, FacetPattern};
use super::kind::Kind;

/// Which stock figure is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StockFigure {
    /// Physical goods.
    OnHand,
    /// Goods that can still be sold.
    Available,
}

/// How a kind is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Changes since a time are understood.
    pub changes: bool,
    /// Records can be fetched by id.
    pub ids: bool,
    /// All ids can be listed.
    pub present: bool,
    /// Reading changes the platform.
    pub writes: bool,
    /// Stock only.
    pub figure: Option<StockFigure>,
}

/// How a record is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Hidden from sale.
    Deactivate,
    /// Deleted for good.
    Delete,
}

/// Order events by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderHappening {
    /// The order itself.
    Placed,
    /// Payment.
    Paid,
    /// Cancellation.
    Cancelled,
    /// Refund.
    Refunded,
    /// Number of the other side.
    Numbered,
    /// Finished.
    Completed,
}

/// How a kind is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writing {
    /// Facets that can be written.
    pub facets: Vec<FacetPattern>,
    /// Events that can be applied.
    pub events: Vec<OrderHappening>,
    /// Can make new objects.
    pub create: bool,
    /// Can change objects.
    pub update: bool,
    /// Can take objects away.
    pub removals: Vec<Removal>,
    /// Most records per call, at least 1.
    pub max_batch: u32,
    /// A second write with the same item is refused or ignored by the platform.
    pub idempotent: bool,
    /// Most characters of a marker.
    pub marker: Option<u32>,
    /// Can create finished business.
    pub create_done: bool,
    /// Stock only.
    pub figure: Option<StockFigure>,
}

impl Writing {
    /// Whether the facet can be written.
    #[must_use]
    pub fn writes(&self, key: &FacetKey) -> bool {
        self.facets.iter().any(|pattern| pattern.matches(key))
    }
}

/// What the connector does for one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ability {
    /// Kind.
    pub kind: Kind,
    /// Can be pulled.
    pub reading: Option<Reading>,
    /// Can be pushed.
    pub writing: Option<Writing>,
    /// `find` works and sees a new record after at most so many seconds.
    pub lookup_lag: Option<u32>,
}

/// Where a request may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `https` or `http`; ignored where `host` is a setting.
    pub scheme: String,
    /// Name, `*.` + name, or `{setting}`.
    pub host: String,
    /// Absent: the scheme's.
    pub port: Option<u16>,
    /// Shown to the operator.
    pub why: Vec<Text>,
}

/// How the host places a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// `Authorization: Bearer`; field `token`.
    Bearer,
    /// `Authorization: Basic`; fields `username`, `password`.
    Basic,
    /// Named header; field `value`.
    Header(String),
    /// Named query parameter; field `value`.
    Query(String),
    /// OAuth 2 client credentials; fields `client-id`, `client-secret`.
    OauthClient {
        /// May contain `{setting}`.
        token_url: String,
        /// Scopes.
        scopes: Vec<String>,
        /// Id and secret go into the Authorization header, else into the form.
        client_in_header: bool,
    },
    /// Log-in by request; fields `username`, `password`.
    Session {
        /// HTTP method.
        method: String,
        /// May contain `{setting}`.
        url: String,
        /// With `{username}` and `{password}`.
        body: String,
        /// Of the body.
        media_type: String,
        /// `header:NAME`, `cookie:NAME` or a JSON pointer.
        token_at: String,
        /// Header that carries the token.
        header: String,
        /// What stands before the token.
        prefix: String,
        /// Life of a token.
        seconds: Option<u32>,
    },
}

impl Scheme {
    /// Names of the secret fields that the operator enters.
    #[must_use]
    pub fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Bearer => &["token"],
            Self::Basic | Self::Session { .. } => &["username", "password"],
            Self::Header(_) | Self::Query(_) => &["value"],
            Self::OauthClient { .. } => &["client-id", "client-secret"],
        }
    }
}

/// A credential and the origins it may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Name used by requests.
    pub name: String,
    /// Shown to the operator.
    pub title: Vec<Text>,
    /// How it is placed.
    pub scheme: Scheme,
    /// Indexes into `origins`.
    pub origins: Vec<u32>,
    /// The connector does not work without it.
    pub required: bool,
}

/// A named token bucket shared by all calls of a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Name used by requests.
    pub name: String,
    /// Tokens per second.
    pub per_second: Decimal,
    /// Most tokens.
    pub burst: u32,
    /// Most requests at a time.
    pub concurrent: Option<u32>,
    /// Answer header with the requests left.
    pub remaining_header: Option<String>,
}

/// Whether a text is an id of a connector: a reverse domain name like `org.example.shop`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.contains('.') && text.len() <= 100 && text.split('.').all(part)
}

/// Everything the host needs to know of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Reverse domain name.
    pub id: String,
    /// Semantic version.
    pub version: String,
    /// Shown name.
    pub name: Vec<Text>,
    /// Who makes it.
    pub vendor: String,
    /// Shown explanation.
    pub about: Vec<Text>,
    /// Who shares remote ids.
    pub id_space: String,
    /// Raised when values are mapped differently.
    pub mapping_revision: u32,
    /// Raised when an older build cannot read stored keys or cursors.
    pub storage_version: u32,
    /// What it does, per kind.
    pub abilities: Vec<Ability>,
    /// JSON Schema of the settings.
    pub settings_schema: Value,
    /// Hosts it asks for.
    pub origins: Vec<Origin>,
    /// Credentials it asks for.
    pub credentials: Vec<Credential>,
    /// Rate limits it declares.
    pub rates: Vec<Rate>,
    /// Asks for an exchange folder.
    pub files: bool,
}

impl Description {
    /// What it does for a kind.
    #[must_use]
    pub fn ability(&self, kind: Kind) -> Option<&Ability> {
        self.abilities.iter().find(|ability| ability.kind == kind)
    }

    /// How it reads a kind.
    #[must_use]
    pub fn reading(&self, kind: Kind) -> Option<&Reading> {
        self.ability(kind)?.reading.as_ref()
    }

    /// How it writes a kind.
    #[must_use]
    pub fn writing(&self, kind: Kind) -> Option<&Writing> {
        self.ability(kind)?.writing.as_ref()
    }
}

/// Live business or a test system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Real customers.
    Live,
    /// Play money.
    Test,
}

/// A sales place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The platform's id.
    pub id: String,
    /// Shown.
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// Basis of its prices.
    pub basis: TaxBasis,
    /// BCP 47, the first is the main one.
    pub languages: Vec<String>,
    /// ISO 3166-1 alpha-2.
    pub countries: Vec<String>,
    /// IANA zone.
    pub zone: String,
}

/// A warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warehouse {
    /// The platform's id.
    pub id: String,
    /// Shown.
    pub name: String,
}

/// Whom the credentials reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// A changed id stops the platform.
    pub id: String,
    /// Shown.
    pub name: String,
    /// Live or test.
    pub environment: Environment,
    /// IANA zone.
    pub zone: String,
    /// The platform's clock.
    pub now: Option<Timestamp>,
    /// At least one.
    pub channels: Vec<Channel>,
    /// Warehouses.
    pub warehouses: Vec<Warehouse>,
}
