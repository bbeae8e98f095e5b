//! The one wasmtime engine: how components are compiled and what interrupts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::bindings::v0_1::wit::Shop;
use super::cache::{self, Cache};
use super::check::{self, CheckError, Checked};
use super::compile::{CompileLimits, Compiler, Place};
use super::instance::State;

/// Time between two looks at a running connector: how finely computing time is counted and shared.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Most calls at a time, over all platforms; more wait for their turn.
const CALLS: usize = 64;

/// Largest file that is read as a connector. A Python connector has 20 MB.
pub const MAX_FILE: u64 = 128 << 20;

/// Why a file is not served. What was served before goes on being served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not WebAssembly at all.
    #[error(
        "the file is no WebAssembly component; put the `.wasm` file that the connector's build made into the folder"
    )]
    NotWasm,
    /// A core module.
    #[error(
        "the file is a core WebAssembly module, not a component; build it for the target wasm32-wasip2 or with \
         `wasm-tools component new`"
    )]
    CoreModule,
    /// Compiled code: it would run without a sandbox.
    #[error("the file is compiled machine code, which is never loaded; put the `.wasm` file itself into the folder")]
    Precompiled,
    /// Larger than [`MAX_FILE`].
    #[error("the file has {size} bytes, a connector may have {MAX_FILE}")]
    TooLarge {
        /// Its size.
        size: u64,
    },
    /// Damaged, foreign, or not made for this host's contract.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// Valid, but the compiler refuses it.
    #[error("the component cannot be compiled: {message}")]
    Compile {
        /// The compiler's words.
        message: String,
    },
    /// It imports what the host does not have.
    #[error("the component needs what this host does not have: {message}")]
    Imports {
        /// Which import.
        message: String,
    },
    /// `describe` failed, or said what cannot be.
    #[error("the connector cannot describe itself: {message}")]
    Describe {
        /// Why.
        message: String,
    },
    /// The compiling process cannot be started or heard.
    #[error("the compiling process cannot be used; the file is tried again: {source}")]
    Compiler {
        /// Why.
        source: std::io::Error,
    },
    /// The bytes that were kept are not there any more, or others.
    #[error("the kept file {path} is gone or was changed; drop the connector's file into the plugins folder again")]
    Kept {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The compiler's thread ended; a defect of the host.
    #[error("compiling ended unexpectedly")]
    Lost(#[source] tokio::task::JoinError),
}

impl LoadError {
    /// Whether the same bytes may do another time: the machine was at fault.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Compiler { .. } | Self::Lost(_) => true,
            Self::NotWasm
            | Self::CoreModule
            | Self::Precompiled
            | Self::TooLarge { .. }
            | Self::Check(_)
            | Self::Compile { .. }
            | Self::Imports { .. }
            | Self::Describe { .. }
            | Self::Kept { .. } => false,
        }
    }
}

/// The engine cannot be started on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot be started: {message}")]
pub struct EngineError {
    /// Wasmtime's words.
    pub message: String,
}

/// The engine; clones share it. Needs a tokio runtime.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    engine: wasmtime::Engine,
    linker: Linker<State>,
    cache: Option<Cache>,
    compiler: Compiler,
    calls: Arc<Semaphore>,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
}

/// What the engine does now, and did since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls under way.
    pub calls: usize,
    /// Most of them at a time.
    pub most_calls: usize,
    /// Memories that the pool keeps warm; 0 without a pool.
    pub warm_memories: u32,
    /// What these hold.
    pub resident_bytes: usize,
    /// Components whose compiled code was there.
    pub cache_hits: u64,
    /// Components that were compiled.
    pub cache_misses: u64,
}

/// How to start an engine.
#[derive(Default)]
pub struct Options {
    /// Where compiled code is kept. Without it every start compiles every connector again.
    pub cache: Option<Cache>,
    /// Who compiles.
    pub compiler: Place,
    /// Limits of a compiling process.
    pub compile: CompileLimits,
}

