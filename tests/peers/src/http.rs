//! The HTTP client everything here uses: no proxy from the environment, because all servers are on this machine.

use std::sync::Once;

use anyhow::Result;

static TLS: Once = Once::new();

/// Names the TLS implementation once; the client asks for one even where all addresses are plain HTTP.
pub fn use_tls() {
    TLS.call_once(|| {
        // Failing means that another part of the program named one before us, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A client with a time limit that a busy machine can keep.
pub fn client() -> Result<reqwest::Client> {
    use_tls();
    Ok(reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(60)).build()?)
}
