use serde_json::{Value, json};
use tradepost_sdk::head::Op;
use tradepost_sdk::records::Records;
use tradepost_sdk::sales::{
    AmountOf, Cancellation, CustomerBase, Happening, Line, LineKind, OrderState, PaymentState, Shipment,
};
use tradepost_sdk::source::{Request, Scope, Window};
use tradepost_sdk::types::{Link, RemoteRef, TaxBasis};

use super::*;
use crate::host::fake::{Memory, NOW};
use crate::map;

fn buyer() -> CustomerBase {
    CustomerBase {
        number: None,
        email: Some("zoe@example.com".into()),
        phone: Some("+49 30 1234".into()),
        company: None,
        first_name: Some("Zoë".into()),
        last_name: Some("=Ő'Brien".into()),
        vat_id: None,
        language: None,
        group: None,
        guest: true,
        active: true,
    }
}

fn line(id: &str, sku: &str, quantity: &str) -> Line {
    Line {
        id: id.into(),
        kind: LineKind::Product,
        variant: Some(Link { id: Some(sku.into()), key: sku.into() }),
        name: format!("Article {sku}"),
        quantity: quantity.into(),
        unit_price: "19.99".into(),
        total: "39.98".into(),
        tax_percent: Some("19".into()),
        tax: None,
        tax_code: None,
        extra: Vec::new(),
    }
}

fn sample() -> Order {
    let file = OrderFile { number: "1001".into(), ..OrderFile::default() };
    let mut order = file.into_order();
    order.head.op = Op::Create;
    order.head.item = "inst/2/17/g1".into();
    order.head.marker = Some("shop-1001".into());
    order.head.remote = None;
    order.placed = "2026-11-22T09:00:00Z".into();
    order.basis = TaxBasis::Gross;
    order.total = "104.92".into();
    order.payment_state = PaymentState::Paid;
    order.buyer = buyer();
    order.lines = vec![line("l1", "TS-S", "2"), line("l2", "TS-S", "1"), line("l3", "MUG", "1")];
    order
}

fn outcome(memory: &Memory) -> Outcome {
    memory.settled.borrow_mut().pop().expect("it was settled").1
}

fn pushed(memory: &Memory, order: &Order, settings: Value) -> Written {
    push(&memory.folder(settings), Records::Orders(vec![order.clone()])).unwrap();
    match outcome(memory) {
        Outcome::Done(written) => written,
        other => panic!("{other:?}"),
    }
}

fn probe(order: &Order) -> Probe {
    Probe { item: order.head.item.clone(), marker: order.head.marker.clone(), of: None, keys: Vec::new() }
}

fn pull(memory: &Memory, kind: Kind) -> tradepost_sdk::source::Page {
    let scope = Scope::Changed(Window { since: None, until: NOW.into() });
    crate::pull::pull(&memory.folder(json!({})), &Request { kind, scope, cursor: None, limit: 100 }).unwrap()
}

#[test]
fn an_order_is_one_file_however_often_it_is_written() {
    let memory = Memory::default();
    let order = sample();
    assert_eq!(find(&memory.folder(json!({})), Kind::Order, &[probe(&order)]).unwrap(), [vec![]]);
    let first = pushed(&memory, &order, json!({}));
    let second = pushed(&memory, &order, json!({}));
    assert_eq!(first, second);
    assert_eq!(first.remote.id, "shop-1001");
    assert_eq!(memory.paths(), ["outbox/order-shop-1001.json"]);
    let written: Value = serde_json::from_str(&memory.text("outbox/order-shop-1001.json").unwrap()).unwrap();
    assert_eq!(
        (&written["id"], &written["number"], &written["total"]),
        (&json!("shop-1001"), &json!("1001"), &json!("104.92"))
    );
    assert_eq!(written["lines"][0]["sku"], "TS-S");
    assert_eq!(written["buyer"]["last_name"], "=Ő'Brien");

    // Wherever the ERP puts it, or if it takes it away: found, and not written again.
    for place in ["done", "failed", ""] {
        let file = memory.files.borrow_mut().remove("outbox/order-shop-1001.json").unwrap();
        if !place.is_empty() {
            memory.files.borrow_mut().insert(format!("{place}/order-shop-1001.json"), file.clone());
        }
        let found = find(&memory.folder(json!({})), Kind::Order, &[probe(&order)]).unwrap();
        assert_eq!(found[0][0].remote.id, "shop-1001", "{place}");
        assert_eq!(found[0][0].parts.len(), 3);
        pushed(&memory, &order, json!({}));
        assert!(memory.text("outbox/order-shop-1001.json").is_none(), "{place}: it would be imported twice");
        memory.files.borrow_mut().clear();
        memory.files.borrow_mut().insert("outbox/order-shop-1001.json".into(), file);
    }
}

