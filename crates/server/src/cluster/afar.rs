//! A client of another node, as the owner of the room has it: an outbox like any other, emptied into a link.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::way::Way;
use super::wire::{How, Item, Said};
use crate::outbox::Outgoing;
use crate::room::Admission;

/// Tells the node of a client that a message of it is with whom it was for, or answered, as soon as it is dropped.
#[derive(Debug)]
pub(crate) struct Receipt {
    /// The way to it.
    pub(super) way: Way,
    /// Which message.
    pub(super) said: Said,
    /// Whether the room goes on at another node: then it has to be said again there.
    pub(super) void: Arc<AtomicBool>,
}

impl Drop for Receipt {
    fn drop(&mut self) {
        let Said { connection, n } = self.said;
        if self.void.load(Ordering::Acquire) {
            return;
        }
        self.way.send(Item::Done { connection, n });
    }
}

/// What the room hears of a client of another node.
#[derive(Debug)]
pub(super) enum News {
    /// The room has decided whether somebody is in.
    Admitted {
        /// The way to their node.
        way: Way,
        /// Their connection.
        connection: u64,
        /// What it has decided.
        how: How,
    },
    /// The room has nothing more to say to a connection.
    Over {
        /// The way to its node.
        way: Way,
        /// Which.
        connection: u64,
    },
}

/// Passes on what the room says to a client of another node, until it says no more.
pub(super) async fn pass_on(
    way: Way,
    client: (String, u64),
    mut outgoing: Outgoing,
    news: mpsc::UnboundedSender<News>,
) {
    let (id, connection) = client;
    let mut dismissed = Box::pin(outgoing.dismissal());
    loop {
        tokio::select! {
            biased;
            why = &mut dismissed => {
                way.send(Item::Dismiss { connection, why: why.name().to_owned() });
                return;
            }
            next = outgoing.next_held() => match next {
                Some((text, held)) => {
                    let by = held.said();
                    let item = Item::Tell { id: id.clone(), connection, text: text.to_string(), by };
                    way.send_holding(item, held);
                }
                None => {
                    // Nobody may be there to hear it.
                    let _ = news.send(News::Over { way, connection });
                    return;
                }
            }
        }
    }
}

/// Waits for what the room decides.
pub(super) async fn decided(
    way: Way,
    connection: u64,
    admission: oneshot::Receiver<Admission>,
    news: mpsc::UnboundedSender<News>,
) {
    let tell = |how| {
        let _ = news.send(News::Admitted { way: way.clone(), connection, how });
    };
    match admission.await {
        Ok(Admission::Inside) => tell(How::Inside),
        Ok(Admission::Waiting(end)) => {
            tell(How::Waiting);
            // If the room goes on elsewhere, it is decided there.
            if end.await == Ok(true) {
                tell(How::Inside);
            }
        }
        // Who is not let in is told why, and then that it is over: in this order, by the task that passes it on.
        Ok(Admission::Outside) | Err(_) => {}
    }
}
