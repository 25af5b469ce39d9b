//! What is where: `/ws` for signaling, `/healthz` for whoever watches the server, the page everywhere else.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::{self, Assets};
use crate::connection::{self, Hub};
use crate::origin;

/// What the handlers need.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The page, if there is one.
    pub(crate) assets: Option<Arc<Assets>>,
    /// What the connections share.
    pub(crate) hub: Hub,
    /// Every task of the server is tracked, so that a shutdown can wait for it.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when a shutdown has waited long enough.
    pub(crate) deadline: CancellationToken,
}

pub(crate) fn router(site: Site) -> Router {
    Router::new()
        .route("/ws", get(signaling))
        .route("/healthz", get(|| async { words(StatusCode::OK, "ok") }))
        .fallback(page)
        .with_state(site)
}

async fn page(State(site): State<Site>, request: Request) -> Response {
    match &site.assets {
        Some(assets) => assets.respond(request.method(), request.uri().path(), request.headers()),
        None => assets::without_a_page(request.method(), request.uri().path()),
    }
}

/// Upgrades to a WebSocket (RFC 6455, section 4.2). Not axum's own: a connection that ends wants the raw socket, and
/// the typed errors of the library below.
async fn signaling(State(site): State<Site>, mut request: Request) -> Response {
    if !origin::allowed(request.headers()) {
        return words(
            StatusCode::FORBIDDEN,
            "A page from another origin may not connect here. Serve the page from this server, from the same host \
             and port, or from localhost.\n",
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
    let upgrade = hyper::upgrade::on(&mut request);
    let Site { hub, tasks, deadline, .. } = site;
    tasks.spawn(deadline.run_until_cancelled_owned(async move {
        match upgrade.await {
            Ok(socket) => connection::run(TokioIo::new(socket), &hub).await,
            Err(error) => tracing::debug!(%error, "a WebSocket handshake was not finished"),
        }
    }));
    response
}

/// A short text as a response.
pub(crate) fn words(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
