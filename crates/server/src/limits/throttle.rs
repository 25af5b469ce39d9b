//! How much one client says: a token bucket for all it says, one for descriptions and one for candidates.
//!
//! A client that says more loses nothing. It is read more slowly: while its bucket is empty the next message waits, then
//! the socket fills, and TCP slows the sender down. Writing goes on meanwhile, pings and all, and a socket in which
//! something waits to be read is not silent: however long a client is made to wait, it is not taken for dead. Only one
//! that had to be waited for all the time for [`Limits::flood`] is let go.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Limit, Limits, Rate};
use crate::dismissal::Dismissal;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::relayed::Kind;

/// The buckets of one client.
#[derive(Debug)]
pub(crate) struct Throttle {
    messages: Bucket,
    offers: Bucket,
    candidates: Bucket,
    flood: Duration,
    outbox: Outbox,
    metrics: Metrics,
}

impl Throttle {
    /// Full buckets for the client of this outbox.
    pub(crate) fn new(limits: &Limits, outbox: Outbox, metrics: Metrics) -> Self {
        let bucket = Bucket::new;
        let (messages, offers, candidates) =
            (bucket(limits.messages), bucket(limits.offers), bucket(limits.candidates));
        Self { messages, offers, candidates, flood: limits.flood, outbox, metrics }
    }

    /// Waits until another frame may be read. If the client floods it is let go, and this never returns.
    pub(crate) async fn frame(&mut self) {
        let taken = self.messages.take(self.flood, || self.metrics.slowed(Limit::Messages)).await;
        self.or_let_go(taken, Limit::Messages).await;
    }

    /// Waits until a message of this kind may be passed on, as above.
    pub(crate) async fn relay(&mut self, kind: Kind) {
        let (bucket, limit) = match kind {
            Kind::Offer | Kind::Answer => (&mut self.offers, Limit::Offers),
            Kind::Candidate => (&mut self.candidates, Limit::Candidates),
        };
        let taken = bucket.take(self.flood, || self.metrics.slowed(limit)).await;
        self.or_let_go(taken, limit).await;
    }

    async fn or_let_go(&self, taken: Result<(), Flood>, limit: Limit) {
        if taken.is_err() {
            self.metrics.breach(limit);
            self.outbox.dismiss(Dismissal::TooFast);
            // The connection ends around this.
            pending::<()>().await;
        }
    }
}

/// The client had to be waited for without a break for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flood;

/// Timers are late by about a millisecond. At high rates some tokens come in that time, and that is no break.
const BREAK: Duration = Duration::from_millis(5);

/// A token bucket, kept as the time at which it would be full again (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug)]
struct Bucket {
    interval: Duration,
    /// How far in the future the bucket may be full: further, and there is no token in it.
    tolerance: Duration,
    full_at: Instant,
    /// Since when the client is waited for, and until when it last was. In a box: of most it never is.
    waited: Option<Box<(Instant, Instant)>>,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.max(1);
        let tolerance = interval.saturating_mul(rate.burst.saturating_sub(1));
        Self { interval, tolerance, full_at: Instant::now(), waited: None }
    }

    /// Takes a token, if there is none when the next one comes. Calls `slowed` when the client has to be waited for and
    /// had not to be just before.
    async fn take(&mut self, flood: Duration, slowed: impl FnOnce()) -> Result<(), Flood> {
        let mut now = Instant::now();
        let until = now + self.full_at.saturating_duration_since(now).saturating_sub(self.tolerance);
        if self.waited.as_ref().is_some_and(|waited| now.saturating_duration_since(waited.1) > BREAK) {
            self.waited = None;
        }
        if until > now {
            let since = self.waited.as_ref().map_or(now, |waited| waited.0);
            if self.waited.is_none() {
                slowed();
            }
            let end = since + flood;
            if until > end {
                Box::pin(sleep_until(end)).await;
                return Err(Flood);
            }
            // In boxes: who keeps to the rate never waits, and would have the space for it all the time.
            Box::pin(sleep_until(until)).await;
            now = Instant::now();
            self.waited = Some(Box::new((since, now)));
        }
        self.full_at = self.full_at.max(now) + self.interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOD: Duration = Duration::from_secs(10);
    const RATE: Rate = Rate { per_second: 10, burst: 5 };

    /// Takes so many, one right after the other, and gives how many milliseconds that took and how often a wait began.
    async fn take(bucket: &mut Bucket, many: usize) -> (u128, usize, Result<(), Flood>) {
        let (begin, mut slowed) = (Instant::now(), 0);
        for _ in 0..many {
            if let Err(flood) = bucket.take(FLOOD, || slowed += 1).await {
                return (begin.elapsed().as_millis(), slowed, Err(flood));
            }
        }
        (begin.elapsed().as_millis(), slowed, Ok(()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_at_once_and_what_is_more_at_the_rate() {
        let mut bucket = Bucket::new(RATE);
        assert_eq!(take(&mut bucket, 5).await, (0, 0, Ok(())));
        assert_eq!(take(&mut bucket, 1).await, (100, 1, Ok(())));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(take(&mut bucket, 5).await, (0, 0, Ok(())), "a bucket holds no more than its burst");
        assert_eq!(take(&mut bucket, 20).await, (2000, 1, Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_waited_for_without_a_break_for_ten_seconds_floods() {
        let mut bucket = Bucket::new(RATE);
        let (time, slowed, taken) = take(&mut bucket, 105).await;
        assert_eq!((slowed, taken), (1, Ok(())), "the burst, and ten seconds' worth");
        assert!((10_000..10_100).contains(&time), "{time}");
        assert_eq!(take(&mut bucket, 1).await.2, Err(Flood));
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_to_the_rate_may_go_on_for_ever_even_with_an_empty_bucket() {
        let mut bucket = Bucket::new(RATE);
        assert_eq!(take(&mut bucket, 50).await.2, Ok(()));
        for _ in 0..1000 {
            tokio::time::sleep(Duration::from_millis(101)).await;
            assert_eq!(take(&mut bucket, 1).await.2, Ok(()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_breath_begins_the_ten_seconds_anew() {
        let mut bucket = Bucket::new(RATE);
        for _ in 0..10 {
            assert_eq!(take(&mut bucket, 60).await.2, Ok(()));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_above_what_timers_can_tell_apart_ends_a_flood_too() {
        let mut bucket = Bucket::new(Rate { per_second: 100_000, burst: 10 });
        let (time, slowed, taken) = take(&mut bucket, 2_000_000).await;
        assert_eq!((slowed, taken), (1, Err(Flood)));
        assert!((10_000..10_020).contains(&time), "{time}");
    }
}
