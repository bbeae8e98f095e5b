//! Starting and ending a simulator.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread::JoinHandle,
};

use jiff::{SignedDuration, tz::TimeZone};
use tokio::sync::oneshot;

use crate::{
    auth::{Keys, Permission},
    catalogue,
    clock::Clock,
    control::Control,
    listen::{self, CuttableListener, Peer},
    server::{self, Site},
    shop,
    state::{Shop, State},
};

/// What a shop is like at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Products of the catalogue at the start (variations come on top).
    pub products: usize,
    /// Orders of the catalogue at the start.
    pub orders: usize,
    /// The same seed makes the same catalogue.
    pub seed: u64,
    /// The site's zone, an IANA name.
    pub time_zone: String,
    pub currency: String,
    /// Whether the shop's prices are gross.
    pub prices_include_tax: bool,
    /// Newer shops let lists be ordered by `modified`; the documented contract does not.
    pub order_by_modified: bool,
    /// Made up where absent.
    pub key: Option<String>,
    /// Made up where absent.
    pub secret: Option<String>,
    pub permission: Permission,
    pub title: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            products: 0,
            orders: 0,
            seed: 1,
            time_zone: "Europe/Berlin".to_owned(),
            currency: "EUR".to_owned(),
            prices_include_tax: true,
            order_by_modified: false,
            key: None,
            secret: None,
            permission: Permission::ReadWrite,
            title: "Hafenkontor".to_owned(),
        }
    }
}

/// The simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("port {port} on 127.0.0.1 cannot be opened")]
    Bind {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("the server thread cannot start")]
    Thread {
        #[source]
        source: std::io::Error,
    },
    #[error("there is no time zone {name}")]
    TimeZone {
        name: String,
        #[source]
        source: jiff::Error,
    },
}

/// A running shop; it ends when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    /// Scheme, host and port; the interface lies below `/wp-json/wc/v3`.
    pub url: String,
    pub key: String,
    pub secret: String,
    control: Control,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts on a thread with a runtime of its own, so that a test may be sync or async and may stop time.
    pub fn start(config: Config) -> Result<Self, StartError> {
        // Only the first of a process has an effect; whoever was first chose a provider too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bind = |source| StartError::Bind { port: config.port, source };
        let listener = listen::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, config.port))).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let url = format!("http://{address}");
        let zone = TimeZone::get(&config.time_zone)
            .map_err(|source| StartError::TimeZone { name: config.time_zone.clone(), source })?;
        let keys = Keys {
            key: config.key.clone().unwrap_or_else(|| format!("ck_{:040x}", mix(config.seed, 1))),
            secret: config.secret.clone().unwrap_or_else(|| format!("cs_{:040x}", mix(config.seed, 2))),
            permission: config.permission,
        };
        let (key, secret) = (keys.key.clone(), keys.secret.clone());
        let shop = Shop {
            url: url.clone(),
            title: config.title.clone(),
            currency: config.currency.clone(),
            prices_include_tax: config.prices_include_tax,
            country: "DE".to_owned(),
            order_by_modified: config.order_by_modified,
        };
        let mut state = State::new(shop, Clock { zone, offset: SignedDuration::ZERO });
        shop::install(&mut state);
        catalogue::fill(&mut state, &config);
        let site = Arc::new(Site::new(state, keys, url.clone()));
        let control = Control { site: Arc::clone(&site) };

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("woocommerce-simulator")
            .enable_all()
            .build()
            .map_err(|source| StartError::Thread { source })?;
        let (stop, stopped) = oneshot::channel::<()>();
        let entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(bind)?;
        drop(entered);
        let thread = std::thread::Builder::new()
            .name("woocommerce-simulator".to_owned())
            .spawn(move || {
                let service = server::router(site).into_make_service_with_connect_info::<Peer>();
                runtime.block_on(async move {
                    tokio::select! {
                        _ = axum::serve(CuttableListener(listener), service).into_future() => {}
                        _ = stopped => {}
                    }
                });
                // Requests that hang on purpose would never end; they go with the runtime.
                runtime.shutdown_background();
            })
            .map_err(|source| StartError::Thread { source })?;
        Ok(Self { url, key, secret, control, stop: Some(stop), thread: Some(thread) })
    }

    /// The tester's hand; it may be cloned and sent to other threads.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Address of the REST interface.
    pub fn api(&self) -> String {
        format!("{}/wp-json/wc/v3", self.url)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Digits for keys: the same seed makes the same ones.
fn mix(seed: u64, salt: u64) -> u128 {
    let one = (seed ^ salt.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let two = (one ^ (one >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (u128::from(one) << 64) | u128::from(two)
}
