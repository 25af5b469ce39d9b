//! What a server can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::turn::Secret;

/// What a server is to do. Make one with [`Config::new`] and change what should differ.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The folder with the built page. It is read once, at the start; without it there is signaling only.
    pub app: Option<PathBuf>,
    /// How many people a room holds.
    pub room_size: usize,
    /// The STUN and TURN servers that clients are told of.
    pub ice: IceConfig,
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
            room_size,
            ice: IceConfig::default(),
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
    /// How long the whole of a shutdown may take.
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
