//! How fast it goes.

use crate::time::Instant;

/// A speed is measured over about this long.
const SPAN_MILLIS: u32 = 250;

/// The speed of something that grows, in bytes a second, as it was over the last seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    since: Option<(Instant, u64)>,
    rate: Option<u64>,
}

impl Pace {
    /// At `now` it was `total` bytes.
    pub(super) fn measure(&mut self, now: Instant, total: u64) {
        let Some((then, before)) = self.since else {
            self.since = Some((now, total));
            return;
        };
        let millis = now.millis_since(then);
        if millis < SPAN_MILLIS {
            return;
        }
        let rate = total.saturating_sub(before).saturating_mul(1000) / u64::from(millis);
        // Half of what is new: a jump shows after a second, and one slow moment does not make the numbers dance.
        self.rate = Some(self.rate.map_or(rate, |old| old / 2 + rate / 2));
        self.since = Some((now, total));
    }

    /// Nothing happened meanwhile that says anything about the speed.
    pub(super) fn rest(&mut self) {
        self.since = None;
    }

    /// Bytes a second, once it is known.
    pub(super) fn rate(&self) -> Option<u64> {
        self.rate
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
