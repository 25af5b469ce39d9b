//! One client's socket, from the upgrade to the goodbye.
//!
//! Reading and writing go on side by side in one task, so that a client that does not read is still heard, and the
//! other way round. Whichever ends first, the connection ends: the room hears of it at once, and then the client gets
//! a goodbye that takes a bounded time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::conversation::Conversation;
use crate::farewell::farewell;
use crate::outbox::{Dismissal, Outgoing, outbox};
use crate::pace::Pace;
use crate::registry::Rooms;
use crate::room::Parting;
use crate::turn::Ice;

/// The largest frame and message that is read at all. Above the protocol's own limit, so that what is a little too
/// large gets an answer and the connection stays usable; what is far too large ends it.
const READABLE: usize = 256 * 1024;

/// What every connection of a server shares.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    /// What the server was told.
    pub(crate) config: Arc<Config>,
    /// The STUN and TURN servers that clients are told of.
    pub(crate) ice: Arc<Ice>,
    /// Its rooms.
    pub(crate) rooms: Rooms,
    /// Cancelled when it shuts down.
    pub(crate) stopping: CancellationToken,
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The client closed it.
    Closed,
    /// The client closed it for a reason of its own that is no goodbye.
    Aborted,
    /// The socket broke.
    Broken,
    /// Nothing was heard from the client for too long.
    Silent,
    /// The server let go of the client.
    Dismissed(Dismissal),
    /// The client sent something too large to be read.
    FarTooLarge,
    /// The client broke the rules of WebSocket (RFC 6455).
    NotWebSocket,
    /// The client sent a text frame that is not UTF-8 (RFC 6455, section 8.1).
    NotUtf8,
    /// The server shuts down.
    Stopping,
}

impl Ending {
    /// What the room is told. Nothing when the server shuts down: the others have no cause to end their call, which
    /// outlives the server.
    fn parting(self) -> Option<Parting> {
        match self {
            Self::Stopping => None,
            Self::Closed => Some(Parting::Left),
            _ => Some(Parting::Broken),
        }
    }

    fn of_close(frame: Option<&CloseFrame>) -> Self {
        match frame.map(|frame| frame.code) {
            None | Some(CloseCode::Normal | CloseCode::Away | CloseCode::Status) => Self::Closed,
            Some(_) => Self::Aborted,
        }
    }

    fn of_error(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::FarTooLarge,
            Error::Utf8(_) => Self::NotUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Broken,
            Error::Protocol(_) => Self::NotWebSocket,
            _ => Self::Broken,
        }
    }
}

/// Talks to a client until either side ends it.
pub(crate) async fn run<S>(socket: S, hub: &Hub)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Small buffers: most connections are idle most of the time, and there may be many. The write buffer holds what
    // is being written, one message at a time; what waits is in the outbox.
    let settings = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024)
        .max_write_buffer_size(2 * READABLE)
        .max_message_size(Some(READABLE))
        .max_frame_size(Some(READABLE));
    let (mut sink, mut stream) =
        WebSocketStream::from_raw_socket(socket, Role::Server, Some(settings)).await.split();

    let timing = hub.config.timing;
    let limits = hub.rooms.settings().queue;
    let (outbox, mut outgoing) = outbox(limits);
    let pace = Pace::half_of(limits, timing.patience);
    let mut conversation = Conversation::new(hub.rooms.clone(), hub.ice.clone(), outbox.clone(), pace);

    tracing::debug!("connected");
    // Reading comes before writing: a close frame that has arrived counts, even if writing has failed already.
    let ending = tokio::select! {
        biased;
        () = hub.stopping.cancelled() => Ending::Stopping,
        why = outbox.dismissed() => Ending::Dismissed(why),
        ending = listen(&mut stream, &mut conversation, timing.silence) => ending,
        ending = speak(&mut sink, &mut outgoing, timing.ping) => ending,
    };
    tracing::debug!(?ending, "disconnected");
    conversation.end(ending.parting());
    if let Ok(socket) = stream.reunite(sink) {
        // A client that is stalled cannot be waited for. The socket is dropped after this, whatever came of it.
        let _ = timeout(timing.goodbye, farewell(socket, outgoing, ending)).await;
    }
}

async fn listen<S>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    conversation: &mut Conversation,
    silence: Duration,
) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let Ok(next) = timeout(silence, stream.next()).await else { return Ending::Silent };
        match next {
            Some(Ok(Message::Text(text))) => conversation.hear(&text).await,
            Some(Ok(Message::Binary(bytes))) => conversation.hear_bytes(&bytes).await,
            Some(Ok(Message::Close(frame))) => return Ending::of_close(frame.as_ref()),
            // A ping is answered by the library; a pong only has to have come.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return Ending::of_error(&error),
            None => return Ending::Broken,
        }
    }
}

async fn speak<S>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    outgoing: &mut Outgoing,
    ping: Duration,
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
                Some(text) => sink.send(Message::Text(text)).await,
                None => return Ending::Broken,
            },
        };
        if written.is_err() {
            return Ending::Broken;
        }
    }
}
