use super::*;

/// The smallest component.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

fn only_entry(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| !path.ends_with("key")).expect("an entry")
}

#[test]
fn code_is_taken_from_the_cache_until_a_byte_of_it_is_changed() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("compiled");
    let cache = Cache::open(&folder).unwrap();
    let engine = Engine::default();
    assert!(cache.load(&engine, EMPTY).is_none(), "nothing there yet");

    cache.store(&engine, EMPTY, &engine.precompile_component(EMPTY).unwrap());
    assert!(cache.load(&engine, EMPTY).is_some());
    assert!(Cache::open(&folder).unwrap().load(&engine, EMPTY).is_some(), "the key is kept");

    let path = only_entry(&folder);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(cache.load(&engine, EMPTY).is_none(), "changed code is not loaded");
    assert!(!path.exists(), "and is removed");
}

#[test]
fn an_entry_under_another_name_or_key_is_a_miss() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("compiled");
    let cache = Cache::open(&folder).unwrap();
    let engine = Engine::default();
    cache.store(&engine, EMPTY, &engine.precompile_component(EMPTY).unwrap());

    // The code of one component offered as that of another one.
    let other: &[u8] = b"\0asm\x0d\0\x01\0\0\x02\x01x";
    fs::copy(only_entry(&folder), folder.join(entry(&engine, other))).unwrap();
    assert!(cache.load(&engine, other).is_none());

    fs::write(folder.join("key"), [7; 32]).unwrap();
    assert!(Cache::open(&folder).unwrap().load(&engine, EMPTY).is_none());
}

#[test]
fn the_folder_is_private() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("compiled");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    Cache::open(&folder).unwrap();
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(folder.join("key")).unwrap().mode() & 0o777, 0o600);

    let link = data.path().join("link");
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    assert!(matches!(Cache::open(&link), Err(CacheError::Foreign { .. })));
}
