//! What is written is JSON, whatever is in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_protocol::{ClientMessage, Description, IceServer, Offer, SdpType, to_json};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_text_comes_back_from_any_reader_of_json(text in any::<String>()) {
        let written = to_json(&text);
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(read, text);
    }
}

#[test]
fn what_json_cannot_hold_as_it_is_is_escaped() {
    assert_eq!(
        to_json(&"\"\\\r\n\t\0\u{1f}\u{7f}é\u{2028}😀"),
        "\"\\\"\\\\\\r\\n\\u0009\\u0000\\u001f\u{7f}é\u{2028}😀\""
    );
    let all: String = (0..=0xff_u8).map(char::from).collect();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&to_json(&all)).unwrap(), all);
}

#[test]
fn what_is_not_there_is_left_out_and_lists_are_lists() {
    let offer = Description { kind: SdpType::Offer, sdp: "v=0{".to_owned() };
    let message = ClientMessage::Offer(Offer { offer, to: None, negotiation: Some(7) });
    assert_eq!(
        to_json(&message),
        r#"{"type":"offer","offer":{"type":"offer","sdp":"v=0{"},"negotiation":7}"#
    );
    assert_eq!(to_json(&ClientMessage::Leave), r#"{"type":"leave"}"#);
    let servers = [&["stun:a", "stun:b"][..], &[]].map(|urls| IceServer {
        urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        username: None,
        credential: None,
    });
    assert_eq!(to_json(&servers.to_vec()), r#"[{"urls":["stun:a","stun:b"]},{"urls":[]}]"#);
    assert_eq!(to_json(&Vec::<bool>::new()), "[]");
}
