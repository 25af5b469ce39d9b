//! What waits to be written to one client: a bounded queue.
//!
//! Putting a message in never waits. A client whose queue overflows reads too slowly, and is let go so that the
//! others feel nothing: that closes the outbox for good and wakes the client's connection, as any other reason to let
//! go of a client does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use duologue_protocol::{Numbered, ServerMessage, to_json};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::cluster::Said;
use crate::config::QueueLimits;
use crate::dismissal::Dismissal;
use crate::metrics::Metrics;
use crate::pace::Permit;

/// The end that messages are put in. Clones put into the same queue.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::UnboundedSender<Box<Queued>>,
    load: Arc<Load>,
    metrics: Metrics,
}

/// The end that the connection writes from.
#[derive(Debug)]
pub(crate) struct Outgoing {
    queue: mpsc::UnboundedReceiver<Box<Queued>>,
    load: Arc<Load>,
}

/// What waits, as far as it counts; and whether the client is let go.
#[derive(Debug, Default)]
struct Load {
    limits: QueueLimits,
    messages: AtomicUsize,
    bytes: AtomicUsize,
    dismissed: OnceLock<Dismissal>,
    /// Told when it is.
    dismissal: Notify,
}

/// A message that waits, and the permit of the client that caused it. In a box: even an empty queue has room for some dozens.
#[derive(Debug)]
struct Queued {
    text: Utf8Bytes,
    permit: Option<Permit>,
    counts: bool,
}

/// The message was not taken: the client was let go, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// A message as the text that is sent.
pub(crate) fn encode(message: &Numbered) -> Utf8Bytes {
    Utf8Bytes::from(to_json(message))
}

/// Makes a queue of so much.
pub(crate) fn outbox(limits: QueueLimits, metrics: Metrics) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let load = Arc::new(Load { limits, ..Load::default() });
    let outbox = Outbox { queue: sender, load: load.clone(), metrics };
    (outbox, Outgoing { queue: receiver, load })
}

impl Outbox {
    /// Puts a text in, without waiting. The permit is given back once the text is on its way to the client.
    pub(crate) fn push(&self, text: Utf8Bytes, permit: Option<Permit>) -> Result<(), Gone> {
        let size = text.len();
        // Counted before it is put in, so that the reader never subtracts what was not added.
        if !self.load.add(size) {
            self.load.subtract(size);
            if !self.queue.is_closed() {
                self.dismiss(Dismissal::Slow);
            }
            return Err(Gone);
        }
        self.put(Queued { text, permit, counts: true })
    }

    /// Puts a message in that has no number.
    pub(crate) fn say(&self, message: &ServerMessage, permit: Option<Permit>) -> Result<(), Gone> {
        self.metrics.told(message);
        self.push(Utf8Bytes::from(to_json(message)), permit)
    }

    /// Puts in what another connection may not have brought. It does not count: the session's log holds the same text,
    /// and is bounded by itself.
    pub(crate) fn replay(&self, text: Utf8Bytes) -> Result<(), Gone> {
        self.put(Queued { text, permit: None, counts: false })
    }

    fn put(&self, queued: Queued) -> Result<(), Gone> {
        if self.load.dismissed.get().is_some() {
            return Err(Gone);
        }
        self.queue.send(Box::new(queued)).map_err(|_| Gone)
    }

    /// Lets go of the client: nothing is taken any more, and its connection ends. The first word counts.
    pub(crate) fn dismiss(&self, why: Dismissal) {
        if self.load.dismissed.set(why).is_ok() {
            self.load.dismissal.notify_waiters();
        }
    }

    /// Resolves when the client is let go.
    pub(crate) async fn dismissed(&self) -> Dismissal {
        self.load.dismissed().await
    }
}

/// What a message that is on its way to another node still counts for.
#[derive(Debug)]
pub(crate) struct Held {
    counted: Option<(Arc<Load>, usize)>,
    permit: Option<Permit>,
}

impl Held {
    /// Which message it was caused by, if it was relayed.
    pub(crate) fn said(&self) -> Option<Said> {
        self.permit.as_ref().and_then(Permit::said)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((load, size)) = &self.counted {
            load.subtract(*size);
        }
    }
}

impl Load {
    async fn dismissed(&self) -> Dismissal {
        loop {
            // Before looking: from here on nothing is missed.
            let told = self.dismissal.notified();
            if let Some(why) = self.dismissed.get() {
                return *why;
            }
            told.await;
        }
    }

    /// Adds a message, and gives whether all of them are within the limits.
    fn add(&self, size: usize) -> bool {
        let messages = self.messages.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes.fetch_add(size, Ordering::Relaxed);
        messages < self.limits.messages.max(1) && bytes.saturating_add(size) <= self.limits.bytes
    }

