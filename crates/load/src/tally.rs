//! What was sent, and what became of it.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Outcome;
use crate::counts::Counts;
use crate::schedule::{Due, partner};

/// What takes longer than this from when it was due is late.
pub const LATE: Duration = Duration::from_secs(3);
/// The longest time that is told from a longer one.
const LONGEST: Duration = Duration::from_secs(120);

/// The messages of one measurement, by their numbers.
#[derive(Debug)]
pub struct Tally {
    begin: Instant,
    /// The number of the first; what has a smaller one is of an earlier measurement.
    first: u64,
    messages: Vec<Message>,
    counts: Counts,
    /// How often each client was told that something it said does not arrive.
    told: HashMap<u32, u64>,
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
}

#[derive(Debug)]
struct Message {
    at: Duration,
    from: u32,
    /// Whether it counts: those of a pair in which somebody does not read do not.
    counts: bool,
    sent: bool,
    arrived: bool,
}

/// What came of a measurement.
#[derive(Debug, Clone)]
pub struct Figures {
    /// How many messages.
    pub counts: Counts,
    /// From when a message was due to when it arrived, in microseconds.
    pub latency: Histogram<u64>,
    /// From when a message was due to when it was given to the socket, in microseconds: what of the latency is not the
    /// server's.
    pub lateness: Histogram<u64>,
}

impl Figures {
    /// Adds those of another measurement.
    ///
    /// # Errors
    /// The histograms do not go together.
    pub fn add(&mut self, other: &Self) -> Outcome {
        self.counts.add(other.counts);
        let added = self.latency.add(&other.latency).and_then(|()| self.lateness.add(&other.lateness));
        added.map_err(|error| format!("two measurements do not go together: {error}"))
    }
}

/// A histogram of times in microseconds.
///
/// # Errors
/// There is no memory for it.
pub fn histogram() -> Outcome<Histogram<u64>> {
    Histogram::new_with_bounds(1, micros(LONGEST), 3).map_err(|error| format!("no histogram: {error}"))
}

