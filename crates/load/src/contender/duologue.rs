//! Our own server (docs/protocol.md).

use std::path::PathBuf;
use std::process::Command;

use super::{Contender, Session, field};
use crate::payload::Kind;

/// `duologue-server`.
#[derive(Debug)]
pub struct Duologue {
    /// The program.
    pub program: PathBuf,
}

/// One machine is everybody here, and a client says what hundreds would. What may wait for a client is as it is shipped.
const FLAGS: [&str; 22] = [
    "--max-connections",
    "1000000",
    "--max-connections-per-address",
    "1000000",
    "--max-lobby-per-address",
    "1000000",
    "--max-rooms",
    "1000000",
    "--first-message-time",
    "60",
    "--message-rate",
    "1000000",
    "--message-burst",
    "1000000",
    "--offer-rate",
    "1000000",
    "--offer-burst",
    "1000000",
    "--candidate-rate",
    "1000000",
    "--candidate-burst",
    "1000000",
];

impl Contender for Duologue {
    fn name(&self) -> &'static str {
        "duologue"
    }

    fn command(&self, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command.args(FLAGS).args(["--log", "error", "--listen", &format!("127.0.0.1:{port}")]);
        command
    }

    fn path(&self, _client: u32) -> String {
        "/ws".to_owned()
    }

    fn hello(&self, client: u32) -> Vec<String> {
        vec![format!(r#"{{"type":"join","room":"pair {}","name":"{client}","protocol":1}}"#, client / 2)]
    }

    fn again(&self, client: u32, session: &Session) -> Vec<String> {
        match &session.token {
            Some(token) => vec![format!(r#"{{"type":"resume","session":"{token}","seq":{}}}"#, session.last)],
            None => self.hello(client),
        }
    }

    fn is_in(&self, text: &str, session: &mut Session) -> bool {
        if let Some(number) = after(text, r#""seq":"#) {
            let digits = number.find(|it: char| !it.is_ascii_digit()).unwrap_or(number.len());
            session.last = number.get(..digits).and_then(|it| it.parse().ok()).unwrap_or(session.last);
        }
        if text.starts_with(r#"{"type":"welcome""#) {
            let token = after(text, r#""session":""#).and_then(|rest| rest.split('"').next());
            *session = Session { token: token.map(str::to_owned), last: 0 };
            return true;
        }
        text.starts_with(r#"{"type":"resumed""#)
    }

    fn is_report(&self, text: &str) -> bool {
        text.starts_with(r#"{"type":"error""#)
    }

    fn relay(&self, _from: u32, kind: Kind, body: &str) -> String {
        let kind = field(kind);
        format!(r#"{{"type":"{kind}","{kind}":{body},"negotiation":1}}"#)
    }
}

/// What follows the last of this in a text. What a server adds to a message is at its end.
fn after<'a>(text: &'a str, this: &str) -> Option<&'a str> {
    text.rsplit_once(this).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_takes_up_the_session_after_the_last_number_that_arrived() {
        let it = Duologue { program: "server".into() };
        let mut session = Session::default();
        assert!(it.is_in(r#"{"type":"welcome","id":"a","session":"tok"}"#, &mut session));
        assert!(!it.is_in(r#"{"type":"ready","role":"caller","peer":{"id":"b"},"seq":17}"#, &mut session));
        assert_eq!(it.again(0, &session), [r#"{"type":"resume","session":"tok","seq":17}"#]);
        assert!(it.is_in(r#"{"type":"resumed"}"#, &mut session));
    }
}
