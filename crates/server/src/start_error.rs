//! Why a server does not start.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::assets::AssetsError;
use crate::cluster::ClusterError;
use crate::limits::LimitsError;
use crate::tls::TlsError;
use crate::token::TokenError;
use crate::turn::IceError;

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
    /// The metrics cannot be served.
    #[error("cannot serve metrics at {0}: {1}; choose another address with --metrics-listen")]
    Metrics(SocketAddr, #[source] io::Error),
    /// The limits make no sense.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// The page cannot be served.
    #[error(transparent)]
    Assets(#[from] AssetsError),
    /// Clients cannot be told of the STUN and TURN servers.
    #[error(transparent)]
    Ice(#[from] IceError),
    /// HTTPS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It cannot be one of several.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Tokens cannot be checked.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// An address as a URL has it.
pub(crate) fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
