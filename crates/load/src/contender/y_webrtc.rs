//! The signaling server of y-webrtc.

use std::path::PathBuf;
use std::process::Command;

use super::{Contender, Session, node};
use crate::payload::Kind;
use crate::schedule::partner;

/// `y-webrtc` of npm: everybody who has subscribed to a topic hears what is published there, the publisher too.
#[derive(Debug)]
pub struct YWebrtc {
    /// Where it is installed.
    pub folder: PathBuf,
}

impl Contender for YWebrtc {
    fn name(&self) -> &'static str {
        "y-webrtc"
    }

    fn command(&self, port: u16) -> Command {
        let mut command = node(&self.folder);
        command.args(["--import", "./loopback.mjs", "node_modules/y-webrtc/bin/server.js"]);
        command.env("PORT", port.to_string());
        command
    }

    fn path(&self, _client: u32) -> String {
        "/".to_owned()
    }

    /// Subscribing has no answer; what is said after it has.
    fn hello(&self, client: u32) -> Vec<String> {
        let subscribe = format!(r#"{{"type":"subscribe","topics":["pair {}"]}}"#, client / 2);
        vec![subscribe, r#"{"type":"ping"}"#.to_owned()]
    }

    fn is_in(&self, text: &str, _session: &mut Session) -> bool {
        text == r#"{"type":"pong"}"#
    }

    fn relay(&self, from: u32, _kind: Kind, body: &str) -> String {
        let (pair, to) = (from / 2, partner(from));
        format!(
            r#"{{"type":"publish","topic":"pair {pair}","data":{{"to":"c{to}","from":"c{from}","type":"signal","signal":{body}}}}}"#
        )
    }
}
