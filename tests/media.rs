//! One's own camera and microphone, on the fake devices of a browser that gives them, and through a gate that does not.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod common;

use std::cell::Cell;
use std::rc::Rc;

use common::{Gate, breath, fire, picture, sound, tracks, within};
use duologue::browser::{MediaStream, capture, list_devices};
use duologue::{LocalMedia, LocalState, MediaKind, MediaProblem};
use futures_util::future::join;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::MediaStreamTrackState;

wasm_bindgen_test_configure!(run_in_browser);

fn camera_and_microphone() -> LocalMedia {
    LocalMedia::new(Some(JsValue::TRUE), Some(JsValue::TRUE)).unwrap()
}

async fn open(media: &LocalMedia) {
    within("the devices are opened", media.open()).await;
}

async fn set(media: &LocalMedia, kind: MediaKind, on: bool) {
    within("a device is turned on or off", media.set(kind, on)).await;
}

/// `audio` or `video` for each track of the stream to show to oneself.
fn shown(media: &LocalMedia) -> Vec<String> {
    let mut kinds: Vec<String> = tracks(&media.stream()).iter().map(|track| track.kind()).collect();
    kinds.sort();
    kinds
}

fn problems(media: &LocalMedia) -> [Option<MediaProblem>; 2] {
    MediaKind::ALL.map(|kind| media.state(kind).problem)
}

#[wasm_bindgen_test]
async fn nothing_is_opened_before_it_is_asked_for() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    let waiting = LocalState { offered: true, on: true, ..LocalState::default() };
    assert_eq!(MediaKind::ALL.map(|kind| media.state(kind)), [waiting.clone(), waiting]);
    breath().await;
    assert_eq!(gate.questions(), "");
}

#[wasm_bindgen_test]
async fn camera_and_microphone_are_opened_with_one_question_and_work() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    let stream = media.stream();
    open(&media).await;
    assert_eq!(gate.questions(), "audio+video");
    let live = LocalState { offered: true, on: true, live: true, ..LocalState::default() };
    assert_eq!(MediaKind::ALL.map(|kind| media.state(kind)), [live.clone(), live]);
    assert_eq!(shown(&media), ["audio", "video"]);
    assert_eq!(media.stream(), stream, "it stays the same object");
    picture("one sees oneself", &stream).await;
    sound("one could hear oneself", &stream).await;
    open(&media).await;
    assert_eq!(gate.questions(), "audio+video", "what is open is not asked for again");
}

#[wasm_bindgen_test]
async fn what_is_not_offered_is_not_asked_for() {
    let gate = Gate::new();
    let media = LocalMedia::new(None, Some(JsValue::TRUE)).unwrap();
    open(&media).await;
    set(&media, MediaKind::Audio, true).await;
    assert_eq!(gate.questions(), "video");
    assert!(!media.state(MediaKind::Audio).offered);
    assert_eq!(shown(&media), ["video"]);
}

#[wasm_bindgen_test]
async fn a_camera_that_is_off_is_released_and_comes_back() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    set(&media, MediaKind::Video, false).await;
    assert_eq!((gate.given(), gate.running()), (2, 1), "its light goes out");
    assert_eq!(shown(&media), ["audio"]);
    assert_eq!((media.sending().audio, media.sending().video), (true, false));
    set(&media, MediaKind::Video, true).await;
    assert_eq!((gate.given(), gate.running()), (3, 2));
    assert_eq!(gate.questions(), "audio+video video");
    picture("the camera is back", &media.stream()).await;
    assert!(media.sending().video);
}

#[wasm_bindgen_test]
async fn a_microphone_that_is_off_stays_open_and_silent() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    set(&media, MediaKind::Audio, false).await;
    let track = tracks(&media.stream()).into_iter().find(|track| track.kind() == "audio").unwrap();
    assert_eq!((track.ready_state(), track.enabled()), (MediaStreamTrackState::Live, false));
    assert!(!media.sending().audio);
    set(&media, MediaKind::Audio, true).await;
    assert!(track.enabled() && media.sending().audio);
    assert_eq!(gate.questions(), "audio+video");
}

#[wasm_bindgen_test]
async fn what_is_off_before_it_is_opened_is_not_asked_for() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    set(&media, MediaKind::Video, false).await;
    open(&media).await;
    assert_eq!((gate.questions().as_str(), gate.running()), ("audio", 1));
}

#[wasm_bindgen_test]
async fn a_camera_turned_off_while_the_browser_asks_is_given_back_when_it_comes() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    gate.hold();
    let turn_off = async {
        breath().await;
        assert!(media.state(MediaKind::Video).asking);
        set(&media, MediaKind::Video, false).await;
        gate.release();
    };
    join(open(&media), turn_off).await;
    assert_eq!((gate.given(), gate.running()), (2, 1));
    assert_eq!(shown(&media), ["audio"]);
    assert!(!media.state(MediaKind::Video).asking);
}

