//! Getting in, and back in: what the server is asked on an open transport, and what its answers mean.

use duologue_protocol::{
    About, ClientMessage, ErrorCode, IceServers, Lock, Refusal, Resume, SessionToken, Welcome, limits,
};

use super::link::Link;
use super::peers::Presence;
use super::{Event, Governing, Session};
use crate::time::Instant;

/// Where we stand with the server, on an open transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Outside,
    /// Asked to be let in.
    Joining,
    /// The same, and somebody inside has to decide.
    Knocking,
    /// Asked to take up the session.
    Resuming,
    /// Refused on the way back, although calls are up. To be asked again.
    Refused {
        until: Instant,
    },
    Inside,
}

/// What the server knows us by.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) session: SessionToken,
    /// The number of the last message.
    pub(super) seq: u64,
    /// The last number that the server was told of.
    pub(super) acknowledged: u64,
    /// When to ask for credentials that last longer.
    pub(super) renew: Option<Instant>,
}

impl Session {
    pub(super) fn enter(&mut self) {
        let Link::Open { place, .. } = &mut self.link else { return };
        if *place != Place::Outside {
            return;
        }
        let Some(join) = &self.wanted else { return };
        let message = match &self.stay {
            Some(stay) => {
                *place = Place::Resuming;
                ClientMessage::Resume(Resume { session: stay.session.clone(), seq: stay.seq })
            }
            None => {
                *place = Place::Joining;
                let mut join = join.clone();
                let pairs = self.known.iter().filter_map(|known| known.pair.clone());
                join.pairs = pairs.take(limits::PAIRS).collect();
                ClientMessage::Join(join)
            }
        };
        self.transmit(message);
    }

    pub(super) fn welcomed(&mut self, now: Instant, welcome: Welcome) {
        let Link::Open { place, .. } = &mut self.link else { return };
        // One that our own leaving overtook is void: the server has the `leave` next in line.
        if self.void_answers > 0 {
            self.void_answers -= 1;
            return;
        }
        if !matches!(place, Place::Joining | Place::Knocking) {
            return;
        }
        *place = Place::Inside;
        self.refusals = 0;
        let Welcome { id, session, ice, limits, rights, locked } = welcome;
        let renew = self.renewal(now, &ice);
        self.stay = Some(Stay { session, seq: 0, acknowledged: 0, renew });
        self.event(Event::Joined { id, ice_servers: ice.ice_servers, limits, rights, locked });
        // The server had forgotten us, and with us our peers. Where their connections are up, they name the same pairs.
        let until = now + self.timing.grace;
        for known in &mut self.known {
            known.presence = Presence::Awaited { until };
        }
        self.tell_ways();
    }

    pub(super) fn waiting(&mut self) {
        if let Link::Open { place: place @ Place::Joining, .. } = &mut self.link
            && self.void_answers == 0
        {
            *place = Place::Knocking;
            self.event(Event::Waiting);
        }
    }

    pub(super) fn govern(&mut self, what: Governing) {
        if !self.is_joined() {
            return;
        }
        self.transmit(match what {
            Governing::Lock(locked) => ClientMessage::Lock(Lock { locked }),
            Governing::Admit(peer) => ClientMessage::Admit(About { peer }),
            Governing::Deny(peer) => ClientMessage::Deny(About { peer }),
            Governing::Remove(peer) => {
                let known = self.known.iter().find(|known| known.id == peer);
                ClientMessage::Remove(About { peer: known.map_or(peer, |known| known.address.clone()) })
            }
        });
    }

    pub(super) fn resumed(&mut self, now: Instant, ice: IceServers) {
        let Link::Open { place, .. } = &mut self.link else { return };
        if self.void_answers > 0 {
            self.void_answers -= 1;
        } else if *place == Place::Resuming {
            *place = Place::Inside;
            self.refusals = 0;
            self.take_ice_servers(now, ice);
            self.tell_ways();
        }
    }

    pub(super) fn take_ice_servers(&mut self, now: Instant, ice: IceServers) {
        let renew = self.renewal(now, &ice);
        if let Some(stay) = &mut self.stay {
            stay.renew = renew;
        }
        self.event(Event::IceServers(ice.ice_servers));
    }

    /// Credentials are renewed when half their time is over: then the next ones come before these end, even if the
    /// server cannot be asked for a while.
    fn renewal(&self, now: Instant, ice: &IceServers) -> Option<Instant> {
        let ttl = std::time::Duration::from_secs(u64::from(ice.ttl?));
        Some(now + (ttl / 2).max(self.timing.quiet))
    }

    pub(super) fn refused(&mut self, now: Instant, refusal: Refusal) {
        let Link::Open { place, since, .. } = &mut self.link else { return };
        match refusal.code {
            // However long this connection lasted, the pause before the next one is to grow.
            ErrorCode::TooFast => *since = now,
            // The connection ends, and the next one comes by itself: that concerns nobody.
            ErrorCode::FirstMessageTimeout | ErrorCode::LobbyTimeout => return,
            _ => {}
        }
        if refusal.fatal && matches!(refusal.code, ErrorCode::Replaced | ErrorCode::Removed) {
            *place = Place::Outside;
            self.forget_stay();
            self.event(Event::Ended(refusal));
            return;
        }
        let about_entering = !matches!(
            refusal.code,
            ErrorCode::NoRecipient
                | ErrorCode::AmbiguousRecipient
                | ErrorCode::NotDelivered
                | ErrorCode::NotJoined
                | ErrorCode::SdpTooLarge
                | ErrorCode::CandidateTooLarge
                | ErrorCode::TooSlow
                | ErrorCode::TooFast
                | ErrorCode::NotAllowed
        );
        match place {
            _ if about_entering && self.void_answers > 0 => self.void_answers -= 1,
            // A server that cannot look it up at the moment has not forgotten the session.
            Place::Resuming if refusal.code == ErrorCode::Busy => self.ask_again_later(now, refusal),
            Place::Resuming if about_entering => {
                *place = Place::Outside;
                self.stay = None;
                self.enter();
            }
            Place::Joining | Place::Knocking if about_entering && self.known.is_empty() => {
                *place = Place::Outside;
                // Trying again by itself would only fill the log of a server that has said no.
                self.wanted = None;
                self.event(Event::Rejected(refusal));
            }
            // Calls are up, and their signaling is worth another try.
            Place::Joining | Place::Knocking if about_entering => self.ask_again_later(now, refusal),
            // What we said before we knew that we were out.
            Place::Outside | Place::Joining | Place::Resuming if refusal.code == ErrorCode::NotJoined => {}
            _ => self.event(Event::Refused(refusal)),
        }
    }

    fn ask_again_later(&mut self, now: Instant, refusal: Refusal) {
        self.refusals = self.refusals.saturating_add(1);
        let until = now + self.timing.pause(self.refusals, u32::MAX / 2, true);
        if let Link::Open { place, .. } = &mut self.link {
            *place = Place::Refused { until };
        }
        self.event(Event::Refused(refusal));
    }

    pub(super) fn leave(&mut self) {
        self.forget_stay();
        if let Link::Open { place, .. } = &mut self.link
            && *place != Place::Outside
        {
            let asked = matches!(place, Place::Joining | Place::Knocking | Place::Resuming);
            let refused = matches!(place, Place::Refused { .. });
            self.void_answers += u32::from(asked);
            *place = Place::Outside;
            if !refused {
                self.transmit(ClientMessage::Leave);
            }
        }
    }

    fn forget_stay(&mut self) {
        self.wanted = None;
        self.stay = None;
        self.known.clear();
        self.refusals = 0;
    }
}
