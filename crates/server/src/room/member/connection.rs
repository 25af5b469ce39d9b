//! The connection of a member: it breaks, the seat is kept for a while, and a newer one goes on where it ended.

use duologue_protocol::{Resumed, ServerMessage};
use tokio::time::Instant;

use super::{Member, Standing};
use crate::dismissal::Dismissal;
use crate::outbox::Outbox;
use crate::room::command::{Admission, Resumption};

/// What a member has come to, and the room has yet to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::room) enum Fate {
    /// It has no connection any more.
    Disconnected,
    /// It cannot come back.
    Lost,
}

impl Member {
    /// Where to write to them, if they are connected.
    pub(in crate::room) fn outbox(&self) -> Option<&Outbox> {
        match &self.standing {
            Standing::Connected(outbox) => Some(outbox),
            Standing::Away { .. } => None,
        }
    }

    /// Goes on over a newer connection, which first gets what the older one may not have brought. An older one that is
    /// still there is let go. Gives whether the member was away.
    pub(in crate::room) fn resume(&mut self, resumption: Resumption) -> bool {
        let Resumption { outbox, connection, seq, ice, permit, admitted, .. } = resumption;
        // If something is not taken, that connection has ended already, and the room will hear of it.
        let _ = outbox.say(&ServerMessage::Resumed(Resumed { ice }), permit);
        self.log.forget(seq);
        for text in self.log.give() {
            let _ = outbox.replay(text);
        }
        let _ = admitted.send(Admission::Inside);
        let is_newer = std::mem::replace(&mut self.connection, connection) != connection;
        let before = std::mem::replace(&mut self.standing, Standing::Connected(outbox));
        match before {
            Standing::Connected(older) => {
                // Another node may ask again for the same one.
                if is_newer {
                    older.dismiss(Dismissal::Replaced);
                }
                false
            }
            Standing::Away { .. } => true,
        }
    }

    /// Goes on over the same connection, of which another node has told again; it has had the messages up to this number.
    /// Gives whether the member was away.
    pub(in crate::room) fn attach(&mut self, outbox: Outbox, connection: u64, seq: u64) -> bool {
        self.log.forget(seq);
        for text in self.log.give() {
            let _ = outbox.replay(text);
        }
        self.connection = connection;
        let before = std::mem::replace(&mut self.standing, Standing::Connected(outbox));
        matches!(before, Standing::Away { .. })
    }

    /// The connection has ended.
    pub(in crate::room) fn disconnected(&mut self) {
        if matches!(self.standing, Standing::Connected(_)) {
            self.fate = self.fate.or(Some(Fate::Disconnected));
        }
    }

    /// The time is `now`: a member that was away for too long is lost.
    pub(in crate::room) fn expire(&mut self, now: Instant) {
        if self.until().is_some_and(|until| until <= now) {
            self.fate = Some(Fate::Lost);
        }
    }

    /// What the room has to act on, told once. A member whose session cannot be taken up is lost with its connection.
    pub(in crate::room) fn take_fate(&mut self) -> Option<Fate> {
        match self.fate.take()? {
            Fate::Disconnected if self.enrolment.is_some() => Some(Fate::Disconnected),
            _ => Some(Fate::Lost),
        }
    }

    /// Whether there is something to act on.
    pub(in crate::room) fn has_fate(&self) -> bool {
        self.fate.is_some()
    }

    /// Keeps the seat without a connection until then.
    pub(in crate::room) fn go_away(&mut self, until: Instant) {
        self.standing = Standing::Away { until };
    }

    /// Lets go of the connection, if there is one.
    pub(in crate::room) fn dismiss(&self, why: Dismissal) {
        if let Standing::Connected(outbox) = &self.standing {
            outbox.dismiss(why);
        }
    }

    /// Whether the member has no connection.
    pub(in crate::room) fn is_away(&self) -> bool {
        self.until().is_some()
    }

    /// Until when the member may be away, if it is.
    pub(in crate::room) fn until(&self) -> Option<Instant> {
        match self.standing {
            Standing::Connected(_) => None,
            Standing::Away { until } => Some(until),
        }
    }
}
