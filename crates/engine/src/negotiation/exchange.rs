//! The exchange of offers and answers: whose turn it is, and what becomes of what was refused.

use duologue_protocol::{Description, Role, SdpType};

use super::sdp::{Ufrags, connection_of};
use super::{
    Arrived, Failure, Negotiation, Negotiator, Operation, Output, Party, Phase, RemoteOffer, SeenOffer,
    Signal, SignalingState,
};

/// How many exchanges in a row may fail before no more are begun unasked.
const MOST_FAILURES: u8 = 3;

impl Negotiator {
    pub(super) fn negotiation_needed(&mut self) {
        let first_is_theirs = self.role == Role::Callee && self.agreed.is_none();
        match self.phase {
            Phase::Stable if first_is_theirs || self.failures >= MOST_FAILURES => {}
            Phase::Stable => self.make_offer(),
            // The browser looks again whether negotiation is needed when it gets back to stable, and fires again
            // (W3C webrtc-pc, section 4.7.3). Only while the operation that leads back there is under way could it
            // already have looked.
            Phase::ApplyingAnswer { .. } | Phase::MakingAnswer { .. } | Phase::RollingBack => {
                self.needed = true
            }
            Phase::MakingOffer { .. } | Phase::OfferOut { .. } | Phase::ApplyingOffer { .. } => {}
        }
    }

    pub(super) fn make_offer(&mut self) {
        self.last_offer = self.last_offer.wrapping_add(1);
        self.phase = Phase::MakingOffer { id: self.last_offer };
        self.outputs.push_back(Output::Run(Operation::Offer));
    }

    /// Goes through what has arrived, until one thing needs an operation or nothing is left.
    pub(super) fn take_turn(&mut self) {
        while matches!(self.phase, Phase::Stable | Phase::OfferOut { .. }) {
            let Some(arrived) = self.inbox.pop_front() else { break };
            match arrived.description.kind {
                SdpType::Offer => self.take_offer(arrived),
                SdpType::Answer => self.take_answer(arrived),
            }
        }
        if self.phase == Phase::Stable && std::mem::take(&mut self.needed) {
            self.negotiation_needed();
        }
    }

    fn take_offer(&mut self, arrived: Arrived) {
        let Arrived { description, negotiation, number } = arrived;
        let Ok(connection) = self.connection_behind(&description, negotiation) else {
            let offer = Signal::Description { description, negotiation };
            self.outputs.push_back(Output::Superseded(Some(offer)));
            return;
        };
        let seen = negotiation.map(|id| SeenOffer { id, connection });
        let before = self.last_remote_offer;
        if let (Some(seen), Some(last)) = (&seen, &before)
            && !seen.is_newer_than(last)
        {
            return;
        }
        self.last_remote_offer = seen.or(before);
        self.before_passed_over = None;
        let ours = match self.phase {
            Phase::OfferOut { .. } if self.role == Role::Caller => {
                self.before_passed_over = Some(before);
                return;
            }
            Phase::OfferOut { id } => Some(id),
            _ => None,
        };
        self.remote_connection = connection;
        let offer = RemoteOffer { negotiation, number, ufrags: Ufrags::of(&description.sdp) };
        self.phase = Phase::ApplyingOffer { offer, ours };
        self.outputs.push_back(Output::Run(Operation::Apply(description)));
    }

    fn take_answer(&mut self, arrived: Arrived) {
        let Arrived { description, negotiation, number } = arrived;
        let Phase::OfferOut { id } = self.phase else { return };
        if negotiation.is_some_and(|answered| answered != id) {
            return;
        }
        let Ok(connection) = self.connection_behind(&description, negotiation) else {
            self.outputs.push_back(Output::Superseded(None));
            return;
        };
        self.remote_connection = connection;
        self.phase = Phase::ApplyingAnswer { id, number, ufrags: Ufrags::of(&description.sdp) };
        self.outputs.push_back(Output::Run(Operation::Apply(description)));
    }

