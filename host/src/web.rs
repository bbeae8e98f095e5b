//! The API on the loopback address: what commands ask of the running service. The only module that names axum.
//!
//! Every route is below `/api/v1` and wants the token of the data folder; only `/healthz`, `/readyz` and `/metrics` lie
//! beside it, the first two without a token. JSON in and out; errors are problem details (RFC 9457). Nothing here decides anything: a route reads its input, asks [`Service`], and shows the answer.

mod actions;
mod attention;
mod backfill;
pub mod error;
mod guard;
mod health;
mod input;
mod instance;
mod platforms;
mod plugins;
mod records;
mod runs;
#[cfg(test)]
mod tests;
mod view;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post, put};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::service::{Service, ServiceError};
use error::Problem;

/// Most bytes of a request.
const BODY: usize = 4 * 1024 * 1024;
/// How long requests under way may take once the service stops.
const PATIENCE: Duration = Duration::from_secs(1);

/// What every route works with.
#[derive(Clone)]
struct Api {
    service: Service,
    /// Ends what waits.
    stop: CancellationToken,
}

/// Answers until `stop`, then lets requests under way end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(service: Service, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let routes = routes(service, stop.clone());
    let ending = stop.clone();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(async move { ending.cancelled().await });
    tokio::select! {
        ended = async { serving.await } => ended,
        () = async { stop.cancelled().await; tokio::time::sleep(PATIENCE).await } => Ok(()),
    }
}

/// Binds the address of the API.
///
/// # Errors
/// When it is taken.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

fn routes(service: Service, stop: CancellationToken) -> Router {
    let api = Api { service, stop };
    let v1 = Router::new()
        .route("/status", get(instance::status))
        .route("/reload", post(instance::reload))
        .route("/automatic", put(instance::set_automatic))
        .route("/backup", post(instance::backup))
        .route("/safe-mode", get(instance::safe_mode))
        .route("/safe-mode/leave", post(instance::leave_safe_mode))
        .route("/platforms", get(platforms::list).post(platforms::add))
        .route("/platforms/{code}", get(platforms::show).patch(platforms::change).delete(platforms::remove))
        .route("/platforms/{code}/test", post(platforms::test))
        .route("/platforms/{code}/onboard", post(platforms::onboard))
        .route("/platforms/{code}/review", get(platforms::review))
        .route("/platforms/{code}/live", post(platforms::live))
        .route("/platforms/{code}/pause", post(platforms::pause))
        .route("/platforms/{code}/resume", post(platforms::resume))
        .route("/platforms/{code}/run", post(runs::start))
        .route("/platforms/{code}/backfill", post(backfill::start))
        .route("/platforms/{code}/preview/{direction}/{kind}", get(runs::preview))
        .route("/actions", get(actions::list))
        .route("/actions/{code}/{direction}/{kind}", put(actions::set).delete(actions::remove))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::show))
        .route("/runs/{id}/cancel", post(runs::cancel))
        .route("/runs/{id}/case", get(runs::case))
        .route("/attention", get(attention::list))
        .route("/attention/{id}", get(attention::show))
        .route("/attention/{id}/answer", post(attention::answer))
        .route("/attention/{id}/retry", post(attention::retry))
        .route("/attention/{id}/dismiss", post(attention::dismiss))
        .route("/records", get(records::find))
        .route("/records/{id}", get(records::show))
        .route("/records/{id}/history", get(records::history))
        .route("/records/{id}/push", post(records::push))
        .route("/records/{id}/links/{platform}", put(records::link).delete(records::unlink))
        .route("/records/{id}/merge", post(records::merge))
        .route("/plugins", get(plugins::list))
        .route("/plugins/rescan", post(plugins::rescan))
        .route("/plugins/{name}", get(plugins::show))
        .route("/plugins/{name}/approve", post(plugins::approve));
    Router::new()
        .nest("/api/v1", v1)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(async || Problem::no_route())
        .method_not_allowed_fallback(async || Problem::no_method())
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(api.clone(), guard::guard))
        .with_state(api)
}

/// Carries a command out to its end even when whoever asked for it hangs up.
async fn through<T: Send + 'static>(
    work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::spawn(work).await {
        Ok(result) => result.map_err(Problem::from),
        Err(error) => Err(Problem::internal(&error)),
    }
}
