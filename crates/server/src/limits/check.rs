//! Limits that make no sense are refused before the server starts, with words that say what to write.

use std::ops::RangeInclusive;
use std::time::Duration;

use duologue_protocol::limits::{CANDIDATE, MESSAGE, NAME, ROOM, SDP};

use super::{Limits, Rate};
use crate::config::QueueLimits;

/// Why limits cannot be used. Names are those of the command's flags; the fields of [`Limits`] are called alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// A number is too small or too large.
    #[error("{flag} cannot be {given}: write a number from {least} to {most}")]
    OutOfRange {
        /// Which.
        flag: &'static str,
        /// What was written.
        given: u64,
        /// The smallest that can be used.
        least: u64,
        /// The largest that can be used.
        most: u64,
    },
    /// A time is nothing, or more than a week.
    #[error("{flag} cannot be {given:?}: write a number of seconds from 1 to 604800")]
    Time {
        /// Which.
        flag: &'static str,
        /// What was written.
        given: Duration,
    },
    /// A limit can never be reached, because another one is reached before.
    #[error(
        "{outer} is {given}, and {inner} needs at least {least} of it: write {outer} {least}, or a smaller {inner}"
    )]
    TooSmallFor {
        /// The limit that is too small.
        outer: &'static str,
        /// What was written.
        given: u64,
        /// The limit that needs more.
        inner: &'static str,
        /// How much it needs.
        least: u64,
    },
}

/// How long the longest time may be. Beyond that nobody would notice that it ended.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// Above this a rate limits nothing.
const FASTEST: u64 = 1_000_000;

impl Limits {
    /// Whether these limits can be used with these queues.
    ///
    /// # Errors
    /// Says what to write.
    pub(crate) fn check(&self, queue: QueueLimits) -> Result<(), LimitsError> {
        let sizes = self.sizes;
        let most = u32::MAX as usize;
        for (flag, given, range) in [
            ("--max-connections", self.connections, 1..=most),
            ("--max-connections-per-address", self.connections_per_address, 1..=most),
            ("--max-lobby-per-address", self.lobby_per_address, 1..=most),
            ("--max-rooms", self.rooms, 1..=most),
            ("--max-json-depth", self.json_depth, 4..=64),
            ("--max-message", sizes.message as usize, 1024..=MESSAGE),
            ("--max-sdp", sizes.sdp as usize, 512..=SDP),
            ("--max-candidate", sizes.candidate as usize, 128..=CANDIDATE),
            ("--max-name", sizes.name as usize, 1..=NAME),
            ("--max-room-name", sizes.room as usize, 1..=ROOM),
            ("--queue-messages", queue.messages, 1..=most),
            ("--queue-bytes", queue.bytes, 1..=most),
        ] {
            within(flag, given as u64, &(*range.start() as u64..=*range.end() as u64))?;
        }
        for (rate, [per_second, burst]) in [
            (self.messages, ["--message-rate", "--message-burst"]),
            (self.offers, ["--offer-rate", "--offer-burst"]),
            (self.candidates, ["--candidate-rate", "--candidate-burst"]),
        ] {
            let Rate { per_second: given, burst: at_once } = rate;
            within(per_second, given.into(), &(1..=FASTEST))?;
            within(burst, at_once.into(), &(1..=FASTEST))?;
        }
        for (flag, given) in [
            ("--first-message-time", self.first_message),
            ("--lobby-time", self.lobby),
            ("--flood-time", self.flood),
        ] {
            if given.is_zero() || given > WEEK {
                return Err(LimitsError::Time { flag, given });
            }
        }
        holds(("--max-message", u64::from(sizes.message)), "--max-sdp", u64::from(sizes.sdp) + 512)?;
        // A client may fill half of a queue, and its largest message must fit into that.
        holds(("--queue-bytes", queue.bytes as u64), "--max-message", 2 * u64::from(sizes.message))
    }
}

fn within(flag: &'static str, given: u64, range: &RangeInclusive<u64>) -> Result<(), LimitsError> {
    if range.contains(&given) {
        return Ok(());
    }
    Err(LimitsError::OutOfRange { flag, given, least: *range.start(), most: *range.end() })
}

fn holds((outer, given): (&'static str, u64), inner: &'static str, least: u64) -> Result<(), LimitsError> {
    if given >= least {
        return Ok(());
    }
    Err(LimitsError::TooSmallFor { outer, given, inner, least })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(change: impl FnOnce(&mut Limits, &mut QueueLimits)) -> String {
        let (mut limits, mut queue) = (Limits::default(), QueueLimits::default());
        change(&mut limits, &mut queue);
        limits.check(queue).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(words(|_, _| ()), "fine");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_words_that_say_what_to_write() {
        for (found, expected) in [
            (
                words(|limits, _| limits.connections = 0),
                "--max-connections cannot be 0: write a number from 1",
            ),
            (words(|limits, _| limits.lobby_per_address = 0), "--max-lobby-per-address cannot be 0"),
            (
                words(|limits, _| limits.json_depth = 65),
                "--max-json-depth cannot be 65: write a number from 4 to 64",
            ),
            (words(|limits, _| limits.sizes.message = 65_537), "write a number from 1024 to 65536"),
            (words(|limits, _| limits.sizes.sdp = 32_769), "write a number from 512 to 32768"),
            (words(|limits, _| limits.sizes.candidate = 513), "write a number from 128 to 512"),
            (words(|limits, _| limits.sizes.name = 65), "write a number from 1 to 64"),
            (words(|limits, _| limits.sizes.room = 129), "write a number from 1 to 128"),
            (words(|limits, _| limits.messages.per_second = 0), "--message-rate cannot be 0"),
            (words(|limits, _| limits.offers.burst = 0), "--offer-burst cannot be 0"),
            (
                words(|limits, _| limits.candidates.per_second = 1_000_001),
                "--candidate-rate cannot be 1000001",
            ),
            (words(|limits, _| limits.flood = Duration::ZERO), "--flood-time cannot be 0ns"),
            (words(|limits, _| limits.lobby = WEEK + Duration::from_secs(1)), "from 1 to 604800"),
            (words(|_, queue| queue.messages = 0), "--queue-messages cannot be 0"),
            (
                words(|limits, _| limits.sizes.message = 33_279),
                "--max-message is 33279, and --max-sdp needs at least 33280 of it: write --max-message 33280, or a \
                 smaller --max-sdp",
            ),
            (words(|_, queue| queue.bytes = 131_071), "write --queue-bytes 131072"),
        ] {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn the_edges_can_be_used() {
        let edges = words(|limits, queue| {
            limits.connections = 1;
            limits.json_depth = 64;
            limits.sizes.message = 33_280;
            limits.sizes.candidate = 128;
            limits.messages = Rate { per_second: 1, burst: 1 };
            limits.flood = WEEK;
            queue.bytes = 66_560;
        });
        assert_eq!(edges, "fine");
    }
}
