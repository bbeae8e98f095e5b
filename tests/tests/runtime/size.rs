//! What components weigh, and that they export just what their connectors can do: what a host compiles and caches.

use tradepost::runtime::check::{Checked, check};
use tradepost_build::{Built, Connector, Workspace};

/// Most bytes of a connector that does next to nothing with everything that is lent.
const HELLO: u64 = 220_000;
/// Most bytes of a connector that speaks JSON over HTTP.
const JSON: u64 = 450_000;
/// Most bytes of a connector for all that a shop has: eight kinds, read and written. A fifth of it is what serde makes of
/// the shop's types. It may only become smaller.
const SHOP: u64 = 900_000;

fn built(package: &str) -> (Built, Checked) {
    let workspace = Workspace::of_this_build().unwrap();
    let built = tradepost_build::build(&workspace, &[Connector::new(package)], &|_| {}).unwrap().remove(0);
    let checked = check(&std::fs::read(&built.path).unwrap()).unwrap();
    (built, checked)
}

#[test]
fn a_reader_is_small_and_no_target() {
    let (built, checked) = built("hello-guest");
    assert_eq!(checked, Checked { source: true, target: false, unknown: Vec::new() });
    assert!(built.size <= HELLO, "{} has {} bytes, {HELLO} are allowed", built.path.display(), built.size);
}

#[test]
fn json_over_http_is_small() {
    let (built, checked) = built("bench-connector");
    assert_eq!(checked, Checked { source: true, target: true, unknown: Vec::new() });
    assert!(built.size <= JSON, "{} has {} bytes, {JSON} are allowed", built.path.display(), built.size);
}

#[test]
fn a_whole_shop_does_not_grow() {
    let (built, _) = built("woocommerce-connector");
    assert!(built.size <= SHOP, "{} has {} bytes, {SHOP} are allowed", built.path.display(), built.size);
}
