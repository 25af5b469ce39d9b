//! The errors a client is sent: a code for programs, and words that say what to do.

use duologue_protocol::{DecodeError, ErrorCode, PeerId, Refusal, ServerMessage, VERSION};

/// The longest text that is sent back, in characters. What a client sent wrong may be in it, and need not be echoed
/// whole.
const LONGEST: usize = 300;

fn error(code: ErrorCode, message: &str, fatal: bool) -> ServerMessage {
    let message = match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    };
    ServerMessage::Error(Refusal { code, message, fatal })
}

pub(crate) fn undecodable(problem: &DecodeError) -> ServerMessage {
    error(problem.code(), &problem.to_string(), false)
}

pub(crate) fn not_text() -> ServerMessage {
    error(
        ErrorCode::BadJson,
        "a message must be JSON text; this one was binary and not UTF-8: send it as text",
        false,
    )
}

pub(crate) fn not_joined() -> ServerMessage {
    error(ErrorCode::NotJoined, "you are in no room: send \"join\" first and wait for \"welcome\"", false)
}

pub(crate) fn already_joined() -> ServerMessage {
    error(
        ErrorCode::AlreadyJoined,
        "you are in a room already: send \"leave\" before you join again, or open another connection",
        false,
    )
}

pub(crate) fn unsupported_protocol(asked: u32) -> ServerMessage {
    error(
        ErrorCode::UnsupportedProtocol,
        &format!(
            "this server speaks version {VERSION} of the protocol, not {asked}: join with \"protocol\":{VERSION}, \
             or ask whoever runs the server to update it"
        ),
        false,
    )
}

pub(crate) fn room_full(size: usize) -> ServerMessage {
    error(
        ErrorCode::RoomFull,
        &format!(
            "the room is full, it holds {size} people: join again when someone has left, or choose another room"
        ),
        false,
    )
}

pub(crate) fn busy() -> ServerMessage {
    error(ErrorCode::Busy, "the server cannot take this on at the moment: try again in a few seconds", false)
}

pub(crate) fn session_unknown() -> ServerMessage {
    error(
        ErrorCode::SessionUnknown,
        "the session has ended: a session ends with its connection here, so join again",
        false,
    )
}

pub(crate) fn alone() -> ServerMessage {
    error(ErrorCode::NoRecipient, "nobody else is in the room: wait for \"ready\"", false)
}

pub(crate) fn no_recipient(to: &PeerId) -> ServerMessage {
    error(
        ErrorCode::NoRecipient,
        &format!("no other peer in the room has the id {to}: use one that a \"ready\" named"),
        false,
    )
}

pub(crate) fn ambiguous_recipient() -> ServerMessage {
    error(
        ErrorCode::AmbiguousRecipient,
        "more than one other is in the room: say in \"to\" who it is for",
        false,
    )
}

pub(crate) fn too_slow() -> ServerMessage {
    error(
        ErrorCode::TooSlow,
        "you read too slowly, and too much was waiting for you: connect and join again",
        true,
    )
}

pub(crate) fn far_too_large() -> ServerMessage {
    error(ErrorCode::MessageTooLarge, &format!("{}: connect again", DecodeError::TooLarge), true)
}
