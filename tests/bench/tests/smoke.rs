//! The benchmarks with few records: that they run, that what they move is counted, and that their lines can be read. What
//! they say about speed means nothing in a debug build.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_traffic_benchmark_runs_and_prints_lines_that_can_be_read() {
    let output = Command::new(env!("CARGO_BIN_EXE_tradepost-bench"))
        .args(["pull-products", "pull-orders", "push", "--json", "--count", "300"])
        .env_remove("TRADEPOST_BENCH_SINGER")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: BTreeSet<&str> = lines.iter().filter_map(|line| line["name"].as_str()).collect();
    for name in ["pull products", "pull orders", "push products", "push unchanged", "push after a change of rules"] {
        assert!(names.contains(name), "{name} is missing in {names:?}");
    }
    for line in &lines {
        assert!(line["value"].as_f64().is_some_and(|value| value > 0.0), "{line}");
        assert!(line["unit"].is_string(), "{line}");
        if line["against"].is_string() {
            assert!(line["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0), "{line}");
            assert!(line["holds"].is_boolean() && line["target"].is_string(), "{line}");
        }
    }
}
