//! The half of a link that receives: what of an envelope is taken in, and what it tells of the other end.

use tokio::time::Instant;

use super::{Brought, Link};
use crate::cluster::wire::Envelope;

impl<G> Link<G> {
    /// Takes in an envelope. If this end has to begin anew, it has the number `fresh` from then on.
    pub(in crate::cluster) fn receive(&mut self, envelope: Envelope, fresh: u64, now: Instant) -> Brought<G> {
        let mut brought = Brought { anew: false, parcels: Vec::new(), released: Vec::new() };
        if envelope.unknown == Some(self.id) {
            brought.released = self.begin_anew(fresh);
            brought.anew = true;
        }
        brought.released.extend(self.confirmed(envelope.ack_link, envelope.ack, now));
        if envelope.parcels.is_empty() {
            return brought;
        }
        self.owes = true;
        let received = match self.theirs {
            Some((link, received)) if link == envelope.link => received,
            _ if envelope.first != 1 => {
                // Unless the beginning is only late: then it comes again.
                self.unknown = (envelope.kept != 1).then_some(envelope.link);
                return brought;
            }
            Some(_) => {
                // The other has forgotten us, so what it was told counts for nothing; unless it speaks of this very end, and has
                // begun anew because we did. Otherwise both would do so for ever.
                if !brought.anew && envelope.ack_link != self.id {
                    brought.released.extend(self.begin_anew(fresh));
                    brought.anew = true;
                }
                0
            }
            None => 0,
        };
        let count = envelope.parcels.len() as u64;
        let end = envelope.first.saturating_add(count);
        if envelope.first <= received + 1 && end > received + 1 {
            let known = usize::try_from(received + 1 - envelope.first).unwrap_or(usize::MAX);
            brought.parcels = envelope.parcels.into_iter().skip(known).collect();
            self.theirs = Some((envelope.link, end - 1));
        } else {
            self.theirs = Some((envelope.link, received));
        }
        self.owes = true;
        brought
    }
}
