//! A relay of a few lines for Node: what one writes who needs nothing more.

use std::path::PathBuf;
use std::process::Command;

use super::{Contender, Session, field, node};
use crate::payload::Kind;

/// `node/relay.mjs`, with `ws` of npm.
#[derive(Debug)]
pub struct Plain {
    /// Where it is.
    pub folder: PathBuf,
}

impl Contender for Plain {
    fn name(&self) -> &'static str {
        "plain ws relay"
    }

    fn command(&self, port: u16) -> Command {
        let mut command = node(&self.folder);
        command.arg("relay.mjs").env("PORT", port.to_string());
        command
    }

    fn path(&self, _client: u32) -> String {
        "/".to_owned()
    }

    fn hello(&self, client: u32) -> Vec<String> {
        vec![format!(r#"{{"type":"join","room":"pair {}"}}"#, client / 2)]
    }

    fn is_in(&self, text: &str, _session: &mut Session) -> bool {
        text == r#"{"type":"joined"}"#
    }

    fn relay(&self, _from: u32, kind: Kind, body: &str) -> String {
        let kind = field(kind);
        format!(r#"{{"type":"{kind}","{kind}":{body}}}"#)
    }
}
