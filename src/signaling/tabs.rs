//! The other tabs of this browser, over a BroadcastChannel. What a server would decide, `LocalRoom` of the engine does.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use duologue_engine::{Bus as Said, BusBody, LocalInput, LocalOutput, LocalRoom};
use duologue_protocol::value::{Unfit, Value, field};
use duologue_protocol::{ClientMessage, DecodeError, Name, PeerId, RoomId, ServerMessage, SessionToken};
use gloo_timers::callback::Timeout;
use js_sys::Reflect;
use serde::Serialize;
use wasm_bindgen::JsValue;

use super::{Transport, TransportEvent};
use crate::browser::{self, Bus, Json, Listener, Lock};

/// The name of a room's channel, and of the lock that shows a tab to be alive.
const PREFIX: &str = "duologue/";

pub(super) struct Tabs(Rc<RefCell<Inner>>);

impl Tabs {
    pub(super) fn open(room_size: usize, on_event: Rc<dyn Fn(TransportEvent)>) -> Self {
        let me = browser::random_token::<16>();
        let ids = PeerId::new(me.clone()).ok().zip(SessionToken::new(browser::random_token::<16>()).ok());
        let room =
            ids.map(|(id, session)| LocalRoom::new(id, session, browser::wall_clock_millis(), room_size));
        let inner = Rc::new_cyclic(|this: &Weak<RefCell<Inner>>| {
            let weak = this.clone();
            let leaving = browser::on_window("pagehide", move || {
                handle(&weak, LocalInput::Client(ClientMessage::Leave));
            });
            RefCell::new(Inner {
                this: this.clone(),
                room,
                bus: None,
                timer: None,
                watches: Vec::new(),
                _alive: Lock::request(&alive(&me), || {}),
                _leaving: leaving,
                on_event,
            })
        });
        let on_event = Rc::clone(&inner.borrow().on_event);
        // Not before the caller has the transport in hand.
        browser::spawn(async move { on_event(TransportEvent::Opened) });
        Self(inner)
    }
}

impl Transport for Tabs {
    fn send(&self, message: &ClientMessage) {
        handle(&Rc::downgrade(&self.0), LocalInput::Client(message.clone()));
    }
}

impl Drop for Tabs {
    fn drop(&mut self) {
        self.send(&ClientMessage::Leave);
    }
}

struct Inner {
    this: Weak<RefCell<Inner>>,
    room: Option<LocalRoom>,
    bus: Option<Bus>,
    timer: Option<Timeout>,
    watches: Vec<Lock>,
    _alive: Option<Lock>,
    _leaving: Option<Listener>,
    on_event: Rc<dyn Fn(TransportEvent)>,
}

fn handle(this: &Weak<RefCell<Inner>>, input: LocalInput) {
    if let Some(inner) = this.upgrade()
        && let Ok(mut inner) = inner.try_borrow_mut()
    {
        inner.handle(input);
    }
}

impl Inner {
    fn handle(&mut self, input: LocalInput) {
        let now = browser::now();
        let Some(room) = &mut self.room else { return };
        room.handle(now, input);
        let mut outputs = Vec::new();
        while let Some(output) = room.poll() {
            outputs.push(output);
        }
        let deadline = room.deadline();
        for output in outputs {
            self.carry_out(output);
        }
        let this = self.this.clone();
        self.timer = deadline.map(|deadline| {
            let millis = deadline.millis_since(now);
            Timeout::new(millis.saturating_add(1), move || handle(&this, LocalInput::Timeout))
        });
    }

    fn carry_out(&mut self, output: LocalOutput) {
        match output {
            LocalOutput::Enter(room) => self.enter(&room),
            LocalOutput::Exit => {
                self.bus = None;
                self.watches.clear();
            }
            LocalOutput::Say(said) => {
                if let (Some(bus), Some(message)) = (&self.bus, write(&said)) {
                    bus.say(&message);
                }
            }
            LocalOutput::Watch(peer) => {
                let this = self.this.clone();
                let gone = peer.clone();
                self.watches.extend(Lock::request(&alive(peer.as_str()), move || {
                    let (this, gone) = (this.clone(), gone.clone());
                    // The lock is asked for while this is borrowed, and may be granted at once.
                    browser::spawn(async move { handle(&this, LocalInput::Gone(gone)) });
                }));
            }
            LocalOutput::Client(message) => (self.on_event)(TransportEvent::Received(message.into())),
        }
    }

