//! Back-pressure: what one client sends may fill at most half of a queue.
//!
//! Every message a client sends takes a permit, which travels with what the message causes (a reply in the client's
//! own outbox, or the relayed message in another's) and comes back when that is written. Without permits left, the
//! client is not read, so TCP slows it down: a burst of any length reaches a peer that keeps reading, whole.
//!
//! A peer that stopped reading would hold the permits for ever, and with them everything else the client has to say.
//! So patience is short, and runs out once: from then on the client sends without permits until there are some, the
//! queue of the peer that does not read overflows, and only that peer pays for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::cluster::{Receipt, Said};
use crate::config::QueueLimits;

/// Held while a message of a client, or what it caused, waits to be written.
#[derive(Debug)]
pub(crate) enum Permit {
    /// Of a client of this node.
    Own(#[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit),
    /// Of a message that other nodes have to do with.
    Counted(Box<Counted>),
}

/// A message that other nodes have to do with.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Which.
    pub(crate) said: Said,
    /// The permit of a client of this node, if it has one.
    #[expect(dead_code, reason = "it is given back when it is dropped")]
    pub(crate) own: Option<Permit>,
    /// Tells the node of the client, if that is another.
    #[expect(dead_code, reason = "it tells when it is dropped")]
    pub(crate) receipt: Option<Receipt>,
}

impl Permit {
    /// Which message it is, if other nodes have to do with it.
    pub(crate) fn said(&self) -> Option<Said> {
        match self {
            Self::Own(_) => None,
            Self::Counted(counted) => Some(counted.said),
        }
    }
}

/// The permits of one client, counted in bytes.
#[derive(Debug)]
pub(crate) struct Pace {
    permits: Arc<Semaphore>,
    total: usize,
    /// What the smallest message counts for, so that many small ones do not fill a queue either.
    least: usize,
    patience: Duration,
    patient: bool,
}

impl Pace {
    /// Half of a queue with these limits.
    pub(crate) fn half_of(limits: QueueLimits, patience: Duration) -> Self {
        let total = (limits.bytes / 2).clamp(1, Semaphore::MAX_PERMITS);
        let least = total.div_ceil((limits.messages / 2).max(1));
        Self { permits: Arc::new(Semaphore::new(total)), total, least, patience, patient: true }
    }

    /// Waits for a permit for a message of so many bytes; `None` when patience ran out.
    pub(crate) async fn take(&mut self, size: usize) -> Option<Permit> {
        let weight = u32::try_from(size.max(self.least).min(self.total)).unwrap_or(u32::MAX);
        if let Ok(permit) = self.permits.clone().try_acquire_many_owned(weight) {
            self.patient = true;
            return Some(Permit::Own(permit));
        }
        if !self.patient {
            return None;
        }
        // In a box: it is rare, and the space that it takes is taken for as long as the connection lasts.
        let acquiring = self.permits.clone().acquire_many_owned(weight);
        match Box::pin(timeout(self.patience, acquiring)).await {
            Ok(Ok(permit)) => Some(Permit::Own(permit)),
            Ok(Err(_)) | Err(_) => {
                self.patient = false;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_of_the_messages_pass_and_the_next_waits_for_one_of_them() {
        let mut pace = Pace::half_of(QueueLimits { messages: 8, bytes: 800 }, Duration::from_secs(1));
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(pace.take(1).await.expect("there are four"));
        }
        let begin = tokio::time::Instant::now();
        let one = held.pop();
        let (fifth, ()) = tokio::join!(pace.take(1), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(one);
        });
        assert!(fifth.is_some());
        assert_eq!(begin.elapsed(), Duration::from_millis(300));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_runs_out_once_and_comes_back_with_the_permits() {
        let mut pace = Pace::half_of(QueueLimits { messages: 2, bytes: 200 }, Duration::from_secs(1));
        let held = pace.take(1).await;
        let begin = tokio::time::Instant::now();
        for _ in 0..10 {
            assert!(pace.take(1).await.is_none());
        }
        assert_eq!(begin.elapsed(), Duration::from_secs(1));
        drop(held);
        assert!(pace.take(1).await.is_some());
        assert!(pace.patient);
    }
}
