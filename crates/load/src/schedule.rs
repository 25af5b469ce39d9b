//! When which message is due. Calls begin at random (a Poisson process, as people do who know nothing of each other), and
//! each is an offer, an answer and ten candidates.

use std::time::Duration;

use crate::payload::Kind;

/// Messages of a call.
pub const MESSAGES_A_CALL: u32 = 12;

/// A message to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// After the beginning.
    pub at: Duration,
    /// The client that sends it, counted from 0. It goes to the other of the pair.
    pub from: u32,
    /// What it is.
    pub kind: Kind,
}

/// The other of the pair.
#[must_use]
pub fn partner(client: u32) -> u32 {
    client ^ 1
}

/// All messages of `rate` a second for so long, in the order in which they are due. Clients 0 and 1 are a pair, 2 and 3
/// are the next. The same seed gives the same schedule.
#[must_use]
pub fn schedule(pairs: u32, rate: u32, length: Duration, seed: u64) -> Vec<Due> {
    let mut random = fastrand::Rng::with_seed(seed);
    let calls = f64::from(rate) / f64::from(MESSAGES_A_CALL);
    let mut messages = Vec::new();
    let mut begin = 0.0;
    loop {
        // Times between arrivals are exponentially distributed.
        begin += -(1.0 - random.f64()).ln() / calls;
        if begin >= length.as_secs_f64() {
            break;
        }
        call(Duration::from_secs_f64(begin), 2 * random.u32(0..pairs), &mut messages);
    }
    messages.sort_by_key(|message| message.at);
    messages
}

/// A call as a browser makes it: the offer, then candidates as they are found; and the same from the other side.
fn call(begin: Duration, caller: u32, messages: &mut Vec<Due>) {
    for (from, kind, first) in [(caller, Kind::Offer, 0), (partner(caller), Kind::Answer, 15)] {
        messages.push(Due { at: begin + Duration::from_millis(first), from, kind });
        for n in 1..=5 {
            let at = begin + Duration::from_millis(first + 2 * n);
            messages.push(Due { at, from, kind: Kind::Candidate });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_messages_are_due_as_the_rate_says_and_in_order() {
        let length = Duration::from_secs(10);
        let messages = schedule(50, 12_000, length, 1);
        assert!((115_000..125_000).contains(&messages.len()), "{}", messages.len());
        assert!(messages.is_sorted_by_key(|message| message.at));
        assert_eq!(messages, schedule(50, 12_000, length, 1), "the same seed gives the same");
        assert_ne!(messages, schedule(50, 12_000, length, 2));
    }

    #[test]
    fn a_call_is_an_offer_an_answer_and_ten_candidates_and_both_say_half_of_it() {
        let mut messages = Vec::new();
        call(Duration::ZERO, 6, &mut messages);
        let count = |kind| messages.iter().filter(|message| message.kind == kind).count();
        assert_eq!((count(Kind::Offer), count(Kind::Answer), count(Kind::Candidate)), (1, 1, 10));
        assert_eq!(messages.iter().filter(|message| message.from == 6).count(), 6);
        assert_eq!(messages.iter().filter(|message| message.from == 7).count(), 6);
        assert_eq!(messages.len(), MESSAGES_A_CALL as usize);
    }

    #[test]
    fn everybody_has_something_to_say() {
        let messages = schedule(10, 6000, Duration::from_secs(5), 3);
        for client in 0..20 {
            assert!(messages.iter().any(|message| message.from == client), "{client}");
        }
    }
}
