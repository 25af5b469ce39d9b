//! What a member was told of the room, numbered from 1, for as long as it may have to be told again.
//!
//! The log is bounded. While the member is connected, the oldest messages make way: they have gone out, and most likely
//! arrived. While it is away, only those make way; a message that never went out is not dropped in silence, so a log
//! that would have to drop one has overflowed, and the session is over.

use std::collections::VecDeque;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::config::QueueLimits;

/// The messages of one session that are still kept.
#[derive(Debug)]
pub(super) struct SessionLog {
    /// Without a gap; the last has the number `last`.
    kept: VecDeque<Utf8Bytes>,
    bytes: usize,
    last: u64,
    /// The last that was given to a connection.
    given: u64,
    limits: QueueLimits,
}

/// A message that never went out would have to make way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow;

impl SessionLog {
    /// An empty log that keeps so much.
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self { kept: VecDeque::new(), bytes: 0, last: 0, given: 0, limits }
    }

    /// An empty log that goes on after this number, up to which everything was given to a connection.
    pub(super) fn after(last: u64, limits: QueueLimits) -> Self {
        Self { last, given: last, ..Self::new(limits) }
    }

    /// The number of the last message.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The number of the next message.
    pub(super) fn next(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Keeps the message of the next number. `given` says whether a connection has it.
    ///
    /// # Errors
    /// The log is full of messages that never went out.
    pub(super) fn keep(&mut self, text: Utf8Bytes, given: bool) -> Result<(), Overflow> {
        self.last = self.next();
        if given {
            self.given = self.last;
        }
        self.bytes = self.bytes.saturating_add(text.len());
        self.kept.push_back(text);
        while self.kept.len() > self.limits.messages || self.bytes > self.limits.bytes {
            if self.before_first() >= self.given {
                return Err(Overflow);
            }
            self.drop_first();
        }
        Ok(())
    }

    /// Forgets the messages up to this number: they have arrived.
    pub(super) fn forget(&mut self, seq: u64) {
        while self.before_first() < seq && !self.kept.is_empty() {
            self.drop_first();
        }
    }

    /// Whether everything after this number is kept. Nothing is after a number that was never reached.
    pub(super) fn reaches(&self, seq: u64) -> bool {
        (self.before_first()..=self.last).contains(&seq)
    }

    /// Everything that is kept, in order, for a connection that gets it now.
    pub(super) fn give(&mut self) -> impl Iterator<Item = Utf8Bytes> {
        self.given = self.last;
        self.kept.iter().cloned()
    }

    /// The number before that of the first message that is kept.
    fn before_first(&self) -> u64 {
        self.last.saturating_sub(self.kept.len() as u64)
    }

    fn drop_first(&mut self) {
        if let Some(first) = self.kept.pop_front() {
            self.bytes = self.bytes.saturating_sub(first.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of five messages or 50 bytes that was given the numbers as texts, up to `last`.
    fn log(last: u64) -> SessionLog {
        let mut log = SessionLog::new(QueueLimits { messages: 5, bytes: 50 });
        for n in 1..=last {
            log.keep(n.to_string().into(), true).unwrap();
        }
        log
    }

    /// What a connection gets that has everything up to `seq`; `None` if that cannot be.
    fn after(log: &mut SessionLog, seq: u64) -> Option<String> {
        if !log.reaches(seq) {
            return None;
        }
        log.forget(seq);
        Some(log.give().map(|text| text.to_string()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_comes_after_a_number_is_given_in_order_and_never_with_a_gap() {
        let mut log = log(7);
        assert_eq!(after(&mut log, 2).as_deref(), Some("3 4 5 6 7"));
        assert_eq!(after(&mut log, 6).as_deref(), Some("7"));
        assert_eq!(after(&mut log, 7).as_deref(), Some(""));
        assert_eq!(after(&mut self::log(7), 8), None, "there never was an eighth");
        assert_eq!(after(&mut self::log(7), u64::MAX), None);
        assert_eq!(after(&mut self::log(7), 1), None, "the second is no longer kept");
    }

    #[test]
    fn a_log_without_messages_is_reached_from_nothing() {
        let mut log = log(0);
        assert_eq!(after(&mut log, 0).as_deref(), Some(""));
        assert_eq!(after(&mut log, 1), None);
    }

    #[test]
    fn what_has_arrived_is_forgotten_and_nothing_else() {
        let mut log = log(4);
        log.forget(2);
        log.forget(1);
        assert_eq!((log.kept.len(), log.bytes), (2, 2));
        assert_eq!(after(&mut log, 2).as_deref(), Some("3 4"));
        assert_eq!(after(&mut log, 1), None);
        log.forget(99);
        assert_eq!((log.kept.len(), log.bytes, log.next()), (0, 0, 5));
        assert_eq!(after(&mut log, 4).as_deref(), Some(""));
    }

    #[test]
    fn bytes_are_counted_as_messages_are() {
        let mut log = log(2);
        log.keep("x".repeat(49).into(), true).unwrap();
        assert_eq!(log.kept.len(), 2);
        log.keep("x".repeat(51).into(), true).unwrap();
        assert_eq!((log.kept.len(), log.bytes), (0, 0), "one that is larger than the log passes through it");
        assert_eq!(after(&mut log, 4).as_deref(), Some(""));
    }

    #[test]
    fn what_went_out_makes_way_for_what_did_not_and_that_for_nothing() {
        let mut log = log(5);
        for n in 6..=10 {
            assert_eq!(log.keep(n.to_string().into(), false), Ok(()), "{n}");
        }
        assert_eq!(log.keep("11".into(), false), Err(Overflow));
        let mut log = self::log(5);
        log.keep("x".repeat(50).into(), false).unwrap();
        assert_eq!(log.keep("7".into(), false), Err(Overflow));
    }

    #[test]
    fn what_was_given_to_a_later_connection_has_gone_out() {
        let mut log = log(0);
        for n in 1..=5 {
            log.keep(n.to_string().into(), false).unwrap();
        }
        assert_eq!(after(&mut log, 0).as_deref(), Some("1 2 3 4 5"));
        assert_eq!(log.keep("6".into(), false), Ok(()));
    }
}