    fn subtract(&self, size: usize) {
        self.messages.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(size, Ordering::Relaxed);
    }
}

impl Outgoing {
    /// The next message. Waits until there is one; `None` when no outbox is left. Nothing is lost if the future is
    /// dropped.
    pub(crate) async fn next(&mut self) -> Option<Utf8Bytes> {
        let queued = self.queue.recv().await?;
        Some(self.take(*queued))
    }

    /// The next message, which counts for as long as what comes with it is kept: for one who is connected to another node.
    pub(crate) async fn next_held(&mut self) -> Option<(Utf8Bytes, Held)> {
        let Queued { text, permit, counts } = *self.queue.recv().await?;
        let counted = counts.then(|| (self.load.clone(), text.len()));
        Some((text, Held { counted, permit }))
    }

    /// Resolves when the client is let go. Does not keep the outbox.
    pub(crate) fn dismissal(&self) -> impl Future<Output = Dismissal> + use<> {
        let load = self.load.clone();
        async move { load.dismissed().await }
    }

    /// The next message, if one waits.
    pub(crate) fn try_next(&mut self) -> Option<Utf8Bytes> {
        let queued = self.queue.try_recv().ok()?;
        Some(self.take(*queued))
    }

    fn take(&self, queued: Queued) -> Utf8Bytes {
        let Queued { text, permit, counts } = queued;
        if counts {
            self.load.subtract(text.len());
        }
        drop(permit);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(limits: QueueLimits) -> (Outbox, Outgoing) {
        super::outbox(limits, Metrics::new())
    }

    fn limits(messages: usize, bytes: usize) -> QueueLimits {
        QueueLimits { messages, bytes }
    }

    fn pong(outbox: &Outbox) -> Result<(), Gone> {
        outbox.say(&ServerMessage::Pong, None)
    }

    fn why(outbox: &Outbox) -> Option<Dismissal> {
        outbox.load.dismissed.get().copied()
    }

    #[test]
    fn too_many_messages_overflow_and_nothing_is_taken_after_that() {
        let (outbox, mut outgoing) = outbox(limits(2, 1000));
        assert_eq!(pong(&outbox), Ok(()));
        assert_eq!(pong(&outbox), Ok(()));
        assert_eq!(pong(&outbox), Err(Gone));
        assert_eq!(why(&outbox), Some(Dismissal::Slow));
        assert!(outgoing.try_next().is_some());
        assert_eq!(pong(&outbox), Err(Gone));
    }

    #[test]
    fn too_many_bytes_overflow() {
        let (outbox, _outgoing) = outbox(limits(100, 40));
        assert_eq!(pong(&outbox), Ok(()));
        assert_eq!(pong(&outbox), Ok(()));
        assert_eq!(pong(&outbox), Err(Gone));
        assert_eq!(why(&outbox), Some(Dismissal::Slow));
    }

    #[test]
    fn what_was_written_makes_room() {
        let (outbox, mut outgoing) = outbox(limits(1, 20));
        for _ in 0..10 {
            assert_eq!(pong(&outbox), Ok(()));
            assert!(outgoing.try_next().is_some());
        }
        assert_eq!(outbox.load.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(outbox.load.messages.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_client_that_is_gone_has_not_overflowed() {
        let (outbox, outgoing) = outbox(limits(1, 20));
        drop(outgoing);
        assert_eq!(pong(&outbox), Err(Gone));
        assert_eq!(pong(&outbox), Err(Gone));
        assert_eq!(why(&outbox), None);
    }

    #[test]
    fn what_is_replayed_leaves_the_whole_queue_for_what_is_new() {
        let (outbox, mut outgoing) = outbox(limits(1, 20));
        for _ in 0..10 {
            assert_eq!(outbox.replay(Utf8Bytes::from_static("missed")), Ok(()));
        }
        assert_eq!(pong(&outbox), Ok(()));
        for _ in 0..10 {
            assert_eq!(outgoing.try_next().as_deref(), Some("missed"));
        }
        assert_eq!(pong(&outbox), Err(Gone));
    }

    #[tokio::test]
    async fn who_is_let_go_is_told_the_first_reason_and_nothing_else() {
        let (outbox, mut outgoing) = outbox(limits(10, 1000));
        let (why, ()) = tokio::join!(outbox.dismissed(), async {
            outbox.dismiss(Dismissal::Replaced);
            outbox.dismiss(Dismissal::Removed);
        });
        assert_eq!(why, Dismissal::Replaced);
        assert_eq!(outbox.dismissed().await, Dismissal::Replaced);
        assert_eq!(pong(&outbox), Err(Gone));
        assert_eq!(outbox.replay(Utf8Bytes::from_static("missed")), Err(Gone));
        assert_eq!(outgoing.try_next(), None);
    }
}
