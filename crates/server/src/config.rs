//! What a server can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::cluster::ClusterConfig;
use crate::host::Host;
use crate::limits::Limits;
use crate::origin::Origin;
use crate::tls::TlsConfig;
use crate::token::TokenConfig;
use crate::turn::Secret;

/// What a server is to do. Make one with [`Config::new`] and change what should differ.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The folder with the built page. It is read once, at the start; without it there is signaling only.
    pub app: Option<PathBuf>,
    /// Where the certificate for HTTPS comes from. Without it, plain HTTP is spoken.
    pub tls: Option<TlsConfig>,
    /// How many people a room holds.
    pub room_size: usize,
    /// The STUN and TURN servers that clients are told of.
    pub ice: IceConfig,
    /// The origins of pages that may connect, besides the page of this server, which always may. If there are none, pages
    /// from localhost may as well.
    pub allowed_origins: Vec<Origin>,
    /// The names by which the server may be asked, besides its addresses, localhost, the name of the machine and what the
    /// certificate is for. A request by any other name is answered with 421 (RFC 9110, section 15.5.20).
    pub allowed_hosts: Vec<Host>,
    /// The networks of proxies of one's own. Of a connection that comes from one of them, the client's address is that
    /// in `Forwarded` or `X-Forwarded-For`; of any other, it is the address that it comes from. None by default.
    pub trusted_proxies: Vec<IpNet>,
    /// What clients may do.
    pub limits: Limits,
    /// Where the metrics are served, at `/metrics`; nowhere by default. Whoever can reach this address can read them.
    pub metrics_listen: Option<SocketAddr>,
    /// What opens rooms; usually nothing but their names.
    pub tokens: TokenConfig,
    /// How several servers are one. Without it, this one is alone.
    pub cluster: Option<ClusterConfig>,
    /// What may wait to be written to one client.
    pub queue: QueueLimits,
    /// How long everything may take.
    pub timing: Timing,
}

impl Config {
    /// A server on the loopback address, port 8080, for rooms of `room_size` people.
    #[must_use]
    pub fn new(room_size: usize) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            app: None,
            tls: None,
            room_size,
            ice: IceConfig::default(),
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            metrics_listen: None,
            tokens: TokenConfig::default(),
            cluster: None,
            queue: QueueLimits::default(),
            timing: Timing::default(),
        }
    }
}

/// The STUN and TURN servers that clients are told of: none, unless some are named.
#[derive(Debug, Clone)]
pub struct IceConfig {
    /// Addresses of STUN servers (RFC 7064), such as `stun:stun.example.org:3478`.
    pub stun_urls: Vec<String>,
    /// Addresses of TURN servers (RFC 7065), such as `turn:turn.example.org:3478?transport=udp`. They all know
    /// [`IceConfig::turn_secret`], and are not named without it.
    pub turn_urls: Vec<String>,
    /// What credentials for TURN are made from (coturn: `use-auth-secret` and `static-auth-secret`). An empty one is
    /// none.
    pub turn_secret: Option<Secret>,
    /// For how long credentials last: 1 to 86400 seconds. The command takes no less than 300: a call has to be set up
    /// within that time.
    pub turn_ttl: Duration,
}

impl Default for IceConfig {
    fn default() -> Self {
        Self {
            stun_urls: Vec::new(),
            turn_urls: Vec::new(),
            turn_secret: None,
            turn_ttl: Duration::from_secs(1800),
        }
    }
}

/// How much may wait to be written to one client before it is let go as too slow. As much is kept of what it was told,
/// for when it takes up its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Messages.
    pub messages: usize,
    /// Bytes of all of them together.
    pub bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { messages: 64, bytes: 256 * 1024 }
    }
}

impl QueueLimits {
    /// At least what a newcomer gets at once: one `ready` for each who is there, each with a name and a token, and for
    /// some a `peer-away`. Otherwise nobody could enter a large room.
    pub(crate) fn for_rooms_of(self, size: usize) -> Self {
        Self {
            messages: self.messages.max(size.saturating_mul(2)),
            bytes: self.bytes.max(size.saturating_mul(2048)),
        }
    }
}

/// How long everything may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The time between two pings. Proxies cut connections that are idle for 30 s.
    pub ping: Duration,
    /// A connection over which nothing at all came for so long, not even a pong, is broken.
    pub silence: Duration,
    /// How long a client whose connection broke keeps its seat in the room, and may take up its session again.
    pub grace: Duration,
    /// How long a client's reading may pause when what it sent is not taken by the others.
    pub patience: Duration,
    /// How long a goodbye (a last error, the closing handshake) may take.
    pub goodbye: Duration,
    /// How long the head of an HTTP request may take, and a connection idle between two requests.
    pub request: Duration,
    /// How long a TLS handshake may take (RFC 8446).
    pub handshake: Duration,
    /// The time between two looks at the files of the certificate. New ones are taken when two looks have seen the same.
    pub renewal: Duration,
    /// How long everyone is served as ever after a shutdown was asked for, while `/readyz` already says no: for load
    /// balancers to see it, and send newcomers elsewhere. If this is not zero, connections are closed one after the other
    /// after it, and not all at once.
    pub drain: Duration,
    /// How long the end may take after that: closing the connections and everything else.
    pub shutdown: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(10),
            silence: Duration::from_secs(25),
            grace: Duration::from_secs(30),
            patience: Duration::from_millis(250),
            goodbye: Duration::from_secs(1),
            request: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            renewal: Duration::from_secs(5),
            drain: Duration::ZERO,
            shutdown: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_says_the_same_times() {
        let protocol = include_str!("../../../docs/protocol.md").replace('\n', " ");
        let Timing { ping, silence, grace, .. } = Timing::default();
        for words in [
            format!("a WebSocket ping frame every {} seconds", ping.as_secs()),
            format!("nothing arrives for {} seconds", silence.as_secs()),
            format!("keeps its seat for {} seconds", grace.as_secs()),
        ] {
            assert!(protocol.contains(&words), "{words}");
        }
    }
}
