//! The errors a client is sent: a code for programs, and words that say what to do.

use std::time::Duration;

use duologue_protocol::{DecodeError, ErrorCode, PeerId, Refusal, ServerMessage, VERSION};

use crate::token::Rejected;

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

/// Something is larger than this server takes it.
pub(crate) fn not_more_than(code: ErrorCode, what: &str, most: u32, unit: &str) -> ServerMessage {
    error(code, &format!("{what} must be at most {most} {unit} long"), false)
}

pub(crate) fn too_deep(most: usize) -> ServerMessage {
    error(
        ErrorCode::TooDeep,
        &format!(
            "at most {most} objects and arrays may be inside of each other in a message: send a flatter one"
        ),
        false,
    )
}

pub(crate) fn too_many_rooms() -> ServerMessage {
    error(
        ErrorCode::TooManyRooms,
        "the server has as many rooms as it takes: try again in a few minutes, or join a room that is there already",
        false,
    )
}

pub(crate) fn too_fast() -> ServerMessage {
    error(
        ErrorCode::TooFast,
        "you sent more than the server takes, for too long: wait a moment, connect again, and send less at a time",
        true,
    )
}

pub(crate) fn said_nothing() -> ServerMessage {
    error(
        ErrorCode::FirstMessageTimeout,
        "you connected and said nothing: connect again and send \"join\", \"resume\" or \"ping\" at once",
        true,
    )
}

pub(crate) fn joined_nothing() -> ServerMessage {
    error(ErrorCode::LobbyTimeout, "you were in no room for too long: connect again to join one", true)
}

pub(crate) fn busy() -> ServerMessage {
    error(ErrorCode::Busy, "the server cannot take this on at the moment: try again in a few seconds", false)
}

/// Another node has to be asked, and cannot be for now.
pub(crate) fn wait() -> ServerMessage {
    error(
        ErrorCode::Busy,
        "the servers cannot reach each other at the moment, so nobody can be brought together: wait, and try again in a \
         few seconds",
        false,
    )
}

/// Too much of what was said waits for another node.
pub(crate) fn not_delivered() -> ServerMessage {
    error(
        ErrorCode::NotDelivered,
        "this could not be passed on: the servers cannot reach each other at the moment; say it again in a few seconds",
        false,
    )
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

pub(crate) fn rejected(why: Rejected) -> ServerMessage {
    match why {
        Rejected::Invalid => error(
            ErrorCode::TokenInvalid,
            "rooms of this server are opened by an invitation, and this is none to this room: ask whoever invited you \
             for the link again, and open it whole",
            false,
        ),
        Rejected::Expired => error(
            ErrorCode::TokenExpired,
            "the invitation is over, or its time has not come: ask whoever invited you for a new one",
            false,
        ),
    }
}

pub(crate) fn denied() -> ServerMessage {
    error(ErrorCode::Denied, "you were not let in: ask somebody inside before you knock again", false)
}

pub(crate) fn not_allowed() -> ServerMessage {
    error(ErrorCode::NotAllowed, "that is for admins of the room, and you are none: ask one of them", false)
}

pub(crate) fn too_many_knock() -> ServerMessage {
    error(ErrorCode::Busy, "too many wait to be let into this room: try again in a few minutes", false)
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

pub(crate) fn nobody_knocks(id: &PeerId) -> ServerMessage {
    error(
        ErrorCode::NoRecipient,
        &format!("nobody of the id {id} waits to be let in: they are in already, or have gone"),
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