#[test]
fn names_are_safe_and_never_shared() {
    for text in ["../../etc/passwd", "a/b", "a b", "", "ä", ".."] {
        let name = order_name(&safe(text), OrderFormat::Json);
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c)), "{name}");
    }
    assert_ne!(safe("a/b"), safe("a_b"));
    assert_ne!(safe("a/b"), safe("a b"));
    let long = "x".repeat(200);
    assert!(safe(&long).len() <= NAME && safe(&long) != safe(&"x".repeat(201)));
    assert_eq!(safe(&safe("a/b")), safe("a/b"), "the ERP names an order by what it got");
}

#[test]
fn the_number_of_the_erp_comes_back() {
    let memory = Memory::default();
    pushed(&memory, &sample(), json!({}));
    memory.put(
        "inbox/order-numbers.csv",
        b"order;number;state\nshop-1001;AB-7;\n1001;AB-7;cancelled\n9999;AB-8;\nshop-1001;AB-7;lost\n",
    );
    let page = pull(&memory, Kind::Order);
    let Some(Records::Orders(orders)) = page.records.first() else { panic!() };
    let shown: Vec<_> = orders
        .iter()
        .map(|o| (o.head.remote.as_ref().unwrap().id.as_str(), o.number.as_str(), o.other_number.as_deref(), o.state))
        .collect();
    assert_eq!(
        shown,
        [
            ("shop-1001", "AB-7", Some("1001"), OrderState::Open),
            ("shop-1001", "AB-7", Some("1001"), OrderState::Cancelled)
        ]
    );
    assert_eq!(orders[0].total, "104.92");
    assert_eq!(orders[0].head.marker.as_deref(), Some("shop-1001"));
    let why: Vec<_> = page.unreadable.iter().map(|u| u.why.as_str()).collect();
    assert!(why[0].ends_with("line 4, `order`: no order with the id or number `9999` was written to the outbox"));
    assert!(why[1].contains("`lost` is none of pending"));
}

#[test]
fn shipments_find_the_lines_of_the_order() {
    let memory = Memory::default();
    pushed(&memory, &sample(), json!({}));
    memory.put("inbox/shipments.json", include_bytes!("../../fixtures/shipments.json"));
    let page = pull(&memory, Kind::Shipment);
    let Some(Records::Shipments(shipments)) = page.records.first() else { panic!("{:?}", page.unreadable) };
    let [Shipment { head, order, shipped, parcels, completes, .. }] = &shipments[..] else { panic!() };
    assert_eq!(head.remote, Some(remote("LS-1")));
    assert_eq!((order.id.as_deref(), order.key.as_str()), (Some("shop-1001"), "1001"));
    assert_eq!((shipped.as_str(), *completes), ("2026-11-22T10:00:00Z", true));
    let amount = |line: &str, quantity: &str| AmountOf { line: line.into(), quantity: quantity.into() };
    assert_eq!(parcels[0].lines, [amount("l1", "2"), amount("l2", "1")], "three of them stand on two lines");
    assert_eq!((parcels[1].tracking.as_deref(), &parcels[1].lines), (Some("T2"), &vec![amount("l3", "1")]));
    let why: Vec<_> = page.unreadable.iter().map(|u| u.why.as_str()).collect();
    assert_eq!(why.len(), 2, "{why:?}");
    assert!(why[1].contains("line 10"), "{why:?}");
    // LS-2 stands next to what cannot be read.
    assert!(why[0].contains("may belong to it"), "{why:?}");
}

