//! The peers a session knows, where the server has them, and what passes between us and them.

use duologue_protocol::{
    Answer, ClientMessage, LeaveReason, Offer, PairToken, PeerId, PeerInfo, Ready, Role, SdpType, Trickle,
};

use super::interface::Way;
use super::{Event, Output, Session};
use crate::negotiation::Signal;
use crate::time::Instant;

/// A peer that the application knows.
#[derive(Debug)]
pub(super) struct Known {
    /// What the application calls them: the id they were first known by.
    pub(super) id: PeerId,
    /// What the server calls them now.
    pub(super) address: PeerId,
    /// What the two of us are called, should the server forget us.
    pub(super) pair: Option<PairToken>,
    /// Our part with them, as the server said last.
    pub(super) role: Role,
    pub(super) presence: Presence,
    /// What the application was told last.
    pub(super) told: Way,
}

/// Where the server has a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    /// Without a connection; the server says when it has waited long enough.
    Away,
    /// The server forgot us both, and they have not come back yet. We wait until then.
    Awaited {
        until: Instant,
    },
    Lost,
}

impl Presence {
    fn way(self) -> Way {
        match self {
            Self::Here => Way::Open,
            Self::Away | Self::Awaited { .. } => Way::Away,
            Self::Lost => Way::Lost,
        }
    }

    /// Whether the server passes on what is said to them, now or when they are back.
    fn is_addressable(self) -> bool {
        matches!(self, Self::Here | Self::Away)
    }
}

impl Session {
    pub(super) fn peer_joined(&mut self, Ready { role, peer, pair }: Ready) {
        if !self.is_joined() {
            return;
        }
        let same = |known: &&mut Known| known.address == peer.id || (pair.is_some() && known.pair == pair);
        if let Some(known) = self.known.iter_mut().find(same) {
            known.address = peer.id;
            known.presence = Presence::Here;
            known.role = role;
            self.tell_ways();
        } else {
            self.meet(peer, role, pair);
        }
    }

    fn meet(&mut self, peer: PeerInfo, role: Role, pair: Option<PairToken>) {
        let (id, address) = (peer.id.clone(), peer.id.clone());
        self.known.push(Known { id, address, pair, role, presence: Presence::Here, told: Way::Open });
        self.event(Event::PeerJoined { peer, role });
    }

    pub(super) fn peer_moved(&mut self, address: &PeerId, presence: Presence) {
        if self.is_joined()
            && let Some(known) = self.known.iter_mut().find(|known| known.address == *address)
        {
            known.presence = presence;
            self.tell_ways();
        }
    }

    pub(super) fn peer_left(&mut self, address: &PeerId, reason: LeaveReason) {
        let Some(index) = self.known.iter().position(|known| known.address == *address) else { return };
        match reason {
            LeaveReason::Left | LeaveReason::Removed => {
                let peer = self.known.remove(index).id;
                self.event(Event::PeerLeft { peer, reason });
            }
            // Only the server has lost sight of them: the connection may be up, and outlive this.
            LeaveReason::Lost | LeaveReason::Replaced | LeaveReason::Other(_) => {
                self.peer_moved(address, Presence::Lost);
            }
        }
    }

    /// When a peer that is awaited is given up.
    pub(super) fn next_loss(&self) -> Option<Instant> {
        let awaited = self.known.iter().filter_map(|known| match known.presence {
            Presence::Awaited { until } => Some(until),
            _ => None,
        });
        awaited.min()
    }

    pub(super) fn give_up_awaited(&mut self, now: Instant) {
        for known in &mut self.known {
            if matches!(known.presence, Presence::Awaited { until } if now >= until) {
                known.presence = Presence::Lost;
            }
        }
        self.tell_ways();
    }

    /// Tells the application which ways have changed.
    pub(super) fn tell_ways(&mut self) {
        let joined = self.is_joined();
        for known in &mut self.known {
            let way = match known.presence.way() {
                Way::Lost => Way::Lost,
                way if joined => way,
                _ => Way::Cut,
            };
            if way != known.told {
                known.told = way;
                let event = Event::Way { peer: known.id.clone(), way, role: known.role };
                self.outputs.push_back(Output::Event(event));
            }
        }
    }

    /// Passes on what a peer says, if it is one we know: what crossed their leaving is void.
    pub(super) fn signal(&mut self, from: &PeerId, signal: Signal) {
        if self.is_joined()
            && let Some(known) = self.known.iter().find(|known| known.address == *from)
        {
            let from = known.id.clone();
            self.event(Event::Signal { from, signal });
        }
    }

    pub(super) fn send(&mut self, to: &PeerId, signal: Signal) {
        if !self.is_joined() {
            return;
        }
        let Some(known) = self.known.iter().find(|known| known.id == *to) else { return };
        if !known.presence.is_addressable() {
            return;
        }
        let to = Some(known.address.clone());
        self.transmit(match signal {
            Signal::Candidate(candidate) => ClientMessage::Candidate(Trickle { candidate, to }),
            Signal::Description { description, negotiation } => match description.kind {
                SdpType::Offer => ClientMessage::Offer(Offer { offer: description, to, negotiation }),
                SdpType::Answer => ClientMessage::Answer(Answer { answer: description, to, negotiation }),
            },
        });
    }
}
