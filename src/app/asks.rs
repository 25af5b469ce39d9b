//! What can happen on the page, and where it comes from.

use std::rc::Rc;

use duologue::browser::{Devices, Listener, dom, dom::Element};
use duologue::{Error, Event, MediaKind, NotLoaded, PeerId};

use super::Queue;
use super::check::Report;

/// Something happened that the app must deal with.
pub enum Ask {
    Join,
    /// The room of this number let us in, or did not.
    Entered(u32, Result<PeerId, Error>),
    EnterAgain,
    ShowCall,
    /// The room of this number says something.
    Room(u32, Rc<Event>),
    Toggle(MediaKind),
    OpenMedia,
    MediaChanged,
    DevicesChanged,
    DevicesListed(Devices),
    UseDevice(MediaKind),
    ShowLevel,
    TryServer,
    NoteAction,
    /// The other answer to what the note asks.
    NoteOther,
    /// Lock the room, or open it.
    Lock,
    /// Take somebody out of the room.
    Remove(PeerId),
    SoundBlocked,
    Copy,
    Copied(bool),
    CopyShown,
    /// Show the connectivity check, and run it if it has not been.
    ShowCheck,
    CheckAgain,
    Checked(Result<Box<Report>, NotLoaded>),
    Leave,
    Rejoin,
    ToLobby,
    /// Show or hide the panel for messages and files.
    Talk,
    /// The same by its key, which works only in a call.
    TalkKey,
    /// The panel, which nobody sees, has something to say.
    TalkNote(String),
    /// The part of the program for the panel is there, or is not.
    TalkLoaded(Result<(), NotLoaded>),
    AddressChanged,
    PageHidden,
    PageShown,
}

#[derive(Clone)]
pub struct Asks(pub Queue);

impl Asks {
    pub fn send(&self, ask: Ask) {
        // The app lives as long as the page.
        let _ = self.0.send(ask);
    }
}

/// The id of an element, an event, and what that asks for.
type Heard = (&'static str, &'static str, fn() -> Ask);

/// What is heard of the elements of the page.
const HEARD: [Heard; 21] = [
    ("join-form", "submit", || Ask::Join),
    ("lobby-mic", "click", || Ask::Toggle(MediaKind::Audio)),
    ("mic", "click", || Ask::Toggle(MediaKind::Audio)),
    ("lobby-camera", "click", || Ask::Toggle(MediaKind::Video)),
    ("camera", "click", || Ask::Toggle(MediaKind::Video)),
    ("media-retry", "click", || Ask::OpenMedia),
    ("microphone", "change", || Ask::UseDevice(MediaKind::Audio)),
    ("camera-device", "change", || Ask::UseDevice(MediaKind::Video)),
    ("signal-retry", "click", || Ask::TryServer),
    ("call-note-action", "click", || Ask::NoteAction),
    ("call-note-other", "click", || Ask::NoteOther),
    ("lock", "click", || Ask::Lock),
    ("check-open", "click", || Ask::ShowCheck),
    ("call-note-check", "click", || Ask::ShowCheck),
    ("check-again", "click", || Ask::CheckAgain),
    ("copy", "click", || Ask::Copy),
    ("talk-open", "click", || Ask::Talk),
    ("waiting-copy", "click", || Ask::Copy),
    ("leave", "click", || Ask::Leave),
    ("rejoin", "click", || Ask::Rejoin),
    ("to-lobby", "click", || Ask::ToLobby),
];

/// Turns the page's events into asks, until the listeners are dropped. Says which element is not there, if one is not.
pub fn listen(asks: &Asks) -> Result<Vec<Listener>, &'static str> {
    let ask = |make: fn() -> Ask| {
        let asks = asks.clone();
        move || asks.send(make())
    };
    let mut listeners = Vec::new();
    for (id, event, make) in HEARD {
        listeners.push(Element::by_id(id).ok_or(id)?.on(event, ask(make)));
    }
    listeners.extend(dom::on_fragment(ask(|| Ask::AddressChanged)));
    listeners.extend(dom::on_page_hidden(ask(|| Ask::PageHidden)));
    listeners.extend(dom::on_page_shown(ask(|| Ask::PageShown)));
    let keys = asks.clone();
    listeners.extend(dom::on_key(move |key| {
        let ask = match key {
            "m" | "M" => Ask::Toggle(MediaKind::Audio),
            "v" | "V" => Ask::Toggle(MediaKind::Video),
            "c" | "C" => Ask::TalkKey,
            _ => return false,
        };
        keys.send(ask);
        true
    }));
    Ok(listeners)
}
