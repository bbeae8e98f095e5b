use super::super::sample;
use super::*;

fn shipment() -> ws::Shipment {
    ws::Shipment {
        head: sample::head(),
        order: sample::link("77", "100"),
        shipped: "2026-11-23T10:00:00Z".into(),
        parcels: vec![ws::Parcel {
            number: 1,
            carrier: Some("DHL".into()),
            tracking: Some("JJD01".into()),
            tracking_url: Some("https://dhl.example/JJD01".into()),
            weight_kg: Some("2.5".into()),
            lines: vec![ws::AmountOf { line: "l1".into(), quantity: "2".into() }],
        }],
        completes: true,
        extra: sample::extra(),
    }
}

#[test]
fn a_shipment_survives_the_way_through_the_hub() {
    let record = read(shipment()).unwrap();
    assert_eq!(record.of.as_ref().unwrap().key, "100");
    assert_eq!(record.facets.keys().map(crate::model::FacetKey::as_str).collect::<Vec<_>>(), ["shipment"]);
    assert_eq!(write(&sample::pushed(record)).unwrap(), ws::Shipment { head: sample::pushed_head(), ..shipment() });
}

#[test]
fn what_the_contract_forbids_is_found_with_its_path() {
    let mut harmed = shipment();
    harmed.parcels[0].lines[0].quantity = "two".into();
    assert_eq!(read(harmed).unwrap_err().path, "parcels[0].lines[0].quantity");
    let mut harmed = shipment();
    harmed.shipped = "today".into();
    assert_eq!(read(harmed).unwrap_err().path, "shipped");
}
