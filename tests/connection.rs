//! The browser layer and the negotiator together: two real connections in one page, and a wire that the test holds.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod common;
#[path = "common/ends.rs"]
mod ends;

use common::{Census, muted, notebook, picture, sound, unmuted};
use duologue::IceServer;
use duologue::browser::{Connection, ConnectionEvent, DataChannelEvent, MediaKind, MediaStream, RtcOptions};
use duologue_engine::{LinkState, Operation, Party, SignalingState};
use duologue_protocol::{Candidate, Description, SdpType};
use ends::{Note, Parcel, a_call, mirrored, offer, two_ends};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn two_connections_with_nothing_but_their_negotiators_connect() {
    let census = Census::new();
    let (mut caller, mut callee) = two_ends().await;
    let (ours, theirs) = (caller.agreed().await, callee.agreed().await);
    assert_eq!(ours, mirrored(theirs));
    assert_eq!(ours.offer_by, Party::Local, "the first offer is the caller's");
    caller.connected().await;
    callee.connected().await;
    assert_eq!((census.made(), census.signaling().as_str()), (2, "stable stable"));
    assert!(caller.is_at_rest() && callee.is_at_rest());
}

#[wasm_bindgen_test]
async fn sound_and_picture_arrive_at_both_ends() {
    let (mut caller, mut callee) = two_ends().await;
    for (end, name) in [(&mut caller, "caller"), (&mut callee, "callee")] {
        let received = MediaStream::new().unwrap();
        for kind in MediaKind::ALL {
            received.add_track(&end.track(kind).await);
        }
        picture(&format!("the {name} sees"), &received).await;
        sound(&format!("the {name} hears"), &received).await;
    }
}

#[wasm_bindgen_test]
async fn candidates_that_overtake_their_description_wait_for_it_and_are_all_used() {
    let (mut caller, mut callee) = two_ends().await;
    let descriptions = |parcel| matches!(parcel, Parcel::Offer | Parcel::Answer);
    caller.lane.hold(descriptions);
    callee.lane.hold(descriptions);

    caller.says(Parcel::EndOfCandidates).await;
    common::breath().await;
    let early = callee.candidates_held();
    assert!(early >= 2, "at least one candidate and the end of them, not {early}");
    assert_eq!(callee.candidates_added(), 0);
    caller.lane.release();
    callee.agreed().await;
    assert_eq!((callee.candidates_held(), callee.candidates_added()), (0, early));

    callee.says(Parcel::EndOfCandidates).await;
    common::breath().await;
    let early = caller.candidates_held();
    assert!(early >= 2, "at least one candidate and the end of them, not {early}");
    callee.lane.release();
    caller.agreed().await;
    assert_eq!((caller.candidates_held(), caller.candidates_added()), (0, early));

    caller.connected().await;
    callee.connected().await;
}

#[wasm_bindgen_test]
async fn a_direction_that_changes_is_negotiated_and_can_change_back() {
    let (mut caller, mut callee) = a_call().await;
    let video = callee.track(MediaKind::Video).await;
    unmuted("the picture arrives", &video).await;

    caller.send(MediaKind::Video, false);
    assert_eq!(callee.agreed().await, mirrored(caller.agreed().await));
    muted("the picture stops", &video).await;

    caller.send(MediaKind::Video, true);
    assert_eq!(callee.agreed().await, mirrored(caller.agreed().await));
    unmuted("the picture is back", &callee.track(MediaKind::Video).await).await;
}

#[wasm_bindgen_test]
async fn the_callee_too_may_begin_a_later_negotiation() {
    let (mut caller, mut callee) = a_call().await;
    callee.send(MediaKind::Audio, false);
    let agreed = callee.agreed().await;
    assert_eq!(agreed.offer_by, Party::Local);
    assert_eq!(caller.agreed().await, mirrored(agreed));
}

#[wasm_bindgen_test]
async fn offers_that_cross_end_in_one_agreement_and_neither_wish_is_lost() {
    let census = Census::new();
    let (mut caller, mut callee) = a_call().await;
    let (heard_by_caller, seen_by_callee) =
        (caller.track(MediaKind::Audio).await, callee.track(MediaKind::Video).await);
    caller.says(Parcel::Offer).await;
    caller.lane.hold(|_| true);
    callee.lane.hold(|_| true);
    caller.send(MediaKind::Video, false);
    callee.send(MediaKind::Audio, false);
    caller.says(Parcel::Offer).await;
    callee.says(Parcel::Offer).await;
    assert_eq!(census.signaling(), "have-local-offer have-local-offer", "both offers are out");
    caller.lane.release();
    callee.lane.release();

    // The caller's goes through, and what the callee wanted is in its answer.
    let agreed = caller.agreed().await;
    assert_eq!(agreed.offer_by, Party::Local);
    assert_eq!(callee.agreed().await, mirrored(agreed));
    muted("the caller has stopped its picture", &seen_by_callee).await;
    muted("the callee has stopped its sound", &heard_by_caller).await;
    assert!(caller.is_at_rest() && callee.is_at_rest());
    assert_eq!(census.signaling(), "stable stable");
    assert!(caller.channel.send("still here") && callee.channel.send("still here"));
}

