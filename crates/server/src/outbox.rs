//! What waits to be written to one client: a bounded queue.
//!
//! Putting a message in never waits. A client whose queue overflows reads too slowly, and is let go so that the
//! others feel nothing: that closes the outbox for good and wakes the client's connection, as any other reason to let
//! go of a client does.

use std::fmt::Display;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use duologue_protocol::{Numbered, ServerMessage, to_json};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::config::QueueLimits;
use crate::pace::Permit;

/// The end that messages are put in. Clones put into the same queue.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::UnboundedSender<Queued>,
    load: Arc<Load>,
    limits: QueueLimits,
    dismissed: watch::Sender<Option<Dismissal>>,
}

/// The end that the connection writes from.
#[derive(Debug)]
pub(crate) struct Outgoing {
    queue: mpsc::UnboundedReceiver<Queued>,
    load: Arc<Load>,
}

/// What waits, as far as it counts.
#[derive(Debug, Default)]
struct Load {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

/// A message that waits, and the permit of the client that caused it.
#[derive(Debug)]
struct Queued {
    text: Utf8Bytes,
    permit: Option<Permit>,
    counts: bool,
}

/// The message was not taken: the client was let go, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// Why the server lets go of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissal {
    /// It does not read what is sent to it.
    Slow,
    /// Its session goes on over a newer connection.
    Replaced,
    /// It was taken out of the room.
    Removed,
}

/// A message as the text that is sent; `None` if it cannot be encoded, which is logged.
pub(crate) fn encode(message: &Numbered) -> Option<Utf8Bytes> {
    text(to_json(message))
}

fn text<E: Display>(encoded: Result<String, E>) -> Option<Utf8Bytes> {
    match encoded {
        Ok(text) => Some(Utf8Bytes::from(text)),
        Err(error) => {
            tracing::error!(%error, "a message could not be encoded, and was not sent");
            None
        }
    }
}

/// Makes a queue of so much.
pub(crate) fn outbox(limits: QueueLimits) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let load = Arc::new(Load::default());
    let dismissed = watch::Sender::new(None);
    let outbox = Outbox { queue: sender, load: load.clone(), limits, dismissed };
    (outbox, Outgoing { queue: receiver, load })
}

impl Outbox {
    /// Puts a text in, without waiting. The permit is given back once the text is on its way to the client.
    pub(crate) fn push(&self, text: Utf8Bytes, permit: Option<Permit>) -> Result<(), Gone> {
        let size = text.len();
        // Counted before it is put in, so that the reader never subtracts what was not added.
        if !self.load.add(size, self.limits) {
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
        text(to_json(message)).map_or(Ok(()), |text| self.push(text, permit))
    }

    /// Puts in what another connection may not have brought. It does not count: the session's log holds the same text,
    /// and is bounded by itself.
    pub(crate) fn replay(&self, text: Utf8Bytes) -> Result<(), Gone> {
        self.put(Queued { text, permit: None, counts: false })
    }

    fn put(&self, queued: Queued) -> Result<(), Gone> {
        if self.dismissed.borrow().is_some() {
            return Err(Gone);
        }
        self.queue.send(queued).map_err(|_| Gone)
    }

    /// Lets go of the client: nothing is taken any more, and its connection ends. The first word counts.
    pub(crate) fn dismiss(&self, why: Dismissal) {
        self.dismissed.send_if_modified(|dismissed| {
            let first = dismissed.is_none();
            dismissed.get_or_insert(why);
            first
        });
    }

    /// Resolves when the client is let go.
    pub(crate) async fn dismissed(&self) -> Dismissal {
        let mut dismissed = self.dismissed.subscribe();
        let why = dismissed.wait_for(Option::is_some).await.ok().and_then(|why| *why);
        match why {
            Some(why) => why,
            // Whoever waits holds an outbox, so there is always one that may yet say it.
            None => pending().await,
        }
    }
}

impl Load {
    /// Adds a message, and gives whether all of them are within the limits.
    fn add(&self, size: usize, limits: QueueLimits) -> bool {
        let messages = self.messages.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes.fetch_add(size, Ordering::Relaxed);
        messages < limits.messages.max(1) && bytes.saturating_add(size) <= limits.bytes
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
        Some(self.take(queued))
    }

    /// The next message, if one waits.
    pub(crate) fn try_next(&mut self) -> Option<Utf8Bytes> {
        let queued = self.queue.try_recv().ok()?;
        Some(self.take(queued))
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

    fn limits(messages: usize, bytes: usize) -> QueueLimits {
        QueueLimits { messages, bytes }
    }

    fn pong(outbox: &Outbox) -> Result<(), Gone> {
        outbox.say(&ServerMessage::Pong, None)
    }

    fn why(outbox: &Outbox) -> Option<Dismissal> {
        *outbox.dismissed.borrow()
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
