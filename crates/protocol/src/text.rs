//! The small strings of the protocol, each a type that can only be made valid.
//!
//! Validation happens while a message is read: a `RoomId` that exists is a room id that may exist.

use std::fmt;

use crate::limits;
use crate::value::{Read, Reader, Value};
use crate::write::{Write, Writer};

/// Why a string is not what it should be. The message says what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// There is nothing in it.
    #[error("{what} must not be empty")]
    Empty {
        /// What the string was to be.
        what: &'static str,
    },
    /// It is too long.
    #[error("{what} must be at most {limit} {unit} long")]
    TooLong {
        /// What the string was to be.
        what: &'static str,
        /// The limit it broke.
        limit: usize,
        /// What the limit counts.
        unit: &'static str,
    },
    /// It holds a control character.
    #[error("{what} must not contain control characters")]
    Control {
        /// What the string was to be.
        what: &'static str,
    },
}

/// Declares a string type that is checked by `$check` whenever it is made or read.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Takes `text` if it is valid.
            ///
            /// # Errors
            /// Says in words what is wrong with it.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
                $check(text.into()).map(Self)
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;
            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl Read for $name {
            fn read<V: Value>(reader: &mut Reader<V>) -> Self {
                Self(read(reader, $check))
            }
        }

        impl Write for $name {
            fn write(&self, writer: &mut Writer) {
                self.as_str().write(writer);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// The name of a room: 1 to [`limits::ROOM`] characters, no control characters. Surrounding white space is not
    /// part of it.
    RoomId, check_room
}
text! {
    /// The name a person shows to others: at most [`limits::NAME`] characters. Control characters and the invisible
    /// characters that reorder text are taken out, so that a name cannot disguise itself; it may end up empty.
    Name, check_name
}
text! {
    /// The id the server gave a peer: opaque, unique within the server's lifetime.
    PeerId, check_peer
}
text! {
    /// The secret that lets a client take up its session again. Treat it like a password.
    SessionToken, check_session
}
text! {
    /// The secret by which a client that joins again is known to be the same. Treat it like a password.
    JoinKey, check_key
}
text! {
    /// The secret that two peers share with the server: by it, the two find each other again when the server has
    /// forgotten them. Treat it like a password.
    PairToken, check_pair
}

/// Reads a text that is valid. Not generic over what it is, so that it is compiled once.
fn read<V: Value>(reader: &mut Reader<V>, check: fn(String) -> Result<String, InvalidText>) -> String {
    check(String::read(reader)).unwrap_or_else(|problem| {
        reader.unfit(&problem.to_string());
        String::new()
    })
}

fn check_room(text: String) -> Result<String, InvalidText> {
    let text = trimmed(text);
    bounded(text, "a room id", limits::ROOM)
}

fn check_peer(text: String) -> Result<String, InvalidText> {
    bounded(text, "a peer id", limits::TOKEN)
}

fn check_session(text: String) -> Result<String, InvalidText> {
    bounded(text, "a session token", limits::TOKEN)
}

fn check_key(text: String) -> Result<String, InvalidText> {
    bounded(text, "a key", limits::TOKEN)
}

fn check_pair(text: String) -> Result<String, InvalidText> {
    bounded(text, "a pair token", limits::TOKEN)
}

fn check_name(text: String) -> Result<String, InvalidText> {
    if text.chars().count() > limits::NAME {
        return Err(InvalidText::TooLong { what: "a name", limit: limits::NAME, unit: "characters" });
    }
    if text.chars().any(is_disguise) {
        return Ok(trimmed(text.chars().filter(|c| !is_disguise(*c)).collect()));
    }
    Ok(trimmed(text))
}

/// Control characters, and the invisible ones that reorder or hide text (Unicode TR 36, "bidirectional text spoofing").
fn is_disguise(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn trimmed(text: String) -> String {
    let inner = text.trim();
    if inner.len() == text.len() { text } else { inner.to_owned() }
}

fn bounded(text: String, what: &'static str, limit: usize) -> Result<String, InvalidText> {
    if text.is_empty() {
        Err(InvalidText::Empty { what })
    } else if text.chars().count() > limit {
        Err(InvalidText::TooLong { what, limit, unit: "characters" })
    } else if text.chars().any(char::is_control) {
        Err(InvalidText::Control { what })
    } else {
        Ok(text)
    }
}
