//! What two Duologue peers tell each other directly, on a data channel of their own: whether microphone and camera are
//! on. It goes on working when the signaling server is gone, and the server never learns it.

use duologue_protocol::DecodeError;
use duologue_protocol::value::Reader;
use duologue_protocol::write::{Fields, Writer};

use crate::browser::{DataChannelKind, Json};

/// The channel, the same on both sides.
pub(super) const CHANNEL: DataChannelKind =
    DataChannelKind { label: "duologue-control", id: 0, lossy: false };

/// A message on the control channel. A type that is not known is ignored: newer versions may say more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// What I send at the moment.
    Media(Sending),
}

/// Whether a person's microphone and camera are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// Others hear them.
    pub audio: bool,
    /// Others see them.
    pub video: bool,
}

impl Fields for Control {
    fn write_fields(&self, writer: &mut Writer) {
        let Self::Media(Sending { audio, video }) = self;
        writer.field("type", &"media");
        writer.field("audio", audio);
        writer.field("video", video);
    }
}

impl Control {
    pub(super) fn read(text: &str) -> Result<Self, DecodeError> {
        let mut reader = Reader::of(Json::parse(text)?);
        let kind: String = reader.field("type");
        if kind != "media" {
            return reader.finish(()).and(Err(DecodeError::UnknownType(kind)));
        }
        let sending = Sending { audio: reader.field("audio"), video: reader.field("video") };
        reader.finish(Self::Media(sending))
    }
}
