//! What messages hold: as large as what browsers say, with a number in it by which it is known when it arrives.

/// What is relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A session description that opens a negotiation.
    Offer,
    /// One that answers it.
    Answer,
    /// A trickled ICE candidate.
    Candidate,
}

/// How many bytes a session description has.
pub const SDP: usize = 1500;
/// How many bytes a candidate has.
pub const CANDIDATE: usize = 150;
/// Begins the number, and ends it. Neither it nor what follows is changed by what encodes JSON.
const MARK: &str = "@@";
const DIGITS: usize = 10;

/// The message of this number as the browser's objects give it in JSON: an `RTCSessionDescription`, or an
/// `RTCIceCandidate`.
#[must_use]
pub fn json(kind: Kind, number: u64) -> String {
    let mark = format!("{MARK}{number:0DIGITS$}");
    match kind {
        Kind::Offer => format!(r#"{{"type":"offer","sdp":"{}"}}"#, sdp(&mark)),
        Kind::Answer => format!(r#"{{"type":"answer","sdp":"{}"}}"#, sdp(&mark)),
        Kind::Candidate => format!(
            r#"{{"candidate":"{}","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"EsAw"}}"#,
            candidate(&mark)
        ),
    }
}

/// The number of the message that is somewhere in a text, if there is one.
#[must_use]
pub fn number(text: &str) -> Option<u64> {
    let at = text.find(MARK)? + MARK.len();
    text.get(at..at + DIGITS)?.parse().ok()
}

/// A session description, its line breaks escaped as JSON does it. Escapes count for what they stand for.
fn sdp(mark: &str) -> String {
    let mut sdp = format!(r"v=0\r\no=- {mark} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    let line = r"a=rtpmap:111 opus/48000/2\r\n";
    let mut size = sdp.len() - sdp.matches('\\').count();
    while size + line.len() - 2 <= SDP {
        sdp.push_str(line);
        size += line.len() - 2;
    }
    sdp.push_str(&"x".repeat(SDP - size));
    sdp
}

fn candidate(mark: &str) -> String {
    let line = format!("candidate:{mark} 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 0.0.0.0 rport 0");
    format!("{line:CANDIDATE$}").replace("  ", " x").replace(" x ", " xx")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_large_as_it_is_said_to_be_and_known_by_its_number() {
        for number in [0, 7, 9_999_999_999] {
            assert_eq!(candidate(&format!("{MARK}{number:0DIGITS$}")).len(), CANDIDATE);
            let sdp = sdp(&format!("{MARK}{number:0DIGITS$}"));
            assert_eq!(sdp.replace(r"\r", "\r").replace(r"\n", "\n").len(), SDP);
            for kind in [Kind::Offer, Kind::Answer, Kind::Candidate] {
                assert_eq!(super::number(&json(kind, number)), Some(number), "{kind:?}");
            }
        }
    }

    #[test]
    fn what_has_no_number_is_not_taken_for_a_message() {
        for text in ["", "@@", "@@12", "@@123456789x", r#"{"type":"pong"}"#] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
