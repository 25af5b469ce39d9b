//! How a client comes into a room: it asks, and the room answers, which may take seconds where the room is at another node.
//!
//! Meanwhile the client is heard. What it says comes after the answer, but for the question whether the server is there.

use duologue_protocol::{ClientMessage, Join, PeerId, PeerInfo, Resume, VERSION};
use tokio::sync::{mpsc, oneshot};

use super::Conversation;
use crate::ids;
use crate::membership::Membership;
use crate::pace::Permit;
use crate::refusal;
use crate::room::{Admission, Answer, Command, Newcomer, Parting, Place, Resumption};
use crate::token::Grant;

/// A place in a room that has yet to say whether it is one.
pub(super) struct Entering {
    membership: Membership,
    admission: oneshot::Receiver<Admission>,
    /// What the client has said since. As much as it has permits for.
    pub(super) later: Vec<(String, Permit)>,
}

impl Entering {
    /// The connection ends; this is what the room hears of it, if anything. Whoever has said that they leave has left.
    pub(super) fn ends(&mut self, parting: Option<Parting>) {
        let leave =
            |(text, _): &(String, Permit)| matches!(ClientMessage::from_json(text), Ok(ClientMessage::Leave));
        let left = self.later.iter().any(leave);
        self.membership.ends(parting.map(|parting| if left { Parting::Left } else { parting }));
    }
}

impl Conversation {
    pub(super) async fn join(&mut self, join: Join, permit: Option<Permit>) {
        if self.membership.is_some() {
            return self.reply(&refusal::already_joined(), permit);
        }
        if let Some(asked) = join.protocol.filter(|asked| *asked > VERSION) {
            return self.reply(&refusal::unsupported_protocol(asked), permit);
        }
        let grant = match self.tokens.open(&join) {
            Ok(grant) => grant,
            Err(why) => return self.reply(&refusal::rejected(why), permit),
        };
        let Some((id, session)) = ids::fresh() else { return self.reply(&refusal::busy(), permit) };
        self.connection = self.rooms.connection();
        let (admitted, admission) = oneshot::channel();
        let Grant { name, rights } = grant;
        let newcomer = Newcomer {
            info: PeerInfo { id: id.clone(), name, protocol: join.protocol, speaks: rights.speak },
            rights,
            key: join.key,
            pairs: join.pairs,
            session,
            ice: self.ice_servers(&id),
            outbox: self.outbox.clone(),
            connection: self.connection,
            permit,
            admitted: Answer::Join(admitted),
        };
        match self.rooms.join(&join.room, newcomer).await {
            Some(room) => self.enter(id, room, admission),
            None => self.reply(&refusal::too_many_rooms(), None),
        }
    }

    pub(super) async fn resume(&mut self, resume: Resume, permit: Option<Permit>) {
        if self.membership.is_some() {
            return self.reply(&refusal::already_joined(), permit);
        }
        let Some(whereabouts) = self.rooms.find(&resume.session) else {
            return self.reply(&refusal::session_unknown(), permit);
        };
        let id = whereabouts.id;
        self.connection = self.rooms.connection();
        let (admitted, admission) = oneshot::channel();
        let resumption = Resumption {
            id: id.clone(),
            session: resume.session,
            seq: resume.seq,
            ice: self.ice_servers(&id),
            outbox: self.outbox.clone(),
            connection: self.connection,
            permit,
            admitted,
        };
        match self.rooms.resume(&whereabouts.room, resumption).await {
            Some(room) => self.enter(id, room, admission),
            // Another node may have it, and cannot be asked: that would take a room here.
            None if self.rooms.are_shared() => self.reply(&refusal::busy(), None),
            None => self.reply(&refusal::session_unknown(), None),
        }
    }

    /// The room lets one in, or does not; either way it answers the client by itself.
    fn enter(
        &mut self,
        id: PeerId,
        room: mpsc::Sender<Box<Command>>,
        admission: oneshot::Receiver<Admission>,
    ) {
        // From here on the room must hear when the connection ends, even if that is before it answers.
        let place = Place { id, connection: self.connection };
        let membership = Membership::new(place, room);
        self.entering = Some(Box::new(Entering { membership, admission, later: Vec::new() }));
    }

    /// Whether a room was asked to let the client in and has not answered.
    pub(crate) fn is_entering(&self) -> bool {
        self.entering.is_some()
    }

    /// Waits until no room is being entered any more, and takes in what was said meanwhile.
    pub(crate) async fn settle(&mut self) {
        while self.is_entering() {
            let admission = self.admission().await;
            self.entered(admission).await;
        }
    }

    /// What the room that is being entered answers; never, if there is none. If the future is dropped, nothing is lost.
    pub(crate) async fn admission(&mut self) -> Option<Admission> {
        match &mut self.entering {
            Some(entering) => (&mut entering.admission).await.ok(),
            None => std::future::pending().await,
        }
    }

    /// The room that is being entered has answered so, or has ended: takes in what was said meanwhile. That may be to leave it and
    /// to enter another.
    pub(crate) async fn entered(&mut self, admission: Option<Admission>) {
        let Some(entering) = self.entering.take() else { return };
        let Entering { membership, later, .. } = *entering;
        self.decided(membership, admission);
        for (text, permit) in later {
            self.take_in(&text, Some(permit)).await;
        }
    }

    fn decided(&mut self, mut membership: Membership, admission: Option<Admission>) {
        match admission {
            Some(Admission::Inside) => {
                self.membership = Some(membership);
                self.bounds.lobby.in_room(true);
            }
            Some(Admission::Waiting(end)) => {
                membership.wait_for(end);
                self.membership = Some(membership);
            }
            Some(Admission::Outside) => membership.never_was(),
            None => {
                // The room ended without an answer: the server is stopping, or has a fault.
                membership.never_was();
                self.reply(&refusal::busy(), None);
            }
        }
    }
}
