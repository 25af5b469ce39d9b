//! What two Duologue peers tell each other directly, on a data channel of their own: whether microphone and camera are
//! on. It goes on working when the signaling server is gone, and the server never learns it.

use duologue_protocol::DecodeError;
use duologue_protocol::value::field;
use serde::Serialize;

use crate::browser::{DataChannelKind, Json, to_text};

/// The channel, the same on both sides.
pub(super) const CHANNEL: DataChannelKind =
    DataChannelKind { label: "duologue-control", id: 0, lossy: false };

/// A message on the control channel. A type that is not known is ignored: newer versions may say more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Control {
    /// What I send at the moment.
    Media(Sending),
}

/// Whether a person's microphone and camera are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sending {
    /// Others hear them.
    pub audio: bool,
    /// Others see them.
    pub video: bool,
}

impl Control {
    pub(super) fn to_text(self) -> Option<String> {
        to_text(&self)
    }

    pub(super) fn read(text: &str) -> Result<Self, DecodeError> {
        let message = Json::parse(text)?;
        let kind: String = field(&message, "type")?;
        match kind.as_str() {
            "media" => Ok(Self::Media(Sending {
                audio: field(&message, "audio")?,
                video: field(&message, "video")?,
            })),
            _ => Err(DecodeError::UnknownType(kind)),
        }
    }
}
