//! The servers that are compared, and how their clients say the same things in the protocol of each.

mod duologue;
mod peer_server;
mod plain;
mod y_webrtc;

use std::fmt::Debug;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::payload::Kind;

pub use duologue::Duologue;
pub use peer_server::PeerServer;
pub use plain::Plain;
pub use y_webrtc::YWebrtc;

/// What a client knows of itself on a server, and needs when it comes back.
#[derive(Debug, Default, Clone)]
pub struct Session {
    /// The token by which it is known.
    pub token: Option<String>,
    /// The number of the last message that arrived.
    pub last: u64,
}

/// A server. Clients 0 and 1 are to be a pair, 2 and 3 are the next, and so on.
pub trait Contender: Debug + Send + Sync {
    /// What it is called in the table.
    fn name(&self) -> &'static str;

    /// Starts it on this port of the loopback address, with whatever limits it has raised.
    fn command(&self, port: u16) -> Command;

    /// The path and query of the WebSocket of a client.
    fn path(&self, client: u32) -> String;

    /// What a client says first, to be where its partner finds it. The answer is known by [`Contender::is_in`].
    fn hello(&self, client: u32) -> Vec<String>;

    /// The same, after a connection that broke.
    fn again(&self, client: u32, session: &Session) -> Vec<String> {
        let _ = session;
        self.hello(client)
    }

    /// Takes in what the server says, and gives whether it means that the client is where its partner finds it.
    fn is_in(&self, text: &str, session: &mut Session) -> bool;

    /// Whether the server says by this that something the client said does not arrive. Most never do.
    fn is_report(&self, text: &str) -> bool {
        let _ = text;
        false
    }

    /// A message from this client to its partner. `body` is what the browser's object gives in JSON.
    fn relay(&self, from: u32, kind: Kind, body: &str) -> String;
}

/// All of them that can be measured: ours, and, if npm could install them into `folder`, the others.
#[must_use]
pub fn all(server: &Path, folder: Option<&Path>) -> Vec<Arc<dyn Contender>> {
    let mut all: Vec<Arc<dyn Contender>> = vec![Arc::new(Duologue { program: server.to_path_buf() })];
    if let Some(folder) = folder {
        all.push(Arc::new(PeerServer { folder: folder.to_path_buf() }));
        all.push(Arc::new(YWebrtc { folder: folder.to_path_buf() }));
        all.push(Arc::new(Plain { folder: folder.to_path_buf() }));
    }
    all
}

/// The field of the wire in which a message of this kind is.
fn field(kind: Kind) -> &'static str {
    match kind {
        Kind::Offer => "offer",
        Kind::Answer => "answer",
        Kind::Candidate => "candidate",
    }
}

/// A program of Node's, as it is run where it matters.
fn node(folder: &Path) -> Command {
    let mut node = Command::new("node");
    node.current_dir(folder).env("NODE_ENV", "production");
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload;

    #[test]
    fn every_contender_wraps_a_message_so_that_its_number_is_found() {
        for contender in all(Path::new("server"), Some(Path::new("folder"))) {
            for kind in [Kind::Offer, Kind::Answer, Kind::Candidate] {
                let text = contender.relay(6, kind, &payload::json(kind, 42));
                assert_eq!(payload::number(&text), Some(42), "{}: {text}", contender.name());
            }
        }
    }
}
