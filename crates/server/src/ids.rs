//! Ids and secrets: 128 bits of the operating system's randomness each, in hexadecimal.

use std::fmt::Write;

use duologue_protocol::{PairToken, PeerId, SessionToken};

/// A new peer id and a new session token; `None` if the operating system has no randomness to give.
pub(crate) fn fresh() -> Option<(PeerId, SessionToken)> {
    Some((PeerId::new(random()?).ok()?, SessionToken::new(random()?).ok()?))
}

/// A new pair token; `None` as above.
pub(crate) fn fresh_pair() -> Option<PairToken> {
    PairToken::new(random()?).ok()
}

fn random() -> Option<String> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Some(hex(&bytes)),
        Err(error) => {
            tracing::error!(%error, "the operating system gives no randomness");
            None
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
