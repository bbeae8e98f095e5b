//! Compiling in a process of its own, with the real program.

use std::path::PathBuf;
use std::sync::OnceLock;

use tradepost::runtime::compile::{CompileLimits, Place};
use tradepost::runtime::{Build, Cache, Engine, LoadError, Options};

use super::world::{guest_file, guest_variant};

/// The program, built once.
fn program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| tradepost_tests::build::program().expect("the program")).clone()
}

fn engine(cache: Option<Cache>, compile: CompileLimits) -> Engine {
    Engine::with(Options { cache, compiler: Place::Child(program()), compile }).expect("an engine")
}

#[tokio::test]
async fn code_comes_from_a_process_of_its_own_once_and_then_from_the_cache() {
    let data = tempfile::tempdir().unwrap();
    let cache = || Cache::open(&data.path().join("cache")).unwrap();
    let bytes = std::fs::read(guest_file()).unwrap();
    let first = engine(Some(cache()), CompileLimits::default());
    let build = Build::load(&first, bytes.clone().into(), None).await.unwrap();
    assert_eq!(build.description().id, "org.tradepost.guest");
    assert_eq!((first.usage().cache_misses, first.usage().cache_hits), (1, 0));
    let second = engine(Some(cache()), CompileLimits::default());
    Build::load(&second, bytes.into(), None).await.unwrap();
    assert_eq!((second.usage().cache_misses, second.usage().cache_hits), (0, 1));
}

#[tokio::test]
async fn a_compiler_that_takes_too_much_is_ended_and_the_line_named() {
    let bytes = guest_variant("good", "9.9.9");
    let little = engine(None, CompileLimits { memory: 24 << 20, ..CompileLimits::default() });
    let error = Build::load(&little, bytes.clone().into(), None).await.unwrap_err();
    assert!(matches!(error, LoadError::Compile { .. }) && error.to_string().contains("[compile] memory = "), "{error}");
    let short = engine(None, CompileLimits { seconds: 0, ..CompileLimits::default() });
    let error = Build::load(&short, bytes.into(), None).await.unwrap_err();
    assert!(error.to_string().contains("[compile] seconds = "), "{error}");
}

#[tokio::test]
async fn a_compiler_that_is_not_there_is_not_the_files_fault() {
    let compiler = Place::Child("/nonexistent/tradepost".into());
    let engine = Engine::with(Options { compiler, ..Options::default() }).unwrap();
    let error = Build::load(&engine, std::fs::read(guest_file()).unwrap().into(), None).await.unwrap_err();
    assert!(error.passes(), "{error}");
}
