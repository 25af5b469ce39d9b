//! The end of the server, as its clients are told of it.
//!
//! Thousands that lose a server in the same second come back in the same second. So each is let go at a moment of its
//! own, and told how long to stay away; their calls go on meanwhile.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::config::Timing;

/// How many clients may come back in a second.
const BACK_IN_A_SECOND: usize = 1000;
/// The longest that clients are asked to stay away, in seconds.
const LONGEST: u32 = 60;

/// How clients are let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Departure {
    /// Over how long a time.
    pub(crate) spread: Duration,
    /// What they are told: in how many seconds to connect again at the earliest.
    pub(crate) retry_after: u32,
}

impl Departure {
    /// All at once: nobody has the time to wait.
    pub(crate) fn at_once(clients: usize) -> Self {
        Self::over(Duration::ZERO, clients)
    }

    /// One after the other, so that there is still time for the goodbyes within [`Timing::shutdown`].
    pub(crate) fn spread(timing: &Timing, clients: usize) -> Self {
        Self::over(timing.shutdown.saturating_sub(timing.goodbye * 2), clients)
    }

    fn over(spread: Duration, clients: usize) -> Self {
        let crowd = u64::try_from(clients / BACK_IN_A_SECOND).unwrap_or(u64::MAX);
        // No sooner than the last one is gone, and another server may be here.
        let seconds = spread.as_secs().saturating_add(1).saturating_add(crowd);
        let retry_after = u32::try_from(seconds).unwrap_or(LONGEST).min(LONGEST);
        Self { spread, retry_after }
    }
}

/// Waits for this client's moment.
pub(crate) async fn moment(departures: &mut watch::Receiver<Option<Departure>>) -> Departure {
    let departure = departures.wait_for(Option::is_some).await.ok().and_then(|departure| *departure);
    let Some(departure) = departure else {
        // The server is gone without a word, and takes this task with it.
        return std::future::pending().await;
    };
    if !departure.spread.is_zero() {
        // Without randomness all leave in the middle, which is no worse than at once.
        let random = getrandom::u32().unwrap_or(u32::MAX / 2);
        let pause = departure.spread.saturating_mul(random) / u32::MAX;
        // In a box: every client waits here for as long as it is connected, and for this at the very end.
        Box::pin(async {
            tokio::select! {
                () = sleep(pause) => {}
                // There is no more time after all.
                _ = departures.wait_for(|now| now.is_some_and(|now| now.spread.is_zero())) => {}
            }
        })
        .await;
    }
    departure
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn the_more_there_are_the_longer_they_stay_away() {
        let timing =
            Timing { shutdown: Duration::from_secs(5), goodbye: Duration::from_secs(1), ..Timing::default() };
        assert_eq!(Departure::at_once(10).retry_after, 1);
        assert_eq!(Departure::at_once(5000).retry_after, 6);
        let departure = Departure::spread(&timing, 10);
        assert_eq!((departure.spread, departure.retry_after), (Duration::from_secs(3), 4));
        assert_eq!(Departure::spread(&timing, usize::MAX).retry_after, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn each_has_a_moment_of_its_own_within_the_time_there_is() {
        let spread = Duration::from_secs(3);
        let (_sender, receiver) = watch::channel(Some(Departure { spread, retry_after: 4 }));
        let begin = Instant::now();
        let moments = futures_util::future::join_all((0..100).map(|_| {
            let mut receiver = receiver.clone();
            async move {
                moment(&mut receiver).await;
                begin.elapsed()
            }
        }))
        .await;
        let early = moments.iter().filter(|moment| **moment < spread / 2).count();
        assert!((20..80).contains(&early), "{early} of 100 in the first half");
        assert!(moments.iter().all(|moment| *moment <= spread + Duration::from_millis(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn when_there_is_no_more_time_nobody_waits() {
        let (sender, mut receiver) =
            watch::channel(Some(Departure { spread: Duration::from_secs(3600), retry_after: 4 }));
        let begin = Instant::now();
        let (_, ()) = tokio::join!(moment(&mut receiver), async {
            sender.send_replace(Some(Departure::at_once(1)));
        });
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }
}
