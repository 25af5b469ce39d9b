//! How long the session waits for what.

use std::time::Duration;

/// The waits of a [`super::Session`]. The defaults suit a browser on the open internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// For the transport to open and the server to say a first word.
    pub connect: Duration,
    /// Silence after which the server is asked whether it is there. Below the 25 s at which proxies cut idle sockets.
    pub quiet: Duration,
    /// For the answer to that.
    pub answer: Duration,
    /// For the answer when there is reason to doubt that the server can be reached.
    pub probe: Duration,
    /// How long a connection must last to count as one, so that the pauses begin small again after it.
    pub settled: Duration,
    /// The first pause before connecting again; it doubles with each failure.
    pub backoff: Duration,
    /// The longest such pause.
    pub backoff_most: Duration,
    /// The same while a call is up: somebody may be waiting to be found again.
    pub backoff_in_call: Duration,
    /// The longest that a server which ends may ask us to stay away; chance adds up to as long again.
    pub told_most: Duration,
    /// How long peers are awaited that the server has forgotten. It has the same patience with those it knows.
    pub grace: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(6),
            quiet: Duration::from_secs(15),
            answer: Duration::from_secs(8),
            probe: Duration::from_secs(2),
            settled: Duration::from_secs(5),
            backoff: Duration::from_millis(500),
            backoff_most: Duration::from_secs(20),
            backoff_in_call: Duration::from_secs(3),
            told_most: Duration::from_secs(60),
            grace: Duration::from_secs(30),
        }
    }
}

impl Timing {
    /// The pause before attempt number `attempt` (from 1): half of it fixed and half scaled by `random` out of
    /// `u32::MAX`, so that the clients of a server that comes back do not all arrive at once.
    pub(super) fn pause(&self, attempt: u32, random: u32, in_call: bool) -> Duration {
        let most = if in_call { self.backoff_in_call } else { self.backoff_most };
        let doubled = self.backoff.saturating_mul(1_u32 << attempt.saturating_sub(1).min(16));
        let half = doubled.min(most) / 2;
        half + half.saturating_mul(random) / u32::MAX
    }

    /// The pause that a server asked for which ends, and up to as long again, scaled as in [`Self::pause`].
    pub(super) fn pause_as_told(&self, seconds: u32, random: u32) -> Duration {
        let told = Duration::from_secs(seconds.into()).min(self.told_most);
        told + told.saturating_mul(random) / u32::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_limit_and_half_of_it_is_random() {
        let timing = Timing::default();
        assert_eq!(timing.pause(1, 0, false), Duration::from_millis(250));
        assert_eq!(timing.pause(1, u32::MAX, false), Duration::from_millis(500));
        assert_eq!(timing.pause(3, u32::MAX, false), Duration::from_secs(2));
        assert_eq!(timing.pause(u32::MAX, u32::MAX, false), timing.backoff_most);
        assert_eq!(timing.pause(u32::MAX, u32::MAX, true), timing.backoff_in_call);
    }
}
