//! What waits to be written to one client: a bounded queue.
//!
//! Putting a message in never waits. A client whose queue overflows reads too slowly, and is let go so that the
//! others feel nothing: the overflow closes the outbox for good and wakes the client's connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use duologue_protocol::{ServerMessage, to_json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use crate::config::QueueLimits;
use crate::pace::Permit;

/// The end that messages are put in. Clones put into the same queue.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Queued>,
    bytes: Arc<AtomicUsize>,
    limit: usize,
    overflowed: CancellationToken,
}

/// The end that the connection writes from.
#[derive(Debug)]
pub(crate) struct Outgoing {
    queue: mpsc::Receiver<Queued>,
    bytes: Arc<AtomicUsize>,
}

/// A message that waits, and the permit of the client that caused it.
#[derive(Debug)]
struct Queued {
    text: Utf8Bytes,
    permit: Option<Permit>,
}

/// The message was not taken: the client overflowed its queue, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// Makes a queue of so much.
pub(crate) fn outbox(limits: QueueLimits) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::channel(limits.messages.max(1));
    let bytes = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox {
        queue: sender,
        bytes: bytes.clone(),
        limit: limits.bytes,
        overflowed: CancellationToken::new(),
    };
    (outbox, Outgoing { queue: receiver, bytes })
}

impl Outbox {
    /// Puts a message in, without waiting. The permit is given back once the message is on its way to the client.
    pub(crate) fn push(&self, message: &ServerMessage, permit: Option<Permit>) -> Result<(), Gone> {
        if self.overflowed.is_cancelled() {
            return Err(Gone);
        }
        let text = match to_json(message) {
            Ok(text) => Utf8Bytes::from(text),
            Err(error) => {
                tracing::error!(%error, "a message could not be encoded, and was not sent");
                return Ok(());
            }
        };
        let size = text.len();
        // Counted before it is put in, so that the reader never subtracts what was not added.
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        if before.saturating_add(size) <= self.limit && self.queue.try_send(Queued { text, permit }).is_ok() {
            return Ok(());
        }
        self.bytes.fetch_sub(size, Ordering::Relaxed);
        if !self.queue.is_closed() {
            self.overflowed.cancel();
        }
        Err(Gone)
    }

    /// Resolves when the queue has overflowed.
    pub(crate) async fn overflowed(&self) {
        self.overflowed.cancelled().await;
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
        let Queued { text, permit } = queued;
        self.bytes.fetch_sub(text.len(), Ordering::Relaxed);
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

    #[test]
    fn too_many_messages_overflow_and_nothing_is_taken_after_that() {
        let (outbox, mut outgoing) = outbox(limits(2, 1000));
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Ok(()));
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Ok(()));
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Err(Gone));
        assert!(outbox.overflowed.is_cancelled());
        assert!(outgoing.try_next().is_some());
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Err(Gone));
    }

    #[test]
    fn too_many_bytes_overflow() {
        let (outbox, _outgoing) = outbox(limits(100, 40));
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Ok(()));
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Ok(()));
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Err(Gone));
        assert!(outbox.overflowed.is_cancelled());
    }

    #[test]
    fn what_was_written_makes_room() {
        let (outbox, mut outgoing) = outbox(limits(1, 20));
        for _ in 0..10 {
            assert_eq!(outbox.push(&ServerMessage::Pong, None), Ok(()));
            assert!(outgoing.try_next().is_some());
        }
        assert_eq!(outbox.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_client_that_is_gone_has_not_overflowed() {
        let (outbox, outgoing) = outbox(limits(1, 20));
        drop(outgoing);
        assert_eq!(outbox.push(&ServerMessage::Pong, None), Err(Gone));
        assert!(!outbox.overflowed.is_cancelled());
    }
}
