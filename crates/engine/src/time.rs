//! Time, as the driver tells it.

use std::ops::Add;
use std::time::Duration;

/// A moment, counted from an origin that the driver chooses and keeps. (`std::time::Instant` cannot be made without a
/// clock, and panics in a browser.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant {
    nanos: u64,
}

impl Instant {
    /// The moment `elapsed` after the driver's origin.
    #[must_use]
    pub const fn from_origin(elapsed: Duration) -> Self {
        Self { nanos: nanos(elapsed) }
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    #[inline(never)]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }

    /// The same in whole milliseconds, as browsers take times.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> u32 {
        u32::try_from(self.nanos.saturating_sub(earlier.nanos) / 1_000_000).unwrap_or(u32::MAX)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self { nanos: self.nanos.saturating_add(nanos(duration)) }
    }
}

/// Five centuries are enough. (`Duration::as_nanos` reckons with more bits than a processor has, and so does a
/// multiplication that looks whether it fits.)
#[inline(never)]
const fn nanos(duration: Duration) -> u64 {
    const MOST_SECONDS: u64 = u64::MAX / 1_000_000_000 - 1;
    let seconds = duration.as_secs();
    let seconds = if seconds < MOST_SECONDS { seconds } else { MOST_SECONDS };
    seconds * 1_000_000_000 + duration.subsec_nanos() as u64
}