#[wasm_bindgen_test]
async fn a_data_channel_opens_with_the_connection_and_carries_text_both_ways() {
    let (mut caller, mut callee) = two_ends().await;
    assert!(!caller.channel.send("too early"), "a message that cannot be sent is not said to be");
    for end in [&mut caller, &mut callee] {
        assert!(matches!(end.channel_event().await, DataChannelEvent::Opened));
    }
    assert!(caller.channel.send("grüß dich 👋"));
    assert!(callee.channel.send(""));
    assert!(matches!(callee.channel_event().await, DataChannelEvent::Text(text) if text == "grüß dich 👋"));
    assert!(matches!(caller.channel_event().await, DataChannelEvent::Text(text) if text.is_empty()));
}

#[wasm_bindgen_test]
async fn a_connection_that_is_dropped_is_closed_and_reports_nothing_more() {
    let census = Census::new();
    let (caller, mut callee) = a_call().await;
    let rest = caller.hang_up();
    // The notebook ends when the last callback that writes to it is gone.
    let after = rest.rest("every callback of the dropped connection is given back").await;
    assert_eq!(census.open(), 1);
    let closed = |note: &&Note| matches!(note, Note::State(LinkState::Disconnected | LinkState::Failed));
    assert_eq!(after.iter().find(closed).map(|note| format!("{note:?}")), None);
    let lost =
        |note: &Note| matches!(note, Note::State(LinkState::Disconnected | LinkState::Failed)).then_some(());
    callee.notes.hear("the other end notices", lost).await;
}

#[wasm_bindgen_test]
fn a_server_address_that_cannot_be_read_is_an_error_in_words() {
    let census = Census::new();
    for url in ["stun:", "http://example.org", "nonsense"] {
        let server = IceServer { urls: vec![url.to_owned()], username: None, credential: None };
        let options = RtcOptions { ice_servers: vec![server], ..RtcOptions::default() };
        let Err(words) = Connection::new(&options, |_| {}) else { panic!("{url:?} was taken") };
        assert!(words.len() > 10, "{words:?} for {url:?}");
    }
    let no_password = IceServer { urls: vec!["turn:localhost".to_owned()], username: None, credential: None };
    let options = RtcOptions { ice_servers: vec![no_password], ..RtcOptions::default() };
    assert!(Connection::new(&options, |_| {}).is_err());
    assert_eq!(census.open(), 0);
}

#[wasm_bindgen_test]
async fn a_server_with_and_without_a_password_is_taken() {
    let server = |url: &str, secret: Option<&str>| {
        let secret = secret.map(str::to_owned);
        IceServer { urls: vec![url.to_owned()], username: secret.clone(), credential: secret }
    };
    let ice_servers =
        vec![server("stun:127.0.0.1:3478", None), server("turn:127.0.0.1:3478", Some("secret"))];
    assert!(Connection::new(&RtcOptions { ice_servers, ..RtcOptions::default() }, |_| {}).is_ok());
}

#[wasm_bindgen_test]
async fn what_is_no_description_is_given_up_in_words_and_the_next_one_is_taken() {
    let (mut caller, mut callee) = two_ends().await;
    caller.lane.hold(|_| true);
    caller.lane.deliver(offer("this is no SDP", 0));
    let failure = callee.given_up().await;
    assert_eq!(failure.state, SignalingState::Stable);
    assert!(failure.message.len() > 10, "{failure:?}");
    caller.lane.release();
    assert_eq!(callee.agreed().await, mirrored(caller.agreed().await));
    callee.connected().await;

    // The same when a call is up.
    caller.lane.deliver(offer("nor is this", 100));
    callee.given_up().await;
    callee.send(MediaKind::Audio, false);
    assert_eq!(callee.agreed().await, mirrored(caller.agreed().await));
}

#[wasm_bindgen_test]
async fn an_operation_that_does_not_fit_the_state_is_refused_in_words() {
    let (write, mut outcomes) = notebook();
    let connection = Connection::new(&RtcOptions::default(), |_: ConnectionEvent| {}).unwrap();
    let answer = Description { kind: SdpType::Answer, sdp: "v=0\r\n".to_owned() };
    connection.run(Operation::Apply(answer), move |outcome| drop(write.unbounded_send(outcome)));
    let failure = outcomes.hear("the operation fails", |outcome| outcome.clone().err()).await;
    assert_eq!(failure.state, SignalingState::Stable);
    assert!(failure.message.len() > 10, "{failure:?}");
}

#[wasm_bindgen_test]
async fn a_candidate_that_makes_no_sense_changes_nothing() {
    let (mut caller, mut callee) = two_ends().await;
    let nonsense = [
        Candidate { candidate: "nonsense".to_owned(), ..Candidate::default() },
        Candidate {
            candidate: "candidate:1 1 udp 1 nowhere.invalid 9 typ host".to_owned(),
            ..Candidate::default()
        },
        Candidate {
            candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host".to_owned(),
            sdp_mid: Some("no such section".to_owned()),
            sdp_m_line_index: Some(u16::MAX),
            username_fragment: Some("no such generation".to_owned()),
        },
        Candidate::end(),
    ];
    // Before there is any description, and after.
    nonsense.iter().for_each(|candidate| caller.add_candidate(candidate));
    caller.agreed().await;
    nonsense.iter().for_each(|candidate| caller.add_candidate(candidate));
    nonsense.iter().for_each(|candidate| callee.add_candidate(candidate));
    caller.connected().await;
    callee.connected().await;
    caller.send(MediaKind::Audio, false);
    assert_eq!(callee.agreed().await.id, Some(1));
    assert_eq!(callee.agreed().await, mirrored(caller.agreed().await));
}
