//! One client's socket, from the upgrade to the goodbye.
//!
//! Reading and writing go on side by side in one task, so that a client that does not read is still heard, and the
//! other way round. Whichever ends first, the connection ends: the room hears of it at once, and then the client gets
//! a goodbye that takes a bounded time.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use crate::buffered::Buffered;
use crate::config::Config;
use crate::conversation::{Bounds, Conversation};
use crate::departure::{Departure, moment};
use crate::ending::Ending;
use crate::farewell::farewell;
use crate::limits::{Lobby, Throttle, Visitor, Visitors};
use crate::metrics::Metrics;
use crate::outbox::{Outbox, Outgoing, outbox};
use crate::pace::Pace;
use crate::registry::Rooms;
use crate::token::Tokens;
use crate::turn::Ice;

/// The largest frame and message that is read at all. Above the protocol's own limit, so that what is a little too
/// large gets an answer and the connection stays usable; what is far too large ends it.
const READABLE: usize = 256 * 1024;
/// As many bytes as this, and a message, are taken out of the queue before they are written.
const WRITTEN_TOGETHER: usize = 4 * 1024;

/// What every connection of a server shares.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    /// What the server was told.
    pub(crate) config: Arc<Config>,
    /// The STUN and TURN servers that clients are told of.
    pub(crate) ice: Arc<Ice>,
    /// What opens rooms.
    pub(crate) tokens: Arc<Tokens>,
    /// Its rooms.
    pub(crate) rooms: Rooms,
    /// The connections of each address.
    pub(crate) visitors: Visitors,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// Cancelled when it has said goodbye to those in rooms, and ends.
    pub(crate) stopping: CancellationToken,
    /// Says how clients are let go, once they are to be.
    pub(crate) departures: watch::Sender<Option<Departure>>,
}

/// Talks to a client until either side ends it.
pub(crate) async fn run<S>(socket: S, hub: &Hub, visitor: Visitor)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sink, mut stream) =
        WebSocketStream::from_raw_socket(Buffered::new(socket), Role::Server, Some(buffers())).await.split();

    let timing = &hub.config.timing;
    let (outbox, mut outgoing) = outbox(hub.rooms.settings().queue, hub.metrics.clone());
    let mut conversation = converse(hub, &outbox, visitor);

    let mut departures = hub.departures.subscribe();

    let counted = hub.metrics.connection();
    tracing::debug!("connected");
    // Reading comes before writing: a close frame that has arrived counts, even if writing has failed already.
    let ending = tokio::select! {
        biased;
        departure = moment(&mut departures) => Ending::Stopping(departure),
        why = outbox.dismissed() => Ending::Dismissed(why),
        ending = listen(&mut stream, &mut conversation, timing.silence, &hub.metrics) => ending,
        ending = speak(&mut sink, &mut outgoing, timing.ping, &hub.metrics) => ending,
    };
    tracing::debug!(?ending, "disconnected");
    hub.metrics.ended(ending);
    conversation.end(ending.parting());
    if let Ok(socket) = stream.reunite(sink) {
        // A client that is stalled cannot be waited for. The socket is dropped after this, whatever came of it.
        // In a box: until then nobody needs the space that it takes.
        let words = Box::pin(farewell(socket, outgoing, ending, &hub.metrics));
        let _ = timeout(timing.goodbye, words).await;
    }
    drop(counted);
}

/// Small buffers: most connections are idle most of the time, and there may be many. A larger message makes the read buffer
/// grow to its size, and much is read at once all the same ([`Buffered`]). The write buffer holds what is being written; what
/// waits is in the outbox.
fn buffers() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(WRITTEN_TOGETHER)
        .max_write_buffer_size(2 * READABLE)
        .max_message_size(Some(READABLE))
        .max_frame_size(Some(READABLE))
}

/// Begins a conversation. Not in [`run`]: what is only needed here would take its space there for as long as it lasts.
fn converse(hub: &Hub, outbox: &Outbox, visitor: Visitor) -> Conversation {
    let settings = hub.rooms.settings();
    let bounds = Bounds {
        pace: Pace::half_of(settings.queue, hub.config.timing.patience),
        throttle: Box::new(Throttle::new(&settings.limits, outbox.clone(), hub.metrics.clone())),
        lobby: Lobby::new(&settings.limits, Some(visitor)),
    };
    Conversation::new(hub.rooms.clone(), hub.ice.clone(), hub.tokens.clone(), outbox.clone(), bounds)
}

async fn listen<S>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    conversation: &mut Conversation,
    silence: Duration,
    metrics: &Metrics,
) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut heard = Instant::now();
    let mut alarm = pin!(sleep_until(heard + silence));
    loop {
        let (until, ending) = match conversation.deadline() {
            Some((until, why)) if until < heard + silence => (until, Ending::Dismissed(why)),
            _ => (heard + silence, Ending::Silent),
        };
        // Even if the next message is here already.
        if until <= Instant::now() {
            return ending;
        }
        // When it may ring later than it will, it is not set anew for each message, but when it rings.
        if until < alarm.deadline() {
            alarm.as_mut().reset(until);
        }
        let next = tokio::select! {
            biased;
            next = stream.next() => next,
            () = alarm.as_mut() => {
                alarm.as_mut().reset(until);
                continue;
            }
            admission = conversation.admission(), if conversation.is_entering() => {
                Box::pin(conversation.entered(admission)).await;
                heard = Instant::now();
                continue;
            }
        };
        match next {
            Some(Ok(Message::Text(text))) => {
                metrics.received(text.len());
                conversation.hear(&text).await;
            }
            Some(Ok(Message::Binary(bytes))) => {
                metrics.received(bytes.len());
                conversation.hear_bytes(&bytes).await;
            }
            Some(Ok(Message::Close(frame))) => return Ending::of_close(frame.as_ref()),
            // A ping is answered by the library; a pong only has to have come.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => conversation.sense().await,
            Some(Err(error)) => return Ending::of_error(&error),
            None => return Ending::Broken,
        }
        heard = Instant::now();
    }
}

async fn speak<S>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    outgoing: &mut Outgoing,
    ping: Duration,
    metrics: &Metrics,
) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut pings = interval_at(Instant::now() + ping, ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let written = tokio::select! {
            biased;
            _ = pings.tick() => sink.send(Message::Ping(Bytes::new())).await,
            text = outgoing.next() => match text {
                Some(text) => say(sink, text, outgoing, metrics).await,
                None => return Ending::Broken,
            },
        };
        if written.is_err() {
            return Ending::Broken;
        }
    }
}

/// Writes this message and those that wait behind it, together: what the system takes for each write is more than all that
/// is done here for a message. No more than fill the write buffer once are taken out of the queue before they are written.
async fn say<S>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    first: Utf8Bytes,
    outgoing: &mut Outgoing,
    metrics: &Metrics,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut next = Some(first);
    while let Some(text) = next {
        metrics.sent(text.len());
        sink.feed(Message::Text(text)).await?;
        next = outgoing.try_next();
    }
    sink.flush().await
}

#[cfg(test)]
mod tests;
