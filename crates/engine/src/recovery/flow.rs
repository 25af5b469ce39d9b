//! What arrives over a connection that is up, looked at each second: whether it flows, and when it stopped.

use crate::time::Instant;

/// So many looks in a row at which more had arrived are a flow. What keeps a connection alive over which nothing is said
/// comes less often.
const BEATS: u32 = 3;
/// So many at which nothing had arrived are the end of it.
const MISSES: u32 = 2;

/// The last looks.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// How many bytes there were at the last look, and when they were first seen to be as many.
    last: Option<(u64, Instant)>,
    /// Looks in a row at which more had arrived, before the misses.
    beats: u32,
    /// Looks in a row at which nothing had.
    misses: u32,
}

impl Flow {
    /// Takes in how many bytes have arrived by now. Gives whether a flow has stopped, once.
    pub(super) fn stops_with(&mut self, now: Instant, bytes: u64) -> bool {
        match self.last {
            Some((before, _)) if bytes == before => {
                self.misses = self.misses.saturating_add(1);
                self.misses == MISSES && self.beats >= BEATS
            }
            // It may also have become less: a browser forgets ways that it does not use any more.
            before => {
                self.beats = match before {
                    Some(_) if self.misses == 0 => self.beats.saturating_add(1),
                    Some(_) => 1,
                    None => 0,
                };
                self.misses = 0;
                self.last = Some((bytes, now));
                false
            }
        }
    }

    /// When the last bytes came, if it was a flow and has stopped.
    pub(super) fn stopped_at(&self) -> Option<Instant> {
        let (_, at) = self.last?;
        (self.misses >= MISSES && self.beats >= BEATS).then_some(at)
    }
}
