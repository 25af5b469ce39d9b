//! The package for JavaScript: `Room`, typed in TypeScript. Importing it touches no global; only a call does.

mod data;
mod diagnosis;
mod options;
mod values;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::browser::{MediaKind, MediaStream, spawn, until_aborted};
use crate::{Event, Events, Governing, LocalMedia, Peer, PeerId, Room};
use options::JoinOptions;
use values::{exception, object, type_of};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "JoinOptions")]
    pub type RawOptions;
    #[wasm_bindgen(typescript_type = "keyof RoomEvents")]
    pub type EventName;
    #[wasm_bindgen(typescript_type = "(event: any) => void")]
    pub type Handler;
    #[wasm_bindgen(typescript_type = "() => void")]
    pub type Off;
    #[wasm_bindgen(typescript_type = "Peer[]")]
    pub type Peers;

    /// Reports an exception as if nobody had caught it, and goes on (HTML, "report an exception").
    #[wasm_bindgen(js_name = reportError)]
    fn report_error(error: &JsValue);
}

/// The names of the events, in the order of `RoomEvents` in `types.d.ts`.
const EVENTS: [&str; 17] = [
    "joined",
    "waiting",
    "locked",
    "knock",
    "knock-over",
    "peer",
    "peer-away",
    "peer-back",
    "peer-left",
    "stream",
    "state",
    "media",
    "message",
    "file",
    "signaling",
    "ended",
    "error",
];

/// A place in a room.
#[wasm_bindgen(js_name = Room)]
pub struct JsRoom(Rc<Inner>);

/// Shared by the handle that JavaScript has and the task that reports events: a call does not end because the handle
/// was garbage-collected, only by `leave()`.
struct Inner {
    id: RefCell<String>,
    room: RefCell<Option<Room>>,
    media: RefCell<Option<LocalMedia>>,
    peers: RefCell<Vec<Peer>>,
    handlers: RefCell<BTreeMap<u32, (String, Function)>>,
    next_handler: RefCell<u32>,
}

#[wasm_bindgen(js_class = Room)]
impl JsRoom {
    /// Joins a room. `url` is the signaling server's (`wss://…/ws`), or `tabs:` to meet other tabs of this browser with
    /// no server. Camera and microphone, if asked for, are opened meanwhile and join the call when they are there.
    ///
    /// Rejects with an `Error` that has a `code`: `unreachable`, `room-full`, `invalid-name`, …
    pub async fn join(url: String, room: String, options: Option<RawOptions>) -> Result<JsRoom, JsValue> {
        let JoinOptions { name, token, on_waiting, signal, signaling, options } =
            JoinOptions::read(&url, options.as_ref().map(AsRef::as_ref))?;
        let media = options.media.clone();
        if let Some(media) = media.clone() {
            spawn(async move { media.open().await });
        }
        let joined = Room::open(signaling, options);
        let events = joined.events();
        if let Some(on_waiting) = on_waiting {
            spawn(tell_of_waiting(joined.events(), on_waiting));
        }
        let entering = joined.enter_with(&room, &name, token);
        let id = match signal {
            Some(signal) => {
                let aborted = until_aborted(&signal);
                match select(pin!(entering), pin!(aborted)).await {
                    Either::Left((outcome, _)) => outcome,
                    // Dropping the room takes back whatever was asked.
                    Either::Right(_) => return Err(signal.reason()),
                }
            }
            None => entering.await,
        };
        let id = id.map_err(|error| exception(&error))?;
        let inner = Rc::new(Inner {
            id: RefCell::new(id.to_string()),
            room: RefCell::new(Some(joined)),
            media: RefCell::new(media),
            peers: RefCell::default(),
            handlers: RefCell::default(),
            next_handler: RefCell::default(),
        });
        spawn(report(Rc::clone(&inner), events));
        Ok(Self(inner))
    }

