//! Remote candidates that came before the description they belong to.

use std::collections::VecDeque;

use duologue_protocol::Candidate;

use super::sdp::Ufrags;

/// More than any browser gathers in one generation; a peer that sends more gets its oldest dropped, so that nobody can
/// make us keep what we cannot use.
const MOST: usize = 256;

/// Candidates that wait, each with the number of descriptions that had arrived from the peer before it.
#[derive(Debug, Default)]
pub(super) struct Held(VecDeque<(u64, Candidate)>);

impl Held {
    pub(super) fn hold(&mut self, descriptions_before: u64, candidate: Candidate) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((descriptions_before, candidate));
    }

    /// Description number `applied` now is the remote description: gives what belongs to it, in the order it came.
    ///
    /// A candidate of another generation that arrived before that description is stale and dropped. One that arrived
    /// after it may belong to the next and goes on waiting.
    pub(super) fn release(&mut self, applied: u64, ufrags: &Ufrags) -> Vec<Candidate> {
        let mut ready = Vec::new();
        let mut later = VecDeque::new();
        for (before, candidate) in self.0.drain(..) {
            let fits = match candidate.ufrag() {
                Some(_) => ufrags.fit(candidate.ufrag()),
                // One that names no generation belongs to the latest description that had arrived before it, or, if
                // there was none, to the first.
                None => before == applied || before == 0,
            };
            if fits {
                ready.push(candidate);
            } else if before >= applied {
                later.push_back((before, candidate));
            }
        }
        self.0 = later;
        ready
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
