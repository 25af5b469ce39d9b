//! A client at the door: a place if there is one, TLS where it is on, and then HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Hub;
use crate::host;
use crate::http::{Caller, Site, full, router};
use crate::limits::{Door, Entrance, Limit};
use crate::tls::Tls;

/// The first byte of a TLS connection: a record of the type `handshake` (RFC 8446, section 5.1). No method of HTTP
/// begins with it.
const HANDSHAKE: u8 = 22;

/// What every client is met with.
pub(crate) struct Acceptor {
    /// What is served to whoever has a place.
    router: Router,
    /// What everybody else is told.
    full: Router,
    /// What TLS is spoken with, if it is.
    tls: Option<Tls>,
    /// The places.
    door: Door,
    hub: Hub,
    tasks: TaskTracker,
    deadline: CancellationToken,
}

impl Acceptor {
    pub(crate) fn new(site: Site, tls: Option<Tls>) -> Self {
        let Site { hub, tasks, deadline, .. } = site.clone();
        let door = Door::new(hub.config.limits.connections);
        Self { router: router(site), full: full(), tls, door, hub, tasks, deadline }
    }

    /// Lets clients in, for as long as this is polled.
    pub(crate) async fn run(&self, listener: &TcpListener) {
        loop {
            let (socket, peer) = next(listener).await;
            self.receive(socket, peer);
        }
    }

    /// Begins to speak with one client.
    fn receive(&self, socket: TcpStream, peer: SocketAddr) {
        let entrance = self.door.enter();
        if !matches!(entrance, Entrance::Open(_)) {
            self.hub.metrics.breach(Limit::Connections);
        }
        let timing = self.hub.config.timing;
        // Whoever finds no place does not get the time of one who does.
        let (router, slot, handshake, request) = match entrance {
            Entrance::Open(slot) => (&self.router, slot, timing.handshake, timing.request),
            Entrance::Full(slot) => (&self.full, slot, timing.goodbye, timing.goodbye),
            Entrance::Shut => return,
        };
        let client = Client {
            router: router.clone(),
            caller: Caller { ip: peer.ip(), slot: Arc::new(slot) },
            stopping: self.hub.stopping.clone(),
            handshake,
            request,
        };
        let tls = self.tls.clone();
        let speaking = async move {
            match tls {
                None => client.speak(socket).await,
                Some(tls) => client.greet(socket, tls).await,
            }
        };
        // In a box: what wraps a future holds it several times over.
        self.tasks.spawn(self.deadline.clone().run_until_cancelled_owned(Box::pin(speaking)));
    }
}

/// One client, from its connection until it becomes a WebSocket or ends.
struct Client {
    router: Router,
    caller: Caller,
    stopping: CancellationToken,
    /// How long the TLS handshake may take.
    handshake: Duration,
    /// How long the head of a request may take.
    request: Duration,
}

impl Client {
    /// Speaks TLS with it, and HTTP over that; or tells it to.
    async fn greet(mut self, socket: TcpStream, tls: Tls) {
        let greeting = async {
            let mut first = [0];
            let encrypted = socket.peek(&mut first).await? == 0 || first == [HANDSHAKE];
            if !encrypted {
                return Ok(Greeted::Plain(socket));
            }
            tls.acceptor().accept(socket).await.map(|stream| Greeted::Encrypted(Box::new(stream)))
        };
        let greeted = tokio::select! {
            greeted = timeout(self.handshake, greeting) => greeted,
            // There is nothing yet that would have to come to an end.
            () = self.stopping.cancelled() => return,
        };
        match greeted {
            Ok(Ok(Greeted::Encrypted(stream))) => self.speak(stream).await,
            Ok(Ok(Greeted::Plain(socket))) => {
                self.router = Router::new().fallback(speaks_https);
                self.speak(socket).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    /// Speaks HTTP with it.
    async fn speak<S>(self, socket: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        http(socket, self.router, Some(self.caller), self.stopping, self.request).await;
    }
}

enum Greeted {
    Encrypted(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    Plain(TcpStream),
}

/// The next connection. Waits until there is one; nothing is lost if the future is dropped.
pub(crate) async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                // Signaling is small messages that someone waits for.
                let _ = socket.set_nodelay(true);
                return (socket, peer);
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                // Most likely too many open files. Those who are connected go on; some will leave.
                tracing::warn!(%error, "cannot accept connections, trying again in a second");
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Whether accepting failed because this one client went away already.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// Speaks HTTP with one client, until it becomes a WebSocket or ends. The head of a request may take `patience`.
pub(crate) async fn http<S>(
    socket: S,
    router: Router,
    caller: Option<Caller>,
    stopping: CancellationToken,
    patience: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(caller) = &caller {
            request.extensions_mut().insert(caller.clone());
        }
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection broke");
    }
}

/// The answer to plain HTTP where TLS is on. No redirection: whoever typed the address should learn to type the other.
async fn speaks_https(request: Request) -> Response {
    let host = request.headers().get(HOST).and_then(host::authority);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = host
        .and_then(|host| Uri::builder().scheme("https").authority(host).path_and_query(path).build().ok());
    let words = match url {
        Some(url) => format!("This port speaks HTTPS: {url}\n"),
        None => "This port speaks HTTPS: write https:// in front of the address.\n".to_owned(),
    };
    let headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")];
    (StatusCode::BAD_REQUEST, headers, words).into_response()
}
