//! The size and the depth of a message. The protocol's own limits are held by `duologue-protocol`, while a message is
//! read; here are those of a server that takes less.

use duologue_protocol::{ClientMessage, Description, ErrorCode, Join, Name, ServerMessage};

use super::Limits;
use crate::refusal::{not_more_than, too_deep};

/// Whether a text may be read at all: looked at before it is parsed, so that nothing is spent on what is refused.
///
/// # Errors
/// What to answer.
pub(crate) fn may_be_read(text: &str, limits: &Limits) -> Result<(), ServerMessage> {
    if text.len() > limits.sizes.message as usize {
        let most = limits.sizes.message;
        return Err(not_more_than(ErrorCode::MessageTooLarge, "a message", most, "bytes"));
    }
    if is_deeper_than(limits.json_depth, text) {
        return Err(too_deep(limits.json_depth));
    }
    Ok(())
}

/// Whether what is in a message is small enough.
///
/// # Errors
/// What to answer.
pub(crate) fn fits(message: &ClientMessage, limits: &Limits) -> Result<(), ServerMessage> {
    let sizes = limits.sizes;
    let check = |is: usize, most: u32, code: ErrorCode, what: &str, unit: &str| {
        if is > most as usize { Err(not_more_than(code, what, most, unit)) } else { Ok(()) }
    };
    let sdp = |description: &Description| {
        check(description.sdp.len(), sizes.sdp, ErrorCode::SdpTooLarge, "a session description", "bytes")
    };
    match message {
        ClientMessage::Offer(message) => sdp(&message.offer),
        ClientMessage::Answer(message) => sdp(&message.answer),
        ClientMessage::Candidate(message) => {
            let length = message.candidate.candidate.len();
            check(length, sizes.candidate, ErrorCode::CandidateTooLarge, "a candidate", "bytes")
        }
        ClientMessage::Join(Join { room, name, .. }) => {
            let characters = |text: &str| text.chars().count();
            let name = characters(name.as_ref().map_or("", Name::as_str));
            check(characters(room.as_str()), sizes.room, ErrorCode::BadMessage, "room: it", "characters")?;
            check(name, sizes.name, ErrorCode::BadMessage, "name: it", "characters")
        }
        ClientMessage::Leave
        | ClientMessage::Resume(_)
        | ClientMessage::IceServers
        | ClientMessage::Ping(_)
        | ClientMessage::Lock(_)
        | ClientMessage::Admit(_)
        | ClientMessage::Deny(_)
        | ClientMessage::Remove(_) => Ok(()),
    }
}

/// Whether more than `most` objects and arrays are inside of each other. Of text that is no JSON it may say anything:
/// whatever it says, that is refused.
fn is_deeper_than(most: usize, text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_of_each_other_is_counted_and_not_what_stands_beside_it() {
        for (deep, text) in [
            (0, "7"),
            (1, "{}"),
            (3, r#"{"a":[[],[],{}]}"#),
            (2, r#"[{},{},{"b":1}]"#),
            (1, r#"{"a":"[[[[ \" [[[ \\"}"#),
            (2, r#"{"a\\":[1]}"#),
            (2, "{\"é\":[\"[ü\"]}"),
        ] {
            assert!(!is_deeper_than(deep, text), "{text}");
            assert!(deep == 0 || is_deeper_than(deep - 1, text), "{text}");
        }
        assert!(is_deeper_than(64, &"[".repeat(60_000)));
    }
}
