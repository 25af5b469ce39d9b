//! The errors a client is sent: a code for programs, and words that say what to do.

use std::time::Duration;

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

/// Where someone keeps a seat without a connection, `grace` says for how long at most.
pub(crate) fn room_full(size: usize, grace: Option<Duration>) -> ServerMessage {
    let words = match grace {
        None => format!(
            "the room is full, it holds {size} people: join again when someone has left, or choose another room"
        ),
        Some(grace) => format!(
            "the room is full, it holds {size} people, but one of them has lost the connection and may be back within \
             {seconds} seconds: join again after that, or choose another room",
            seconds = grace.as_secs()
        ),
    };
    error(ErrorCode::RoomFull, &words, false)
}

pub(crate) fn busy() -> ServerMessage {
    error(ErrorCode::Busy, "the server cannot take this on at the moment: try again in a few seconds", false)
}

pub(crate) fn session_unknown() -> ServerMessage {
    error(
        ErrorCode::SessionUnknown,
        "the session has ended, or more was missed than is kept: join again",
        false,
    )
}

pub(crate) fn replaced() -> ServerMessage {
    error(
        ErrorCode::Replaced,
        "the session goes on over a newer connection: use that one, or connect and join again for another session",
        true,
    )
}

pub(crate) fn removed() -> ServerMessage {
    error(
        ErrorCode::Removed,
        "you were taken out of the room: ask whoever runs it before you connect and join again",
        true,
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
        "you read too slowly, and too much was waiting for you: connect again, and resume or join",
        true,
    )
}

pub(crate) fn far_too_large() -> ServerMessage {
    error(
        ErrorCode::MessageTooLarge,
        &format!("{}: connect again, and resume or join", DecodeError::TooLarge),
        true,
    )
}