#[wasm_bindgen_test]
async fn a_microphone_turned_off_while_the_browser_asks_comes_silent() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    gate.hold();
    let turn_off = async {
        breath().await;
        set(&media, MediaKind::Audio, false).await;
        gate.release();
    };
    join(open(&media), turn_off).await;
    let track = tracks(&media.stream()).into_iter().find(|track| track.kind() == "audio").unwrap();
    assert!(!track.enabled());
}

#[wasm_bindgen_test]
async fn devices_that_come_after_nobody_wants_them_any_more_are_released() {
    let gate = Gate::new();
    gate.hold();
    let media = camera_and_microphone();
    let asking = media.clone();
    let (write, mut done) = common::notebook();
    wasm_bindgen_futures::spawn_local(async move {
        asking.open().await;
        drop(asking);
        let _ = write.unbounded_send(());
    });
    breath().await;
    drop(media);
    gate.release();
    done.hear("the question is answered", |()| Some(())).await;
    assert_eq!((gate.given(), gate.running()), (2, 0));
}

#[wasm_bindgen_test]
async fn dropping_the_last_handle_releases_the_devices() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    let other = media.clone();
    drop(media);
    assert_eq!(gate.running(), 2);
    drop(other);
    assert_eq!((gate.given(), gate.running()), (2, 0));
}

#[wasm_bindgen_test]
async fn every_refusal_of_the_browser_has_its_problem() {
    let gate = Gate::new();
    let cases = [
        ("NotAllowedError", MediaProblem::Denied),
        ("SecurityError", MediaProblem::Denied),
        ("NotFoundError", MediaProblem::NotFound),
        ("OverconstrainedError", MediaProblem::NotFound),
        ("NotReadableError", MediaProblem::InUse),
        ("AbortError", MediaProblem::InUse),
        ("DataError", MediaProblem::Other("no video".to_owned())),
    ];
    for (exception, problem) in cases {
        gate.refuse("video", exception);
        let answer = capture(MediaKind::Video, &JsValue::TRUE).await;
        assert_eq!(answer.err(), Some(problem), "{exception}");
    }
}

#[wasm_bindgen_test]
async fn a_device_that_is_not_there_does_not_take_the_other_away() {
    for (missing, there) in [("video", "audio"), ("audio", "video")] {
        for (exception, problem) in
            [("NotFoundError", MediaProblem::NotFound), ("NotReadableError", MediaProblem::InUse)]
        {
            let gate = Gate::new();
            gate.refuse(missing, exception);
            let media = camera_and_microphone();
            open(&media).await;
            assert_eq!(shown(&media), [there]);
            let [audio, video] = problems(&media);
            let (found, other) = if missing == "audio" { (audio, video) } else { (video, audio) };
            assert_eq!((found, other), (Some(problem), None), "{missing}: {exception}");
            assert_eq!(gate.running(), 1);
        }
    }
}

#[wasm_bindgen_test]
async fn who_says_no_is_asked_once() {
    let gate = Gate::new();
    gate.refuse("audio", "NotAllowedError");
    let media = camera_and_microphone();
    open(&media).await;
    assert_eq!(gate.questions(), "audio+video");
    assert_eq!(problems(&media), [Some(MediaProblem::Denied), Some(MediaProblem::Denied)]);
    assert!(!media.state(MediaKind::Audio).asking && !media.state(MediaKind::Video).asking);
    assert_eq!((shown(&media).len(), gate.running()), (0, 0));
    assert!(!media.sending().audio && !media.sending().video);
}

#[wasm_bindgen_test]
async fn after_a_no_one_can_try_again() {
    let gate = Gate::new();
    gate.refuse("audio", "NotAllowedError");
    let media = camera_and_microphone();
    open(&media).await;
    gate.relent();
    open(&media).await;
    assert_eq!(problems(&media), [None, None]);
    assert_eq!(shown(&media), ["audio", "video"]);
}

#[wasm_bindgen_test]
async fn turning_on_again_what_was_refused_asks_again() {
    let gate = Gate::new();
    gate.refuse("video", "NotReadableError");
    let media = camera_and_microphone();
    open(&media).await;
    gate.relent();
    set(&media, MediaKind::Video, true).await;
    assert_eq!(problems(&media), [None, None]);
    assert_eq!(shown(&media), ["audio", "video"]);
}

