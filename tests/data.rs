//! Messages and files between rooms that call each other: real connections, in one page that stands for several tabs.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod common;

use common::{Gate, Heard, RoomEvents, fresh_room, heard, within};
use duologue::{
    Body, Destination, Error, Event, Loss, Mode, Options, PeerState, Room, Signaling, Transfer,
    TransferError, TransferState, TransferStates,
};
use futures_util::StreamExt;
use js_sys::{Array, Uint8Array};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{File, FilePropertyBag};

wasm_bindgen_test_configure!(run_in_browser);

/// Somebody in a tab of their own, without camera and microphone.
struct Person {
    room: Room,
    events: Heard<RoomEvents>,
}

impl Person {
    fn opens() -> Self {
        let room = Room::open(Signaling::Tabs { room_size: 2 }, Options::default());
        let events = heard(&room);
        Self { room, events }
    }

    async fn connects(&mut self) {
        let connected =
            |event: &Event| matches!(event, Event::State { state: PeerState::Connected, .. }).then_some(());
        self.events.hear("the connection is up", connected).await;
    }

    async fn sends(&self, body: Body) {
        let receipt = within("a message is taken", self.room.send(body, None, Mode::Reliable)).await.unwrap();
        within("a message is delivered", receipt.delivered()).await.unwrap();
    }

    async fn receives(&mut self) -> (Body, Mode) {
        let message = |event: &Event| match event {
            Event::Message { body, mode, .. } => Some((body.clone(), *mode)),
            _ => None,
        };
        self.events.hear("a message arrives", message).await
    }

    async fn is_offered(&mut self) -> Transfer {
        let offered = |event: &Event| match event {
            Event::File(transfer) => Some(transfer.clone()),
            _ => None,
        };
        self.events.hear("a file is offered", offered).await
    }
}

/// Ada and Ben, in a call that is up.
async fn a_call() -> (Person, Person) {
    let (room, mut ada, mut ben) = (fresh_room(), Person::opens(), Person::opens());
    within("Ada enters", ada.room.enter(&room, "Ada")).await.unwrap();
    within("Ben enters", ben.room.enter(&room, "Ben")).await.unwrap();
    ada.connects().await;
    ben.connects().await;
    (ada, ben)
}

fn text(text: &str) -> Body {
    Body::Text(text.to_owned())
}

/// Bytes that differ from place to place.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

fn file(name: &str, content: &[u8]) -> File {
    let options = FilePropertyBag::new();
    options.set_type("application/x-test");
    options.set_last_modified(1_000_000.0);
    File::new_with_u8_array_sequence_and_options(&Array::of1(&Uint8Array::from(content)), name, &options)
        .unwrap()
}

async fn content(file: &File) -> Vec<u8> {
    Uint8Array::new(&within("a file is read", JsFuture::from(file.array_buffer())).await.unwrap()).to_vec()
}

/// How a transfer ends.
async fn end(transfer: &Transfer) -> Result<Option<File>, TransferError> {
    let mut states = transfer.states();
    within("the transfer ends", async {
        while let Some(state) = states.next().await {
            match state {
                TransferState::Done(saved) => return Ok(saved.and_then(|saved| saved.file)),
                TransferState::Failed(error) => return Err(error),
                _ => {}
            }
        }
        panic!("it ends without a word")
    })
    .await
}

async fn hear(states: &mut TransferStates, what: &str, wanted: impl Fn(&TransferState) -> bool) {
    within(what, async { while !wanted(&states.next().await.unwrap()) {} }).await;
}

#[wasm_bindgen_test]
async fn messages_arrive_as_they_were_sent_and_in_order() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    let all = [text("Grüße 👋"), text(""), Body::Bytes(bytes(1000)), Body::Bytes(vec![]), text("last")];
    for body in &all {
        ada.sends(body.clone()).await;
    }
    for body in all {
        assert_eq!(ben.receives().await, (body, Mode::Reliable));
    }
}

#[wasm_bindgen_test]
async fn a_message_far_larger_than_a_channel_takes_arrives_whole() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    let large = Body::Bytes(bytes(3_000_000));
    ada.sends(large.clone()).await;
    assert!(ben.receives().await.0 == large);
}

