//! What a server is told of the others.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, io};

use super::bus::Bus;
use super::node::{Node, Pulse};
use crate::ids;

/// How many people a room may have at most.
pub(super) const LARGEST_ROOM: usize = 1000;

/// How several servers are one.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// Where Redis is: `redis://HOST:PORT/DATABASE`, with `USER:PASSWORD@` before the host where it asks for one; `rediss://` for
    /// one that speaks TLS.
    pub redis: String,
    /// A file in PEM form (RFC 7468) with the certificates of those who may have signed that of Redis, for `rediss://`. `None`
    /// stands for those whom the system trusts.
    pub authority: Option<PathBuf>,
    /// What all keys in Redis begin with. Servers of the same prefix are one.
    pub prefix: String,
}

impl ClusterConfig {
    /// Together with those who know the same Redis.
    #[must_use]
    pub fn new(redis: String) -> Self {
        Self { redis, authority: None, prefix: "duologue:".to_owned() }
    }
}

impl fmt::Debug for ClusterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may have a password in it.
        f.debug_struct("ClusterConfig").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Why a server cannot be one of several.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// That is no address of a Redis.
    #[error(
        "the address of Redis cannot be read: write it as redis://HOST:PORT, or redis://USER:PASSWORD@HOST:PORT/0 with a \
         password, in which what is not a letter or a digit is percent-encoded; rediss:// for one that speaks TLS"
    )]
    Address,
    /// Whoever is between could say that they are Redis.
    #[error(
        "the address of Redis ends in #insecure, with which any certificate would do: leave that out, and name who signed the \
         certificate of Redis with --redis-ca"
    )]
    Insecure,
    /// There is nothing to be signed.
    #[error(
        "--redis-ca is for a Redis that speaks TLS: write its address as rediss://HOST:PORT, or leave --redis-ca out"
    )]
    NotEncrypted,
    /// The file with those who may sign cannot be read.
    #[error("cannot read {0}: {1}; name a file with --redis-ca that the user who runs the server may read")]
    Read(PathBuf, #[source] io::Error),
    /// The file with those who may sign holds none, or one that cannot be read.
    #[error(
        "there is no certificate in {0} that can be used: it must be in PEM form, with lines that begin with -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate(PathBuf),
    /// All that is to be known of a member, the others among it, has to fit in what nodes read at once.
    #[error(
        "servers that are one through Redis have rooms for at most {LARGEST_ROOM} people, and --room-size is {0}: choose a smaller \
         one, or run one server without --redis"
    )]
    RoomTooLarge(usize),
    /// This program was built without.
    #[error(
        "this program was built without Redis: build it with the feature \"redis\", or run one server without --redis"
    )]
    NotBuiltIn,
    /// The operating system has no randomness.
    #[error("the operating system gives no randomness for the id of this node: try again")]
    NoRandomness,
}

/// This node among the others.
pub(crate) fn connect(config: &ClusterConfig, room_size: usize) -> Result<Node, ClusterError> {
    if room_size > LARGEST_ROOM {
        return Err(ClusterError::RoomTooLarge(room_size));
    }
    let (id, _) = ids::fresh().ok_or(ClusterError::NoRandomness)?;
    let id = id.to_string();
    let pulse = Pulse::default();
    Ok(Node::new(id.clone(), bus(config, id, pulse)?, pulse))
}

#[cfg(feature = "redis")]
fn bus(config: &ClusterConfig, node: String, pulse: Pulse) -> Result<Arc<dyn Bus>, ClusterError> {
    let client = super::redis::client(&config.redis, config.authority.as_deref())?;
    Ok(Arc::new(super::redis::Redis::new(client, config.prefix.clone(), node, pulse)))
}

#[cfg(not(feature = "redis"))]
fn bus(_: &ClusterConfig, _: String, _: Pulse) -> Result<Arc<dyn Bus>, ClusterError> {
    Err(ClusterError::NotBuiltIn)
}
