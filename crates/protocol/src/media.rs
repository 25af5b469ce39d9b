//! What the browser hands us to pass on: session descriptions and ICE candidates. Opaque to the server, which checks
//! their size and nothing else.

use crate::value::{Read, Reader, Value};
use crate::write::{Fields, Write, Writer};

/// A session description as the browser's `RTCSessionDescription` puts it (W3C webrtc-pc, section 4.6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Whether it offers or answers.
    pub kind: SdpType,
    /// The SDP text (RFC 8866), at most [`crate::limits::SDP`] bytes.
    pub sdp: String,
}

impl Fields for Description {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("type", &self.kind);
        writer.field("sdp", &self.sdp);
    }
}

/// The kinds of description that travel. `pranswer` and `rollback` never leave the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdpType {
    /// An offer (RFC 8829, section 4.1.5).
    Offer,
    /// The answer that ends a negotiation.
    Answer,
}

impl Write for SdpType {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Offer => "offer".write(writer),
            Self::Answer => "answer".write(writer),
        }
    }
}

impl Read for SdpType {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        match String::read(reader).as_str() {
            "answer" => return Self::Answer,
            "offer" => {}
            _ => reader.unfit("it must be \"offer\" or \"answer\""),
        }
        Self::Offer
    }
}

impl Read for Description {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        Self { kind: reader.field("type"), sdp: reader.field("sdp") }
    }
}

/// A trickled ICE candidate as `RTCIceCandidate.toJSON()` puts it (W3C webrtc-pc, section 4.8.1.1).
///
/// An empty `candidate` string is the end-of-candidates indication (RFC 8838, section 8.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The candidate line, at most [`crate::limits::CANDIDATE`] bytes.
    pub candidate: String,
    /// The media section it belongs to, by its `a=mid`.
    pub sdp_mid: Option<String>,
    /// The media section it belongs to, by its position.
    pub sdp_m_line_index: Option<u16>,
    /// The ICE generation it belongs to (`a=ice-ufrag`, RFC 8839, section 5.4).
    pub username_fragment: Option<String>,
}

impl Fields for Candidate {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("candidate", &self.candidate);
        writer.field("sdpMid", &self.sdp_mid);
        writer.field("sdpMLineIndex", &self.sdp_m_line_index);
        writer.field("usernameFragment", &self.username_fragment);
    }
}

impl Read for Candidate {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        Self {
            candidate: reader.field("candidate"),
            sdp_mid: reader.field("sdpMid"),
            sdp_m_line_index: reader.field("sdpMLineIndex"),
            username_fragment: reader.field("usernameFragment"),
        }
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// Its `stun:`, `turn:` or `turns:` addresses.
    pub urls: Vec<String>,
    /// The user name for TURN.
    pub username: Option<String>,
    /// The password for TURN.
    pub credential: Option<String>,
}

impl Fields for IceServer {
    fn write_fields(&self, writer: &mut Writer) {
        writer.field("urls", &self.urls);
        writer.field("username", &self.username);
        writer.field("credential", &self.credential);
    }
}

impl Read for IceServer {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        Self {
            urls: reader.field("urls"),
            username: reader.field("username"),
            credential: reader.field("credential"),
        }
    }
}
