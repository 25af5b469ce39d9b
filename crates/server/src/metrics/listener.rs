//! `/metrics`, at an address of its own: who runs the server reads it, and nobody else.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::accept::{http, next};
use crate::connection::Hub;
use crate::http::Site;

/// The type of OpenMetrics text (OpenMetrics 1.0, "Protocol Negotiation").
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

async fn metrics(State(hub): State<Hub>) -> Response {
    ([(CONTENT_TYPE, OPENMETRICS)], hub.metrics.render(hub.rooms.count())).into_response()
}

/// Answers until the server stops.
pub(crate) async fn serve(listener: TcpListener, site: Site) {
    let Site { hub, tasks, deadline, .. } = site;
    let router = Router::new().route("/metrics", get(metrics)).with_state(hub.clone());
    let (stopping, patience) = (&hub.stopping, hub.config.timing.request);
    loop {
        let (socket, _) = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            next = next(&listener) => next,
        };
        let speaking = http(socket, router.clone(), None, stopping.clone(), patience);
        tasks.spawn(deadline.clone().run_until_cancelled_owned(speaking));
    }
}
