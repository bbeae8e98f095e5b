use serde_json::{Value, json};
use tradepost_sdk::records::Records;
use tradepost_sdk::source::Window;

use super::*;
use crate::host::fake::{Memory, NOW, OLD};

fn page(folder: &Folder<'_>, kind: Kind, cursor: Option<String>, limit: u32) -> Page {
    let scope = Scope::Changed(Window { since: None, until: NOW.into() });
    pull(folder, &Request { kind, scope, cursor, limit }).unwrap()
}

/// All pages, each acknowledged.
fn all(memory: &Memory, settings: Value, kind: Kind, limit: u32) -> Vec<Page> {
    let folder = memory.folder(settings);
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(&folder, kind, cursor, limit);
        if let Some(receipt) = &page.receipt {
            inbox::acknowledge(&folder, receipt).unwrap();
            inbox::acknowledge(&folder, receipt).expect("an acknowledgement may be repeated");
        }
        cursor = page.next.clone();
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
    }
}

fn stock(pages: &[Page]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for records in pages.iter().flat_map(|page| &page.records) {
        let Records::Stock(levels) = records else { panic!("stock was asked for") };
        found.extend(levels.iter().map(|level| (level.variant.key.clone(), level.quantity.clone())));
    }
    found
}

fn skus(pages: &[Page]) -> Vec<String> {
    stock(pages).into_iter().map(|(sku, _)| sku).collect()
}

fn products(page: &Page) -> &[tradepost_sdk::catalog::Product] {
    match page.records.first() {
        Some(Records::Products(products)) => products,
        _ => &[],
    }
}

#[test]
fn a_german_export_is_read_whole() {
    let memory = Memory::with(&[("inbox/products.csv", include_bytes!("../../fixtures/products-bom.csv"))]);
    let columns = "sku=Artikelnr; product=Produkt; name=Bezeichnung; description=Beschreibung; choice:colour=Farbe; \
                   tax_percent=MwSt; weight_kg=Gewicht; categories=Warengruppen";
    // The byte order mark wins over the setting.
    let settings = json!({"decimal": ",", "encoding": "windows-1252", "language": "de", "product_columns": columns});
    let pages = all(&memory, settings, Kind::Product, 500);
    let [page] = &pages[..] else { panic!() };
    assert_eq!(page.unreadable, []);
    let [shirt, mug] = products(page) else { panic!("{:?}", page.records) };
    assert_eq!(shirt.head.remote.as_ref().unwrap().id, "TS");
    assert_eq!(shirt.texts[0].name, "T-Shirt");
    assert_eq!(shirt.texts[0].long_html.as_deref(), Some("<p>Weich,<br>aus \"Bio\"-Baumwolle</p>"));
    let variants = shirt.variants.as_ref().unwrap();
    let shown: Vec<_> =
        variants.iter().map(|v| (v.sku.as_str(), v.choices[0].value.as_str(), v.tax_percent.as_deref())).collect();
    assert_eq!(shown, [("TS-S", "rot", Some("19")), ("TS-M", "blau", Some("19"))]);
    assert_eq!(variants[0].weight_kg.as_deref(), Some("0.2"));
    let keys: Vec<_> = shirt.categories.as_ref().unwrap().iter().map(|link| link.key.as_str()).collect();
    assert_eq!(keys, ["Kleidung", "Hemden"]);
    assert_eq!(shirt.pictures, None, "a file without such a column says nothing of pictures");
    assert_eq!(mug.head.remote.as_ref().unwrap().id, "TASSE", "a product without a number is its only variant");
    assert_eq!(mug.texts[0].name, "Tässe");
    assert_eq!(mug.texts[0].long_html.as_deref(), Some("<p>Groß &amp; gut</p>"));
    assert_eq!(mug.variants.as_ref().unwrap()[0].choices, []);
    assert_eq!(memory.paths(), ["done/products.csv"]);
}

