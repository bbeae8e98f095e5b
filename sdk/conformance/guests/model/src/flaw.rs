//! Which flaw this connector has: written into the file by a test, for what shows before there are settings, else the
//! setting `flaw`.

use std::hint::black_box;

/// What tests write into the finished file: `flaw=NAME;version=1.0.0;` and dots.
static BUILD: [u8; 96] =
    *b"conformance-model flaw=;version=1.0.0;..........................................................";

fn part(name: &str) -> String {
    // Without it the compiler would read the text now and not later.
    let text = String::from_utf8_lossy(black_box(&BUILD)).into_owned();
    let found = text.split([' ', ';']).find_map(|part| part.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    found.unwrap_or_default()
}

/// Version of this build.
pub(crate) fn version() -> String {
    part("version")
}

/// Whether this connector has the flaw: `RULE`, or `RULE:WHAT` where a rule has several to catch.
pub(crate) fn breaks(name: &str) -> bool {
    part("flaw") == name || crate::api::setting("flaw").is_some_and(|flaw| flaw == name)
}
