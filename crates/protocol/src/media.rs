//! What the browser hands us to pass on: session descriptions and ICE candidates. Opaque to the server, which checks
//! their size and nothing else.

use serde::Serialize;

use crate::value::{Read, Unfit, Value, field};

/// A session description as the browser's `RTCSessionDescription` puts it (W3C webrtc-pc, section 4.6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Whether it offers or answers.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The SDP text (RFC 8866), at most [`crate::limits::SDP`] bytes.
    pub sdp: String,
}

/// The kinds of description that travel. `pranswer` and `rollback` never leave the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// An offer (RFC 8829, section 4.1.5).
    Offer,
    /// The answer that ends a negotiation.
    Answer,
}

impl Read for SdpType {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        match String::read(value)?.as_str() {
            "offer" => Ok(Self::Offer),
            "answer" => Ok(Self::Answer),
            _ => Err(Unfit::new("it must be \"offer\" or \"answer\"")),
        }
    }
}

impl Read for Description {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        Ok(Self { kind: field(value, "type")?, sdp: field(value, "sdp")? })
    }
}

/// A trickled ICE candidate as `RTCIceCandidate.toJSON()` puts it (W3C webrtc-pc, section 4.8.1.1).
///
/// An empty `candidate` string is the end-of-candidates indication (RFC 8838, section 8.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The candidate line, at most [`crate::limits::CANDIDATE`] bytes.
    pub candidate: String,
    /// The media section it belongs to, by its `a=mid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The media section it belongs to, by its position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE generation it belongs to (`a=ice-ufrag`, RFC 8839, section 5.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

impl Read for Candidate {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        Ok(Self {
            candidate: field(value, "candidate")?,
            sdp_mid: field(value, "sdpMid")?,
            sdp_m_line_index: field(value, "sdpMLineIndex")?,
            username_fragment: field(value, "usernameFragment")?,
        })
    }
}

impl Candidate {
    /// The indication that no more candidates of the current generation will come.
    #[must_use]
    pub fn end() -> Self {
        Self::default()
    }

    /// Whether this is the end-of-candidates indication.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.candidate.is_empty()
    }

    /// The ICE generation the candidate says it belongs to: the field if there is one, else the `ufrag` attribute
    /// that browsers also write into the line itself (RFC 8839, section 5.1: extension attributes).
    #[must_use]
    pub fn ufrag(&self) -> Option<&str> {
        match self.username_fragment.as_deref() {
            Some(ufrag) if !ufrag.is_empty() => Some(ufrag),
            _ => {
                let mut words = self.candidate.split_ascii_whitespace();
                words.find(|word| *word == "ufrag")?;
                words.next()
            }
        }
    }
}

/// A STUN or TURN server, as `RTCIceServer` puts it (W3C webrtc-pc, section 4.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// Its `stun:`, `turn:` or `turns:` addresses.
    pub urls: Vec<String>,
    /// The user name for TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password for TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl Read for IceServer {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        Ok(Self {
            urls: field(value, "urls")?,
            username: field(value, "username")?,
            credential: field(value, "credential")?,
        })
    }
}