impl Engine {
    /// Starts an engine that compiles in this process. Without a cache every start compiles every connector again.
    ///
    /// # Errors
    /// When wasmtime refuses the machine.
    pub fn new(cache: Option<Cache>) -> Result<Self, EngineError> {
        Self::with(Options { cache, ..Options::default() })
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// When wasmtime refuses the machine.
    pub fn with(options: Options) -> Result<Self, EngineError> {
        let Options { cache, compiler, compile } = options;
        let words = |error: wasmtime::Error| EngineError { message: format!("{error:#}") };
        let engine = match wasmtime::Engine::new(&config(true)) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "too little address space for pooled instances; each call reserves its own memory, which is slower"
                );
                wasmtime::Engine::new(&config(false)).map_err(words)?
            }
        };
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(words)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(words)?;
        Shop::add_to_linker::<State, wasmtime::component::HasSelf<State>>(&mut linker, |state| state).map_err(words)?;

        let ticker = engine.weak();
        thread::Builder::new()
            .name("wasm-ticker".into())
            .spawn(move || {
                while let Some(engine) = ticker.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    thread::sleep(TICK);
                }
            })
            .map_err(|error| EngineError { message: error.to_string() })?;
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                linker,
                cache,
                compiler: Compiler::new(compiler, compile),
                calls: Arc::new(Semaphore::new(CALLS)),
                cache_hits: AtomicU64::new(0),
                cache_misses: AtomicU64::new(0),
            }),
        })
    }

    /// What the engine does now.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let pool = self.inner.engine.pooling_allocator_metrics();
        Usage {
            calls: CALLS.saturating_sub(self.inner.calls.available_permits()),
            most_calls: CALLS,
            warm_memories: pool.as_ref().map_or(0, |pool| pool.unused_warm_memories()),
            resident_bytes: pool.as_ref().map_or(0, |pool| pool.unused_memory_bytes_resident()),
            cache_hits: self.inner.cache_hits.load(Ordering::Relaxed),
            cache_misses: self.inner.cache_misses.load(Ordering::Relaxed),
        }
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.engine
    }

    /// What files are checked against: a file that passed under another one is checked again.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{} {}", env!("CARGO_PKG_VERSION"), cache::compatibility(&self.inner.engine))
    }

    pub(super) fn linker(&self) -> &Linker<State> {
        &self.inner.linker
    }

    /// Waits until one more call may run.
    pub(super) async fn admit(&self) -> Option<OwnedSemaphorePermit> {
        self.inner.calls.clone().acquire_owned().await.ok()
    }

    /// Parses and checks a file, off the async threads, and takes its code from the cache or compiles it.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(super) async fn compile(&self, bytes: Arc<[u8]>) -> Result<(Component, Checked), LoadError> {
        let (engine, component) = (self.clone(), bytes.clone());
        let look = move || {
            sniff(&component)?;
            let checked = check::check(&component)?;
            let cached = engine.inner.cache.as_ref().and_then(|cache| cache.load(&engine.inner.engine, &component));
            Ok::<_, LoadError>((checked, cached))
        };
        let (checked, cached) = tokio::task::spawn_blocking(look).await.map_err(LoadError::Lost)??;
        if let Some(component) = cached {
            self.inner.cache_hits.fetch_add(1, Ordering::Relaxed);
            return Ok((component, checked));
        }
        let code = self.inner.compiler.compile(&self.inner.engine, &bytes).await?;
        self.inner.cache_misses.fetch_add(1, Ordering::Relaxed);
        let engine = self.clone();
        let take = move || {
            if let Some(cache) = &engine.inner.cache {
                cache.store(&engine.inner.engine, &bytes, &code);
            }
            cache::just_compiled(&engine.inner.engine, &code)
                .map_err(|error| LoadError::Compile { message: format!("{error:#}") })
        };
        let component = tokio::task::spawn_blocking(take).await.map_err(LoadError::Lost)??;
        Ok((component, checked))
    }
}

/// What a file is, by its first bytes; only a component goes on to the parser.
fn sniff(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(LoadError::TooLarge { size: bytes.len() as u64 });
    }
    if bytes.starts_with(b"\x7fELF") || wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadError::Precompiled);
    }
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 0, 0]) => Err(LoadError::CoreModule),
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        _ => Err(LoadError::NotWasm),
    }
}

/// Settings of the engine. Code compiled for one kind of allocation runs in the other.
pub(super) fn config(pooling: bool) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Deep recursion is caught at 1 MiB of the connector's stack; host functions run on the rest of the fibre's.
        .max_wasm_stack(1 << 20)
        .async_stack_size(2 << 20)
        .async_stack_zeroing(true)
        .wasm_memory64(false);
    if pooling {
        let calls = CALLS as u32;
        let mut pool = PoolingAllocationConfig::new();
        // A component of another language than Rust has several core instances, memories and tables.
        pool.total_component_instances(calls)
            .total_core_instances(calls * 16)
            .total_memories(calls * 4)
            .total_tables(calls * 16)
            .total_stacks(calls)
            .max_tables_per_module(8)
            .max_memories_per_module(4)
            .table_elements(100_000)
            .max_component_instance_size(4 << 20)
            .max_core_instance_size(4 << 20)
            // What a call wrote is wiped before the next one may have its place. A little is wiped by hand, which leaves the
            // pages there; the rest is given back. Which pages were written the kernel says, where it can: they do not lie
            // together at the beginning.
            .pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(256 << 10)
            .async_stack_keep_resident(32 << 10)
            .table_keep_resident(1 << 16);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_compiling_process_fits_the_pooling_engine() {
        let compatibility = |pooling| cache::compatibility(&wasmtime::Engine::new(&config(pooling)).unwrap());
        assert_eq!(compatibility(true), compatibility(false));
    }

    #[test]
    fn only_a_component_passes_by_its_first_bytes() {
        assert!(sniff(b"\0asm\x0d\0\x01\0rest").is_ok());
        assert!(matches!(sniff(b"\0asm\x01\0\0\0rest"), Err(LoadError::CoreModule)));
        assert!(matches!(sniff(b"\x7fELF........"), Err(LoadError::Precompiled)));
        assert!(matches!(sniff(b"PK"), Err(LoadError::NotWasm)));
        assert!(matches!(sniff(b""), Err(LoadError::NotWasm)));
    }
}
