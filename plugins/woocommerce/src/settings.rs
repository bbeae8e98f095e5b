//! What the operator chooses for one shop.

use serde::Deserialize;

/// The settings, as the schema in `describe` declares them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Address of the shop, e.g. `https://shop.example.com`.
    pub url: String,
    /// Live shop or test shop: WooCommerce does not show which it is.
    pub environment: Environment,
    /// Language tag of the shop's texts: WooCommerce has one language.
    pub language: String,
    /// Unit of weights in the shop.
    pub weight_unit: WeightUnit,
    /// ISO 4217 code; empty to ask the shop.
    pub currency: String,
    /// Whether prices in the catalogue contain tax.
    pub prices: Prices,
    /// Country of the shop, for the tax of products; empty to ask the shop.
    pub country: String,
    /// IANA time zone; empty to ask the shop.
    pub zone: String,
    /// Tax class by percentage, e.g. `19=standard, 7=reduced-rate`; empty: by the shop's rates.
    pub tax_classes: String,
    /// Meta key of an order for the other side's number.
    pub number_meta: String,
    /// Meta key of an order for tracking codes; empty for none.
    pub tracking_meta: String,
    /// Who sees the note about a shipment.
    pub tracking_note: TrackingNote,
    /// Payment methods, with commas between them, by which money comes after the goods.
    pub pay_later: String,
    /// Seconds that a change may show late.
    pub overlap_seconds: u32,
    /// Records per request.
    pub page_size: u32,
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

/// Unit of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "units name themselves")]
pub enum WeightUnit {
    Kg,
    G,
    Lbs,
    Oz,
}

/// Whether prices contain tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prices {
    /// The shop says.
    Ask,
    /// Without tax.
    Net,
    /// With tax.
    Gross,
}

/// Who sees the note about a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackingNote {
    /// No note is written.
    None,
    /// The shop's staff.
    Internal,
    /// The customer too: the shop sends a mail.
    Customer,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: String::new(),
            environment: Environment::Live,
            language: "en".into(),
            weight_unit: WeightUnit::Kg,
            currency: String::new(),
            prices: Prices::Ask,
            country: String::new(),
            zone: String::new(),
            tax_classes: String::new(),
            number_meta: "_tradepost_number".into(),
            tracking_meta: "_tracking_number".into(),
            tracking_note: TrackingNote::Internal,
            pay_later: "cod,cheque".into(),
            overlap_seconds: 30,
            page_size: 50,
        }
    }
}
