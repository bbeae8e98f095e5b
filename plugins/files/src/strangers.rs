//! What an ERP can put into the folder, as functions of bytes: the bodies of the fuzz targets `csv` and `json`. Whatever
//! it is, reading it comes to an end, page by page, and takes nothing out of the folder that was not told of.

use serde_json::json;
use tradepost_sdk::records::Kind;
use tradepost_sdk::source::{Request, Scope, Window};

use crate::host::fake::{Memory, NOW};
use crate::{inbox, pull};

#[cfg(test)]
#[path = "../../../fuzz/src/drive.rs"]
mod drive;

/// A CSV file; the first byte chooses the kind and the settings.
pub fn csv(bytes: &[u8]) {
    read(bytes, "csv");
}

/// A JSON file.
pub fn json(bytes: &[u8]) {
    read(bytes, "json");
}

fn read(bytes: &[u8], format: &str) {
    let Some((&first, body)) = bytes.split_first() else { return };
    let kinds = [
        (Kind::Product, "products"),
        (Kind::Stock, "stock"),
        (Kind::Price, "prices"),
        (Kind::Customer, "customers"),
        (Kind::Order, "orders"),
        (Kind::Shipment, "shipments"),
    ];
    let (kind, name) = kinds[usize::from(first) % kinds.len()];
    let encoding = ["utf-8", "windows-1252"][usize::from(first / 6) % 2];
    let memory = Memory::with(&[(&format!("inbox/{name}-1.{format}"), body)]);
    let folder = memory.folder(json!({"decimal": ",", "encoding": encoding, "language": "de"}));
    let mut cursor = None;
    // A page takes at least a piece of the file.
    for _ in 0..body.len() + 4 {
        let scope = Scope::Changed(Window { since: None, until: NOW.into() });
        let Ok(page) = pull::pull(&folder, &Request { kind, scope, cursor: cursor.clone(), limit: 100 }) else {
            return;
        };
        if let Some(receipt) = &page.receipt
            && inbox::acknowledge(&folder, receipt).is_err()
        {
            return;
        }
        if page.next.is_none() {
            return;
        }
        cursor = page.next;
    }
    panic!("reading {} bytes of {format} does not end", body.len());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::drive;

    fn corpus(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name)
    }

    #[test]
    fn any_file_is_read_to_its_end() {
        drive::drive(&corpus("csv"), 2_000, super::csv);
        drive::drive(&corpus("json"), 2_000, super::json);
    }

    /// Five minutes, on the stable compiler: `cargo test --release -p files-connector strangers -- --ignored`.
    #[test]
    #[ignore = "takes minutes; see CONTRIBUTING"]
    fn any_file_is_read_to_its_end_for_minutes() {
        drive::drive(&corpus("csv"), 1_000_000, super::csv);
        drive::drive(&corpus("json"), 1_000_000, super::json);
    }
}
