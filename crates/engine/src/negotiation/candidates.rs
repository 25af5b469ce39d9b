//! Candidates of both sides: each meets the description that it belongs to.

use duologue_protocol::Candidate;

use super::sdp::Ufrags;
use super::{Negotiator, Output, Phase, Signal};

impl Negotiator {
    pub(super) fn local_candidate(&mut self, candidate: Candidate) {
        match self.phase {
            Phase::MakingOffer { .. } | Phase::MakingAnswer { .. } | Phase::ApplyingOffer { .. } => {
                self.unsent.push(candidate);
            }
            _ => self.send_candidate(candidate),
        }
    }

    pub(super) fn remote_candidate(&mut self, candidate: Candidate) {
        let applying = matches!(self.phase, Phase::ApplyingOffer { .. } | Phase::ApplyingAnswer { .. });
        let named = candidate.ufrag().is_some();
        let fits = self.applied.remote.as_ref().is_some_and(|remote| remote.fit(candidate.ufrag()));
        // One that names no generation belongs to the latest description, which may still be in the inbox.
        if fits && !applying && (named || self.inbox.is_empty()) {
            self.outputs.push_back(Output::AddCandidate(candidate));
        } else {
            self.held.hold(self.arrived, candidate);
        }
    }

    pub(super) fn send_unsent(&mut self) {
        for candidate in std::mem::take(&mut self.unsent) {
            self.send_candidate(candidate);
        }
    }

    fn send_candidate(&mut self, mut candidate: Candidate) {
        if candidate.is_end() && candidate.ufrag().is_none() {
            // The end of what was rolled back: there is no description of ours it could belong to.
            let Some(ufrag) = self.applied.local.first() else { return };
            candidate.username_fragment = Some(ufrag.to_owned());
        }
        // One of a generation that was rolled back is of no use to the peer.
        if self.applied.local.fit(candidate.ufrag()) {
            self.say(Signal::Candidate(candidate));
        }
    }

    pub(super) fn remote_applied(&mut self, number: u64, ufrags: Ufrags) {
        for candidate in self.held.release(number, &ufrags) {
            self.outputs.push_back(Output::AddCandidate(candidate));
        }
        self.applied.remote = Some(ufrags);
    }
}
