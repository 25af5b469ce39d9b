//! What is copied means what it would mean if it were read in full.

use duologue_protocol::{AnswerFrom, ClientMessage, Numbered, OfferFrom, TrickleFrom};

use super::*;
use crate::limits::{fits, may_be_read};

fn from() -> PeerId {
    PeerId::new("ada").unwrap()
}

/// Who a message is for and what arrives, if it is read in full and found to be one for another member.
fn in_full(text: &str, limits: &Limits) -> Option<(Option<PeerId>, ServerMessage)> {
    may_be_read(text, limits).ok()?;
    let message = ClientMessage::from_json(text).ok()?;
    fits(&message, limits).ok()?;
    let from = from();
    match message {
        ClientMessage::Offer(m) => {
            let (offer, negotiation) = (m.offer, m.negotiation);
            Some((m.to, ServerMessage::Offer(OfferFrom { offer, from, negotiation })))
        }
        ClientMessage::Answer(m) => {
            let (answer, negotiation) = (m.answer, m.negotiation);
            Some((m.to, ServerMessage::Answer(AnswerFrom { answer, from, negotiation })))
        }
        ClientMessage::Candidate(m) => {
            Some((m.to, ServerMessage::Candidate(TrickleFrom { candidate: m.candidate, from })))
        }
        _ => None,
    }
}

/// The same, if it is copied.
fn copied(text: &str, limits: &Limits) -> Option<(Option<PeerId>, ServerMessage)> {
    let mut plain = Plain::read(text, limits)?;
    let (to, kind) = (plain.to.take(), plain.kind);
    let text = plain.relayed(&from()).numbered(7);
    let Numbered { message, seq } = Numbered::from_json(&text).expect("what is sent can be read");
    assert_eq!(seq, Some(7), "{text}");
    let is = match message {
        ServerMessage::Offer(_) => Kind::Offer,
        ServerMessage::Answer(_) => Kind::Answer,
        _ => Kind::Candidate,
    };
    assert_eq!(is, kind);
    Some((to, message))
}

/// As browsers write them.
const USUAL: [&str; 7] = [
    r#"{"type":"offer","offer":{"type":"offer","sdp":"v=0\r\no=- 1 \"2\" \\n /\/ é\t\\"},"to":"bob","negotiation":3}"#,
    r#"{"type":"offer","offer":{"sdp":"","type":"offer"}}"#,
    r#"{"type":"answer","to":null,"negotiation":0,"answer":{"type":"answer","sdp":"v=0\r\n"}}"#,
    r#"{"type":"candidate","candidate":{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"EsAw"},"to":"bob"}"#,
    r#"{"type":"candidate","candidate":{"candidate":"","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}}"#,
    r#"{"type":"candidate","candidate":{"candidate":"of a client that"},"negotiation":7}"#,
    r#"{"type":"candidate","candidate":{"candidate":"é\\\"","sdpMid":"\"","usernameFragment":"\n"}}"#,
];

#[test]
fn what_browsers_write_is_copied_and_means_what_it_means_when_it_is_read_in_full() {
    let limits = Limits::default();
    for text in USUAL {
        let copied = copied(text, &limits);
        assert!(copied.is_some(), "{text}");
        assert_eq!(copied, in_full(text, &limits), "{text}");
    }
}

#[test]
fn what_is_copied_is_the_same_text_as_what_is_written_anew() {
    let limits = Limits::default();
    let text = r#"{"type":"offer","offer":{"type":"offer","sdp":"v=0\r\n"},"negotiation":3}"#;
    let (_, message) = in_full(text, &limits).unwrap();
    let copy = Plain::read(text, &limits).unwrap().relayed(&from()).numbered(4);
    assert_eq!(copy, Relayed::of(Kind::Offer, &message).numbered(4));
    assert_eq!(copy, to_json(&Numbered { message, seq: Some(4) }));
}

