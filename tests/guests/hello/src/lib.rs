//! The least connector that uses everything the host lends. It shows what a component weighs before its connector does
//! anything, reading JSON and judging answers included: see `tests/tests/runtime/size.rs`.

use tradepost_sdk::prelude::*;
use tradepost_sdk::{blobs, files, platform, report, storage};

/// The component.
#[derive(Debug)]
pub struct Hello;

impl Connector for Hello {
    type Settings = ();

    fn describe() -> Description {
        Description::new("org.tradepost.hello", version!())
            .name("Hello")
            .vendor("Tradepost")
            .ability(Ability::new(Kind::Product).reading(Reading::new()))
    }

    fn open((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn check(&self) -> Result<Account, Error> {
        Ok(Account::new("hello", "Hello").now(platform::now()).channel(Channel::main("EUR", TaxBasis::Gross)))
    }
}

impl Source for Hello {
    fn pull(&self, _request: PullRequest) -> Result<Page, Error> {
        if platform::preview() {
            return Ok(Page::empty());
        }
        let answer = Request::get("https://hello.example").send()?;
        let kept = blobs::put(answer.bytes(), "text/plain", None)?;
        storage::set("hello", &blobs::read_all(&kept.id)?)?;
        storage::set_now("hello", b"now")?;
        for key in storage::keys("", None, 10)? {
            storage::remove(&key)?;
        }
        for entry in files::entries("inbox")? {
            let blob = files::to_blob(&entry.name, "text/plain")?;
            files::write_blob("failed/hello", &blob.id)?;
            files::write("failed/hello", &files::read_all(&entry.name)?)?;
        }
        report::info("hello");
        report::progress(1, None, "hello");
        Ok(Page::of(vec![Product::read("1").text("en", "Hello")]))
    }

    fn acknowledge(&self, _kind: Kind, receipt: String) -> Result<(), Error> {
        report::settle(&receipt, &Outcome::done("1"));
        files::rename("inbox/hello", "done/hello")
    }
}

tradepost_sdk::export!(Hello: Source);
