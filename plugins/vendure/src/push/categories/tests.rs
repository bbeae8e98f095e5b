use super::*;

fn facets() -> Value {
    json!({"code": "facet-value-filter", "args": [{"name": "facetValueIds", "value": "[\"4\"]"}]})
}

fn single_filter(ids: &str) -> Value {
    json!({"code": SINGLE, "args": [{"name": "productIds", "value": ids}, {"name": "combineWithAnd", "value": "false"}]})
}

#[test]
fn a_product_is_added_beside_the_merchants_own_filters() {
    let mut filters = json!([facets()]);
    assert!(!single(&filters, "7"));
    set(&mut filters, "7", true);
    assert_eq!(filters, json!([facets(), single_filter("[\"7\"]")]));
    set(&mut filters, "8", true);
    assert_eq!(filters[1], single_filter("[\"7\",\"8\"]"));
    assert!(single(&filters, "8"));
    assert_eq!(inputs(&filters)[0]["arguments"], facets()["args"]);
}

#[test]
fn the_last_product_takes_the_filter_along() {
    let mut filters = json!([facets(), single_filter("[\"7\"]")]);
    set(&mut filters, "7", false);
    assert_eq!(filters, json!([facets()]));
}
