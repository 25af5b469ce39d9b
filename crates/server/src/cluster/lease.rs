//! Whether this node still has what it holds, and whether it may judge others. Knows no clock and no Redis.
//!
//! A node lives for as long as its key is in Redis, and everything it owns hangs on that one key. It counts from the moment
//! *before* it asked for the key, by its own clock, which also runs while the process is stopped: so it gives up its lease
//! no later than Redis does.

use std::time::Duration;

use tokio::time::Instant;

/// The lease of this node.
#[derive(Debug)]
pub(super) struct Lease {
    length: Duration,
    settle: Duration,
    until: Option<Instant>,
    up_since: Option<Instant>,
    cut: bool,
    /// Whether it has been away.
    returned: bool,
}

/// What a beat has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// All is as it was.
    Steady,
    /// Redis was out of reach, or the lease had run out: what is owned has to be looked at again.
    Returned,
}

impl Lease {
    /// Nothing is held yet. Others are judged after Redis has been there for `settle`: all of them have to come back to a
    /// Redis that has lost everything.
    pub(super) fn new(length: Duration, settle: Duration) -> Self {
        Self { length, settle, until: None, up_since: None, cut: false, returned: false }
    }

    /// The key was set; this was asked for at `asked`. `known` says whether it was there before: if not, Redis has
    /// forgotten it, and most likely everything.
    pub(super) fn renewed(&mut self, asked: Instant, now: Instant, known: bool) -> Beat {
        let steady = known && self.up_since.is_some() && self.holds(now);
        // The first time, nobody is expected back.
        let had_been_up = self.until.replace(asked + self.length).is_some();
        self.cut = false;
        if steady {
            return Beat::Steady;
        }
        self.returned = had_been_up;
        self.up_since = Some(now);
        Beat::Returned
    }

    /// Redis did not answer.
    pub(super) fn failed(&mut self) {
        self.up_since = None;
        self.cut = true;
    }

    /// Whether what this node owned when it looked last is its own for certain.
    pub(super) fn holds(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Whether Redis answered last.
    pub(super) fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    /// Whether Redis did not answer last, where it has been asked.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether Redis was away until a moment ago: owners have yet to say that they are there.
    pub(super) fn is_settling(&self, now: Instant) -> bool {
        self.returned && self.up_since.is_some_and(|since| now.duration_since(since) < self.settle)
    }

    /// Whether a node that has no key is to be taken for dead.
    pub(super) fn may_judge(&self, now: Instant) -> bool {
        self.holds(now) && self.up_since.is_some_and(|since| now.duration_since(since) >= self.settle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(5);
    const SETTLE: Duration = Duration::from_secs(3);

    fn after(begin: Instant, millis: u64) -> Instant {
        begin + Duration::from_millis(millis)
    }

    #[test]
    fn a_lease_lasts_from_before_it_was_asked_for() {
        let begin = Instant::now();
        let mut lease = Lease::new(LENGTH, SETTLE);
        assert!(!lease.holds(begin));
        assert_eq!(lease.renewed(begin, after(begin, 900), true), Beat::Returned);
        assert!(lease.holds(after(begin, 4999)));
        assert!(!lease.holds(after(begin, 5000)), "not 5 s from the answer");
    }

    #[test]
    fn who_was_stopped_for_longer_than_the_lease_has_to_look_again() {
        let begin = Instant::now();
        let mut lease = Lease::new(LENGTH, SETTLE);
        lease.renewed(begin, begin, true);
        assert_eq!(lease.renewed(after(begin, 1000), after(begin, 1001), true), Beat::Steady);
        assert_eq!(lease.renewed(after(begin, 9000), after(begin, 9001), true), Beat::Returned);
        assert!(!lease.may_judge(after(begin, 9500)), "the others may have been stopped as well");
    }

    #[test]
    fn nobody_is_judged_while_redis_is_away_nor_right_after() {
        let begin = Instant::now();
        let mut lease = Lease::new(LENGTH, SETTLE);
        lease.renewed(begin, begin, true);
        lease.renewed(after(begin, 3000), after(begin, 3000), true);
        assert!(lease.may_judge(after(begin, 3000)));
        lease.failed();
        assert!(lease.holds(after(begin, 3500)) && !lease.may_judge(after(begin, 3500)));
        assert_eq!(lease.renewed(after(begin, 4000), after(begin, 4000), true), Beat::Returned);
        assert!(!lease.may_judge(after(begin, 6999)));
        lease.renewed(after(begin, 6999), after(begin, 6999), true);
        assert!(lease.may_judge(after(begin, 7000)));
    }

    #[test]
    fn a_redis_that_was_restarted_between_two_beats_is_noticed() {
        let begin = Instant::now();
        let mut lease = Lease::new(LENGTH, SETTLE);
        lease.renewed(begin, begin, false);
        lease.renewed(after(begin, 3000), after(begin, 3000), true);
        assert_eq!(lease.renewed(after(begin, 4000), after(begin, 4000), false), Beat::Returned);
        assert!(!lease.may_judge(after(begin, 4000)), "the others have yet to come back");
    }

    #[test]
    fn owners_have_a_while_to_say_so_after_redis_was_away_and_not_when_a_node_is_new() {
        let begin = Instant::now();
        let mut lease = Lease::new(LENGTH, SETTLE);
        lease.renewed(begin, begin, false);
        assert!(!lease.is_settling(begin));
        lease.failed();
        lease.renewed(after(begin, 2000), after(begin, 2000), true);
        assert!(lease.is_settling(after(begin, 4999)));
        assert!(!lease.is_settling(after(begin, 5000)));
    }
}
