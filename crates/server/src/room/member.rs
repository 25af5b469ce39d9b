//! One member of a room: a session, and the connection that it has at the moment, if any.

use duologue_protocol::{JoinKey, Numbered, PeerId, PeerInfo, Resumed, ServerMessage};
use tokio::time::Instant;

use crate::config::QueueLimits;
use crate::outbox::{Dismissal, Gone, Outbox, encode};
use crate::pace::Permit;
use crate::registry::Enrolment;

use super::command::Resumption;
use super::pairs::Pairs;
use super::session_log::SessionLog;

/// One member.
#[derive(Debug)]
pub(super) struct Member {
    /// What the others know of them.
    pub(super) info: PeerInfo,
    /// By what they can be told to be the same as a newcomer.
    key: Option<JoinKey>,
    /// The tokens of their pairs.
    pub(super) pairs: Pairs,
    log: SessionLog,
    standing: Standing,
    /// Which connection that is, or was.
    connection: u64,
    fate: Option<Fate>,
    /// As long as this is there, the session can be found by its token. A plain page has none.
    enrolment: Option<Enrolment>,
}

#[derive(Debug)]
enum Standing {
    Connected(Outbox),
    Away { until: Instant },
}

/// What a member has come to, and the room has yet to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has no connection any more.
    Disconnected,
    /// It cannot come back.
    Lost,
}

/// What a plain page needs of a log: it never takes up a session.
const NOTHING: QueueLimits = QueueLimits { messages: 0, bytes: 0 };

impl Member {
    /// A member that is connected. Its session can be taken up again if there is an enrolment.
    pub(super) fn new(
        info: PeerInfo,
        key: Option<JoinKey>,
        pairs: Pairs,
        (outbox, connection): (Outbox, u64),
        enrolment: Option<Enrolment>,
        limits: QueueLimits,
    ) -> Self {
        let log = SessionLog::new(if enrolment.is_some() { limits } else { NOTHING });
        Self {
            info,
            key,
            pairs,
            log,
            standing: Standing::Connected(outbox),
            connection,
            fate: None,
            enrolment,
        }
    }

    /// Whether this is the member of that id and connection.
    pub(super) fn is(&self, id: &PeerId, connection: u64) -> bool {
        self.info.id == *id && self.connection == connection
    }

    /// Whether this is the client of that key.
    pub(super) fn has_key(&self, key: &JoinKey) -> bool {
        self.key.as_ref() == Some(key)
    }

    /// Tells what happens in the room: numbered, and kept for as long as it may have to be told again. Only a
    /// connection holds the permit, so whoever talks to a member that is away is not slowed down.
    pub(super) fn tell(&mut self, message: ServerMessage, permit: Option<Permit>) {
        let numbered = Numbered { message, seq: Some(self.log.next()) };
        let Some(text) = encode(&numbered) else { return };
        let given = match &self.standing {
            Standing::Connected(outbox) => {
                let given = outbox.push(text.clone(), permit);
                if given.is_err() {
                    self.fate = self.fate.or(Some(Fate::Disconnected));
                }
                given.is_ok()
            }
            Standing::Away { .. } => false,
        };
        if self.log.keep(text, given).is_err() {
            self.fate = Some(Fate::Lost);
        }
    }

    /// Answers something that the member itself said: not numbered, and not kept.
    pub(super) fn answer(&mut self, message: &ServerMessage, permit: Option<Permit>) {
        if let Standing::Connected(outbox) = &self.standing
            && outbox.say(message, permit) == Err(Gone)
        {
            self.fate = self.fate.or(Some(Fate::Disconnected));
        }
    }

    /// These have arrived.
    pub(super) fn acknowledge(&mut self, seq: u64) {
        self.log.forget(seq);
    }

    /// Whether everything after this number is still kept.
    pub(super) fn can_resume_from(&self, seq: u64) -> bool {
        self.log.reaches(seq)
    }

    /// Goes on over a newer connection, which first gets what the older one may not have brought. An older one that is
    /// still there is let go. Gives whether the member was away.
    pub(super) fn resume(&mut self, resumption: Resumption) -> bool {
        let Resumption { outbox, connection, seq, ice, permit, admitted, .. } = resumption;
        // If something is not taken, that connection has ended already, and the room will hear of it.
        let _ = outbox.say(&ServerMessage::Resumed(Resumed { ice }), permit);
        self.log.forget(seq);
        for text in self.log.give() {
            let _ = outbox.replay(text);
        }
        let _ = admitted.send(true);
        self.connection = connection;
        let before = std::mem::replace(&mut self.standing, Standing::Connected(outbox));
        match before {
            Standing::Connected(older) => {
                older.dismiss(Dismissal::Replaced);
                false
            }
            Standing::Away { .. } => true,
        }
    }

    /// The connection has ended.
    pub(super) fn disconnected(&mut self) {
        if matches!(self.standing, Standing::Connected(_)) {
            self.fate = self.fate.or(Some(Fate::Disconnected));
        }
    }

    /// The time is `now`: a member that was away for too long is lost.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.until().is_some_and(|until| until <= now) {
            self.fate = Some(Fate::Lost);
        }
    }

    /// What the room has to act on, told once. A member whose session cannot be taken up is lost with its connection.
    pub(super) fn take_fate(&mut self) -> Option<Fate> {
        match self.fate.take()? {
            Fate::Disconnected if self.enrolment.is_some() => Some(Fate::Disconnected),
            _ => Some(Fate::Lost),
        }
    }

    /// Whether there is something to act on.
    pub(super) fn has_fate(&self) -> bool {
        self.fate.is_some()
    }

    /// Keeps the seat without a connection until then.
    pub(super) fn go_away(&mut self, until: Instant) {
        self.standing = Standing::Away { until };
    }

    /// Lets go of the connection, if there is one.
    pub(super) fn dismiss(&self, why: Dismissal) {
        if let Standing::Connected(outbox) = &self.standing {
            outbox.dismiss(why);
        }
    }

    /// Whether the member has no connection.
    pub(super) fn is_away(&self) -> bool {
        self.until().is_some()
    }

    /// Until when the member may be away, if it is.
    pub(super) fn until(&self) -> Option<Instant> {
        match self.standing {
            Standing::Connected(_) => None,
            Standing::Away { until } => Some(until),
        }
    }
}
