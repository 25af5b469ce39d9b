//! The other tabs of this browser, over a BroadcastChannel. What a server would decide, `LocalRoom` of the engine does.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use duologue_engine::{Bus as Said, BusBody, LocalInput, LocalOutput, LocalRoom};
use duologue_protocol::value::{Reader, Value};
use duologue_protocol::write::{Fields, Writer};
use duologue_protocol::{ClientMessage, DecodeError, PeerId, RoomId, ServerMessage, SessionToken, to_json};
use gloo_timers::callback::Timeout;

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
                if let Some(bus) = &self.bus {
                    bus.say(&to_json(&Envelope(&said)));
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
        let heard = move |message: String| match read(&message) {
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
struct Envelope<'a>(&'a Said);

impl Fields for Envelope<'_> {
    fn write_fields(&self, writer: &mut Writer) {
        let Envelope(said) = self;
        writer.field("from", &said.from);
        writer.field("to", &said.to);
        match &said.body {
            BusBody::Hello { seniority, name } => {
                writer.field("word", &"hello");
                writer.field("seniority", seniority);
                writer.field("name", name);
            }
            BusBody::Here { name } => {
                writer.field("word", &"here");
                writer.field("name", name);
            }
            BusBody::Full => writer.field("word", &"full"),
            BusBody::Bye => writer.field("word", &"bye"),
            BusBody::Relay(message) => {
                writer.field("word", &"relay");
                writer.field("message", message);
            }
        }
    }
}

fn read(text: &str) -> Result<Said, DecodeError> {
    let object = Json::parse(text)?;
    let mut reader = Reader::of(object.clone());
    let word: String = reader.field("word");
    let body = match word.as_str() {
        "hello" => BusBody::Hello { seniority: reader.field("seniority"), name: reader.field("name") },
        "here" => BusBody::Here { name: reader.field("name") },
        "full" => BusBody::Full,
        "bye" => BusBody::Bye,
        "relay" => BusBody::Relay(relayed(&object)?),
        _ => return reader.finish(()).and(Err(DecodeError::UnknownType(word))),
    };
    let said = Said { from: reader.field("from"), to: reader.field("to"), body };
    reader.finish(said)
}

/// The message inside, of the kinds that a server relays.
fn relayed(object: &Json) -> Result<ServerMessage, DecodeError> {
    let unfit = |why: &str| DecodeError::Fields(["message: ", why].concat());
    let message = object.get("message").ok_or_else(|| unfit("it is missing"))?;
    match ServerMessage::decode(&message)? {
        relayed @ (ServerMessage::Offer(_) | ServerMessage::Answer(_) | ServerMessage::Candidate(_)) => {
            Ok(relayed)
        }
        _ => Err(unfit("it is none that peers send each other")),
    }
}
