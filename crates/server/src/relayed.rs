//! What members say to each other, on its way from one to the other.
//!
//! Nearly all that a server hears is this, and it looks at the sizes in it and at nothing else (docs/protocol.md). So
//! what is written as browsers write it is not taken apart: it is checked where it stands, and copied once, into the
//! text that its recipient gets. Whatever is written in another way, strange or wrong, is read as every message is
//! ([`ClientMessage::from_json`](duologue_protocol::ClientMessage::from_json)), which also has the words for what is
//! wrong with it. What is taken here is taken there as well, and means the same.

mod body;
mod scan;
#[cfg(test)]
mod tests;

use duologue_protocol::{Numbered, PeerId, ServerMessage, limits, to_json};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::limits::Limits;

use body::{Body, inside};
use scan::{Scanner, once};

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An offer.
    Offer,
    /// An answer.
    Answer,
    /// A candidate.
    Candidate,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Offer, Self::Answer, Self::Candidate];

    /// The `type` of such a message, and the name of the field that it is about.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
            Self::Candidate => "candidate",
        }
    }

    /// The kind of this name, as JSON has it.
    fn in_quotes(name: &str) -> Option<Self> {
        match name {
            r#""offer""# => Some(Self::Offer),
            r#""answer""# => Some(Self::Answer),
            r#""candidate""# => Some(Self::Candidate),
            _ => None,
        }
    }
}

/// A message from one member to another, complete but for its number.
#[derive(Debug)]
pub(crate) struct Relayed {
    /// What it is.
    pub(crate) kind: Kind,
    /// A JSON object without its last brace.
    text: String,
}

/// The last field of a message, and its end.
const SEQ: usize = r#","seq":9007199254740991}"#.len();

impl Relayed {
    /// What is written as browsers do not write it, and was read in full.
    pub(crate) fn of(kind: Kind, message: &ServerMessage) -> Self {
        let mut text = to_json(message);
        text.pop();
        Self { kind, text }
    }

    /// The message, read.
    pub(crate) fn message(&self) -> Option<ServerMessage> {
        Numbered::from_json(&[&self.text, "}"].concat()).ok().map(|numbered| numbered.message)
    }

    /// The text that is sent, as the message of this number.
    pub(crate) fn numbered(self, seq: u64) -> Utf8Bytes {
        let mut text = self.text;
        for piece in [r#","seq":"#, &seq.to_string(), "}"] {
            text.push_str(piece);
        }
        Utf8Bytes::from(text)
    }
}

/// A message to another member in a text that is written as browsers write it.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    /// What it is.
    pub(crate) kind: Kind,
    /// Who it is for; `None` if there is only one it can be for.
    pub(crate) to: Option<PeerId>,
    body: Body<'a>,
    negotiation: Option<u32>,
}

impl<'a> Plain<'a> {
    /// The message in a text, unless it has to be read in full.
    pub(crate) fn read(text: &'a str, limits: &Limits) -> Option<Self> {
        /// The message itself, and the description or candidate in it.
        const DEPTH: usize = 2;
        let sizes = limits.sizes;
        if text.len() > limits::MESSAGE.min(sizes.message as usize) || limits.json_depth < DEPTH {
            return None;
        }
        let (mut kind, mut about, mut to, mut negotiation) = (None, None, None, None);
        let mut scanner = Scanner::of(text)?;
        scanner.object(|scanner, name| match name {
            r#""type""# => once(&mut kind, Kind::in_quotes(scanner.string()?)?),
            r#""to""# => once(&mut to, scanner.or_null(Scanner::string)?),
            r#""negotiation""# => once(&mut negotiation, scanner.or_null(Scanner::whole)?),
            name => once(&mut about, (Kind::in_quotes(name)?, Body::read(scanner)?)),
        })?;
        let (kind, (named, body)) = (kind?, about?);
        if !scanner.is_at_end() || named != kind || !body.fits(kind, limits) {
            return None;
        }
        let to = match to.flatten() {
            None => None,
            Some(to) if to.contains('\\') => return None,
            Some(to) => Some(PeerId::new(inside(to)).ok()?),
        };
        // Of a candidate it means nothing, and does not travel.
        let negotiation = negotiation.flatten().filter(|_| kind != Kind::Candidate);
        Some(Self { kind, to, body, negotiation })
    }

    /// The same, as it arrives from this member. Ids are the server's own, so there is nothing in them to escape.
    pub(crate) fn relayed(self, from: &PeerId) -> Relayed {
        /// What is written besides what is copied: names, brackets and numbers.
        const BESIDES: usize = 160;
        let kind = self.kind.name();
        let mut text = String::with_capacity(self.body.size() + from.as_str().len() + BESIDES + SEQ);
        for piece in [r#"{"type":""#, kind, r#"","#, "\"", kind, r#"":{"#] {
            text.push_str(piece);
        }
        self.body.write(kind, &mut text);
        for piece in [r#"},"from":""#, from.as_str(), "\""] {
            text.push_str(piece);
        }
        if let Some(negotiation) = self.negotiation {
            text.push_str(r#","negotiation":"#);
            text.push_str(&negotiation.to_string());
        }
        Relayed { kind: self.kind, text }
    }
}
