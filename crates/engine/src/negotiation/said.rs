//! What was said to the peer and may not have arrived: our last answer, our open offer, and the candidates of each.

use duologue_protocol::SdpType;

use super::Signal;
use super::sdp::Ufrags;

/// More candidates than any browser gathers in one generation are not kept.
const MOST: usize = 256;

/// In the order in which it was said.
#[derive(Debug, Default)]
pub(super) struct Said(Vec<Signal>);

impl Said {
    pub(super) fn note(&mut self, signal: &Signal) {
        match signal {
            Signal::Description { description, .. } => match description.kind {
                SdpType::Offer => self.take_back_offer(),
                // Whoever hears this answer needs no earlier one; and it was given in place of our own offer.
                SdpType::Answer => self.0.retain(|said| matches!(said, Signal::Candidate(_))),
            },
            Signal::Candidate(_) if self.0.len() >= MOST => return,
            Signal::Candidate(_) => {}
        }
        self.0.push(signal.clone());
    }

    /// The peer has answered our offer: it has heard it, and everything before it.
    pub(super) fn offer_was_heard(&mut self) {
        if let Some(offer) = self.0.iter().position(is_offer) {
            self.0.drain(..=offer);
        }
    }

    /// Our offer is withdrawn.
    pub(super) fn take_back_offer(&mut self) {
        self.0.retain(|said| !is_offer(said));
    }

    /// All of it, but for candidates of a generation that is over.
    pub(super) fn again(&mut self, generation: &Ufrags) -> Vec<Signal> {
        self.0.retain(|said| match said {
            Signal::Candidate(candidate) => generation.fit(candidate.ufrag()),
            Signal::Description { .. } => true,
        });
        self.0.clone()
    }
}

fn is_offer(signal: &Signal) -> bool {
    matches!(signal, Signal::Description { description, .. } if description.kind == SdpType::Offer)
}
