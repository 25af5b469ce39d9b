//! Why a connection ends, and what that means to the room.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::departure::Departure;
use crate::dismissal::Dismissal;
use crate::room::Parting;

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
    Stopping(Departure),
}

impl Ending {
    /// What the counters call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Aborted => "aborted",
            Self::Broken => "broken",
            Self::Silent => "silent",
            Self::Dismissed(why) => why.name(),
            Self::FarTooLarge => "message-too-large",
            Self::NotWebSocket => "not-websocket",
            Self::NotUtf8 => "not-utf8",
            Self::Stopping(_) => "stopping",
        }
    }

    /// All that [`Ending::name`] can give.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        let endings = [
            Self::Closed,
            Self::Aborted,
            Self::Broken,
            Self::Silent,
            Self::FarTooLarge,
            Self::NotWebSocket,
            Self::NotUtf8,
            Self::Stopping(Departure::at_once(0)),
        ];
        endings.into_iter().chain(Dismissal::ALL.map(Self::Dismissed)).map(Self::name)
    }

    /// What the room is told. Nothing when the server shuts down: the others have no cause to end their call, which
    /// outlives the server.
    pub(crate) fn parting(self) -> Option<Parting> {
        match self {
            Self::Stopping(_) => None,
            Self::Closed => Some(Parting::Left),
            _ => Some(Parting::Broken),
        }
    }

    /// What a close frame means: without a code, or with one that says no more than goodbye, the client has left.
    pub(crate) fn of_close(frame: Option<&CloseFrame>) -> Self {
        match frame.map(|frame| frame.code) {
            None | Some(CloseCode::Normal | CloseCode::Away | CloseCode::Status) => Self::Closed,
            Some(_) => Self::Aborted,
        }
    }

    /// What it means that reading failed.
    pub(crate) fn of_error(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::FarTooLarge,
            Error::Utf8(_) => Self::NotUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Broken,
            Error::Protocol(_) => Self::NotWebSocket,
            _ => Self::Broken,
        }
    }
}
