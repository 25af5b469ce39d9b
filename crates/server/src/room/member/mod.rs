//! One member of a room: a session, and the connection that it has at the moment, if any.
//!
//! Here is who they are; `connection` is how that comes and goes, `telling` what they are told, and `elsewhere` what other
//! nodes know of them, or have yet to tell.

mod connection;
mod elsewhere;
mod telling;

use duologue_protocol::{JoinKey, PeerId, PeerInfo, Rights, SessionToken};
use tokio::time::Instant;

use super::pairs::Pairs;
use super::session_log::SessionLog;
use crate::cluster::Said;
use crate::config::QueueLimits;
use crate::metrics::Counted;
use crate::outbox::Outbox;
use crate::registry::Enrolment;

pub(super) use connection::Fate;
use elsewhere::Awaited;

/// One member.
#[derive(Debug)]
pub(super) struct Member {
    /// What the others know of them.
    pub(super) info: PeerInfo,
    /// What they may do.
    pub(super) rights: Rights,
    /// By what they can be told to be the same as a newcomer.
    key: Option<JoinKey>,
    /// The tokens of their pairs.
    pub(super) pairs: Pairs,
    /// What they were told, and may have to be told again.
    log: SessionLog,
    standing: Standing,
    /// The number of the connection they have, or had.
    connection: u64,
    /// What the room has yet to act on.
    fate: Option<Fate>,
    /// As long as this is there, the session can be found by its token. A plain page has none.
    enrolment: Option<Enrolment>,
    /// The last message that came from each connection, as far as other nodes have to do with it; the newest last.
    heard: Vec<Said>,
    /// What is kept for somebody of whom only others have told.
    awaited: Option<Box<Awaited>>,
    /// Their part in the number of members, if they are counted.
    pub(super) counted: Option<Counted>,
}

/// Whether they have a connection.
#[derive(Debug)]
enum Standing {
    Connected(Outbox),
    /// Or not: their seat is kept until then.
    Away {
        until: Instant,
    },
}

/// What a plain page needs of a log: it never takes up a session.
const NOTHING: QueueLimits = QueueLimits { messages: 0, bytes: 0 };

impl Member {
    /// A member that is connected. Its session can be taken up again if there is an enrolment.
    pub(super) fn new(
        info: PeerInfo,
        rights: Rights,
        key: Option<JoinKey>,
        pairs: Pairs,
        (outbox, connection): (Outbox, u64),
        enrolment: Option<Enrolment>,
        limits: QueueLimits,
    ) -> Self {
        let log = SessionLog::new(if enrolment.is_some() { limits } else { NOTHING });
        Self {
            info,
            rights,
            key,
            pairs,
            log,
            standing: Standing::Connected(outbox),
            connection,
            fate: None,
            enrolment,
            heard: Vec::new(),
            awaited: None,
            counted: None,
        }
    }

    /// Which connection they have, or had.
    pub(super) fn connection(&self) -> u64 {
        self.connection
    }

    /// Whether that is their session.
    pub(super) fn has_session(&self, session: &SessionToken) -> bool {
        self.enrolment.as_ref().is_some_and(|enrolment| same(enrolment.session().as_str(), session.as_str()))
    }

    /// Whether this is the member of that id and connection.
    pub(super) fn is(&self, id: &PeerId, connection: u64) -> bool {
        self.info.id == *id && self.connection == connection
    }

    /// Whether this is the client of that key.
    pub(super) fn has_key(&self, key: &JoinKey) -> bool {
        self.key.as_ref() == Some(key)
    }
}

/// Whether two texts are the same, in a time that tells nothing of where they differ: who knows the id of a member may try
/// to guess its session.
fn same(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    a.len() == b.len() && differ == 0
}