/// A time as a histogram has it.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Tally {
    /// The messages of a schedule that begins then, numbered from `first`. `counts` says whose messages count.
    ///
    /// # Errors
    /// See [`histogram`].
    pub fn new(begin: Instant, first: u64, due: &[Due], counts: impl Fn(u32) -> bool) -> Outcome<Self> {
        let message = |due: &Due| Message {
            at: due.at,
            from: due.from,
            counts: counts(due.from),
            sent: false,
            arrived: false,
        };
        let messages: Vec<Message> = due.iter().map(message).collect();
        let many = messages.iter().filter(|message| message.counts).count() as u64;
        let counts = Counts { due: many, ..Counts::default() };
        let (latency, lateness) = (histogram()?, histogram()?);
        Ok(Self { begin, first, messages, counts, told: HashMap::new(), latency, lateness })
    }

    /// A message is given to the socket.
    pub fn sent(&mut self, number: u64, now: Instant) {
        let begin = self.begin;
        let Some(message) = self.message(number).filter(|message| message.counts && !message.sent) else {
            return;
        };
        message.sent = true;
        let late = now.saturating_duration_since(begin + message.at);
        self.counts.sent += 1;
        self.lateness.saturating_record(micros(late));
    }

    /// A message was heard by a client.
    pub fn heard(&mut self, number: u64, by: u32, now: Instant) {
        let begin = self.begin;
        let Some(message) = self.message(number).filter(|message| message.counts) else { return };
        if by != partner(message.from) {
            let own = by == message.from;
            let count = if own { &mut self.counts.echoed } else { &mut self.counts.strayed };
            *count += 1;
            return;
        }
        if std::mem::replace(&mut message.arrived, true) {
            self.counts.duplicated += 1;
            return;
        }
        let late = now.saturating_duration_since(begin + message.at);
        self.counts.delivered += 1;
        self.counts.late += u64::from(late > LATE);
        self.latency.saturating_record(micros(late));
    }

    /// A client was told that something it said does not arrive. Servers do not say which: it is as many as they say.
    pub fn told(&mut self, client: u32) {
        *self.told.entry(client).or_default() += 1;
    }

    /// How many messages have arrived, and how many will not, as far as is known.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.counts.delivered + self.told.values().sum::<u64>()
    }

    /// Whether everything that was due has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.counts.delivered == self.counts.due
    }

    /// What came of it, when the server has let go of these clients.
    #[must_use]
    pub fn figures(self, gone: &BTreeSet<u32>) -> Figures {
        let Self { messages, mut counts, mut told, latency, lateness, .. } = self;
        for message in messages.iter().filter(|it| it.counts && it.sent && !it.arrived) {
            match told.get_mut(&message.from).filter(|told| **told > 0) {
                Some(told) => {
                    *told -= 1;
                    counts.reported += 1;
                }
                None if gone.contains(&message.from) || gone.contains(&partner(message.from)) => {
                    counts.cut += 1
                }
                None => {}
            }
        }
        Figures { counts, latency, lateness }
    }

    fn message(&mut self, number: u64) -> Option<&mut Message> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.messages.get_mut(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Kind;

    /// Messages 100 and 101, from clients 0 and 2, due after 10 ms and 20 ms.
    fn tally(begin: Instant) -> Tally {
        let due = [(10, 0), (20, 2)].map(|(at, from)| Due {
            at: Duration::from_millis(at),
            from,
            kind: Kind::Candidate,
        });
        Tally::new(begin, 100, &due, |_| true).unwrap()
    }

    fn after(begin: Instant, millis: u64) -> Instant {
        begin + Duration::from_millis(millis)
    }

    #[test]
    fn a_message_is_late_from_when_it_was_due_and_not_from_when_it_was_sent() {
        let begin = Instant::now();
        let mut tally = tally(begin);
        tally.sent(100, after(begin, 14));
        tally.heard(100, 1, after(begin, 15));
        let Figures { latency, lateness, .. } = tally.figures(&BTreeSet::new());
        assert!(latency.equivalent(latency.max(), 5000) && lateness.equivalent(lateness.max(), 4000));
    }

    #[test]
    fn every_message_is_counted_by_what_became_of_it() {
        let begin = Instant::now();
        let mut tally = tally(begin);
        for number in [99, 100, 101, 102] {
            tally.sent(number, begin);
        }
        for (number, by) in [(100, 1), (100, 1), (100, 0), (100, 3), (99, 1), (102, 1)] {
            tally.heard(number, by, begin);
        }
        assert!(!tally.is_complete());
        tally.heard(101, 3, after(begin, 3021));
        assert!(tally.is_complete());
        let counts = tally.figures(&BTreeSet::new()).counts;
        let expected = Counts {
            due: 2,
            sent: 2,
            delivered: 2,
            late: 1,
            duplicated: 1,
            echoed: 1,
            strayed: 1,
            ..Counts::default()
        };
        assert_eq!((counts, counts.lost()), (expected, 0));
    }

    #[test]
    fn what_did_not_arrive_was_reported_or_cut_or_else_it_is_lost() {
        let begin = Instant::now();
        let due = [0, 0, 2, 4].map(|from| Due { at: Duration::ZERO, from, kind: Kind::Answer });
        let mut tally = Tally::new(begin, 0, &due, |_| true).unwrap();
        (0..4).for_each(|number| tally.sent(number, begin));
        tally.told(0);
        // Client 3 was to hear what client 2 said.
        let counts = tally.figures(&BTreeSet::from([3])).counts;
        assert_eq!(
            (counts.sent, counts.delivered, counts.reported, counts.cut, counts.lost()),
            (4, 0, 1, 1, 2)
        );
    }

    #[test]
    fn what_does_not_count_is_in_no_number() {
        let begin = Instant::now();
        let due = [Due { at: Duration::ZERO, from: 4, kind: Kind::Offer }];
        let mut tally = Tally::new(begin, 0, &due, |client| client != 4).unwrap();
        tally.sent(0, begin);
        tally.heard(0, 5, begin);
        assert_eq!(tally.figures(&BTreeSet::new()).counts, Counts::default());
    }
}
