//! The targets of `fuzz/` on the stable compiler: their corpus, and changes of it that are the same in every run.

use std::path::{Path, PathBuf};

#[path = "../../fuzz/src/drive.rs"]
mod drive;
#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own for `cargo fuzz`")]
mod targets;

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name)
}

/// Five minutes instead of seconds.
const LONG: u64 = 200;

#[test]
fn any_component_is_refused_or_served() {
    drive::drive(&corpus("component"), 200, targets::component);
}

#[test]
fn any_value_of_a_connector_is_read_or_refused() {
    drive::drive(&corpus("values"), 20_000, targets::values);
}

#[test]
fn any_answer_of_a_shop_is_read_or_refused() {
    drive::drive(&corpus("answers"), 2_000, targets::answers);
}

#[test]
fn any_request_to_the_api_is_answered() {
    drive::drive(&corpus("api"), 300, targets::api);
}

#[test]
fn any_configuration_is_taken_or_refused() {
    drive::drive(&corpus("config"), 1_000, targets::config);
}

#[test]
fn any_answer_is_redacted() {
    drive::drive(&corpus("redact"), 10_000, targets::redact);
}

#[test]
#[ignore = "takes minutes; see CONTRIBUTING"]
fn everything_for_minutes() {
    drive::drive(&corpus("component"), 200 * LONG, targets::component);
    drive::drive(&corpus("values"), 20_000 * LONG, targets::values);
    drive::drive(&corpus("answers"), 2_000 * LONG, targets::answers);
    drive::drive(&corpus("api"), 300 * LONG, targets::api);
    drive::drive(&corpus("config"), 1_000 * LONG, targets::config);
    drive::drive(&corpus("redact"), 10_000 * LONG, targets::redact);
}
