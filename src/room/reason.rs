//! Why a connection has failed, in words that say what to do.

use duologue_engine::Cause;

use crate::browser::{RtcOptions, ServerProblem};

/// Why a connection to a peer has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// For programs: `offline`, `peer-away`, `no-answer`, `relay-failed`, `no-relay` or `no-path`.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub message: &'static str,
    /// The STUN and TURN servers that were of no help.
    pub servers: Vec<ServerProblem>,
}

impl Reason {
    /// What the engine knows, made plain by what is known of the servers.
    pub(super) fn new(cause: Cause, rtc: &RtcOptions, servers: &[ServerProblem]) -> Self {
        let is_relay = |url: &str| url.starts_with("turn");
        let has_relay = rtc.ice_servers.iter().flat_map(|server| &server.urls).any(|url| is_relay(url));
        let relay_failed = servers.iter().any(|problem| is_relay(&problem.url));
        let (code, message) = match cause {
            Cause::Offline => {
                ("offline", "You are not connected. Check your network; the call goes on when it is back.")
            }
            Cause::PeerAway => {
                ("peer-away", "They have lost their connection. The call goes on when they are back.")
            }
            Cause::NoAnswer => ("no-answer", "Their browser does not answer. Ask them to reload the page."),
            Cause::NoPath if has_relay && relay_failed => (
                "relay-failed",
                "Your networks let no direct connection through, and the relay could not be used. Try another network, \
                 or tell whoever runs this server that its TURN server does not work.",
            ),
            Cause::NoPath if has_relay => (
                "no-path",
                "No connection gets through between your networks, not even over the relay. Try another network, for \
                 one of you.",
            ),
            Cause::NoPath => (
                "no-relay",
                "Your networks let no direct connection through, and this server has no relay. Try another network, or \
                 ask whoever runs this server to add a TURN server.",
            ),
        };
        Self { code, message, servers: servers.to_vec() }
    }
}
