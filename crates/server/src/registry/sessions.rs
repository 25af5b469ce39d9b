//! Where the sessions are that can be taken up.

use duologue_protocol::{PeerId, RoomId, SessionToken};

use super::Rooms;
use super::maps::shrink;
use crate::cluster;

/// Where a session is.
#[derive(Debug, Clone)]
pub(crate) struct Whereabouts {
    /// The room.
    pub(crate) room: RoomId,
    /// The member.
    pub(crate) id: PeerId,
}

/// While this is there, a session can be found by its token.
#[derive(Debug)]
pub(crate) struct Enrolment {
    rooms: Rooms,
    session: SessionToken,
}

impl Enrolment {
    /// The session.
    pub(crate) fn session(&self) -> &SessionToken {
        &self.session
    }
}

impl Drop for Enrolment {
    fn drop(&mut self) {
        let mut maps = self.rooms.lock();
        maps.sessions.remove(&self.session);
        shrink(&mut maps.sessions);
    }
}

impl Rooms {
    /// How many sessions can be found.
    #[cfg(test)]
    pub(crate) fn sessions(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Lets the session be found for as long as what is given here is kept.
    pub(crate) fn enrol(&self, session: SessionToken, room: &RoomId, id: &PeerId) -> Enrolment {
        let whereabouts = Whereabouts { room: room.clone(), id: id.clone() };
        self.lock().sessions.insert(session.clone(), whereabouts);
        Enrolment { rooms: self.clone(), session }
    }

    /// Where the session of this token is. The token is random, so how long the search takes tells nothing about it.
    pub(crate) fn find(&self, session: &SessionToken) -> Option<Whereabouts> {
        if self.shared.node.is_some() {
            return cluster::whereabouts(session);
        }
        self.lock().sessions.get(session).cloned()
    }
}
