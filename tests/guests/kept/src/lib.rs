//! The connector of which a build is kept for good with every contract that is released: it has all abilities, so that all
//! types of the contract are compared with the host's when it is loaded. See `tests/tests/runtime/kept.rs`.

use tradepost_sdk::prelude::*;
use tradepost_sdk::{platform, report, storage};

/// The component.
#[derive(Debug)]
pub struct Kept;

impl Connector for Kept {
    type Settings = ();

    fn describe() -> Description {
        let reading = || Reading::new().ids();
        let figure = StockFigure::OnHand;
        Description::new("org.tradepost.kept", version!())
            .name("Kept")
            .vendor("Tradepost")
            .ability(Ability::new(Kind::Product).reading(reading()))
            .ability(Ability::new(Kind::Stock).writing(Writing::of(["stock:*"]).figure(figure)).lookup(0))
    }

    fn open((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn check(&self) -> Result<Account, Error> {
        Ok(Account::new("kept", "Kept").now(platform::now()).channel(Channel::main("EUR", TaxBasis::Gross)))
    }
}

impl Source for Kept {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        let again = storage::get("pulled")?.is_some();
        storage::set("pulled", b"1")?;
        report::info(if again { "again" } else { "for the first time" });
        let mut page = match request.cursor {
            None => Page::of(vec![Product::read("1").text("en", "Grüße 🧦")]),
            Some(_) => Page::of(vec![Product::read("2").text("en", if again { "again" } else { "first" })]),
        };
        page.next = request.cursor.is_none().then(|| "2".to_owned());
        Ok(page)
    }
}

impl Target for Kept {
    fn push(&self, batch: Records) -> Result<(), Error> {
        let Records::Stock(levels) = batch else { return Err(Error::Unsupported("only stock".into())) };
        settle_each(&levels, |level| match level.variant.id.as_deref() {
            Some(id) => Ok(Outcome::done(id)),
            None => Err(Error::NotFound(level.variant.key.clone())),
        })
    }

    fn find(&self, _: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        Ok(probes.iter().map(|_| Vec::new()).collect())
    }
}

tradepost_sdk::export!(Kept: Source + Target);