#[wasm_bindgen_test]
async fn two_that_are_sent_at_once_do_not_mix() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    let (one, two) = (Body::Bytes(bytes(900_000)), text(&"x".repeat(700_000)));
    let first = ada.room.send(one.clone(), None, Mode::Reliable);
    let second = ada.room.send(two.clone(), None, Mode::Reliable);
    within("both are taken", async { (first.await.unwrap(), second.await.unwrap()) }).await;
    assert!(ben.receives().await.0 == one);
    assert!(ben.receives().await.0 == two);
}

#[wasm_bindgen_test]
async fn what_is_sent_before_the_connection_is_up_arrives() {
    let _gate = Gate::new();
    let (room, ada, mut ben) = (fresh_room(), Person::opens(), Person::opens());
    within("Ben enters", ben.room.enter(&room, "Ben")).await.unwrap();
    within("Ada enters", ada.room.enter(&room, "Ada")).await.unwrap();
    let met = |event: &Event| matches!(event, Event::Peer(_)).then_some(());
    ben.events.hear("Ada is there", met).await;
    let mut ada = ada;
    ada.events.hear("Ben is there", met).await;
    ada.sends(text("early")).await;
    assert_eq!(ben.receives().await.0, text("early"));
}

#[wasm_bindgen_test]
async fn a_lossy_message_says_that_it_is_one() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    let receipt = within("it is taken", ada.room.send(text("here"), None, Mode::Lossy)).await.unwrap();
    within("nobody waits for it", receipt.delivered()).await.unwrap();
    assert_eq!(ben.receives().await, (text("here"), Mode::Lossy));
}

#[wasm_bindgen_test]
async fn what_cannot_be_sent_is_refused_with_the_reason() {
    let _gate = Gate::new();
    let (ada, _ben) = a_call().await;
    let too_large = ada.room.send(Body::Bytes(vec![0; 17 * 1024 * 1024]), None, Mode::Reliable);
    let error = within("it is refused", too_large).await.unwrap_err();
    assert!(matches!(&error, Error::Undelivered(losses) if losses[0].1 == Loss::TooLarge), "{error:?}");
    assert_eq!(error.to_string(), "Ben did not get the message: it is too large; send it as a file.");
    let nobody = duologue::PeerId::new("nobody".to_owned()).unwrap();
    let error = within("it is refused", ada.room.send(text("x"), Some(&nobody), Mode::Reliable)).await;
    assert_eq!(error.unwrap_err(), Error::NoSuchPeer);
}

#[wasm_bindgen_test]
async fn who_sends_without_waiting_is_stopped_before_memory_runs_out() {
    let _gate = Gate::new();
    let (ada, _ben) = a_call().await;
    let all: Vec<_> =
        (0..40).map(|_| ada.room.send(Body::Bytes(vec![1; 1_000_000]), None, Mode::Reliable)).collect();
    let mut refused = 0;
    for sent in all {
        if let Err(error) = within("it is taken or refused", sent).await {
            assert!(
                matches!(&error, Error::Undelivered(losses) if losses[0].1 == Loss::TooMuchWaiting),
                "{error:?}"
            );
            refused += 1;
        }
    }
    assert!((1..40).contains(&refused), "{refused} were refused");
}

#[wasm_bindgen_test]
async fn in_an_empty_room_a_message_goes_to_nobody() {
    let _gate = Gate::new();
    let ada = Person::opens();
    within("Ada enters", ada.room.enter(&fresh_room(), "Ada")).await.unwrap();
    let receipt = within("it is sent", ada.room.send(text("x"), None, Mode::Reliable)).await.unwrap();
    assert_eq!(receipt.peers().count(), 0);
}