#[test]
fn a_shipment_of_an_order_that_is_not_known_waits_for_it() {
    let memory = Memory::default();
    memory.put("inbox/shipments.csv", b"shipment;order;tracking\nLS-1;later-1;T1\n");
    let page = pull(&memory, Kind::Shipment);
    let Some(Records::Shipments(shipments)) = page.records.first() else { panic!() };
    assert_eq!(shipments[0].order.id.as_deref(), Some("later-1"));
    assert!(shipments[0].completes && shipments[0].parcels[0].lines.is_empty());
    assert_eq!(shipments[0].shipped, "2026-11-22T08:00:00Z", "when the file was written");
}

#[test]
fn an_event_is_one_file() {
    let memory = Memory::default();
    let folder = memory.folder(json!({}));
    let mut head = map::head("shop-1001");
    head.item = "inst/2/17/cancelled/".into();
    let event = OrderEvent {
        order: Link { id: Some("shop-1001".into()), key: "1001".into() },
        at: "2026-11-22T10:00:00Z".into(),
        what: Happening::Cancelled(Cancellation { lines: Vec::new(), reason: Some("no more wanted".into()) }),
        head: head.clone(),
    };
    let probe = Probe { item: head.item.clone(), marker: None, of: head.remote.clone(), keys: Vec::new() };
    assert_eq!(find(&folder, Kind::OrderEvent, std::slice::from_ref(&probe)).unwrap(), [vec![]]);
    push(&folder, Records::OrderEvents(vec![event.clone(), event.clone()])).unwrap();
    let [path] = &memory.paths()[..] else { panic!("{:?}", memory.paths()) };
    let written: Value = serde_json::from_str(&memory.text(path).unwrap()).unwrap();
    assert_eq!(
        written,
        json!({"order": "shop-1001", "at": "2026-11-22T10:00:00Z", "event": "cancelled", "reason": "no more wanted"})
    );
    assert_eq!(find(&folder, Kind::OrderEvent, std::slice::from_ref(&probe)).unwrap()[0].len(), 1);
    memory.files.borrow_mut().clear();
    push(&folder, Records::OrderEvents(vec![event])).unwrap();
    assert_eq!(memory.paths(), Vec::<String>::new(), "the ERP took it away");
    let other = Probe { item: "inst/2/17/paid/x".into(), ..probe };
    assert_eq!(find(&folder, Kind::OrderEvent, &[other]).unwrap(), [vec![]]);
}

#[test]
fn a_customer_keeps_what_a_later_file_does_not_say() {
    let memory = Memory::default();
    let folder = memory.folder(json!({}));
    let mut head = map::head("x");
    (head.op, head.remote, head.item) = (Op::Create, None, "inst/2/5/g1".into());
    let create = Customer { head: head.clone(), base: Some(buyer()), addresses: Some(Vec::new()), extra: Vec::new() };
    push(&folder, Records::Customers(vec![create])).unwrap();
    let Outcome::Done(written) = outcome(&memory) else { panic!() };
    let probe = Probe { item: head.item, marker: None, of: None, keys: Vec::new() };
    assert_eq!(find(&folder, Kind::Customer, &[probe]).unwrap()[0][0].remote, written.remote);
    let base = CustomerBase { phone: Some("+49 1".into()), ..buyer() };
    let remote: RemoteRef = written.remote.clone();
    let head = Head { op: Op::Update, remote: Some(remote), ..map::head("x") };
    push(&folder, Records::Customers(vec![Customer { head, base: Some(base), addresses: None, extra: Vec::new() }]))
        .unwrap();
    let [path] = &memory.paths()[..] else { panic!("{:?}", memory.paths()) };
    let file: Value = serde_json::from_str(&memory.text(path).unwrap()).unwrap();
    assert_eq!((&file["customer"]["phone"], &file["addresses"]), (&json!("+49 1"), &json!([])));
    assert_eq!(file["id"], json!(written.remote.id));
}

