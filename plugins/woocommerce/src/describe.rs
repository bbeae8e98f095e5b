//! What the connector asks for and can do, and whom it reached.

use serde_json::Value;
use tradepost_sdk::connector::{
    Ability, Account, Channel, Credential, Description, OrderHappening, Origin, Rate, Reading, Scheme, StockFigure,
    Writing,
};
use tradepost_sdk::records::{Kind, Removal};
use tradepost_sdk::types::Error;
use tradepost_sdk::{text, version};

use crate::api::Shop;
use crate::map::filled;
use crate::settings::Environment;

/// The only channel and the only warehouse.
pub const MAIN: &str = "main";

/// Everything the host needs to know; the settings add their schema.
#[must_use]
pub fn description() -> Description {
    let description = Description::new("eu.tradepost.woocommerce", version!())
        .name(text("WooCommerce", "WooCommerce"))
        .vendor("Tradepost")
        .about(text(
            "Shops that run on WooCommerce, over the REST interface v3.",
            "Shops auf WooCommerce, über die REST-Schnittstelle v3.",
        ))
        .id_space("woocommerce")
        .origin(Origin::setting(
            "url",
            text("The shop's interface and its pictures.", "Schnittstelle und Bilder des Shops."),
        ))
        .credential(Credential::new(
            "api",
            text("Consumer key (name) and consumer secret", "Consumer Key (Name) und Consumer Secret"),
            Scheme::Basic,
        ))
        // The shop has no limit of its own; its host often has.
        .rate(Rate::new("api", "20").burst(20).concurrent(4));
    abilities().into_iter().fold(description, Description::ability)
}

fn abilities() -> [Ability; 8] {
    let reading = || Reading::new().ids().present();
    // The shop takes the pieces of an order out of its figure when the order is placed.
    let figure = StockFigure::Available;
    [
        Ability::new(Kind::Category)
            // Terms have no time stamps and no free fields.
            .reading(reading())
            .writing(Writing::of(["head", "texts:*", "media"]).create().removals([Removal::Delete])),
        Ability::new(Kind::Product).reading(reading().changes()).writing(
            Writing::of(["head", "texts:*", "media", "categories", "attributes", "grouping"])
                .create()
                .removals([Removal::Deactivate, Removal::Delete])
                .max_batch(10)
                .marker(128),
        ),
        Ability::new(Kind::Stock)
            // Pieces that orders take do not show in a product's time stamp.
            .reading(Reading::new().ids().figure(figure))
            .writing(Writing::of(["stock:*"]).max_batch(100).figure(figure)),
        Ability::new(Kind::Price)
            .reading(Reading::new().ids().changes())
            .writing(Writing::of(["price:base:*", "price:special:*:1"]).max_batch(100)),
        Ability::new(Kind::Customer).reading(reading()),
        Ability::new(Kind::Order).reading(reading().changes()),
        // Applying one again changes nothing.
        Ability::new(Kind::OrderEvent).writing(
            Writing::events([
                OrderHappening::Paid,
                OrderHappening::Cancelled,
                OrderHappening::Numbered,
                OrderHappening::Completed,
            ])
            .idempotent(),
        ),
        Ability::new(Kind::Shipment)
            .reading(Reading::new().ids().changes())
            .writing(Writing::of(["*"]).create().never_updates().marker(128).idempotent()),
    ]
    .map(|ability| ability.lookup(0))
}

/// Whom the credentials reached.
///
/// # Errors
/// What the shop answers.
pub fn account(shop: &Shop) -> Result<Account, Error> {
    let money = shop.money()?.clone();
    let settings = &shop.settings;
    // Asked for here to see whether the key is taken: not all of the above is asked for where the settings say it.
    shop.rates()?;
    let zone = match filled(Some(&settings.zone)) {
        Some(zone) => zone,
        None => {
            let status: Value = shop.get("/system_status")?;
            let zone = filled(status["environment"]["timezone"].as_str());
            // A site may be set to a bare offset, which is no zone; all times of orders are read in GMT anyhow.
            zone.filter(|zone| zone.contains('/')).unwrap_or_else(|| "UTC".into())
        }
    };
    // A change of the scheme makes no other shop.
    let url = settings.url.as_str();
    let id = url.split_once("://").map_or(url, |(_, rest)| rest).to_lowercase();
    let channel = Channel::new(MAIN, "WooCommerce", money.currency, money.basis)
        .languages([&settings.language])
        .countries(filled(Some(&money.country)));
    let account = Account::new(&id, &id).zone(&zone).channel(channel).warehouse(MAIN, "WooCommerce");
    let account = Account { now: shop.clock().map(|now| now.to_string()), ..account };
    Ok(match settings.environment {
        Environment::Live => account,
        Environment::Test => account.test(),
    })
}

#[cfg(test)]
mod tests;