#[test]
fn a_bad_line_goes_to_the_rejects_and_the_rest_goes_on() {
    let memory = Memory::with(&[("inbox/prices.csv", include_bytes!("../../fixtures/prices-windows-1252.csv"))]);
    let settings = json!({"decimal": ",", "encoding": "windows-1252", "zone": "Europe/Berlin",
        "date_formats": "%d.%m.%Y"});
    let pages = all(&memory, settings.clone(), Kind::Price, 500);
    let Some(Records::Prices(prices)) = pages[0].records.first() else { panic!() };
    let read: Vec<_> = prices.iter().map(|p| (p.variant.key.as_str(), p.amount.as_deref().unwrap())).collect();
    assert_eq!(read, [("TÄSSE", "1234.5"), ("GRÖßE", "0.99")]);
    assert_eq!(prices[0].valid_to.as_deref(), Some("2026-12-31T22:59:59Z"));
    let told: Vec<_> = pages[0].unreadable.iter().map(|u| (u.id.as_deref().unwrap(), u.raw.as_str())).collect();
    assert_eq!(told, [("FALSCH", "FALSCH;1.5;"), ("prices.csv:4", "KURZ;2")]);
    let why: Vec<_> = pages[0].unreadable.iter().map(|u| u.why.as_str()).collect();
    assert_eq!(
        why,
        [
            "prices.csv, line 3, `amount`: `1.5` is not a number with `,` as decimal sign",
            "prices.csv, line 4: it has 2 columns instead of 3"
        ]
    );
    assert_eq!(memory.paths(), ["done/prices.csv", "failed/prices~20261122T080000Z.csv"]);
    let rejects = memory.text("failed/prices~20261122T080000Z.csv").unwrap();
    assert_eq!(
        rejects,
        "reject_line;reject_reason;sku;amount;valid_to\n\
         3;line 3, `amount`: `1.5` is not a number with `,` as decimal sign;FALSCH;1.5;\n\
         4;line 4: it has 2 columns instead of 3;KURZ;2\n"
    );
    // Corrected, it goes back as it is.
    let corrected = rejects.replace("1.5", "1,5").replace("KURZ;2\n", "KURZ;2;\n");
    let again = Memory::with(&[("inbox/prices~20261122T080000Z.csv", corrected.as_bytes())]);
    let pages = all(&again, settings, Kind::Price, 500);
    let Some(Records::Prices(prices)) = pages[0].records.first() else { panic!() };
    assert_eq!(prices.iter().map(|p| p.variant.key.as_str()).collect::<Vec<_>>(), ["FALSCH", "KURZ"]);
    assert_eq!(pages[0].unreadable, []);
}

#[test]
fn a_missing_column_is_named_with_what_is_there() {
    let memory = Memory::with(&[
        ("inbox/stock-1.csv", b"Artikel;Lager\nA;main\n".as_slice()),
        ("inbox/stock-2.csv", b"Artikel;Menge\nA;5\n"),
        ("inbox/stock-3.csv", b""),
        ("inbox/stock-4.csv", b"\xff\xfeA\0"),
    ]);
    let settings = json!({"stock_columns": "sku=Artikel; quantity=Menge"});
    let pages = all(&memory, settings, Kind::Stock, 500);
    assert_eq!(stock(&pages), [("A".into(), "5".into())], "the other files go on");
    let why: Vec<_> = pages.iter().flat_map(|page| &page.unreadable).map(|u| u.why.as_str()).collect();
    assert_eq!(
        why,
        [
            "File stock-1.csv cannot be read and goes to `failed`: column `menge` (quantity) is missing; there are \
          `Artikel`, `Lager`.",
            "File stock-4.csv cannot be read and goes to `failed`: it is written in UTF-16; save it as UTF-8 or \
             Windows-1252."
        ]
    );
    assert_eq!(memory.paths(), ["done/stock-2.csv", "done/stock-3.csv", "failed/stock-1.csv", "failed/stock-4.csv"]);
}

#[test]
fn a_quote_that_is_never_closed_costs_one_line() {
    let csv = "sku;quantity;note\nA;1;\"fine\nover two lines\"\nB;2;\"never closed\nC;3;plain\nD;4;\"x\"\nE;5;\n";
    let memory = Memory::with(&[("inbox/stock.csv", csv.as_bytes())]);
    let pages = all(&memory, json!({}), Kind::Stock, 500);
    assert_eq!(skus(&pages), ["A", "C", "D", "E"]);
    assert_eq!(pages[0].unreadable.len(), 1);
    assert_eq!(pages[0].unreadable[0].why, "stock.csv, line 4: a quote that is opened here is not closed on this line");
    assert_eq!(pages[0].unreadable[0].raw, "B;2;\"never closed");
    // At the end of the file too.
    let memory = Memory::with(&[("inbox/stock.csv", b"sku;quantity\nA;1\nB;\"2\n".as_slice())]);
    let pages = all(&memory, json!({}), Kind::Stock, 500);
    assert_eq!((skus(&pages).len(), pages[0].unreadable.len()), (1, 1));
    // A quote that opens nothing is an inch.
    let memory = Memory::with(&[("inbox/stock.csv", b"sku;quantity;name\nA;1;5\" pipe\nB;2;7\" pipe".as_slice())]);
    assert_eq!(skus(&all(&memory, json!({}), Kind::Stock, 500)), ["A", "B"]);
}

