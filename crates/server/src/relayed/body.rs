//! A description or a candidate, where it stands in a message.

use duologue_protocol::limits;

use super::Kind;
use super::scan::{Scanner, once};
use crate::limits::Limits;

/// What is in an object of one of the two kinds. Texts are in their quotes, and their escapes are as they were written.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    kind: Option<Kind>,
    sdp: Option<&'a str>,
    candidate: Option<&'a str>,
    sdp_mid: Option<Option<&'a str>>,
    sdp_m_line_index: Option<Option<u32>>,
    username_fragment: Option<Option<&'a str>>,
}

impl<'a> Body<'a> {
    /// Reads an object in which nothing is that is not known.
    pub(super) fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut body = Self::default();
        scanner.object(|scanner, name| match name {
            r#""type""# => once(&mut body.kind, Kind::in_quotes(scanner.string()?)?),
            r#""sdp""# => once(&mut body.sdp, scanner.string()?),
            r#""candidate""# => once(&mut body.candidate, scanner.string()?),
            r#""sdpMid""# => once(&mut body.sdp_mid, scanner.or_null(Scanner::string)?),
            r#""sdpMLineIndex""# => once(&mut body.sdp_m_line_index, scanner.or_null(Scanner::whole)?),
            r#""usernameFragment""# => once(&mut body.username_fragment, scanner.or_null(Scanner::string)?),
            _ => None,
        })?;
        Some(body)
    }

    /// Whether this is what a message of that kind is about, and certainly within all limits. Resolving escapes never makes
    /// a text longer, and no character is less than a byte.
    pub(super) fn fits(&self, kind: Kind, limits: &Limits) -> bool {
        let Self { kind: own, sdp, candidate, sdp_mid, sdp_m_line_index, username_fragment } = self;
        let short = |text: &str, most: usize| inside(text).len() <= most;
        let is_small =
            |text: &Option<Option<&str>>| text.flatten().is_none_or(|text| short(text, limits::TOKEN));
        let sizes = limits.sizes;
        match (sdp, candidate) {
            (Some(sdp), None) => {
                let is_bare = sdp_mid.is_none() && sdp_m_line_index.is_none() && username_fragment.is_none();
                is_bare
                    && kind != Kind::Candidate
                    && *own == Some(kind)
                    && short(sdp, limits::SDP.min(sizes.sdp as usize))
            }
            (None, Some(candidate)) => {
                own.is_none()
                    && kind == Kind::Candidate
                    && short(candidate, limits::CANDIDATE.min(sizes.candidate as usize))
                    && is_small(sdp_mid)
                    && is_small(username_fragment)
                    && sdp_m_line_index.flatten().is_none_or(|index| index <= u32::from(u16::MAX))
            }
            _ => false,
        }
    }

    /// About how many bytes it is written in.
    pub(super) fn size(&self) -> usize {
        let texts = [self.sdp, self.candidate, self.sdp_mid.flatten(), self.username_fragment.flatten()];
        texts.into_iter().flatten().map(str::len).sum()
    }

    /// Writes what is between the brackets, of a message of this kind.
    pub(super) fn write(&self, kind: &str, text: &mut String) {
        if let Some(sdp) = self.sdp {
            for piece in [r#""type":""#, kind, r#"","sdp":"#, sdp] {
                text.push_str(piece);
            }
        }
        if let Some(candidate) = self.candidate {
            text.push_str(r#""candidate":"#);
            text.push_str(candidate);
        }
        if let Some(mid) = self.sdp_mid.flatten() {
            text.push_str(r#","sdpMid":"#);
            text.push_str(mid);
        }
        if let Some(index) = self.sdp_m_line_index.flatten() {
            text.push_str(r#","sdpMLineIndex":"#);
            text.push_str(&index.to_string());
        }
        if let Some(fragment) = self.username_fragment.flatten() {
            text.push_str(r#","usernameFragment":"#);
            text.push_str(fragment);
        }
    }
}

/// What is in the quotes.
pub(super) fn inside(string: &str) -> &str {
    string.get(1..string.len().saturating_sub(1)).unwrap_or_default()
}