    /// Calls `handler` with every event of this name; gives a function that ends this. Events that came before the
    /// `await` of `join` returned are not missed by handlers added right after it.
    #[wasm_bindgen(unchecked_return_type = "() => void")]
    pub fn on(&self, event: &EventName, handler: &Handler) -> Result<Off, JsValue> {
        let name = event.as_string().unwrap_or_default();
        if !EVENTS.contains(&name.as_str()) {
            let words = format!("there is no event {name:?}; there are {}", EVENTS.join(", "));
            return Err(js_sys::TypeError::new(&words).into());
        }
        let Some(function) = handler.dyn_ref::<Function>() else {
            return Err(js_sys::TypeError::new("the handler must be a function").into());
        };
        let number = {
            let mut next = self.0.next_handler.borrow_mut();
            *next = next.wrapping_add(1);
            *next
        };
        self.0.handlers.borrow_mut().insert(number, (name, function.clone()));
        let inner = Rc::downgrade(&self.0);
        let off = Closure::<dyn Fn()>::new(move || {
            if let Some(inner) = inner.upgrade() {
                inner.handlers.borrow_mut().remove(&number);
            }
        });
        Ok(off.into_js_value().unchecked_into())
    }

    /// Our id in the room.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> String {
        self.0.id.borrow().clone()
    }

    /// Who else is in the room.
    #[wasm_bindgen(getter)]
    pub fn peers(&self) -> Peers {
        let peers: js_sys::Array = self.0.peers.borrow().iter().map(values::peer).collect();
        peers.unchecked_into()
    }

    /// One's own stream, to show to oneself; undefined without `media`. It stays the same object.
    #[wasm_bindgen(getter, js_name = localStream)]
    pub fn local_stream(&self) -> Option<MediaStream> {
        self.0.media.borrow().as_ref().map(LocalMedia::stream)
    }

    /// Turns the microphone on or off. Others are told.
    #[wasm_bindgen(js_name = setMicrophone)]
    pub async fn set_microphone(&self, on: bool) {
        self.set_media(MediaKind::Audio, on).await;
    }

    /// Turns the camera on or off: off, it is released, and its light goes out. Others are told.
    #[wasm_bindgen(js_name = setCamera)]
    pub async fn set_camera(&self, on: bool) {
        self.set_media(MediaKind::Video, on).await;
    }

    /// Does not wait for the next try to reach the signaling server, and tries again to connect to peers where that has
    /// failed.
    pub fn retry(&self) {
        if let Some(room) = &*self.0.room.borrow() {
            room.retry();
        }
    }

    /// Locks the room, so that newcomers have to knock, or opens it again. For admins; of anyone else the server takes none of
    /// this, and an `error` event says so.
    pub fn lock(&self, locked: bool) {
        self.govern(Governing::Lock(locked));
    }

    /// Lets in somebody who knocked. For admins.
    pub fn admit(&self, id: &str) -> Result<(), JsValue> {
        self.govern_peer(id, Governing::Admit)
    }

    /// Does not let in somebody who knocked. For admins.
    pub fn deny(&self, id: &str) -> Result<(), JsValue> {
        self.govern_peer(id, Governing::Deny)
    }

    /// Takes somebody out of the room. For admins.
    pub fn remove(&self, id: &str) -> Result<(), JsValue> {
        self.govern_peer(id, Governing::Remove)
    }

    /// Leaves: closes every connection, releases camera and microphone, and reports nothing any more.
    pub fn leave(&self) {
        self.0.handlers.borrow_mut().clear();
        self.0.peers.borrow_mut().clear();
        self.0.room.take();
        self.0.media.take();
    }

    fn govern(&self, what: Governing) {
        if let Some(room) = &*self.0.room.borrow() {
            room.govern(what);
        }
    }

    fn govern_peer(&self, id: &str, what: fn(PeerId) -> Governing) -> Result<(), JsValue> {
        let id = PeerId::new(id).map_err(|_| wrong("id", "the id of somebody", &JsValue::from_str(id)))?;
        self.govern(what(id));
        Ok(())
    }

    async fn set_media(&self, kind: MediaKind, on: bool) {
        let media = self.0.media.borrow().clone();
        if let Some(media) = media {
            media.set(kind, on).await;
        }
    }
}

