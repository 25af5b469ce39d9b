//! The limits by name, for the counters.

use duologue_protocol::ErrorCode;

/// Declares the limits with their names.
macro_rules! limits {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// A limit that somebody went over.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Limit {
            $($(#[$doc])* $variant,)+
        }

        impl Limit {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What the counters call it.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

limits! {
    /// Connections of the server.
    Connections = "connections",
    /// WebSockets of one address.
    ConnectionsPerAddress = "connections_per_address",
    /// Those of them that are in no room.
    LobbyPerAddress = "lobby_per_address",
    /// The time until a client says something.
    FirstMessage = "first_message",
    /// The time in no room.
    Lobby = "lobby",
    /// Rooms.
    Rooms = "rooms",
    /// People in a room.
    RoomSize = "room_size",
    /// The size of a message.
    Message = "message",
    /// The size of a session description.
    Sdp = "sdp",
    /// The size of a candidate.
    Candidate = "candidate",
    /// The depth of a message.
    JsonDepth = "json_depth",
    /// Messages a second.
    Messages = "messages",
    /// Offers and answers a second.
    Offers = "offers",
    /// Candidates a second.
    Candidates = "candidates",
    /// What may wait for one client.
    Queue = "queue",
}

impl Limit {
    /// The limit that an error tells of, if it tells of one and of which. `too-fast` may be one of three.
    pub(crate) fn of(code: &ErrorCode) -> Option<Self> {
        Some(match code {
            ErrorCode::FirstMessageTimeout => Self::FirstMessage,
            ErrorCode::LobbyTimeout => Self::Lobby,
            ErrorCode::TooManyRooms => Self::Rooms,
            ErrorCode::RoomFull => Self::RoomSize,
            ErrorCode::MessageTooLarge => Self::Message,
            ErrorCode::SdpTooLarge => Self::Sdp,
            ErrorCode::CandidateTooLarge => Self::Candidate,
            ErrorCode::TooDeep => Self::JsonDepth,
            ErrorCode::TooSlow => Self::Queue,
            _ => return None,
        })
    }
}