#[test]
fn what_is_strange_is_left_to_who_reads_it_in_full() {
    let limits = Limits::default();
    for text in [
        "",
        "{}",
        "7",
        r#"["offer",{"type":"offer","sdp":""}]"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"offer"}"#,
        r#" {"type":"offer","offer":{"type":"offer","sdp":""}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""} }"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"negotiation":07}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"negotiation":7.0}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"negotiation":}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"","sdpMid":"0"}}"#,
        r#"{"type":"candidate","candidate":{"candidate":"","type":"candidate"}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"\u0041"}}"#,
        r#"{"type":"offer","offer":null}"#,
        r#"{"type":"offer","offer":["offer","v=0"]}"#,
        r#"{"type":"offer","offer":{"type":"answer","sdp":""}}"#,
        r#"{"type":"offer","answer":{"type":"answer","sdp":""}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":7}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":{"sdp":""}}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"","sdp":"2"}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"","more":[]}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"\ud800"}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"\x"}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"\\ "}}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":"\"}}"#,
        "{\"type\":\"offer\",\"offer\":{\"type\":\"offer\",\"sdp\":\"\n\"}}",
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"to":""}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"to":"a\nb"}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"negotiation":-1}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"negotiation":4294967296}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"type":"answer"}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""},"from":"eve"}"#,
        r#"{"type":"offer","offer":{"type":"offer","sdp":""}} 7"#,
        r#"{"type":"candidate","candidate":null}"#,
        r#"{"type":"candidate","candidate":{"type":"candidate","sdp":""}}"#,
        r#"{"type":"candidate","candidate":{"candidate":"","sdpMLineIndex":65536}}"#,
        r#"{"type":"candidate","candidate":{"candidate":"","sdpMid":0}}"#,
        r#"{"type":"candidate","candidate":{"candidate":null}}"#,
    ] {
        assert!(Plain::read(text, &limits).is_none(), "{text}");
    }
}

#[test]
fn what_may_be_too_large_is_left_to_who_measures_it() {
    let mut limits = Limits::default();
    let sdp = |many: usize| {
        format!(r#"{{"type":"offer","offer":{{"type":"offer","sdp":"{}"}}}}"#, "x".repeat(many))
    };
    let candidate = |line: usize, mid: usize| {
        let (line, mid) = ("x".repeat(line), "x".repeat(mid));
        format!(r#"{{"type":"candidate","candidate":{{"candidate":"{line}","sdpMid":"{mid}"}}}}"#)
    };
    let is_copied = |text: String, limits: &Limits| Plain::read(&text, limits).is_some();
    assert!(is_copied(sdp(limits::SDP), &limits) && !is_copied(sdp(limits::SDP + 1), &limits));
    let most = (limits::CANDIDATE, limits::TOKEN);
    assert!(is_copied(candidate(most.0, most.1), &limits));
    assert!(!is_copied(candidate(most.0 + 1, most.1), &limits));
    assert!(!is_copied(candidate(most.0, most.1 + 1), &limits));

    // A server that takes less.
    (limits.sizes.sdp, limits.sizes.candidate) = (10, 5);
    assert!(is_copied(sdp(10), &limits) && !is_copied(sdp(11), &limits));
    assert!(is_copied(candidate(5, 1), &limits) && !is_copied(candidate(6, 1), &limits));
    limits.sizes.message = 40;
    assert!(!is_copied(sdp(10), &limits));
    let limits = Limits { json_depth: 1, ..Limits::default() };
    assert!(!is_copied(sdp(10), &limits));
}

/// Messages with something put in, taken out or put in the place of something else, at random.
#[test]
fn whatever_is_copied_means_what_it_means_when_it_is_read_in_full() {
    const PIECES: [&str; 26] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\ud800",
        "\\u0041",
        "null",
        "true",
        "7",
        "-0",
        "1e3",
        "0",
        "\"type\"",
        "\"offer\"",
        "\"answer\"",
        "\"candidate\"",
        "\"to\":\"x\",",
        "\"sdp\":\"\",",
        "\n",
        "é",
        " ",
    ];
    let limits = Limits { json_depth: 3, ..Limits::default() };
    // The same numbers in every run (xorshift, Marsaglia 2003).
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut still_copied = 0;
    for _ in 0..50_000 {
        let mut text: Vec<char> = USUAL[random(USUAL.len())].chars().collect();
        for _ in 0..=random(2) {
            let at = random(text.len());
            let end = (at + random(12)).min(text.len());
            let end = if random(2) == 0 { at } else { end };
            text.splice(at..end, PIECES[random(PIECES.len())].chars());
        }
        let text: String = text.into_iter().collect();
        if let Some(copied) = copied(&text, &limits) {
            still_copied += 1;
            assert_eq!(Some(copied), in_full(&text, &limits), "{text}");
        }
    }
    assert!(still_copied > 500, "{still_copied}");
}
