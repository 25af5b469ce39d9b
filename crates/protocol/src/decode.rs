//! Reading a message: `type` first, then the fields of that type.

use crate::code::ErrorCode;
use crate::limits;
use crate::media::{Candidate, Description, SdpType};
use crate::value::{Read, Reader, Value};

/// Why a message cannot be used. Nothing changes because of such a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not a JSON object with a `type`.
    #[error("a message must be a JSON object with a \"type\": {0}")]
    Json(String),
    /// A `type` this version does not know.
    #[error("there is no message of type \"{0}\"")]
    UnknownType(String),
    /// A field is missing or not what it should be.
    #[error("{0}")]
    Fields(String),
    /// Larger than [`limits::MESSAGE`].
    #[error("a message must be at most {limit} bytes long", limit = limits::MESSAGE)]
    TooLarge,
    /// A description larger than [`limits::SDP`].
    #[error("a session description must be at most {limit} bytes long", limit = limits::SDP)]
    SdpTooLarge,
    /// A candidate larger than [`limits::CANDIDATE`].
    #[error("a candidate must be at most {limit} bytes long", limit = limits::CANDIDATE)]
    CandidateTooLarge,
}

impl DecodeError {
    /// The same, for programs.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Json(_) => ErrorCode::BadJson,
            Self::UnknownType(_) => ErrorCode::UnknownType,
            Self::Fields(_) => ErrorCode::BadMessage,
            Self::TooLarge => ErrorCode::MessageTooLarge,
            Self::SdpTooLarge => ErrorCode::SdpTooLarge,
            Self::CandidateTooLarge => ErrorCode::CandidateTooLarge,
        }
    }

    pub(crate) fn unknown_type(kind: String) -> Self {
        Self::UnknownType(clipped(kind))
    }
}

/// The `type` of a message.
pub(crate) fn kind<V: Value>(message: &mut Reader<V>) -> Result<String, DecodeError> {
    let kind = message.field("type");
    message.finish(kind).map_err(|error| DecodeError::Json(error.to_string()))
}

/// What messages have in common.
impl<V: Value> Reader<V> {
    pub(crate) fn require(&mut self, condition: bool, otherwise: &str) {
        if !condition {
            self.fail(DecodeError::Fields(otherwise.to_owned()));
        }
    }

    /// The description of a message of the same kind.
    pub(crate) fn description(&mut self, name: &str, kind: SdpType) -> Description {
        let description: Description = self.field(name);
        self.require(
            description.kind == kind,
            "the description's \"type\" must be the same as the message's",
        );
        if description.sdp.len() > limits::SDP {
            self.fail(DecodeError::SdpTooLarge);
        }
        description
    }

    /// The number of a message: a `u64`, or an `Option` of one where it may be left out.
    pub(crate) fn seq<T: Read + Copy + Into<Option<u64>>>(&mut self) -> T {
        let seq: T = self.field("seq");
        let fits = seq.into().is_none_or(|seq| seq <= limits::SEQ);
        self.require(fits, "seq: it must be at most 9007199254740991");
        seq
    }

    /// The candidate of a message; `null`, as an `icecandidate` event has it at its end, is the end of them.
    pub(crate) fn candidate(&mut self) -> Candidate {
        let candidate = match self.value().and_then(|message| message.get("candidate")) {
            Some(null) if null.is_null() => Candidate::end(),
            _ => self.field("candidate"),
        };
        if candidate.candidate.len() > limits::CANDIDATE {
            self.fail(DecodeError::CandidateTooLarge);
        }
        let short =
            |text: &Option<String>| text.as_ref().is_none_or(|text| text.chars().count() <= limits::TOKEN);
        let fits = short(&candidate.sdp_mid) && short(&candidate.username_fragment);
        self.require(fits, "sdpMid and usernameFragment must be at most 256 characters long");
        candidate
    }
}

/// As much of a text as an error tells. Errors quote what they complain of and travel back to whoever sent it: they
/// must stay short however long that was.
fn clipped(mut text: String) -> String {
    const MOST: usize = 256;
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Parses a message's text.
#[cfg(feature = "json")]
pub(crate) fn parse(text: &str) -> Result<serde_json::Value, DecodeError> {
    if text.len() > limits::MESSAGE {
        return Err(DecodeError::TooLarge);
    }
    serde_json::from_str(text).map_err(|error| DecodeError::Json(clipped(error.to_string())))
}
