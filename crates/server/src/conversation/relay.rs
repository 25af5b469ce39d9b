//! What a client says to another member.

use duologue_protocol::{Answer, AnswerFrom, Offer, OfferFrom, PeerId, ServerMessage, Trickle, TrickleFrom};

use super::Conversation;
use crate::pace::Permit;
use crate::refusal;
use crate::relayed::{Kind, Plain, Relayed};

impl Conversation {
    /// Reads what is written as browsers write it: what it is, who it is for, and what arrives, if one is in a room.
    pub(super) fn read_plain(&mut self, text: &str) -> Option<(Kind, Option<PeerId>, Option<Relayed>)> {
        let mut plain = Plain::read(text, &self.rooms.settings().limits)?;
        self.understood();
        let (kind, to) = (plain.kind, plain.to.take());
        let what = self.inside().map(|membership| plain.relayed(membership.id()));
        Some((kind, to, what))
    }

    /// Says something to another member.
    pub(super) async fn relay(
        &mut self,
        kind: Kind,
        to: Option<PeerId>,
        what: Option<Relayed>,
        permit: Option<Permit>,
    ) {
        self.bounds.throttle.relay(kind).await;
        match (self.inside(), what) {
            (Some(membership), Some(what)) => membership.relay(to, what, permit).await,
            _ => self.reply(&refusal::not_joined(), permit),
        }
    }

    /// The same, with what was read in full.
    async fn relay_anew(
        &mut self,
        kind: Kind,
        to: Option<PeerId>,
        permit: Option<Permit>,
        message: impl FnOnce(PeerId) -> ServerMessage,
    ) {
        let from = self.inside().map(|membership| membership.id().clone());
        let what = from.map(|from| Relayed::of(kind, &message(from)));
        self.relay(kind, to, what, permit).await;
    }

    pub(super) async fn relay_offer(&mut self, offer: Offer, permit: Option<Permit>) {
        let Offer { offer, to, negotiation } = offer;
        let message = |from| ServerMessage::Offer(OfferFrom { offer, from, negotiation });
        self.relay_anew(Kind::Offer, to, permit, message).await;
    }

    pub(super) async fn relay_answer(&mut self, answer: Answer, permit: Option<Permit>) {
        let Answer { answer, to, negotiation } = answer;
        let message = |from| ServerMessage::Answer(AnswerFrom { answer, from, negotiation });
        self.relay_anew(Kind::Answer, to, permit, message).await;
    }

    pub(super) async fn relay_candidate(&mut self, trickle: Trickle, permit: Option<Permit>) {
        let Trickle { candidate, to } = trickle;
        let message = |from| ServerMessage::Candidate(TrickleFrom { candidate, from });
        self.relay_anew(Kind::Candidate, to, permit, message).await;
    }
}
