//! What somebody makes of what they hear: who is there, and what the ledger is to know.

use duologue_protocol::{LeaveReason, Ready, ServerMessage};

use super::talking::is_an_answer_to_come_in;
use super::{Peer, Person};

impl Person {
    pub(super) fn hear(&mut self, message: ServerMessage, seq: Option<u64>) {
        let ledger = &self.shared.ledger;
        if let Some(seq) = seq {
            self.seq += 1;
            if seq != self.seq {
                ledger.wrong(format!("{} heard number {seq} in place of {}", self.name, self.seq));
            }
        }
        match message {
            ServerMessage::Ready(ready) => self.readied(&ready),
            ServerMessage::PeerLeft(left) => {
                let peer = left.peer.as_str();
                ledger.parted(&self.name, peer);
                let on_purpose = matches!(left.reason, LeaveReason::Left | LeaveReason::Removed);
                if on_purpose && !ledger.has_left(peer) {
                    ledger.wrong(format!("{} was told that {peer} has left, who has not", self.name));
                }
                if self.peers.remove(peer).is_none() {
                    ledger.wrong(format!("{} was told that {peer}, a stranger, is gone", self.name));
                }
            }
            ServerMessage::PeerAway(moved) => self.moved(moved.peer.as_str(), false),
            ServerMessage::PeerBack(moved) => self.moved(moved.peer.as_str(), true),
            ServerMessage::Candidate(trickle) => {
                let (line, from) = (&trickle.candidate.candidate, trickle.from.as_str());
                ledger.delivered(line, &self.who(), from);
                if !self.peers.contains_key(from) {
                    ledger.wrong(format!("{} heard {line} of {from}, a stranger", self.name));
                }
            }
            ServerMessage::Error(refusal) => ledger.error(&self.name, &refusal),
            // They would be in twice, or it was said to somebody who asked before.
            other if is_an_answer_to_come_in(&other) => {
                ledger.wrong(format!("{} is in, and was told {other:?}", self.name));
            }
            _ => {}
        }
        let here = self.peers.values().filter(|peer| peer.here).map(|peer| peer.name.clone());
        self.shared.sees.lock().unwrap().insert(self.name.clone(), here.collect());
    }

    /// Somebody is made known.
    fn readied(&mut self, ready: &Ready) {
        let ledger = &self.shared.ledger;
        let id = ready.peer.id.to_string();
        let (Some(name), Some(pair)) = (&ready.peer.name, &ready.pair) else {
            return ledger
                .wrong(format!("{} was told of somebody without name or pair: {ready:?}", self.name));
        };
        let (name, pair) = (name.as_str().to_owned(), pair.as_str().to_owned());
        if id == self.id {
            ledger.wrong(format!("{} was made known to themselves", self.name));
        }
        // Whoever has left makes nothing of what was still under way to them.
        if self.session.is_some() {
            ledger.paired(&self.name, &pair);
            // Of a pair that only one of the two has heard, there is no call yet.
            let before = self.pairs.insert(name.clone(), pair.clone());
            if before.is_some_and(|before| before != pair && ledger.is_pair(&before)) {
                ledger.wrong(format!("{} and {name} would have to call each other anew", self.name));
            }
        }
        if self.peers.insert(id.clone(), Peer { name, here: true }).is_some() {
            ledger.wrong(format!("{id} was made known to {} twice", self.name));
        }
    }

    fn moved(&mut self, id: &str, here: bool) {
        match self.peers.get_mut(id) {
            Some(peer) => peer.here = here,
            None => {
                let what = format!("{} was told that {id} is away or back, a stranger", self.name);
                self.shared.ledger.wrong(what);
            }
        }
    }
}