#[wasm_bindgen_test]
async fn who_sent_to_somebody_who_left_hears_that_it_may_not_have_arrived() {
    let _gate = Gate::new();
    let (mut ada, ben) = a_call().await;
    ada.sends(text("first")).await;
    ben.room.exit();
    let mut receipts = Vec::new();
    // Until the departure is known here, channels take messages.
    for _ in 0..200 {
        match within("it is answered", ada.room.send(text("anybody?"), None, Mode::Reliable)).await {
            Ok(receipt) if receipt.peers().count() > 0 => receipts.push(receipt),
            _ => break,
        }
    }
    let left = |event: &Event| matches!(event, Event::PeerLeft { .. }).then_some(());
    ada.events.hear("Ben is gone", left).await;
    for receipt in receipts {
        // Delivered, or not: but every one is answered.
        if let Err(error) = within("it is answered", receipt.delivered()).await {
            assert!(matches!(error, Error::Undelivered(_)), "{error:?}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_file_arrives_as_it_was_sent() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    for length in [0, 1, 262_144, 5_000_000] {
        let sent = bytes(length);
        let name = format!("../../a\u{202e}b {length}.bin");
        let out = within("it is offered", ada.room.send_file(&file(&name, &sent), None)).await.unwrap();
        let offer = ben.is_offered().await;
        assert!(offer.is_incoming() && !out.is_incoming());
        assert_eq!((offer.name(), offer.size()), (format!("ab {length}.bin").as_str(), length as u64));
        assert_eq!(offer.kind(), "application/x-test");
        offer.accept(Destination::Page);
        let saved = end(&offer).await.unwrap().unwrap();
        assert_eq!(saved.name(), format!("ab {length}.bin"));
        assert!(content(&saved).await == sent, "{length} bytes");
        assert_eq!(end(&out).await.map(|it| it.is_none()), Ok(true), "the sender is told");
    }
}

#[wasm_bindgen_test]
async fn several_files_and_messages_go_at_once_and_both_ways() {
    let _gate = Gate::new();
    let (mut ada, mut ben) = a_call().await;
    let sent = bytes(3_000_000);
    for name in ["one", "two"] {
        within("it is offered", ada.room.send_file(&file(name, &sent), None)).await.unwrap();
        within("it is offered", ben.room.send_file(&file(name, &sent), None)).await.unwrap();
    }
    let offers =
        [ada.is_offered().await, ada.is_offered().await, ben.is_offered().await, ben.is_offered().await];
    for offer in &offers {
        offer.accept(Destination::Page);
    }
    ada.sends(text("meanwhile")).await;
    assert_eq!(ben.receives().await.0, text("meanwhile"));
    for offer in &offers {
        assert!(content(&end(offer).await.unwrap().unwrap()).await == sent);
    }
}

#[wasm_bindgen_test]
async fn a_file_may_be_declined_and_the_sender_reads_why() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    let out = within("it is offered", ada.room.send_file(&file("a", b"x"), None)).await.unwrap();
    ben.is_offered().await.decline("not on my phone");
    let error = end(&out).await.unwrap_err();
    assert_eq!((error.code(), error.is_ours()), ("declined", false));
    assert_eq!(error.to_string(), "The other side declined it: not on my phone");
}

#[wasm_bindgen_test]
async fn either_side_may_cancel_or_hold_up_a_file() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    let sent = bytes(40_000_000);
    for sender_does_it in [true, false] {
        let out = within("it is offered", ada.room.send_file(&file("a", &sent), None)).await.unwrap();
        let offer = ben.is_offered().await;
        offer.accept(Destination::Page);
        let (does, sees) = if sender_does_it { (&out, &offer) } else { (&offer, &out) };
        let mut states = sees.states();
        let active = |state: &TransferState| matches!(state, TransferState::Active(_));
        hear(&mut states, "it begins", active).await;
        does.pause();
        let paused = |state: &TransferState| matches!(state, TransferState::Active(it) if it.paused_there);
        hear(&mut states, "it is held up", paused).await;
        does.resume();
        let goes_on = |state: &TransferState| matches!(state, TransferState::Active(it) if !it.paused_there);
        hear(&mut states, "it goes on", goes_on).await;
        does.cancel();
        let error = end(sees).await.unwrap_err();
        assert_eq!((error.code(), error.is_ours()), ("cancelled", false));
        assert!(end(does).await.unwrap_err().is_ours());
    }
}

#[wasm_bindgen_test]
async fn a_file_that_is_under_way_when_the_other_leaves_is_an_error() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call().await;
    let out = within("it is offered", ada.room.send_file(&file("a", &bytes(1000)), None)).await.unwrap();
    let offer = ben.is_offered().await;
    drop(ben);
    assert_eq!(end(&out).await.unwrap_err().code(), "left");
    assert_eq!(end(&offer).await.unwrap_err().code(), "left");
}

#[wasm_bindgen_test]
async fn a_file_needs_somebody_to_go_to() {
    let _gate = Gate::new();
    let ada = Person::opens();
    within("Ada enters", ada.room.enter(&fresh_room(), "Ada")).await.unwrap();
    let alone = within("it is refused", ada.room.send_file(&file("a", b"x"), None)).await;
    assert_eq!(alone.unwrap_err(), Error::WhichPeer);
}
