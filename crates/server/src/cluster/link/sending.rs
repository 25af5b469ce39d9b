//! The half of a link that sends: what goes out, when, and until when it is kept.

use std::time::Duration;

use tokio::time::Instant;

use super::Link;
use crate::cluster::wire::{Envelope, Parcel, VERSION};

/// After so long without a confirmation, it is said again.
const AGAIN: Duration = Duration::from_secs(1);
/// About how many bytes go into one envelope, unless one parcel alone has more.
const FULL: usize = 192 * 1024;

impl<G> Link<G> {
    /// Says something. The guard is given back with it when the other has confirmed it, or the link begins anew.
    pub(in crate::cluster) fn send(&mut self, parcel: Parcel, guard: Option<G>) {
        self.kept.push_back((parcel, guard));
    }

    /// What was said for this room, and the other has not confirmed.
    pub(in crate::cluster) fn unconfirmed(&self, room: &str) -> impl Iterator<Item = &Parcel> {
        self.kept.iter().map(|(parcel, _)| parcel).filter(move |parcel| parcel.room == room)
    }

    /// When there is something to say: now, or when what is not confirmed is to be said again. `None` if there is nothing.
    pub(in crate::cluster) fn due(&self, now: Instant) -> Option<Instant> {
        if self.owes || self.unknown.is_some() || self.next < self.end() {
            return Some(now);
        }
        self.waits.map(|since| since + AGAIN)
    }

    /// What to say now, as the node of this id. Call it again until there is nothing more.
    pub(in crate::cluster) fn pack(&mut self, now: Instant, from: &str) -> Option<Envelope> {
        if self.due(now)? > now {
            return None;
        }
        // Whatever has gone out since: nothing is taken in before what is missing.
        if self.waits.is_some_and(|since| since + AGAIN <= now) {
            (self.next, self.waits) = (self.first, None);
        }
        let at = usize::try_from(self.next - self.first).unwrap_or(usize::MAX);
        let mut size = 0_usize;
        let mut parcels = Vec::new();
        for (parcel, _) in self.kept.iter().skip(at) {
            size = size.saturating_add(parcel.weight());
            if size > FULL && !parcels.is_empty() {
                break;
            }
            parcels.push(parcel.clone());
        }
        let first = self.next;
        if !parcels.is_empty() {
            self.next += parcels.len() as u64;
            self.waits = self.waits.or(Some(now));
        }
        self.owes = false;
        let (ack_link, ack) = self.theirs.unwrap_or_default();
        Some(Envelope {
            v: VERSION,
            from: from.to_owned(),
            link: self.id,
            kept: self.first,
            first,
            ack_link,
            ack,
            unknown: self.unknown.take(),
            parcels,
        })
    }

    /// The other has everything up to this number, on the end that it speaks of. Gives what was kept until then.
    pub(super) fn confirmed(&mut self, ack_link: u64, ack: u64, now: Instant) -> Vec<(Parcel, Option<G>)> {
        let mut released = Vec::new();
        if ack_link != self.id {
            return released;
        }
        let end = self.end();
        while self.first <= ack && self.first < end {
            released.extend(self.kept.pop_front());
            self.first += 1;
        }
        // It may have been on its way again already.
        self.next = self.next.max(self.first);
        if !released.is_empty() {
            self.waits = (self.first < self.next).then_some(now);
        }
        released
    }
}