    pub(super) fn completed(&mut self, description: Option<Description>) {
        match (std::mem::replace(&mut self.phase, Phase::Stable), description) {
            (Phase::MakingOffer { id }, Some(description)) => self.offer_made(id, description),
            (Phase::MakingAnswer { offer }, Some(description)) => {
                self.applied.local = Ufrags::of(&description.sdp);
                self.send_description(description, offer.negotiation);
                self.agree(Negotiation { offer_by: Party::Remote, id: offer.negotiation });
            }
            (Phase::ApplyingAnswer { id, number, ufrags }, _) => {
                self.remote_applied(number, ufrags);
                self.said.offer_was_heard();
                self.agree(Negotiation { offer_by: Party::Local, id: Some(id) });
            }
            (Phase::ApplyingOffer { offer, .. }, _) => {
                self.remote_applied(offer.number, offer.ufrags.clone());
                self.phase = Phase::MakingAnswer { offer };
                self.outputs.push_back(Output::Run(Operation::Answer));
            }
            (Phase::RollingBack, _) => self.take_turn(),
            // A report nobody waits for, or one without the description it must bring: nothing to go on with.
            (phase, _) => self.phase = phase,
        }
    }

    fn offer_made(&mut self, id: u32, description: Description) {
        self.applied.local = Ufrags::of(&description.sdp);
        self.phase = Phase::OfferOut { id };
        // No answer can be to an offer that is not sent yet.
        self.inbox.retain(|arrived| arrived.description.kind == SdpType::Offer);
        self.take_turn();
        match &mut self.phase {
            // An offer of theirs came meanwhile and we gave way to it: ours need never be seen, and there is no coming
            // back to it.
            Phase::ApplyingOffer { ours, .. } => *ours = None,
            _ => self.send_description(description, Some(id)),
        }
    }

    pub(super) fn failed(&mut self, failure: Failure) {
        let state = failure.state;
        match std::mem::replace(&mut self.phase, Phase::Stable) {
            // Nothing is under way: nothing can have failed.
            phase @ (Phase::Stable | Phase::OfferOut { .. }) => {
                self.phase = phase;
                return;
            }
            Phase::ApplyingOffer { ours: Some(id), .. } if state == SignalingState::HaveLocalOffer => {
                self.phase = Phase::OfferOut { id };
            }
            // What cannot be rolled back will not be the next time either.
            Phase::RollingBack => {}
            _ => self.roll_back_from(state),
        }
        self.failures = self.failures.saturating_add(1);
        self.outputs.push_back(Output::GivenUp(failure));
        self.take_turn();
        if matches!(self.phase, Phase::Stable | Phase::OfferOut { .. } | Phase::RollingBack) {
            self.send_unsent();
        }
    }

    fn roll_back_from(&mut self, state: SignalingState) {
        self.applied = self.settled.clone();
        self.said.take_back_offer();
        let offer_of = match state {
            SignalingState::Stable => return,
            SignalingState::HaveLocalOffer => Party::Local,
            SignalingState::HaveRemoteOffer => Party::Remote,
        };
        self.phase = Phase::RollingBack;
        self.outputs.push_back(Output::Run(Operation::Rollback { offer_of }));
    }

    fn agree(&mut self, negotiation: Negotiation) {
        self.agreed = Some(negotiation);
        self.failures = 0;
        self.settled = self.applied.clone();
        self.outputs.push_back(Output::Agreed(negotiation));
        self.take_turn();
    }

    fn send_description(&mut self, description: Description, negotiation: Option<u32>) {
        self.say(Signal::Description { description, negotiation });
        self.send_unsent();
    }

    /// Which connection of the peer's this is about, once this description is taken up; an error if it is another one
    /// than before. Only a client that numbers its offers is known to keep to the session id.
    fn connection_behind(
        &self,
        description: &Description,
        negotiation: Option<u32>,
    ) -> Result<Option<u64>, ()> {
        let theirs = negotiation.and_then(|_| connection_of(&description.sdp));
        match self.remote_connection {
            Some(known) if theirs.is_some_and(|theirs| theirs != known) => Err(()),
            known => Ok(theirs.or(known)),
        }
    }
}

impl SeenOffer {
    /// Ids grow with each offer of a connection; the comparison stands a wrap-around.
    fn is_newer_than(&self, last: &Self) -> bool {
        self.connection != last.connection || self.id.wrapping_sub(last.id).cast_signed() > 0
    }
}