#[test]
fn what_was_written_is_found_by_its_number_unless_it_carries_another_marker() {
    let memory = Memory::default();
    let folder = memory.folder(json!({}));
    pushed(&memory, &sample(), json!({}));
    let head = Head { op: Op::Create, item: "inst/9/1/g1".into(), remote: None, ..map::head("x") };
    let base = CustomerBase { number: Some("K-7".into()), ..buyer() };
    push(&folder, Records::Customers(vec![Customer { head, base: Some(base), addresses: None, extra: Vec::new() }]))
        .unwrap();
    let Outcome::Done(customer) = outcome(&memory) else { panic!() };
    let by = |kind: Kind, name: &str, value: &str, marker: Option<&str>| {
        let keys = vec![tradepost_sdk::types::Field { name: name.into(), value: value.into() }];
        let probe = Probe { item: "inst/99".into(), marker: marker.map(str::to_owned), of: None, keys };
        let mut found = find(&folder, kind, &[probe]).unwrap();
        found.remove(0).into_iter().map(|one| one.remote.id).collect::<Vec<_>>()
    };
    assert_eq!(by(Kind::Order, "number", "1001", None), ["shop-1001"]);
    assert_eq!(by(Kind::Order, "number", "1001", Some("shop-1001")), ["shop-1001"]);
    // Another shop gave the same number.
    assert!(by(Kind::Order, "number", "1001", Some("other-1001")).is_empty());
    assert!(by(Kind::Order, "number", "1002", None).is_empty());
    for (name, value) in [("number", "K-7"), ("email", "Zoe@example.com")] {
        assert_eq!(by(Kind::Customer, name, value, None), [customer.remote.id.as_str()]);
        assert!(by(Kind::Customer, name, value, Some("shop:customer:8")).is_empty());
    }
    assert!(memory.kept.borrow().keys().all(|key| !key.contains("zoe")), "addresses are not kept");
}

#[test]
fn an_order_as_csv_is_safe_for_a_spreadsheet() {
    let memory = Memory::default();
    let settings = json!({"order_format": "csv", "encoding": "windows-1252", "decimal": ","});
    let written = pushed(&memory, &sample(), settings.clone());
    assert_eq!(written.warnings.len(), 1, "Ő has no place in Windows-1252");
    let (bytes, _) = memory.files.borrow()["outbox/order-shop-1001.csv"].clone();
    let text = encoding_rs::WINDOWS_1252.decode(&bytes).0.into_owned();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("id;number;placed;currency;basis;total"));
    assert!(lines[1].contains(";zoe@example.com;+49 30 1234;;Zoë;'=?'Brien;;"), "{}", lines[1]);
    assert!(lines[1].contains("104,92"));
    assert!(lines[3].ends_with("l3;product;MUG;Article MUG;1;19,99;39,98;19;"), "{}", lines[3]);
    assert_eq!(memory.paths(), ["outbox/order-shop-1001.csv"]);
    memory.put("inbox/order-numbers.csv", b"order;number\n1001;AB-7\n");
    let page = pull(&memory, Kind::Order);
    assert_eq!(page.unreadable, []);
    let found = find(&memory.folder(settings), Kind::Order, &[probe(&sample())]).unwrap();
    assert_eq!(found[0].len(), 1);
}

#[test]
fn a_disk_that_fails_leaves_the_answer_open() {
    struct Broken(Memory);
    impl crate::host::Host for Broken {
        fn entries(&self, folder: &str) -> Result<Vec<tradepost_sdk::files::Entry>, Error> {
            self.0.entries(folder)
        }
        fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
            self.0.read(path, offset, length)
        }
        fn write(&self, _: &str, _: &[u8]) -> Result<(), Error> {
            Err(Error::Unavailable("disk".into()))
        }
        fn rename(&self, path: &str, target: &str) -> Result<(), Error> {
            self.0.rename(path, target)
        }
        fn to_blob(&self, path: &str, media_type: &str) -> Result<tradepost_sdk::types::BlobRef, Error> {
            self.0.to_blob(path, media_type)
        }
        fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            self.0.load(key)
        }
        fn keep(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.0.keep(key, value)
        }
        fn now(&self) -> String {
            self.0.now()
        }
        fn preview(&self) -> bool {
            false
        }
        fn settle(&self, item: &str, outcome: Outcome) {
            self.0.settle(item, outcome);
        }
        fn log(&self, level: Level, message: &str) {
            self.0.log(level, message);
        }
    }
    let broken = Broken(Memory::default());
    let folder = Folder::new(&broken, crate::settings::Settings::default()).unwrap();
    push(&folder, Records::Orders(vec![sample()])).unwrap();
    assert!(matches!(outcome(&broken.0), Outcome::Failed(Error::Timeout(_))));
    assert!(broken.0.kept.borrow().is_empty(), "no note of what was not written");
}
