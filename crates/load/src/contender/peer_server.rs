//! PeerServer, the server of PeerJS.

use std::path::PathBuf;
use std::process::Command;

use super::{Contender, Session, node};
use crate::payload::Kind;
use crate::schedule::partner;

/// `peer` of npm.
#[derive(Debug)]
pub struct PeerServer {
    /// Where it is installed.
    pub folder: PathBuf,
}

impl Contender for PeerServer {
    fn name(&self) -> &'static str {
        "PeerServer"
    }

    fn command(&self, port: u16) -> Command {
        let mut command = node(&self.folder);
        command.args(["node_modules/peer/dist/bin/peerjs.js", "--host", "127.0.0.1", "--path", "/"]);
        // Its clients say every five seconds that they are there; these do not, and so cost it less.
        command.args(["--concurrent_limit", "1000000", "--alive_timeout", "3600000"]);
        command.args(["--port", &port.to_string()]);
        command
    }

    fn path(&self, client: u32) -> String {
        format!("/peerjs?key=peerjs&id=c{client}&token=t{client}")
    }

    /// The handshake says who it is. Who comes back before the server has noticed that the former connection is gone is
    /// told nothing, so it says something to itself.
    fn hello(&self, client: u32) -> Vec<String> {
        vec![format!(r#"{{"type":"CANDIDATE","dst":"c{client}","payload":"in"}}"#)]
    }

    fn is_in(&self, text: &str, _session: &mut Session) -> bool {
        text.contains(r#""payload":"in""#)
    }

    /// It keeps what is for somebody who is not there, for a few seconds.
    fn is_report(&self, text: &str) -> bool {
        text.contains(r#""type":"EXPIRE""#)
    }

    fn relay(&self, from: u32, kind: Kind, body: &str) -> String {
        let (kind, field) = match kind {
            Kind::Offer => ("OFFER", "sdp"),
            Kind::Answer => ("ANSWER", "sdp"),
            Kind::Candidate => ("CANDIDATE", "candidate"),
        };
        let to = partner(from);
        format!(
            r#"{{"type":"{kind}","payload":{{"{field}":{body},"type":"media","connectionId":"mc_{from}"}},"dst":"c{to}"}}"#
        )
    }
}
