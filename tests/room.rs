//! Rooms that call each other: real connections and fake media, in one page that stands for several tabs.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod common;

use std::time::Duration;

use common::{
    Census, Gate, Heard, RoomEvents, breath, fresh_room, heard, muted, picture, sound, tracks, within,
};
use duologue::browser::MediaStream;
use duologue::{
    Error, Event, LeaveReason, LocalMedia, MediaKind, Options, Peer, PeerId, PeerState, Room, Signaling,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Somebody in a tab of their own.
struct Person {
    room: Room,
    events: Heard<RoomEvents>,
    media: Option<LocalMedia>,
}

impl Person {
    /// Opens the page; is in no room yet.
    fn opens(media: Option<LocalMedia>) -> Self {
        let mut options = Options::default();
        options.media.clone_from(&media);
        let room = Room::open(Signaling::Tabs { room_size: 2 }, options);
        let events = heard(&room);
        Self { room, events, media }
    }

    async fn enters(&self, room: &str, name: &str) -> Result<PeerId, Error> {
        within(&format!("{name:?} enters"), self.room.enter(room, name)).await
    }

    async fn meets(&mut self) -> Peer {
        let met = |event: &Event| match event {
            Event::Peer(peer) => Some(peer.clone()),
            _ => None,
        };
        self.events.hear("somebody is there", met).await
    }

    async fn connects(&mut self) {
        let connected =
            |event: &Event| matches!(event, Event::State { state: PeerState::Connected, .. }).then_some(());
        self.events.hear("the connection is up", connected).await;
    }

    async fn receives(&mut self) -> MediaStream {
        let received = |event: &Event| match event {
            Event::Stream { stream, .. } => Some(Clone::clone(stream)),
            _ => None,
        };
        self.events.hear("a stream arrives", received).await
    }

    async fn is_told(&mut self, sound: bool, picture: bool) {
        let told = |event: &Event| {
            matches!(event, Event::Media { audio, video, .. } if (*audio, *video) == (sound, picture))
                .then_some(())
        };
        self.events.hear(&format!("is told of sound: {sound}, picture: {picture}"), told).await;
    }

    async fn is_left(&mut self) -> (Peer, LeaveReason) {
        let left = |event: &Event| match event {
            Event::PeerLeft { peer, reason } => Some((peer.clone(), reason.clone())),
            _ => None,
        };
        self.events.hear("the other is gone", left).await
    }

    async fn turns(&self, kind: MediaKind, on: bool) {
        within("a device is turned on or off", self.media.as_ref().unwrap().set(kind, on)).await;
    }
}

fn camera_and_microphone() -> Option<LocalMedia> {
    Some(LocalMedia::new(Some(JsValue::TRUE), Some(JsValue::TRUE)).unwrap())
}

/// Somebody whose camera and microphone are on.
async fn with_devices() -> Person {
    let person = Person::opens(camera_and_microphone());
    within("the devices are opened", person.media.as_ref().unwrap().open()).await;
    person
}

/// Ada and Ben, in a call that is up.
async fn a_call(mut ada: Person, mut ben: Person) -> (Person, Person) {
    let room = fresh_room();
    ada.enters(&room, "Ada").await.unwrap();
    ben.enters(&room, "Ben").await.unwrap();
    ada.connects().await;
    ben.connects().await;
    (ada, ben)
}

#[wasm_bindgen_test]
async fn two_people_meet_by_name_and_are_connected() {
    let _gate = Gate::new();
    let (room, mut ada, mut ben) = (fresh_room(), with_devices().await, with_devices().await);
    let id_of_ada = ada.enters(&room, "Ada").await.unwrap();
    let id_of_ben = ben.enters(&room, " Ben ").await.unwrap();
    assert_eq!(ada.meets().await, Peer { id: id_of_ben.clone(), name: "Ben".to_owned(), speaks: true });
    assert_eq!(ben.meets().await, Peer { id: id_of_ada.clone(), name: "Ada".to_owned(), speaks: true });
    ada.connects().await;
    ben.connects().await;
    let joined = |person: &mut Person, id: PeerId| {
        let events = person.events.so_far();
        assert!(matches!(events.iter().next(), Some(Event::Reached)), "{events:?}");
        assert!(
            events.iter().any(|event| matches!(event, Event::Joined { id: told, .. } if *told == id)),
            "{events:?}"
        );
        assert!(!events.iter().any(|event| matches!(event, Event::Error(_))), "{events:?}");
    };
    joined(&mut ada, id_of_ada);
    joined(&mut ben, id_of_ben);
}

#[wasm_bindgen_test]
async fn each_sees_and_hears_the_other() {
    let _gate = Gate::new();
    let (mut ada, mut ben) = a_call(with_devices().await, with_devices().await).await;
    for person in [&mut ada, &mut ben] {
        let stream = person.receives().await;
        picture("one sees the other", &stream).await;
        sound("one hears the other", &stream).await;
        assert_eq!(tracks(&stream).len(), 2);
    }
}

#[wasm_bindgen_test]
async fn a_first_negotiation_is_enough() {
    let (_gate, census) = (Gate::new(), Census::new());
    let (mut ada, mut ben) = a_call(with_devices().await, with_devices().await).await;
    ada.is_told(true, true).await;
    ben.is_told(true, true).await;
    assert_eq!(
        (census.made(), census.negotiations()),
        (2, 2),
        "one connection and one exchange for each of the two"
    );
}

#[wasm_bindgen_test]
async fn a_microphone_or_camera_that_is_turned_off_or_on_is_told() {
    let gate = Gate::new();
    let (ada, mut ben) = a_call(with_devices().await, with_devices().await).await;
    ben.is_told(true, true).await;
    ada.turns(MediaKind::Audio, false).await;
    ben.is_told(false, true).await;
    ada.turns(MediaKind::Video, false).await;
    ben.is_told(false, false).await;
    assert_eq!((gate.given(), gate.running()), (4, 3), "a camera that is off is released");
    ada.turns(MediaKind::Audio, true).await;
    ben.is_told(true, false).await;
}

#[wasm_bindgen_test]
async fn a_camera_that_is_turned_on_again_is_seen_again_without_another_negotiation() {
    let (_gate, census) = (Gate::new(), Census::new());
    let (ada, mut ben) = a_call(with_devices().await, with_devices().await).await;
    let stream = ben.receives().await;
    picture("Ada is seen", &stream).await;
    ada.turns(MediaKind::Video, false).await;
    ben.is_told(true, false).await;
    ada.turns(MediaKind::Video, true).await;
    ben.is_told(true, true).await;
    picture("Ada is seen again", &stream).await;
    assert_eq!(census.negotiations(), 2);
}

#[wasm_bindgen_test]
async fn devices_that_come_when_the_call_is_up_join_it_without_another_negotiation() {
    let (_gate, census) = (Gate::new(), Census::new());
    let late = || Person::opens(camera_and_microphone());
    let (mut ada, mut ben) = a_call(late(), late()).await;
    for person in [&ada, &ben] {
        within("the devices are opened", person.media.as_ref().unwrap().open()).await;
    }
    for person in [&mut ada, &mut ben] {
        person.is_told(true, true).await;
        let stream = person.receives().await;
        picture("the late camera is seen", &stream).await;
        sound("the late microphone is heard", &stream).await;
    }
    assert_eq!(census.negotiations(), 2);
}

#[wasm_bindgen_test]
async fn who_only_watches_sees_and_hears_whichever_of_the_two_calls() {
    for watcher_is_first in [true, false] {
        let _gate = Gate::new();
        let (watcher, speaker) = (Person::opens(None), with_devices().await);
        let (first, second) = if watcher_is_first { (watcher, speaker) } else { (speaker, watcher) };
        let (first, second) = a_call(first, second).await;
        let (mut watcher, mut speaker) = if watcher_is_first { (first, second) } else { (second, first) };
        watcher.is_told(true, true).await;
        speaker.is_told(false, false).await;
        let stream = watcher.receives().await;
        picture("the watcher sees", &stream).await;
        sound("the watcher hears", &stream).await;
    }
}

#[wasm_bindgen_test]
async fn two_who_only_watch_are_connected_all_the_same() {
    let (_gate, census) = (Gate::new(), Census::new());
    let (mut ada, mut ben) = a_call(Person::opens(None), Person::opens(None)).await;
    ada.is_told(false, false).await;
    ben.is_told(false, false).await;
    assert_eq!(census.negotiations(), 2);
}

#[wasm_bindgen_test]
async fn a_camera_that_is_denied_leaves_the_sound_of_the_other_in_place() {
    let gate = Gate::new();
    let speaker = with_devices().await;
    gate.refuse("video", "NotAllowedError");
    let denied = with_devices().await;
    let (mut denied, mut speaker) = a_call(denied, speaker).await;
    speaker.is_told(false, false).await;
    picture("the other is seen", &denied.receives().await).await;
}

#[wasm_bindgen_test]
async fn a_camera_that_is_unplugged_is_told_and_stops() {
    let _gate = Gate::new();
    let (ada, mut ben) = a_call(with_devices().await, with_devices().await).await;
    ben.is_told(true, true).await;
    let seen = tracks(&ben.receives().await).into_iter().find(|track| track.kind() == "video").unwrap();
    let camera = tracks(&ada.media.as_ref().unwrap().stream())
        .into_iter()
        .find(|track| track.kind() == "video")
        .unwrap();
    common::fire(&camera, "ended");
    ben.is_told(true, false).await;
    muted("the picture stops", &seen).await;
    ada.turns(MediaKind::Video, true).await;
    ben.is_told(true, true).await;
    let stream = MediaStream::new().unwrap();
    stream.add_track(&seen);
    picture("it is back in the same track", &stream).await;
}

#[wasm_bindgen_test]
async fn leaving_is_told_and_closes_both_sides() {
    let (_gate, census) = (Gate::new(), Census::new());
    let (ada, mut ben) = a_call(with_devices().await, with_devices().await).await;
    let peer = ben.meets().await;
    ada.room.exit();
    assert_eq!(ben.is_left().await, (peer, LeaveReason::Left));
    assert_eq!((census.made(), census.open()), (2, 0));
}

#[wasm_bindgen_test]
async fn who_has_left_can_enter_again_and_be_called_again() {
    let _gate = Gate::new();
    let (room, mut ada, mut ben) = (fresh_room(), with_devices().await, with_devices().await);
    ada.enters(&room, "Ada").await.unwrap();
    for _ in 0..2 {
        ben.enters(&room, "Ben").await.unwrap();
        ada.connects().await;
        ben.connects().await;
        picture("Ben is seen", &ada.receives().await).await;
        picture("Ada is seen", &ben.receives().await).await;
        ben.room.exit();
        ada.is_left().await;
    }
    // The other way round: whoever was there first is now the newcomer.
    ben.enters(&room, "Ben").await.unwrap();
    ada.connects().await;
    ada.room.exit();
    ben.is_left().await;
    ada.enters(&room, "Ada").await.unwrap();
    ada.connects().await;
    ben.connects().await;
}

#[wasm_bindgen_test]
async fn who_leaves_before_being_in_can_go_elsewhere() {
    let ada = Person::opens(None);
    let here = fresh_room();
    let entering = ada.room.enter(&here, "Ada");
    let elsewhere = async {
        breath().await;
        ada.room.exit();
        ada.enters(&fresh_room(), "Ada").await
    };
    let (first, second) = within("both are answered", futures_util::future::join(entering, elsewhere)).await;
    assert_eq!(first, Err(Error::Left));
    second.unwrap();
}

#[wasm_bindgen_test]
async fn who_enters_another_room_has_left_the_first() {
    let (mut ada, mut ben, mut cleo) = (Person::opens(None), Person::opens(None), Person::opens(None));
    let (here, there) = (fresh_room(), fresh_room());
    ada.enters(&here, "Ada").await.unwrap();
    ben.enters(&here, "Ben").await.unwrap();
    cleo.enters(&there, "Cleo").await.unwrap();
    ada.connects().await;
    ben.connects().await;
    ben.enters(&there, "Ben").await.unwrap();
    assert_eq!(ada.is_left().await.1, LeaveReason::Left);
    ben.connects().await;
    cleo.connects().await;
}

#[wasm_bindgen_test]
async fn a_third_is_refused_and_disturbs_nobody() {
    let (_gate, census) = (Gate::new(), Census::new());
    let (room, mut ada, mut ben) = (fresh_room(), with_devices().await, with_devices().await);
    ada.enters(&room, "Ada").await.unwrap();
    ben.enters(&room, "Ben").await.unwrap();
    ada.connects().await;
    ben.connects().await;
    let cleo = Person::opens(None);
    let refused = cleo.enters(&room, "Cleo").await.unwrap_err();
    assert_eq!(refused.code(), "room-full");
    assert!(refused.to_string().len() > 20, "it says what to do: {refused}");
    assert_eq!((census.made(), census.open()), (2, 2));
    ada.room.exit();
    ben.is_left().await;
    within("there is room now", cleo.room.enter(&room, "Cleo")).await.unwrap();
}

#[wasm_bindgen_test]
async fn names_that_cannot_be_are_refused_at_once() {
    let ada = Person::opens(None);
    let too_long = "x".repeat(129);
    for room in ["", "   ", "new\nline", &too_long] {
        let error = ada.enters(room, "Ada").await.unwrap_err();
        assert!(matches!(error, Error::InvalidName(_)), "{error:?}");
        assert_eq!(error.code(), "invalid-name");
    }
    let error = ada.enters(&fresh_room(), &"x".repeat(65)).await.unwrap_err();
    assert!(matches!(error, Error::InvalidName(_)), "{error:?}");
    // And nothing of it is left behind.
    ada.enters(&fresh_room(), "").await.unwrap();
}

#[wasm_bindgen_test]
async fn dropping_a_room_ends_everything_it_had() {
    let (gate, census) = (Gate::new(), Census::new());
    let (ada, mut ben) = a_call(with_devices().await, with_devices().await).await;
    ben.meets().await;
    let Person { room, mut events, media } = ada;
    events.so_far();
    assert_eq!((census.open(), gate.running()), (2, 4));
    drop((room, media));
    assert_eq!(ben.is_left().await.1, LeaveReason::Left, "the other is told");
    let after = events.rest("the events end").await;
    assert!(
        !after.iter().any(|event| matches!(event, Event::PeerLeft { .. } | Event::Error(_))),
        "{after:?}"
    );
    assert_eq!((census.open(), gate.running()), (0, 2), "both sides are closed, and Ada's devices released");
    drop(ben.room);
    drop(ben.media);
    ben.events.rest("the other's events end as well").await;
    assert_eq!(gate.running(), 0);
}

#[wasm_bindgen_test]
async fn rooms_of_other_names_do_not_hear_each_other() {
    let (mut ada, mut ben) = (Person::opens(None), Person::opens(None));
    ada.enters(&fresh_room(), "Ada").await.unwrap();
    ben.enters(&fresh_room(), "Ben").await.unwrap();
    // Both have waited for an answer by now; there was none.
    for person in [&mut ada, &mut ben] {
        assert!(!person.events.so_far().iter().any(|event| matches!(event, Event::Peer(_))));
    }
}

#[wasm_bindgen_test]
async fn two_who_come_at_the_same_moment_meet_once() {
    let census = Census::new();
    let (room, mut ada, mut ben) = (fresh_room(), Person::opens(None), Person::opens(None));
    let (first, second) =
        futures_util::future::join(ada.enters(&room, "Ada"), ben.enters(&room, "Ben")).await;
    first.unwrap();
    second.unwrap();
    ada.connects().await;
    ben.connects().await;
    assert_eq!((census.made(), census.negotiations()), (2, 2));
}

#[wasm_bindgen_test]
async fn a_server_that_is_not_there_is_unreachable_at_once() {
    for address in ["ws://127.0.0.1:47123/ws", "ws://127.0.0.1:1/ws", "no address"] {
        let room = Room::open(Signaling::Server(address.to_owned()), Options::default());
        let mut events = heard(&room);
        let before = web_sys::window().unwrap().performance().unwrap().now();
        let error = within("an answer", room.enter("standup", "Ada")).await.unwrap_err();
        let took = web_sys::window().unwrap().performance().unwrap().now() - before;
        assert_eq!(error, Error::Unreachable, "{address}");
        assert!(took < 3000.0, "{address}: {took} ms");
        let unreached = |event: &Event| match event {
            Event::Unreached { before, retry_in } => Some((*before, *retry_in)),
            _ => None,
        };
        let (before, retry_in) = events.hear("it is told", unreached).await;
        assert!(!before && retry_in <= Duration::from_secs(1), "{retry_in:?}");
    }
}

#[wasm_bindgen_test]
async fn whoever_enters_between_two_tries_is_answered_at_once() {
    let room = Room::open(Signaling::Server("ws://127.0.0.1:47123/ws".to_owned()), Options::default());
    let mut events = heard(&room);
    // After the third the pause is long enough to be told from an answer.
    for _ in 0..3 {
        let unreached = |event: &Event| matches!(event, Event::Unreached { .. }).then_some(());
        events.hear("a try fails", unreached).await;
    }
    let before = web_sys::window().unwrap().performance().unwrap().now();
    assert_eq!(within("an answer", room.enter("standup", "Ada")).await, Err(Error::Unreachable));
    let took = web_sys::window().unwrap().performance().unwrap().now() - before;
    assert!(took < 900.0, "{took} ms");
}