#[test]
fn a_product_with_a_bad_line_is_left_out_as_a_whole() {
    let csv = "sku;product;tax_percent\nA1;A;19\nB1;B;19\nB2;B;much\nC1;C;19\nC2;C\nD1;D;7\nE1;E;7\n";
    let memory = Memory::with(&[("inbox/products.csv", csv.as_bytes())]);
    for limit in [1, 2, 500] {
        memory.put("inbox/products.csv", csv.as_bytes());
        let pages = all(&memory, json!({}), Kind::Product, limit);
        let read: Vec<_> =
            pages.iter().flat_map(products).map(|p| p.head.remote.as_ref().unwrap().id.as_str()).collect();
        // C2 has no number of columns that could be trusted: it may belong to C or to D.
        assert_eq!(read, ["A", "E"], "limit {limit}");
        let told: Vec<_> = pages.iter().flat_map(|p| &p.unreadable).filter_map(|u| u.id.as_deref()).collect();
        assert_eq!(told, ["B", "C", "products.csv:6", "D"], "limit {limit}");
        let rejects = memory.text("failed/products~20261122T080000Z.csv").unwrap();
        let lines: Vec<_> = rejects.lines().filter_map(|line| line.split(';').next()).collect();
        assert_eq!(lines, ["reject_line", "3", "4", "5", "6", "7"], "limit {limit}");
        memory.files.borrow_mut().clear();
    }
}

#[test]
fn a_product_whose_lines_stand_apart_is_left_out_as_a_whole() {
    let csv = b"sku;product\nA1;A\nB1;B\nC1;C\nB2;B\nD1;D\n".as_slice();
    for limit in [1, 500] {
        let memory = Memory::with(&[("inbox/products.csv", csv)]);
        let pages = all(&memory, json!({}), Kind::Product, limit);
        let read: Vec<_> =
            pages.iter().flat_map(products).map(|p| p.head.remote.as_ref().unwrap().id.as_str()).collect();
        assert_eq!(read, ["A", "C", "D"], "limit {limit}");
        let why: Vec<_> = pages.iter().flat_map(|p| &p.unreadable).map(|u| u.why.as_str()).collect();
        assert_eq!(why.len(), 2);
        assert_eq!(
            why[1],
            "products.csv, line 5: the lines of `B` stand apart in the file; put them next to each other"
        );
    }
    let mut unsorted = String::from("sku;product\n");
    for n in 0..400 {
        unsorted.push_str(&format!("S{n};P{}\n", n % 200));
    }
    let memory = Memory::with(&[("inbox/products.csv", unsorted.as_bytes())]);
    let pages = all(&memory, json!({}), Kind::Product, 10);
    assert_eq!((pages.len(), pages[0].records.len(), memory.paths()), (1, 0, vec!["failed/products.csv".to_owned()]));
    assert!(pages[0].unreadable[0].why.contains("its lines are not sorted: line 302"), "{:?}", pages[0].unreadable);
}

#[test]
fn pages_of_any_size_say_the_same() {
    let mut csv = String::from("sku;quantity;note\r\n");
    for n in 0..100 {
        csv.push_str(&format!("S{n};{n};\"line\r\nbreak;\"\r\n"));
        if n % 10 == 0 {
            csv.push_str("bad;many;\r\n\r\n");
        }
    }
    let lines: Vec<String> = (0..100).map(|n| format!("S{n}")).collect();
    let mut rejects = Vec::new();
    for limit in [1, 3, 7, 500] {
        let memory = Memory::with(&[("inbox/stock.csv", csv.as_bytes())]);
        let pages = all(&memory, json!({}), Kind::Stock, limit);
        assert_eq!(skus(&pages), lines, "limit {limit}");
        let told: Vec<_> = pages.iter().flat_map(|p| &p.unreadable).map(|u| u.why.clone()).collect();
        assert_eq!(told.len(), 10);
        assert!(told[1].contains("line 26"), "{}", told[1]);
        rejects.push(memory.text("failed/stock~20261122T080000Z.csv").unwrap());
    }
    assert!(rejects.windows(2).all(|pair| pair[0] == pair[1]), "{rejects:?}");
}

