//! Binding, accepting, and shutting down.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::{Assets, AssetsError};
use crate::config::{Config, Timing};
use crate::connection::Hub;
use crate::http::{Site, router};
use crate::registry::{Rooms, Settings};
use crate::turn::{Ice, IceError};

/// Why a server does not start. The message is one sentence and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Something else listens there.
    #[error(
        "{0} is in use by another program: stop that one, or choose another port with --listen {ip}:PORT \
         (port 0 takes any that is free)",
        ip = host(.0.ip())
    )]
    InUse(SocketAddr),
    /// The operating system does not allow it.
    #[error("this user may not listen on {0}: choose a port above 1023, for example --listen {ip}:8080", ip = host(.0.ip()))]
    NotAllowed(SocketAddr),
    /// It is the address of another machine, or of none.
    #[error(
        "this machine has no address {ip}: listen on 127.0.0.1 for this machine only, or on 0.0.0.0 for all of its addresses",
        ip = .0.ip()
    )]
    NotOurs(SocketAddr),
    /// Listening failed for another reason.
    #[error("cannot listen on {0}: {1}; choose another address with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The page cannot be served.
    #[error(transparent)]
    Assets(#[from] AssetsError),
    /// Clients cannot be told of the STUN and TURN servers.
    #[error(transparent)]
    Ice(#[from] IceError),
}

/// A server that has its address and its page, and accepts once it serves.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Site,
}

impl Server {
    /// Loads the page, checks the STUN and TURN servers and binds the address. From here on clients can connect, and wait until [`Server::serve`] runs.
    ///
    /// # Errors
    /// The page, a STUN or TURN server or the address cannot be used; the error says what to do.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let assets = match &config.app {
            Some(folder) => Some(Arc::new(Assets::load(folder)?)),
            None => None,
        };
        let ice = Arc::new(Ice::new(&config.ice)?);
        let wanted = config.listen;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::InUse(wanted),
            io::ErrorKind::PermissionDenied => StartError::NotAllowed(wanted),
            io::ErrorKind::AddrNotAvailable => StartError::NotOurs(wanted),
            _ => StartError::Listen(wanted, error),
        };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stopping = CancellationToken::new();
        let settings = Settings {
            size: config.room_size,
            queue: config.queue.for_rooms_of(config.room_size),
            grace: config.timing.grace,
        };
        let rooms = Rooms::new(settings, stopping.clone());
        let hub = Hub { config: Arc::new(config), ice, rooms, stopping };
        let site = Site { assets, hub, tasks: TaskTracker::new(), deadline: CancellationToken::new() };
        Ok(Self { listener, address, site })
    }

    /// Where the server listens; the real port, if port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a browser on this machine finds the server.
    #[must_use]
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}:{}/", host(ip), self.address.port())
    }

    /// The server's rooms.
    #[must_use]
    pub fn rooms(&self) -> Rooms {
        self.site.hub.rooms.clone()
    }

    /// Serves until `shutdown` resolves, then closes every WebSocket with code 1001 and returns when all are closed,
    /// at the latest after [`Timing::shutdown`].
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, site, .. } = self;
        let Site { tasks, deadline, hub, .. } = site.clone();
        let timing = hub.config.timing;
        let router = router(site);

        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, _)) => {
                    let speaking = http(socket, router.clone(), hub.stopping.clone(), timing);
                    tasks.spawn(deadline.clone().run_until_cancelled_owned(speaking));
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    // Most likely too many open files. Those who are connected go on; some will leave.
                    tracing::warn!(%error, "cannot accept connections, trying again in a second");
                    let pause = sleep(Duration::from_secs(1));
                    tokio::select! { () = &mut shutdown => break, () = pause => {} }
                }
            }
        }

        drop(listener);
        hub.stopping.cancel();
        tasks.close();
        if timeout(timing.shutdown, tasks.wait()).await.is_err() {
            tracing::warn!(
                left = tasks.len(),
                "the deadline has passed, dropping the connections that are left"
            );
        }
        deadline.cancel();
    }
}

/// Speaks HTTP with one client, until it becomes a WebSocket or ends.
async fn http(socket: TcpStream, router: Router, stopping: CancellationToken, timing: Timing) {
    // Signaling is small messages that someone waits for.
    let _ = socket.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timing.request)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router))
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

/// Whether accepting failed because this one client went away already.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// An address as a URL has it.
fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
