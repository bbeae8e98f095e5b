use std::os::unix::fs::symlink;

use super::*;

fn folder() -> (tempfile::TempDir, Exchange) {
    let folder = tempfile::tempdir().unwrap();
    let exchange = Exchange::open(folder.path()).unwrap();
    (folder, exchange)
}

fn write(exchange: &Exchange, path: &str, mut content: &[u8]) -> Outcome<()> {
    exchange.write(path, &mut content, &|| true)
}

#[test]
fn a_file_is_written_listed_read_and_moved_once() {
    let (_folder, exchange) = folder();
    write(&exchange, "inbox/a.csv", b"one\ntwo\n").unwrap();
    write(&exchange, "inbox/a.csv", b"three\n").unwrap();
    let names: Vec<_> = exchange.entries("inbox").unwrap().into_iter().map(|e| (e.name, e.size)).collect();
    assert_eq!(names, [("a.csv".to_owned(), 6)]);
    assert_eq!(exchange.read("inbox/a.csv", 2, 100, 1000).unwrap(), b"ree\n");
    assert_eq!(exchange.read("inbox/a.csv", 6, 100, 1000).unwrap(), b"");

    exchange.rename("inbox/a.csv", "done/a.csv").unwrap();
    exchange.rename("inbox/a.csv", "done/a.csv").expect("an acknowledgement may be repeated");
    // A new file under the old name is not taken for the one that was read.
    write(&exchange, "inbox/a.csv", b"new\n").unwrap();
    assert!(matches!(exchange.rename("inbox/a.csv", "done/a.csv"), Err(ExchangeError::Occupied { .. })));
    assert_eq!(exchange.read("done/a.csv", 0, 100, 1000).unwrap(), b"three\n");
    assert!(matches!(exchange.rename("inbox/none", "done/none"), Err(ExchangeError::Missing { .. })));
}

#[test]
fn no_path_leaves_the_folder() {
    let (folder, exchange) = folder();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    symlink(outside.path(), folder.path().join("inbox/out")).unwrap();
    symlink(outside.path().join("secret"), folder.path().join("inbox/link")).unwrap();
    symlink(folder.path().join("inbox"), folder.path().join("inner")).unwrap();
    for path in [
        "../x",
        "inbox/../../x",
        "/etc/passwd",
        "inbox//x",
        "",
        ".",
        "inbox/.",
        "inbox/..",
        "inbox/\0",
        "inbox\\x",
        "inbox/.hidden",
        "inbox/x.tmp",
    ] {
        assert!(matches!(exchange.read(path, 0, 1, 10), Err(ExchangeError::Path { .. })), "{path:?}");
        assert!(matches!(write(&exchange, path, b"x"), Err(ExchangeError::Path { .. })), "{path:?}");
        assert!(matches!(exchange.rename("inbox/a", path), Err(ExchangeError::Path { .. })), "{path:?}");
    }
    for path in ["inbox/out/secret", "inbox/link", "inner/x"] {
        assert!(matches!(exchange.read(path, 0, 1, 10), Err(ExchangeError::Special { .. })), "{path:?}");
        assert!(matches!(write(&exchange, path, b"x"), Err(ExchangeError::Special { .. })), "{path:?}");
    }
    assert!(exchange.entries("inbox/out").is_err());
    assert_eq!(exchange.entries("inbox").unwrap(), [], "links are not shown");
    assert_eq!(std::fs::read_to_string(outside.path().join("secret")).unwrap(), "x");
}

#[test]
fn what_is_no_plain_file_is_refused() {
    let (folder, exchange) = folder();
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("inbox/socket")).unwrap();
    assert!(matches!(exchange.read("inbox/socket", 0, 1, 10), Err(ExchangeError::Special { .. })));
    assert!(matches!(exchange.read("inbox", 0, 1, 10), Err(ExchangeError::Special { .. })));
    assert!(matches!(write(&exchange, "inbox/socket", b"x"), Err(ExchangeError::Special { .. })));
    drop(socket);
}

#[test]
fn a_file_beyond_the_limit_is_refused_and_unfinished_ones_are_not_shown() {
    let (folder, exchange) = folder();
    write(&exchange, "inbox/big", &[0; 100]).unwrap();
    assert!(matches!(exchange.read("inbox/big", 0, 1, 99), Err(ExchangeError::TooLarge { size: 100, .. })));
    std::fs::write(folder.path().join("inbox/.part"), "x").unwrap();
    std::fs::write(folder.path().join("inbox/part.tmp"), "x").unwrap();
    let names: Vec<_> = exchange.entries("inbox").unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["big"]);
}
