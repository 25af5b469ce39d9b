//! What can happen on the page, and where it comes from.

use duologue::browser::{Devices, Listener, dom};
use duologue::{Error, Event, MediaKind, NotLoaded, PeerId};

use super::Queue;
use super::check::Report;
use super::page::Page;

/// Something happened that the app must deal with.
pub enum Ask {
    Join,
    /// The room of this number let us in, or did not.
    Entered(u32, Result<PeerId, Error>),
    EnterAgain,
    ShowCall,
    /// The room of this number says something.
    Room(u32, Event),
    Toggle(MediaKind),
    OpenMedia,
    MediaChanged,
    DevicesChanged,
    DevicesListed(Devices),
    UseDevice(MediaKind),
    ShowLevel,
    TryServer,
    NoteAction,
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

/// Turns the page's events into asks, until the listeners are dropped.
pub fn listen(page: &Page, asks: &Asks) -> Vec<Listener> {
    let ask = |make: fn() -> Ask| {
        let asks = asks.clone();
        move || asks.send(make())
    };
    let mut listeners = vec![
        page.join_form.on_submit(ask(|| Ask::Join)),
        page.lobby_mic.on("click", ask(|| Ask::Toggle(MediaKind::Audio))),
        page.mic.on("click", ask(|| Ask::Toggle(MediaKind::Audio))),
        page.lobby_camera.on("click", ask(|| Ask::Toggle(MediaKind::Video))),
        page.camera.on("click", ask(|| Ask::Toggle(MediaKind::Video))),
        page.media_retry.on("click", ask(|| Ask::OpenMedia)),
        page.microphone.on("change", ask(|| Ask::UseDevice(MediaKind::Audio))),
        page.camera_device.on("change", ask(|| Ask::UseDevice(MediaKind::Video))),
        page.signal_retry.on("click", ask(|| Ask::TryServer)),
        page.call_note_action.on("click", ask(|| Ask::NoteAction)),
        page.check_open.on("click", ask(|| Ask::ShowCheck)),
        page.call_note_check.on("click", ask(|| Ask::ShowCheck)),
        page.check_again.on("click", ask(|| Ask::CheckAgain)),
        page.copy.on("click", ask(|| Ask::Copy)),
        page.talk_open.on("click", ask(|| Ask::Talk)),
        page.waiting_copy.on("click", ask(|| Ask::Copy)),
        page.leave.on("click", ask(|| Ask::Leave)),
        page.rejoin.on("click", ask(|| Ask::Rejoin)),
        page.to_lobby.on("click", ask(|| Ask::ToLobby)),
    ];
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
    listeners
}
