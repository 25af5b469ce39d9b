//! What is where: `/ws` for signaling, `/healthz` and `/readyz` for whoever watches the server, the page everywhere else.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION, STRICT_TRANSPORT_SECURITY, UPGRADE,
};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::{self, Source};
use crate::assets::{self, Assets};
use crate::connection::{self, Hub};
use crate::host::{self, Hosts};
use crate::limits::{Limit, Slot};
use crate::metrics::Stranger;
use crate::origin::Origins;
use crate::readiness::Readiness;
use crate::tls::TlsConfig;

/// What the handlers need.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The page, if there is one.
    pub(crate) assets: Option<Arc<Assets>>,
    /// The names that the server goes by.
    pub(crate) hosts: Arc<Hosts>,
    /// The pages that may connect.
    pub(crate) origins: Arc<Origins>,
    /// Whether new clients should be sent here.
    pub(crate) readiness: Arc<Readiness>,
    /// What the connections share.
    pub(crate) hub: Hub,
    /// Every task of the server is tracked, so that a shutdown can wait for it.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when a shutdown has waited long enough.
    pub(crate) deadline: CancellationToken,
}

/// Tells browsers to come by HTTPS and nothing else (RFC 6797), for so long after each visit, in seconds: 30 days. Not
/// for ever, because it counts for every port of the host, and whoever tries HTTPS out may think better of it.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=2592000");

/// Who a request comes from. Handlers find it among the extensions of the request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The other end of the TCP connection.
    pub(crate) ip: IpAddr,
    /// Its place among the connections of the server, kept until the last part of it has ended.
    pub(crate) slot: Arc<Slot>,
}

/// In how many seconds one who finds no place may try again (RFC 9110, section 10.2.3).
const TRY_AGAIN_AFTER: &str = "10";

/// What everybody is told who finds no place.
pub(crate) fn full() -> Router {
    Router::new().fallback(|| async {
        let mut response = try_later(
            StatusCode::SERVICE_UNAVAILABLE,
            "This server has as many connections as it takes. Try again in a few seconds.\n",
        );
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    })
}

pub(crate) fn router(site: Site) -> Router {
    // Where a browser warns of the certificate, this would take away the button to go on in spite of it (RFC 6797,
    // section 12.1).
    let is_vouched_for = matches!(site.hub.config.tls, Some(TlsConfig::Files { .. }));
    let router = routes(site);
    if !is_vouched_for {
        return router;
    }
    router.layer(map_response(|mut response: Response| async {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
        response
    }))
}

fn routes(site: Site) -> Router {
    let by_name = Router::new()
        .route("/ws", get(signaling))
        .fallback(page)
        .layer(from_fn_with_state(site.clone(), by_its_name));
    // Whoever watches the server asks by whatever name it has for it, or none, and learns nothing by the answer.
    Router::new()
        .route("/healthz", get(|| async { words(StatusCode::OK, "ok") }))
        .route("/readyz", get(ready))
        .merge(by_name)
        .with_state(site)
}

/// Lets in what asks by a name that the server goes by, and tells the rest. Handlers find the host among the extensions of
/// the request.
async fn by_its_name(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let Some(host) = host::of(&request) else {
        return words(StatusCode::BAD_REQUEST, "There must be one Host header that names this server.\n");
    };
    if site.hosts.include(&host) {
        request.extensions_mut().insert(host);
        return next.run(request).await;
    }
    site.hub.metrics.stranger(Stranger::Host);
    let name = if host::is_name(host.host()) { host.host() } else { "NAME" };
    let text =
        format!("This server does not go by that name. If it should, start it with --allow-host {name}\n");
    words(StatusCode::MISDIRECTED_REQUEST, text)
}

async fn ready(State(site): State<Site>) -> Response {
    match site.readiness.verdict() {
        Ok(()) => words(StatusCode::OK, "ready"),
        Err(why) => words(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn page(State(site): State<Site>, request: Request) -> Response {
    match &site.assets {
        Some(assets) => assets.respond(request.method(), request.uri().path(), request.headers()),
        None => assets::without_a_page(request.method(), request.uri().path()),
    }
}

/// Upgrades to a WebSocket (RFC 6455, section 4.2). Not axum's own: a connection that ends wants the raw socket, and
/// the typed errors of the library below.
async fn signaling(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Extension(host): Extension<Authority>,
    mut request: Request,
) -> Response {
    if !site.origins.allow(request.headers(), &host) {
        site.hub.metrics.stranger(Stranger::Origin);
        return words(
            StatusCode::FORBIDDEN,
            "A page from another origin may not connect here. Serve the page from this server, or start the server with \
             --allow-origin and the origin of the page.\n",
        );
    }
    let Ok(response) = create_response_with_body(&request, Body::empty) else {
        let mut response = words(
            StatusCode::UPGRADE_REQUIRED,
            "This address speaks WebSocket, version 13. Connect with a WebSocket client to ws://…/ws.\n",
        );
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    };
    let Site { hub, tasks, deadline, .. } = site;
    let ip = address::client(caller.ip, request.headers(), &hub.config.trusted_proxies);
    let visitor = match hub.visitors.enter(Source::of(ip)) {
        Ok(visitor) => visitor,
        Err(limit) => {
            hub.metrics.breach(limit);
            return try_later(StatusCode::TOO_MANY_REQUESTS, too_many(limit));
        }
    };
    let upgrade = hyper::upgrade::on(&mut request);
    // In a box: what wraps a future holds it several times over.
    let talk = Box::pin(async move {
        match upgrade.await {
            Ok(socket) => connection::run(TokioIo::new(socket), &hub, visitor).await,
            Err(error) => tracing::debug!(%error, "a WebSocket handshake was not finished"),
        }
        drop(caller.slot);
    });
    tasks.spawn(deadline.run_until_cancelled_owned(talk));
    response
}

/// What one is told whose address has too many connections.
fn too_many(limit: Limit) -> &'static str {
    match limit {
        Limit::LobbyPerAddress => {
            "Too many connections from this address are in no room yet. Join a room with one of them or close some, and \
             try again in a few seconds.\n"
        }
        _ => {
            "There are too many connections from this address. Close some, and try again in a few seconds.\n"
        }
    }
}

/// A refusal that does not last.
fn try_later(status: StatusCode, text: &'static str) -> Response {
    let mut response = words(status, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(TRY_AGAIN_AFTER));
    response
}

/// A short text as a response.
pub(crate) fn words(status: StatusCode, text: impl Into<Body>) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text.into()).into_response()
}
