use super::super::sample;
use super::*;

fn level() -> wc::StockLevel {
    wc::StockLevel {
        head: sample::head(),
        variant: sample::link("78", "SKU-1"),
        warehouse: "WH".into(),
        quantity: "12.5".into(),
        unlimited: false,
        taken: Some("2026-11-22T07:59:00Z".into()),
    }
}

#[test]
fn a_stock_level_survives_the_way_through_the_hub() {
    let record = read(level()).unwrap();
    assert_eq!(record.facets[&"stock:WH".into()], serde_json::json!({"quantity": "12.5"}));
    assert_eq!(record.as_of.unwrap().to_string(), "2026-11-22T07:59:00Z");
    assert_eq!(write(&sample::pushed(record)).unwrap(), wc::StockLevel { head: sample::pushed_head(), ..level() });
}

#[test]
fn what_the_contract_forbids_is_found_with_its_path() {
    let cases = [
        ("quantity", wc::StockLevel { quantity: "many".into(), ..level() }),
        ("warehouse", wc::StockLevel { warehouse: String::new(), ..level() }),
        ("taken", wc::StockLevel { taken: Some("12:00".into()), ..level() }),
    ];
    for (path, level) in cases {
        assert_eq!(read(level).unwrap_err().path, path);
    }
}

#[test]
fn only_one_level_is_written_at_a_time() {
    let mut record = sample::pushed(read(level()).unwrap());
    record.facets.insert("stock:OTHER".into(), serde_json::json!({"quantity": "1"}));
    assert_eq!(write(&record).unwrap_err().path, "stock");
    assert_eq!(write(&Record { of: None, ..record }).unwrap_err().path, "variant");
}
