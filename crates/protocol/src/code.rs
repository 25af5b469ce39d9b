//! The closed word lists of the protocol that may grow: error codes and the reasons a peer left. A client meets words
//! it does not know as [`ErrorCode::Other`] and [`LeaveReason::Other`] instead of failing.

use std::fmt;

use crate::value::{Read, Reader, Value};
use crate::write::{Write, Writer};

/// Declares an enum that is a word on the wire and keeps a word it does not know.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word this version does not know.
            Other(String),
        }

        impl $name {
            /// Every word this version knows.
            pub const ALL: &'static [&'static str] = &[$($word,)+];

            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                match value {
                    $name::Other(word) => word,
                    known => known.as_str().to_owned(),
                }
            }
        }

        impl Read for $name {
            fn read<V: Value>(reader: &mut Reader<V>) -> Self {
                Self::from(String::read(reader))
            }
        }

        impl Write for $name {
            fn write(&self, writer: &mut Writer) {
                self.as_str().write(writer);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What went wrong, for programs. Codes are stable: they are never renamed and never change their meaning.
    ErrorCode {
        /// The frame is not JSON text, or not a JSON object with a `type`.
        BadJson = "bad-json",
        /// The `type` is none the server knows.
        UnknownType = "unknown-type",
        /// A field is missing or not what it should be.
        BadMessage = "bad-message",
        /// The message is larger than the limit.
        MessageTooLarge = "message-too-large",
        /// The session description is larger than the limit.
        SdpTooLarge = "sdp-too-large",
        /// The candidate is larger than the limit.
        CandidateTooLarge = "candidate-too-large",
        /// The client speaks a version of the protocol that the server does not.
        UnsupportedProtocol = "unsupported-protocol",
        /// The message only makes sense in a room.
        NotJoined = "not-joined",
        /// A connection joins one room, once.
        AlreadyJoined = "already-joined",
        /// The room holds as many people as it may.
        RoomFull = "room-full",
        /// `to` was left out, and more than one other is in the room.
        AmbiguousRecipient = "ambiguous-recipient",
        /// There is nobody of that id, or nobody at all, to relay to.
        NoRecipient = "no-recipient",
        /// The way to the recipient is cut within the server, and too much waits already.
        NotDelivered = "not-delivered",
        /// The session cannot be taken up again; join anew.
        SessionUnknown = "session-unknown",
        /// The session was taken up over another connection.
        Replaced = "replaced",
        /// Someone who may do so took the client out of the room.
        Removed = "removed",
        /// The client read too slowly, and was let go so that the others feel nothing.
        TooSlow = "too-slow",
        /// The client said more than it may for too long, and was let go.
        TooFast = "too-fast",
        /// The connection began with silence.
        FirstMessageTimeout = "first-message-timeout",
        /// The connection was in no room for too long.
        LobbyTimeout = "lobby-timeout",
        /// The message's objects and lists are nested too deep.
        TooDeep = "too-deep",
        /// The server holds as many rooms as it may.
        TooManyRooms = "too-many-rooms",
        /// The server cannot take this on at the moment.
        Busy = "busy",
        /// The room asks for a token, and there is none, or one that does not open it.
        TokenInvalid = "token-invalid",
        /// The token's time is over.
        TokenExpired = "token-expired",
        /// Whoever was asked to let the client in did not.
        Denied = "denied",
        /// That is for admins.
        NotAllowed = "not-allowed",
    }
}

words! {
    /// Why a peer is no longer in the room.
    LeaveReason {
        /// They left, or closed the page.
        Left = "left",
        /// Their connection broke and did not come back.
        Lost = "lost",
        /// They came in again elsewhere; this connection is the older one.
        Replaced = "replaced",
        /// Someone who may do so took them out of the room.
        Removed = "removed",
    }
}