/// Calls the handler whenever somebody inside has to decide, until we are in.
async fn tell_of_waiting(mut events: Events, handler: Function) {
    while let Some(event) = events.next().await {
        match &*event {
            Event::Waiting => {
                if let Err(error) = handler.call0(&JsValue::UNDEFINED) {
                    report_error(&error);
                }
            }
            Event::Joined { .. } => return,
            _ => {}
        }
    }
}

/// Reports the events of a room until it is left.
async fn report(inner: Rc<Inner>, mut events: Events) {
    // What is queued behind the promise of `join`, its handlers, goes first.
    TimeoutFuture::new(0).await;
    while let Some(event) = events.next().await {
        inner.note(&event);
        let (name, value) = js_event(&event);
        let handlers: Vec<Function> = inner
            .handlers
            .borrow()
            .values()
            .filter(|(wanted, _)| wanted == name)
            .map(|(_, function)| function.clone())
            .collect();
        for handler in handlers {
            if let Err(error) = handler.call1(&JsValue::UNDEFINED, &value) {
                report_error(&error);
            }
        }
    }
}

impl Inner {
    fn note(&self, event: &Event) {
        match event {
            Event::Joined { id, .. } => *self.id.borrow_mut() = id.to_string(),
            Event::Peer(peer) => self.peers.borrow_mut().push(peer.clone()),
            Event::PeerLeft { peer, .. } => self.peers.borrow_mut().retain(|known| known.id != peer.id),
            _ => {}
        }
    }
}

fn js_event(event: &Event) -> (&'static str, JsValue) {
    match event {
        Event::Joined { id, rights, locked } => {
            let rights = values::plain(&rights.words());
            (
                "joined",
                object(&[("id", id.as_str().into()), ("rights", rights), ("locked", (*locked).into())]),
            )
        }
        Event::Waiting => ("waiting", object(&[])),
        Event::Locked(locked) => ("locked", object(&[("locked", (*locked).into())])),
        Event::Knock(peer) => ("knock", object(&[("peer", values::peer(peer))])),
        Event::KnockOver(id) => ("knock-over", object(&[("id", id.as_str().into())])),
        Event::Peer(peer) => ("peer", object(&[("peer", values::peer(peer))])),
        Event::PeerAway(peer) => ("peer-away", object(&[("peer", values::peer(peer))])),
        Event::PeerBack(peer) => ("peer-back", object(&[("peer", values::peer(peer))])),
        Event::PeerLeft { peer, reason } => {
            ("peer-left", object(&[("peer", values::peer(peer)), ("reason", reason.as_str().into())]))
        }
        Event::Stream { peer, stream } => {
            ("stream", object(&[("peer", values::peer(peer)), ("stream", Clone::clone(stream).into())]))
        }
        Event::State { peer, state, reason } => {
            let mut fields = vec![("peer", values::peer(peer)), ("state", state.as_str().into())];
            fields.extend(reason.as_ref().map(|reason| ("reason", values::reason(reason))));
            ("state", object(&fields))
        }
        Event::Media { peer, audio, video } => {
            let fields =
                [("peer", values::peer(peer)), ("audio", (*audio).into()), ("video", (*video).into())];
            ("media", object(&fields))
        }
        Event::Message { peer, body, mode } => ("message", data::message(peer, body, *mode)),
        Event::File(transfer) => {
            let peer = values::peer(transfer.peer());
            ("file", object(&[("peer", peer), ("transfer", data::JsTransfer(transfer.clone()).into())]))
        }
        Event::Reached => ("signaling", object(&[("reached", true.into())])),
        Event::Unreached { retry_in, .. } => {
            let millis = u32::try_from(retry_in.as_millis()).unwrap_or(u32::MAX);
            ("signaling", object(&[("reached", false.into()), ("retryIn", millis.into())]))
        }
        Event::Ended(refusal) => ("ended", object(&[("error", exception(&refusal.clone().into()))])),
        Event::Error(error) => ("error", object(&[("error", exception(error))])),
    }
}

/// What a stranger's options may hold instead of what they should.
fn wrong(what: &str, should: &str, value: &JsValue) -> JsValue {
    js_sys::TypeError::new(&format!("{what} must be {should}, not {}", type_of(value))).into()
}
