//! What the operator chooses for one shop.

use serde::Deserialize;

/// The settings, as the schema in `describe` declares them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The server, without a path of the API, e.g. `https://shop.example.com`.
    pub url: String,
    /// Token of the channel; empty for the default channel.
    pub channel_token: String,
    /// Name of the credential to use.
    pub credential: Credential,
    /// Live shop or test shop: Vendure does not show which it is.
    pub environment: Environment,
    /// IANA time zone of the shop: Vendure has none.
    pub zone: String,
    /// Language tag to create objects in; empty for the channel's default language.
    pub language: String,
    /// Id of the stock location where a record names none of the shop's; empty for the first one.
    pub stock_location: String,
    /// Code of the fulfilment handler; it takes the arguments `method` and `trackingCode`.
    pub fulfilment_handler: String,
    /// Delivery method of a parcel that names no carrier.
    pub fulfilment_method: String,
    /// Words before the other side's order number in the private order note.
    pub number_note: String,
    /// Code of the facet that holds the manufacturer; empty for none.
    pub manufacturer_facet: String,
    /// Days for which placed orders are looked at again, because payments and fulfilments do not bump them.
    pub reread_days: u32,
    /// Seconds that a change may show late: clocks cut to seconds, transactions that commit after their time stamp.
    pub overlap_seconds: u32,
    /// Records per request.
    pub page_size: u32,
}

/// Which declared credential is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Credential {
    /// An administrator's log-in.
    Login,
    /// An API key.
    Key,
}

/// Whether the shop sells for real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// It sells.
    Live,
    /// It is for trying things out.
    Test,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: String::new(),
            channel_token: String::new(),
            credential: Credential::Login,
            environment: Environment::Live,
            zone: "UTC".into(),
            language: String::new(),
            stock_location: String::new(),
            fulfilment_handler: "manual-fulfillment".into(),
            fulfilment_method: "Parcel".into(),
            number_note: "Order number:".into(),
            manufacturer_facet: String::new(),
            reread_days: 30,
            overlap_seconds: 30,
            page_size: 100,
        }
    }
}
