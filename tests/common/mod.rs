//! What the browser tests share: waiting that says what it waited for, and a view of the page from outside the library.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::panic, reason = "a test fails by it")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use duologue::browser::{MediaStream, MediaStreamTrack};
use duologue::{Event, Events, Room};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::Map;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;

/// How long a test waits for anything. Far more than it takes, for machines that are busy with other things.
const PATIENCE_MILLIS: u32 = 15_000;

/// Waits for `future`, and fails with `what` was waited for if it takes too long.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match select(pin!(future), TimeoutFuture::new(PATIENCE_MILLIS)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => panic!("waited {PATIENCE_MILLIS} ms in vain: {what}"),
    }
}

/// Listens to a stream of events. Each is claimed once; those that nobody has asked for yet are kept.
pub struct Heard<S: Stream> {
    stream: S,
    unclaimed: VecDeque<S::Item>,
}

impl<S: Stream<Item: Debug> + Unpin> Heard<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, unclaimed: VecDeque::new() }
    }

    /// Claims the first event that `pick` takes, and waits for it if it has not come yet.
    pub async fn hear<T>(&mut self, what: &str, mut pick: impl FnMut(&S::Item) -> Option<T>) -> T {
        for index in 0..self.unclaimed.len() {
            if let Some(picked) = self.unclaimed.get(index).and_then(&mut pick) {
                self.unclaimed.remove(index);
                return picked;
            }
        }
        loop {
            match select(self.stream.next(), TimeoutFuture::new(PATIENCE_MILLIS)).await {
                Either::Left((Some(event), _)) => match pick(&event) {
                    Some(picked) => return picked,
                    None => self.unclaimed.push_back(event),
                },
                Either::Left((None, _)) => {
                    panic!(
                        "there is nothing more to hear, but not yet: {what}; instead: {:?}",
                        self.unclaimed
                    )
                }
                Either::Right(_) => {
                    panic!("waited {PATIENCE_MILLIS} ms in vain: {what}; instead: {:?}", self.unclaimed)
                }
            }
        }
    }

    /// Waits for the end, and gives what came that nobody had asked for.
    pub async fn rest(mut self, what: &str) -> Vec<S::Item> {
        while let Some(event) = within(what, self.stream.next()).await {
            self.unclaimed.push_back(event);
        }
        self.unclaimed.into()
    }

    /// What has come so far that nobody has asked for.
    pub fn so_far(&mut self) -> &VecDeque<S::Item> {
        while let Some(Some(event)) = futures_util::FutureExt::now_or_never(self.stream.next()) {
            self.unclaimed.push_back(event);
        }
        &self.unclaimed
    }
}

/// A place to write to from callbacks, and to listen to.
pub fn notebook<T: Debug>() -> (UnboundedSender<T>, Heard<UnboundedReceiver<T>>) {
    let (write, read) = unbounded();
    (write, Heard::new(read))
}

/// The events of a room, to have and to keep.
pub type RoomEvents = Map<Events, fn(Rc<Event>) -> Event>;

/// Listens to a room.
pub fn heard(room: &Room) -> Heard<RoomEvents> {
    Heard::new(room.events().map(Rc::unwrap_or_clone))
}

thread_local! {
    static ROOMS: RefCell<u32> = const { RefCell::new(0) };
}

/// The name of a room that no other test is in, whether it has ended well or not.
pub fn fresh_room() -> String {
    ROOMS.with_borrow_mut(|count| {
        *count += 1;
        format!("room {count} of {}", js_sys::Date::now())
    })
}

#[wasm_bindgen(module = "/tests/common/page.js")]
extern "C" {
    /// Counts the RTCPeerConnections that are made from now on, by whomever.
    pub type Census;

    #[wasm_bindgen(constructor)]
    pub fn new() -> Census;

    /// How many were made.
    #[wasm_bindgen(method, getter)]
    pub fn made(this: &Census) -> u32;

    /// How many of them are not closed.
    #[wasm_bindgen(method, getter)]
    pub fn open(this: &Census) -> u32;

    /// How many of them have ever been negotiating, counted anew for each negotiation.
    #[wasm_bindgen(method, getter)]
    pub fn negotiations(this: &Census) -> u32;

    /// The signaling states they are in, separated by spaces.
    #[wasm_bindgen(method, getter)]
    pub fn signaling(this: &Census) -> String;

    /// Stands in front of `navigator.mediaDevices.getUserMedia`: sees what is asked and what is given, and can say no.
    /// One at a time: a new one takes the place of the last.
    pub type Gate;

    #[wasm_bindgen(constructor)]
    pub fn new() -> Gate;

    /// From now on whoever asks for this kind, alone or with another, gets a DOMException of this name.
    #[wasm_bindgen(method)]
    pub fn refuse(this: &Gate, kind: &str, exception: &str);

    /// Nobody is refused any more.
    #[wasm_bindgen(method)]
    pub fn relent(this: &Gate);

    /// From now on answers, good or bad, wait for `release`.
    #[wasm_bindgen(method)]
    pub fn hold(this: &Gate);

    #[wasm_bindgen(method)]
    pub fn release(this: &Gate);

    /// What was asked for, question by question, such as `audio+video audio video`.
    #[wasm_bindgen(method, getter)]
    pub fn questions(this: &Gate) -> String;

    /// How many of the tracks that were given are still running.
    #[wasm_bindgen(method, getter)]
    pub fn running(this: &Gate) -> u32;

    /// How many tracks were given.
    #[wasm_bindgen(method, getter)]
    pub fn given(this: &Gate) -> u32;

    #[wasm_bindgen(js_name = picture)]
    async fn picture_js(stream: &MediaStream) -> JsValue;

    #[wasm_bindgen(js_name = sound)]
    async fn sound_js(stream: &MediaStream) -> JsValue;

    #[wasm_bindgen(js_name = once)]
    async fn once_js(target: &web_sys::EventTarget, name: &str) -> JsValue;

    /// Fires an event that the browser would.
    pub fn fire(target: &web_sys::EventTarget, name: &str);
}

/// Plays the stream in a video element, and waits for a picture to be shown there.
pub async fn picture(what: &str, stream: &MediaStream) {
    within(what, picture_js(stream)).await;
}

/// Listens to the stream until something but silence is heard.
pub async fn sound(what: &str, stream: &MediaStream) {
    within(what, sound_js(stream)).await;
}

/// Waits for the track to be muted, if it is not: nothing arrives any more, or nothing is to arrive.
pub async fn muted(what: &str, track: &MediaStreamTrack) {
    if !track.muted() {
        within(what, once_js(track, "mute")).await;
    }
}

/// Waits until something arrives for the track.
pub async fn unmuted(what: &str, track: &MediaStreamTrack) {
    if track.muted() {
        within(what, once_js(track, "unmute")).await;
    }
}

/// Lets everything run that is due already.
pub async fn breath() {
    TimeoutFuture::new(0).await;
}

pub fn tracks(stream: &MediaStream) -> Vec<MediaStreamTrack> {
    stream.get_tracks().iter().map(|track| track.unchecked_into()).collect()
}