#[test]
fn a_page_that_is_read_again_says_the_same_and_adds_nothing_twice() {
    let memory = Memory::with(&[("inbox/stock.csv", b"sku;quantity\nA;1\nB;x\nC;3\nD;y\nE;5\n".as_slice())]);
    let folder = memory.folder(json!({}));
    let first = page(&folder, Kind::Stock, None, 2);
    let second = page(&folder, Kind::Stock, first.next.clone(), 2);
    let rejects = memory.text("failed/stock~20261122T080000Z.csv");
    assert_eq!(page(&folder, Kind::Stock, first.next.clone(), 2), second);
    assert_eq!(page(&folder, Kind::Stock, None, 2), first);
    assert_eq!(page(&folder, Kind::Stock, first.next.clone(), 2), second);
    assert_eq!(memory.text("failed/stock~20261122T080000Z.csv"), rejects);
    assert_eq!(rejects.unwrap().lines().count(), 3);
}

#[test]
fn two_hundred_thousand_lines_are_read_in_linear_time() {
    let mut csv = String::from("sku;quantity;name\n");
    for n in 0..200_000 {
        csv.push_str(&format!("SKU-{n:06};{};an article with a name of some length\n", n % 1000));
    }
    let memory = Memory::with(&[("inbox/stock.csv", csv.as_bytes())]);
    let pages = all(&memory, json!({}), Kind::Stock, 1000);
    assert_eq!(pages.len(), 200);
    let read = skus(&pages);
    assert_eq!(read.len(), 200_000);
    assert!(read.iter().enumerate().all(|(n, sku)| *sku == format!("SKU-{n:06}")));
    // A page reads the line with the names, its own part, and what is left of the last chunk.
    let most = csv.len() as u64 + 200 * (16 + 64) * 1024;
    assert!(memory.read.get() < most, "{} bytes of {}", memory.read.get(), csv.len());
    let cursors = pages.iter().filter_map(|page| page.next.as_ref()).map(String::len).max();
    assert!(cursors < Some(4096));
}

#[test]
fn files_are_read_oldest_first_and_one_that_grows_holds_up_what_follows() {
    let memory = Memory::with(&[("inbox/stock-2.csv", b"sku;quantity\nA;2\n".as_slice())]);
    memory.put("inbox/stock-1.csv", b"sku;quantity\nA;1\n");
    memory.put_at("inbox/stock-3.csv", b"sku;quantity\nA;3\n", "2026-11-22T11:59:59Z");
    memory.put("inbox/stock-4.csv", b"sku;quantity\nA;4\n");
    let pages = all(&memory, json!({}), Kind::Stock, 1);
    let read: Vec<_> = stock(&pages).into_iter().map(|(_, quantity)| quantity).collect();
    assert_eq!(read, ["1", "2"]);
    assert_eq!(memory.paths(), ["done/stock-1.csv", "done/stock-2.csv", "inbox/stock-3.csv", "inbox/stock-4.csv"]);
    let pages = all(&memory, json!({"settle_seconds": 0}), Kind::Stock, 1);
    assert_eq!(stock(&pages).len(), 2);
}

#[test]
fn a_file_that_changed_between_two_pages_is_left_for_the_next_pull() {
    let memory = Memory::with(&[("inbox/stock.csv", b"sku;quantity\nA;1\nB;2\n".as_slice())]);
    let folder = memory.folder(json!({}));
    let first = page(&folder, Kind::Stock, None, 1);
    memory.put("inbox/stock.csv", b"sku;quantity\nA;1\nB;2\nC;3\n");
    let second = page(&folder, Kind::Stock, first.next, 1);
    assert_eq!((second.records.len(), second.next, second.receipt), (0, None, None));
    assert_eq!(skus(&all(&memory, json!({}), Kind::Stock, 10)), ["A", "B", "C"]);
}

#[test]
fn what_replaced_a_file_before_the_acknowledgement_is_not_moved_unread() {
    let memory = Memory::with(&[("inbox/stock.csv", b"sku;quantity\nA;1\n".as_slice())]);
    let folder = memory.folder(json!({}));
    let receipt = page(&folder, Kind::Stock, None, 10).receipt.unwrap();
    memory.put_at("inbox/stock.csv", b"sku;quantity\nA;7\n", "2026-11-22T08:30:00Z");
    inbox::acknowledge(&folder, &receipt).unwrap();
    assert_eq!(memory.paths(), ["inbox/stock.csv"]);
    assert_eq!(stock(&all(&memory, json!({}), Kind::Stock, 10)), [("A".into(), "7".into())]);
}

