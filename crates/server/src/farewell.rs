//! The last words to a client.

use duologue_protocol::{GoingAway, ServerMessage, to_json};
use futures_util::SinkExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::dismissal::Dismissal;
use crate::ending::Ending;
use crate::metrics::Metrics;
use crate::outbox::Outgoing;
use crate::refusal;

/// The close code of a client that was let go because it reads too slowly (RFC 6455, section 7.4.2: private use).
const TOO_SLOW: u16 = 4008;
/// The close code of a connection whose session goes on over a newer one.
const REPLACED: u16 = 4009;
/// The close code of a client that was taken out of its room.
const REMOVED: u16 = 4010;
/// The close code of a client that was let go because it sent too much for too long.
const TOO_FAST: u16 = 4011;
/// The close code of a client that did not say anything in time.
const FIRST_MESSAGE_TIMEOUT: u16 = 4012;
/// The close code of a client that was in no room for too long.
const LOBBY_TIMEOUT: u16 = 4013;

/// Says goodbye as the ending asks. May wait for as long as the client does not read: give it a deadline.
pub(crate) async fn farewell<S>(
    mut socket: WebSocketStream<S>,
    mut outgoing: Outgoing,
    ending: Ending,
    metrics: &Metrics,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (last, code, reason) = match ending {
        Ending::Broken | Ending::Silent => return Ok(()),
        // The answer to the client's own close frame is written already; it only has to leave.
        Ending::Closed | Ending::Aborted => return socket.flush().await,
        Ending::Dismissed(Dismissal::Slow) => {
            (Some(refusal::too_slow()), CloseCode::from(TOO_SLOW), "too slow")
        }
        Ending::Dismissed(Dismissal::Replaced) => {
            (Some(refusal::replaced()), CloseCode::from(REPLACED), "replaced by a newer connection")
        }
        Ending::Dismissed(Dismissal::Removed) => {
            (Some(refusal::removed()), CloseCode::from(REMOVED), "removed from the room")
        }
        Ending::Dismissed(Dismissal::Moved) => {
            let hint = GoingAway { retry_after: 1 };
            (Some(ServerMessage::GoingAway(hint)), CloseCode::Away, "the room goes on elsewhere")
        }
        Ending::Dismissed(Dismissal::TooFast) => {
            (Some(refusal::too_fast()), CloseCode::from(TOO_FAST), "too fast")
        }
        Ending::Dismissed(Dismissal::SaidNothing) => {
            (Some(refusal::said_nothing()), CloseCode::from(FIRST_MESSAGE_TIMEOUT), "no message in time")
        }
        Ending::Dismissed(Dismissal::JoinedNothing) => {
            (Some(refusal::joined_nothing()), CloseCode::from(LOBBY_TIMEOUT), "in no room for too long")
        }
        Ending::FarTooLarge => (Some(refusal::far_too_large()), CloseCode::Size, "message too large"),
        Ending::NotWebSocket => (None, CloseCode::Protocol, "not WebSocket as in RFC 6455"),
        Ending::NotUtf8 => (None, CloseCode::Invalid, "a text frame must be UTF-8"),
        Ending::Stopping(departure) => {
            let hint = GoingAway { retry_after: departure.retry_after };
            (Some(ServerMessage::GoingAway(hint)), CloseCode::Away, "the server is shutting down")
        }
    };
    // What waits for a client that is let go is more than it reads, or goes to a newer connection, or concerns it no
    // longer.
    if !matches!(ending, Ending::Dismissed(_)) {
        while let Some(text) = outgoing.try_next() {
            socket.feed(Message::Text(text)).await?;
        }
    }
    if let Some(last) = last {
        metrics.told(&last);
        socket.feed(text(&last)).await?;
    }
    socket.close(Some(CloseFrame { code, reason: reason.into() })).await?;

    // A socket that is dropped with something unread in it resets the connection, and the client may never see what
    // was written last. So the server's half is closed, and what still comes is read and thrown away.
    let raw = socket.get_mut();
    raw.shutdown().await?;
    let mut rest = [0; 4096];
    while raw.read(&mut rest).await? > 0 {}
    Ok(())
}

fn text(message: &ServerMessage) -> Message {
    Message::text(to_json(message))
}
