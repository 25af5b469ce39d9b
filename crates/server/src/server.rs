//! Binding, accepting, and shutting down.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accept::Acceptor;
use crate::assets::Assets;
use crate::cluster::{self, Node};
use crate::config::Config;
use crate::connection::Hub;
use crate::departure::Departure;
use crate::host::Hosts;
use crate::http::Site;
use crate::limits::Visitors;
use crate::metrics::{self, Metrics};
use crate::origin::Origins;
use crate::readiness::Readiness;
use crate::registry::{Rooms, Settings};
use crate::start_error::{StartError, host};
use crate::tls::{self, Keeper, Tls, TlsConfig};
use crate::token::Tokens;
use crate::turn::Ice;

/// A server that has its address and its page, and accepts once it serves.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<(Keeper, Tls)>,
    metrics: Option<(TcpListener, SocketAddr)>,
    node: Option<Node>,
    /// Cancelled when a shutdown was asked for.
    draining: CancellationToken,
    site: Site,
}

impl Server {
    /// Loads the page and the certificate, checks the STUN and TURN servers and the keys for tokens, and binds the address.
    /// From here on clients can connect, and wait until [`Server::serve`] runs.
    ///
    /// # Errors
    /// The page, the certificate, a STUN or TURN server or the address cannot be used; the error says what to do.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        config.limits.check(config.queue)?;
        let assets = match &config.app {
            Some(folder) => Some(Arc::new(Assets::load(folder)?)),
            None => None,
        };
        let ice = Arc::new(Ice::new(&config.ice)?);
        let tls = config.tls.as_ref().map(Keeper::new).transpose()?;
        let tokens = Arc::new(Tokens::new(&config.tokens)?);
        let wanted = config.listen;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::InUse(wanted),
            io::ErrorKind::PermissionDenied => StartError::NotAllowed(wanted),
            io::ErrorKind::AddrNotAvailable => StartError::NotOurs(wanted),
            _ => StartError::Listen(wanted, error),
        };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let metrics_listener = match config.metrics_listen {
            Some(wanted) => {
                let failed = |error| StartError::Metrics(wanted, error);
                let listener = TcpListener::bind(wanted).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Some((listener, address))
            }
            None => None,
        };
        let stopping = CancellationToken::new();
        let settings = Settings {
            size: config.room_size,
            queue: config.queue.for_rooms_of(config.room_size),
            grace: config.timing.grace,
            limits: config.limits.for_rooms_of(config.room_size),
        };
        let metrics = if config.cluster.is_some() { Metrics::among_nodes() } else { Metrics::new() };
        let visitors = Visitors::new(&config.limits);
        let node =
            config.cluster.as_ref().map(|cluster| cluster::connect(cluster, config.room_size)).transpose()?;
        let rooms = Rooms::new(settings, metrics.clone(), stopping.clone(), node.clone());
        let departures = watch::Sender::new(None);
        let hub =
            Hub { config: Arc::new(config), ice, tokens, rooms, visitors, metrics, stopping, departures };
        let draining = CancellationToken::new();
        let is_draining = draining.clone();
        let mut readiness = Readiness::default().with("draining", move || {
            if is_draining.is_cancelled() {
                return Err("this server is about to end, send clients to another".to_owned());
            }
            Ok(())
        });
        if let Some(node) = node.clone() {
            readiness = readiness.with("redis", move || {
                if node.is_up() {
                    return Ok(());
                }
                Err("it does not answer, so this server does not know of the others' rooms: see that it runs and can be \
                     reached from here; the log says what is wrong"
                    .to_owned())
            });
        }
        let certificate = tls.as_ref().map(|(_, tls)| tls.clone());
        let origins = Origins { listed: hub.config.allowed_origins.clone(), encrypted: tls.is_some() };
        let site = Site {
            assets,
            hosts: Arc::new(Hosts::new(hub.config.allowed_hosts.clone(), certificate)),
            origins: Arc::new(origins),
            readiness: Arc::new(readiness),
            hub,
            tasks: TaskTracker::new(),
            deadline: CancellationToken::new(),
        };
        Ok(Self { listener, address, tls, metrics: metrics_listener, draining, node, site })
    }

    /// Where the server listens; the real port, if port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the metrics are served, if they are; the real port, if port 0 was asked for.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// Where a browser on this machine finds the server.
    #[must_use]
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        self.url_at(&host(ip))
    }

    /// Where browsers on other machines find the server: by the addresses and the names of this machine, or by the one
    /// address it listens on. None if that is for this machine only.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let ip = self.address.ip();
        if ip.is_loopback() {
            return Vec::new();
        }
        if !ip.is_unspecified() {
            return vec![self.url_at(&host(ip))];
        }
        let reached = tls::addresses().into_iter().filter(|address| ip.is_ipv6() || address.is_ipv4());
        reached.map(host).chain(tls::names()).map(|host| self.url_at(&host)).collect()
    }

    /// The SHA-256 fingerprint of the certificate, as browsers show it, where the server has made that itself: who sees
    /// the same in a browser is connected to this machine and to no other.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        match &self.site.hub.config.tls {
            Some(TlsConfig::SelfSigned { .. }) => self.tls.as_ref().map(|(_, tls)| tls.fingerprint()),
            _ => None,
        }
    }

    fn url_at(&self, host: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}:{}/", self.address.port())
    }

    /// The server's rooms.
    #[must_use]
    pub fn rooms(&self) -> Rooms {
        self.site.hub.rooms.clone()
    }

    /// Serves until `shutdown` resolves and [`Timing::drain`] has passed, then tells every client `going-away`, closes
    /// its WebSocket with code 1001, and returns when all are closed, at the latest after [`Timing::shutdown`].
    ///
    /// [`Timing::drain`]: crate::Timing::drain
    /// [`Timing::shutdown`]: crate::Timing::shutdown
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        self.serve_until(shutdown, std::future::pending()).await;
    }

    /// The same; when `now` resolves, what is left of [`Timing::drain`] is skipped and everybody is let go at once.
    ///
    /// [`Timing::drain`]: crate::Timing::drain
    pub async fn serve_until(self, shutdown: impl Future<Output = ()>, now: impl Future<Output = ()>) {
        let url = self.url();
        let Self { listener, tls, metrics, draining, node, site, .. } = self;
        let Site { tasks, deadline, hub, .. } = site.clone();
        let timing = hub.config.timing;
        let (keeper, tls) = tls.unzip();
        if let Some(keeper) = keeper {
            tasks.spawn(hub.stopping.clone().run_until_cancelled_owned(keeper.run(timing.renewal)));
        }
        if let Some(node) = node {
            tasks.spawn(node.run(hub.rooms.clone(), hub.stopping.clone()));
        }
        if let Some((listener, _)) = metrics {
            tasks.spawn(metrics::serve(listener, site.clone()));
        }
        let acceptor = Acceptor::new(site, tls);

        let on = |is: bool| if is { "on" } else { "off" };
        tracing::info!(
            url,
            tls = match &hub.config.tls {
                None => "off",
                Some(TlsConfig::Files { .. }) => "files",
                Some(TlsConfig::SelfSigned { .. }) => "self-signed",
            },
            page = on(hub.config.app.is_some()),
            stun = on(!hub.config.ice.stun_urls.is_empty()),
            turn = on(!hub.config.ice.turn_urls.is_empty()),
            room_size = hub.config.room_size,
            "serving"
        );
        let mut now = pin!(now);
        tokio::select! {
            // Whoever wants an end may be asked first.
            biased;
            () = &mut now => draining.cancel(),
            () = acceptor.run(&listener) => {}
            () = drained(shutdown, &draining, timing.drain) => {}
        }

        drop(listener);
        let until = Instant::now() + timing.shutdown;
        let departures = &hub.departures;
        if !timing.drain.is_zero() {
            let departure = Departure::spread(&timing, departures.receiver_count());
            departures.send_replace(Some(departure));
            tokio::select! {
                () = &mut now => {}
                () = departures.closed() => {}
                () = sleep(departure.spread) => {}
            }
        }
        departures.send_replace(Some(Departure::at_once(departures.receiver_count())));
        hub.stopping.cancel();
        tasks.close();
        if timeout_at(until, tasks.wait()).await.is_err() {
            tracing::warn!(
                left = tasks.len(),
                "the deadline has passed, dropping the connections that are left"
            );
        }
        deadline.cancel();
    }
}

/// Resolves when a shutdown was asked for and the time for it has come.
async fn drained(shutdown: impl Future<Output = ()>, draining: &CancellationToken, drain: Duration) {
    shutdown.await;
    draining.cancel();
    if !drain.is_zero() {
        tracing::info!(seconds = drain.as_secs(), "draining: serving on, and asking for no more clients");
        sleep(drain).await;
    }
}