#[test]
fn a_name_that_comes_again_gets_a_time() {
    let memory = Memory::with(&[("done/stock.csv", b"old".as_slice()), ("inbox/stock.csv", b"sku;quantity\nA;1\n")]);
    all(&memory, json!({}), Kind::Stock, 10);
    assert_eq!(memory.paths(), ["done/stock.csv", "done/stock~20261122T080000Z.csv"]);
    assert_eq!(memory.text("done/stock.csv").unwrap(), "old");
}

#[test]
fn a_preview_leaves_no_trace() {
    let memory = Memory::with(&[("inbox/stock.csv", b"sku;quantity\nA;x\nB;2\n".as_slice())]);
    memory.preview.set(true);
    let page = page(&memory.folder(json!({})), Kind::Stock, None, 10);
    assert_eq!((skus(std::slice::from_ref(&page)).len(), page.unreadable.len()), (1, 1));
    assert_eq!(memory.paths(), ["inbox/stock.csv"]);
}

#[test]
fn json_is_read_like_csv() {
    let list = r#"[{"sku":"A","quantity":10},
        {"sku":"B","quantity":"1,5"}, {"sku": C},
        {"sku":"D","quantity":0.10,"warehouse":"W2"}, {"sku":"E"}]"#;
    let lines =
        "{\"sku\":\"F\",\"quantity\":1}\nnonsense\n{\"sku\":\"{G}\",\"quantity\":12345678901234567.123456789}\n";
    let memory = Memory::with(&[("inbox/stock-1.json", list.as_bytes()), ("inbox/stock-2.jsonl", lines.as_bytes())]);
    for limit in [1, 2, 500] {
        memory.put("inbox/stock-1.json", list.as_bytes());
        memory.put("inbox/stock-2.jsonl", lines.as_bytes());
        let pages = all(&memory, json!({"decimal": ","}), Kind::Stock, limit);
        let read = stock(&pages);
        let shown: Vec<_> = read.iter().map(|(sku, quantity)| (sku.as_str(), quantity.as_str())).collect();
        assert_eq!(
            shown,
            [("A", "10"), ("B", "1.5"), ("D", "0.1"), ("F", "1"), ("{G}", "12345678901234567.123456789")]
        );
        let why: Vec<_> = pages.iter().flat_map(|p| &p.unreadable).map(|u| u.why.as_str()).collect();
        assert_eq!(why.len(), 3, "{why:?}");
        assert!(why[0].starts_with("stock-1.json, line 2: it is not an object of JSON"), "{}", why[0]);
        assert_eq!(why[1], "stock-1.json, line 3: column `quantity` is missing; there are `sku`");
        assert!(why[2].starts_with("stock-2.jsonl, line 2: it is not an object of JSON"), "{}", why[2]);
        let rejects = memory.text("failed/stock-1~20261122T080000Z.jsonl").unwrap();
        let second: Value = serde_json::from_str(rejects.lines().nth(1).unwrap()).unwrap();
        assert_eq!((&second["sku"], &second["reject_line"]), (&json!("E"), &json!(3)));
        memory.files.borrow_mut().clear();
    }
}

#[test]
fn stock_is_as_old_as_the_export() {
    let memory = Memory::with(&[(
        "inbox/stock.csv",
        b"sku;quantity;warehouse;taken\nA;1;;\nB;1;W;2026-11-22 07:00\n".as_slice(),
    )]);
    let pages = all(&memory, json!({"export_seconds": 600, "zone": "Europe/Berlin"}), Kind::Stock, 10);
    let Some(Records::Stock(levels)) = pages[0].records.first() else { panic!() };
    assert_eq!(levels[0].taken.as_deref(), Some("2026-11-22T07:50:00Z"), "ten minutes before {OLD}");
    assert_eq!(levels[1].taken.as_deref(), Some("2026-11-22T06:00:00Z"));
    assert_eq!((levels[0].warehouse.as_str(), levels[1].warehouse.as_str()), ("main", "W"));
}

#[test]
fn only_what_came_can_be_asked_for() {
    let memory = Memory::default();
    let folder = memory.folder(json!({}));
    for scope in [Scope::Present, Scope::Ids(vec!["A".into()])] {
        let asked = pull(&folder, &Request { kind: Kind::Stock, scope, cursor: None, limit: 10 });
        assert!(matches!(asked, Err(Error::Unsupported(_))));
    }
}