#[wasm_bindgen_test]
async fn a_camera_turned_off_while_one_learns_that_the_microphone_is_missing_is_not_opened() {
    let gate = Gate::new();
    gate.refuse("audio", "NotFoundError");
    gate.hold();
    let media = camera_and_microphone();
    let turn_off = async {
        breath().await;
        set(&media, MediaKind::Video, false).await;
        gate.release();
    };
    join(open(&media), turn_off).await;
    assert_eq!((gate.questions().as_str(), gate.given()), ("audio+video audio", 0));
    assert!(!media.state(MediaKind::Video).asking);
}

#[wasm_bindgen_test]
async fn a_device_that_is_unplugged_is_noted_and_can_be_had_again() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    let changes = Rc::new(Cell::new(0));
    let counted = Rc::clone(&changes);
    let watch = media.watch(move || counted.set(counted.get() + 1));
    let track = tracks(&media.stream()).into_iter().find(|track| track.kind() == "video").unwrap();
    fire(&track, "ended");
    assert_eq!(changes.get(), 1, "whoever watches is told");
    assert_eq!(problems(&media), [None, Some(MediaProblem::NotFound)]);
    assert_eq!(shown(&media), ["audio"]);
    assert!(!media.sending().video);
    drop(watch);
    set(&media, MediaKind::Video, true).await;
    assert_eq!(changes.get(), 1, "whoever has stopped watching is not");
    assert_eq!(problems(&media), [None, None]);
    assert_eq!(gate.running(), 2);
    picture("the camera is back", &media.stream()).await;
}

#[wasm_bindgen_test]
async fn one_can_turn_to_another_device() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    let used = media.device(MediaKind::Audio).unwrap();
    let microphones = list_devices().await.audio;
    let (other, name) = microphones.into_iter().find(|(id, _)| *id != used).unwrap();
    assert!(!name.is_empty());
    within("the other is opened", media.use_device(MediaKind::Audio, &other)).await;
    assert_eq!(media.device(MediaKind::Audio), Some(other));
    assert_eq!((gate.given(), gate.running()), (3, 2), "the first one is released");
    assert_eq!(shown(&media), ["audio", "video"]);
}

#[wasm_bindgen_test]
async fn the_device_chosen_last_is_the_one_that_is_used() {
    let gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    let microphones = list_devices().await.audio;
    let [(first, _), .., (last, _)] = microphones.as_slice() else { panic!("{microphones:?}") };
    gate.hold();
    let turn = async {
        breath().await;
        let second = media.use_device(MediaKind::Audio, last);
        let release = async {
            breath().await;
            gate.release();
        };
        join(second, release).await;
    };
    within("both are opened", join(media.use_device(MediaKind::Audio, first), turn)).await;
    assert_eq!(media.device(MediaKind::Audio).as_ref(), Some(last));
    assert_eq!((gate.given(), gate.running()), (4, 2), "what was overtaken is released");
    assert_eq!(shown(&media), ["audio", "video"]);
}

#[wasm_bindgen_test]
async fn a_device_that_does_not_exist_is_a_problem_of_its_kind_only() {
    let _gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    within("the browser says no", media.use_device(MediaKind::Video, "no such device")).await;
    assert_eq!(problems(&media), [None, Some(MediaProblem::NotFound)]);
    assert_eq!(shown(&media), ["audio"]);
}

#[wasm_bindgen_test]
async fn tracks_of_the_application_stay_its_own() {
    let _gate = Gate::new();
    let theirs = MediaStream::new().unwrap();
    for kind in MediaKind::ALL {
        theirs.add_track(&capture(kind, &JsValue::TRUE).await.unwrap());
    }
    let media = LocalMedia::from_stream(&theirs).unwrap();
    let live = LocalState { offered: true, on: true, live: true, ..LocalState::default() };
    assert_eq!(MediaKind::ALL.map(|kind| media.state(kind)), [live.clone(), live]);
    set(&media, MediaKind::Video, false).await;
    assert!(!media.sending().video);
    assert_eq!(shown(&media), ["audio", "video"], "it is silenced, not taken away");
    drop(media);
    for track in tracks(&theirs) {
        assert_eq!(track.ready_state(), MediaStreamTrackState::Live);
        track.stop();
    }
}

#[wasm_bindgen_test]
async fn the_devices_are_listed_with_their_names_once_the_page_may_use_one() {
    let _gate = Gate::new();
    let media = camera_and_microphone();
    open(&media).await;
    let devices = list_devices().await;
    assert!(!devices.video.is_empty() && devices.audio.len() >= 2);
    assert!(devices.audio.iter().chain(&devices.video).all(|(id, name)| !id.is_empty() && !name.is_empty()));
}
