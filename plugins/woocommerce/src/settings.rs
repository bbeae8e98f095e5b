//! What the operator chooses for one shop: the comments are what he reads.

use tradepost_sdk::Choice;

/// The settings.
#[derive(Debug, Clone, tradepost_sdk::Settings)]
pub struct Settings {
    /// Address of the shop
    ///
    /// Without /wp-json and without a slash at the end, e.g. https://shop.example.com.
    #[setting(url, pattern = "^https?://[^/?#]+(/[^?#]*[^/?#])?$")]
    pub url: String,
    /// Live or test shop
    ///
    /// WooCommerce does not show which of the two a shop is.
    #[setting(default = Environment::Live)]
    pub environment: Environment,
    /// Language
    ///
    /// Tag of the language of the shop's texts, e.g. de.
    #[setting(default = "en")]
    pub language: String,
    /// Unit of weight
    ///
    /// As in WooCommerce under Settings, Products.
    #[setting(default = WeightUnit::Kg)]
    pub weight_unit: WeightUnit,
    /// Currency
    ///
    /// ISO code; empty to ask the shop.
    #[setting(default)]
    pub currency: String,
    /// Prices contain tax
    ///
    /// As in WooCommerce under Settings, Tax.
    #[setting(default = Prices::Ask)]
    pub prices: Prices,
    /// Country
    ///
    /// ISO code of the country whose tax rates stand for a product's; empty to ask the shop.
    #[setting(default)]
    pub country: String,
    /// Time zone
    ///
    /// IANA name, e.g. Europe/Berlin; empty to ask the shop.
    #[setting(default)]
    pub zone: String,
    /// Tax classes
    ///
    /// Class by percentage, with commas between them, e.g. 19=standard, 7=reduced-rate; empty: by the tax rates of the
    /// shop.
    #[setting(default)]
    pub tax_classes: String,
    /// Field for the order number
    ///
    /// Meta key of an order that keeps the other side's number.
    #[setting(default = "_tradepost_number")]
    pub number_meta: String,
    /// Field for tracking codes
    ///
    /// Meta key of an order that gets the tracking codes, for a plugin that shows them; empty for none.
    #[setting(default = "_tracking_number")]
    pub tracking_meta: String,
    /// Note about a shipment
    ///
    /// Who sees the order note with the tracking codes.
    #[setting(default = TrackingNote::Internal)]
    pub tracking_note: TrackingNote,
    /// Pay later
    ///
    /// Payment methods by which the money comes after the goods, with commas between them.
    #[setting(default = "cod,cheque")]
    pub pay_later: String,
    /// Overlap in seconds
    ///
    /// How late a change may show.
    #[setting(default = 30, min = 2, max = 3600)]
    pub overlap_seconds: u32,
    /// Records per request
    ///
    /// Less where the server is slow.
    #[setting(default = 50, min = 1, max = 100)]
    pub page_size: u32,
}

/// Whether the shop sells for real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
#[expect(missing_docs, reason = "they name themselves")]
pub enum Environment {
    Live,
    Test,
}

/// Unit of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
#[expect(missing_docs, reason = "units name themselves")]
pub enum WeightUnit {
    Kg,
    G,
    Lbs,
    Oz,
}

/// Whether prices contain tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Prices {
    /// the shop says
    Ask,
    /// without tax
    Net,
    /// with tax
    Gross,
}

/// Who sees the note about a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum TrackingNote {
    /// the shop's staff
    Internal,
    /// the shop sends a mail
    Customer,
    /// no note is written
    None,
}