    fn enter(&mut self, room: &RoomId) {
        let this = self.this.clone();
        let on_event = Rc::clone(&self.on_event);
        let heard = move |message: JsValue| match read(message) {
            Ok(said) => handle(&this, LocalInput::Bus(said)),
            Err(error) => on_event(TransportEvent::Malformed(error)),
        };
        self.bus = Bus::open(&format!("{PREFIX}{room}"), heard);
        if self.bus.is_none() {
            (self.on_event)(TransportEvent::Closed);
        }
    }
}

fn alive(id: &str) -> String {
    format!("{PREFIX}tab/{id}")
}

/// What goes over the bus.
#[derive(Serialize)]
struct Envelope<'a> {
    from: &'a PeerId,
    to: Option<&'a PeerId>,
    word: &'static str,
    seniority: Option<u64>,
    name: Option<&'a Name>,
}

fn write(said: &Said) -> Option<JsValue> {
    let mut envelope =
        Envelope { from: &said.from, to: said.to.as_ref(), word: "", seniority: None, name: None };
    let mut inside = None;
    match &said.body {
        BusBody::Hello { seniority, name } => {
            envelope.word = "hello";
            envelope.seniority = Some(*seniority);
            envelope.name = name.as_ref();
        }
        BusBody::Here { name } => {
            envelope.word = "here";
            envelope.name = name.as_ref();
        }
        BusBody::Full => envelope.word = "full",
        BusBody::Bye => envelope.word = "bye",
        BusBody::Relay(message) => {
            envelope.word = "relay";
            inside = Some(write_relayed(message)?);
        }
    }
    let object = serde_wasm_bindgen::to_value(&envelope).ok()?;
    if let Some(message) = inside {
        Reflect::set(&object, &JsValue::from_str("message"), &message).ok()?;
    }
    Some(object)
}

/// A message of the kinds that a server relays, as an object. To serialize all kinds would cost several kilobytes of
/// page for messages that never go over the bus.
fn write_relayed(message: &ServerMessage) -> Option<JsValue> {
    let (kind, object) = match message {
        ServerMessage::Offer(offer) => ("offer", serde_wasm_bindgen::to_value(offer)),
        ServerMessage::Answer(answer) => ("answer", serde_wasm_bindgen::to_value(answer)),
        ServerMessage::Candidate(trickle) => ("candidate", serde_wasm_bindgen::to_value(trickle)),
        _ => return None,
    };
    let object = object.ok()?;
    Reflect::set(&object, &JsValue::from_str("type"), &JsValue::from_str(kind)).ok()?;
    Some(object)
}

fn read(object: JsValue) -> Result<Said, DecodeError> {
    let object = Json(object);
    let word: String = field(&object, "word")?;
    let body = match word.as_str() {
        "hello" => BusBody::Hello { seniority: field(&object, "seniority")?, name: field(&object, "name")? },
        "here" => BusBody::Here { name: field(&object, "name")? },
        "full" => BusBody::Full,
        "bye" => BusBody::Bye,
        "relay" => BusBody::Relay(relayed(&object)?),
        _ => return Err(DecodeError::UnknownType(word)),
    };
    Ok(Said { from: field(&object, "from")?, to: field(&object, "to")?, body })
}

/// The message inside, of the kinds that a server relays.
fn relayed(object: &Json) -> Result<ServerMessage, DecodeError> {
    let message = object.get("message").ok_or_else(|| Unfit::new("message: it is missing"))?;
    match ServerMessage::decode(&message)? {
        relayed @ (ServerMessage::Offer(_) | ServerMessage::Answer(_) | ServerMessage::Candidate(_)) => {
            Ok(relayed)
        }
        _ => Err(Unfit::new("message: it is none that peers send each other").into()),
    }
}
