//! The page's program: one task that takes what happens (a click, an event of the room) and shows what is.

mod asks;
mod call;
mod check;
mod door;
mod lobby;
mod page;
mod panel;
mod talk;
mod tile;
mod words;

use std::rc::Rc;

use duologue::browser::{self, Listener, Meter, Shortcoming, dom};
use duologue::queue::{Sender, queue};
use duologue::{Error, LocalMedia, MediaKind, Options, PeerId, Room, Signaling, Watch};
use futures_util::StreamExt;
use gloo_timers::callback::{Interval, Timeout};
use wasm_bindgen::JsValue;

use asks::{Ask, Asks};
use check::Check;
use dom::{Element, Memory};
use door::Door;
use page::Page;
use panel::Panel;
use tile::{Tile, on_off};

/// How often a page that was reloaded tries to get back its own place, which the server may hold for a moment still.
const TRIES_AFTER_RELOAD: u32 = 10;
const PAUSE_AFTER_RELOAD_MILLIS: u32 = 300;

/// Starts the app.
pub fn run() {
    if let Err(id) = start() {
        wasm_bindgen::throw_str(&["the page has no element with the id ", id].concat());
    }
}

/// Starts the app, or says which element the page does not have.
fn start() -> Result<(), &'static str> {
    let page = Page::find()?;
    if browser::shortcoming() == Some(Shortcoming::NoWebRtc) {
        page.unsupported_words.set_text(words::NO_WEBRTC);
        show_screen("unsupported");
        page.unsupported_title.focus();
        return Ok(());
    }
    let (sender, mut queue) = queue();
    let asks = Asks(sender);
    let listeners = asks::listen(&asks)?;
    browser::spawn(async move {
        let mut app = App::new(page, asks, listeners);
        app.start();
        while let Some(ask) = queue.next().await {
            app.handle(ask);
        }
    });
    Ok(())
}

fn show_screen(name: &str) {
    if let Some(body) = Element::body() {
        body.set("data-screen", name);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Screen {
    Lobby,
    /// Waiting to be let in, by this many more tries.
    Entering {
        tries: u32,
    },
    Call,
    Ended,
}

/// What a visit needs, from the lobby to the end of the call. Dropping it releases the devices and leaves the room.
struct Visit {
    room: Rc<Room>,
    media: LocalMedia,
    _watch: Watch,
    _devices: Option<Listener>,
}

struct App {
    page: Box<Page>,
    asks: Asks,
    screen: Screen,
    visit: Option<Visit>,
    /// Counts the rooms, so that what a former one still says is not heard.
    room_number: u32,
    signaling: Signaling,
    reached: bool,
    tiles: Vec<Tile>,
    meter: Option<(Meter, Interval)>,
    door: Door,
    check: Check,
    panel: Panel,
    /// Fetches the check, unless something comes between.
    fetching: Option<Timeout>,
    note_action: Option<NoteAction>,
    _again: Option<Timeout>,
    _copied: Option<Timeout>,
    _listeners: Vec<Listener>,
}

/// What the button of the note over a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoteAction {
    PlaySound,
    TryServer,
    /// Tries again to connect to a peer.
    Reconnect,
    OpenMedia,
    /// Show the panel for messages and files.
    ShowPanel,
    /// Lets in who knocks.
    Admit,
    /// Takes somebody out.
    Remove,
    Dismiss,
}

impl App {
    fn new(page: Box<Page>, asks: Asks, listeners: Vec<Listener>) -> Self {
        Self {
            page,
            asks,
            screen: Screen::Lobby,
            visit: None,
            room_number: 0,
            signaling: own_server(),
            reached: false,
            tiles: Vec::new(),
            meter: None,
            door: Door::default(),
            check: Check::default(),
            panel: Panel::default(),
            fetching: None,
            note_action: None,
            _again: None,
            _copied: None,
            _listeners: listeners,
        }
    }

    fn start(&mut self) {
        self.page.name.set_value(&dom::recall(Memory::Browser, "name").unwrap_or_default());
        self.take_room_from_address();
        let back = dom::is_reload()
            && dom::recall(Memory::Tab, "in").is_some_and(|room| room == self.page.room.value());
        if !back {
            remember_place("");
            for kind in MediaKind::ALL {
                dom::remember(Memory::Tab, kind.as_str(), "on");
            }
        }
        self.open_visit();
        if back {
            // A reload in the middle of a call goes on with the call.
            self.enter(TRIES_AFTER_RELOAD);
        } else {
            self.show_lobby();
        }
    }

    fn handle(&mut self, ask: Ask) {
        match ask {
            Ask::Join if self.door.waits => self.stop_waiting(),
            Ask::Join => self.enter(1),
            Ask::Entered(number, outcome) if number == self.room_number => self.entered(outcome),
            Ask::Room(number, event) if number == self.room_number => self.room_event(event),
            Ask::Entered(..) | Ask::Room(..) => {}
            Ask::EnterAgain => {
                if let Screen::Entering { tries } = self.screen {
                    self.enter(tries);
                }
            }
            Ask::ShowCall => {
                if self.screen == Screen::Call {
                    show_screen("call");
                    self.page.call_title.focus_soon();
                }
            }
            Ask::Toggle(kind) => self.toggle(kind),
            Ask::OpenMedia => self.open_media(),
            Ask::MediaChanged => self.show_media(),
            Ask::DevicesChanged => self.list_devices(),
            Ask::DevicesListed(devices) => self.show_devices(&devices),
            Ask::UseDevice(kind) => self.use_device(kind),
            Ask::ShowLevel => self.show_level(),
            Ask::TryServer => self.try_server(),
            Ask::NoteAction => self.act_on_note(),
            Ask::NoteOther => self.answer(false),
            Ask::Lock => self.toggle_lock(),
            Ask::Remove(id) => self.ask_to_remove(&id),
            Ask::SoundBlocked => self.note(words::SOUND_BLOCKED, Some(("Play sound", NoteAction::PlaySound))),
            Ask::Copy => self.copy_link(),
            Ask::Copied(copied) => self.show_copied(copied),
            Ask::CopyShown => self.show_copy_labels("Copy link"),
            Ask::ShowCheck => self.show_check(),
            Ask::CheckAgain => self.run_check(),
            Ask::Checked(outcome) => self.checked(outcome),
            Ask::Leave => self.leave(),
            Ask::Rejoin => {
                self.open_visit();
                self.enter(1);
            }
            Ask::ToLobby => {
                self.open_visit();
                self.show_lobby();
            }
            Ask::Talk => self.toggle_panel(),
            Ask::TalkKey => {
                if self.screen == Screen::Call {
                    self.toggle_panel();
                }
            }
            Ask::TalkNote(words) => self.note(&words, Some(("Show", NoteAction::ShowPanel))),
            Ask::TalkLoaded(outcome) => self.panel_loaded(outcome),
            Ask::AddressChanged => self.address_changed(),
            Ask::PageHidden => self.end_visit(),
            Ask::PageShown => self.come_back(),
        }
    }

    /// Opens camera, microphone and signaling at once; nothing waits for the other.
    fn open_visit(&mut self) {
        if self.visit.is_some() {
            return;
        }
        let offered = Some(JsValue::TRUE);
        let Ok(media) = LocalMedia::new(offered.clone(), offered) else { return };
        let asks = self.asks.clone();
        let watch = media.watch(move || asks.send(Ask::MediaChanged));
        let asks = self.asks.clone();
        let devices = browser::on_devices_change(move || asks.send(Ask::DevicesChanged));
        let room = self.open_room(&media);
        self.visit = Some(Visit { room, media: media.clone(), _watch: watch, _devices: devices });
        browser::spawn(async move {
            for kind in MediaKind::ALL {
                if dom::recall(Memory::Tab, kind.as_str()).as_deref() == Some("off") {
                    media.set(kind, false).await;
                }
            }
            media.open().await;
        });
        self.show_media();
    }

    /// Releases camera, microphone, connections and the socket.
    fn end_visit(&mut self) {
        self.visit = None;
        self.room_number = self.room_number.wrapping_add(1);
        self.tiles.clear();
        self.meter = None;
        for video in [&self.page.preview, &self.page.own_video] {
            video.set_stream(None);
        }
    }

    /// The browser had kept the page aside, all its devices given back, and shows it again.
    fn come_back(&mut self) {
        if self.visit.is_some() || self.screen == Screen::Ended {
            return;
        }
        let was_in = matches!(self.screen, Screen::Call | Screen::Entering { .. });
        self.open_visit();
        if was_in {
            self.enter(TRIES_AFTER_RELOAD);
        } else {
            self.show_lobby();
        }
    }

    /// Begins to connect to `self.signaling`, and hears what comes of it.
    fn open_room(&mut self, media: &LocalMedia) -> Rc<Room> {
        let mut options = Options::default();
        options.media = Some(media.clone());
        let room = Room::open(self.signaling.clone(), options);
        self.room_number = self.room_number.wrapping_add(1);
        self.reached = false;
        let (asks, number, mut events) = (self.asks.clone(), self.room_number, room.events());
        browser::spawn(async move {
            while let Some(event) = events.next().await {
                asks.send(Ask::Room(number, event));
            }
        });
        Rc::new(room)
    }

    fn enter(&mut self, tries: u32) {
        let Some(visit) = &self.visit else { return };
        let (room_name, name) = (self.page.room.value(), self.page.name.value());
        self.screen = Screen::Entering { tries };
        (self.fetching, self._again) = (None, None);
        dom::remember(Memory::Browser, "name", &name);
        self.page.lobby_error.show(false);
        if !self.door.waits {
            self.page.join.enable(false);
            self.page.join.set_text("Joining…");
        }
        let (room, asks, number) = (Rc::clone(&visit.room), self.asks.clone(), self.room_number);
        browser::spawn(async move {
            let outcome = room.enter_with(&room_name, &name, App::token(&room_name)).await;
            asks.send(Ask::Entered(number, outcome));
        });
    }

    fn entered(&mut self, outcome: Result<PeerId, Error>) {
        let Screen::Entering { tries } = self.screen else { return };
        match outcome {
            Ok(_) => self.show_call(),
            Err(error) if error.code() == "busy" => self.wait_for_server(),
            Err(Error::Unreachable) if self.fall_back() => self.enter(tries),
            Err(error) if error.code() == "room-full" && tries > 1 => {
                self.screen = Screen::Entering { tries: tries - 1 };
                self.enter_again_in(PAUSE_AFTER_RELOAD_MILLIS);
            }
            Err(error) => {
                self.show_lobby();
                self.page.lobby_error_words.set_text(&words::rejected(&error));
                self.page.lobby_error.show(true);
            }
        }
    }

    fn enter_again_in(&mut self, millis: u32) {
        let asks = self.asks.clone();
        self._again = Some(Timeout::new(millis, move || asks.send(Ask::EnterAgain)));
    }

    fn toggle(&mut self, kind: MediaKind) {
        let Some(visit) = &self.visit else { return };
        let media = visit.media.clone();
        let on = !media.state(kind).on;
        // A reload must not turn a camera on that was off.
        dom::remember(Memory::Tab, kind.as_str(), on_off(on));
        browser::spawn(async move { media.set(kind, on).await });
    }

    fn open_media(&mut self) {
        let Some(visit) = &self.visit else { return };
        let media = visit.media.clone();
        browser::spawn(async move { media.open().await });
    }

    /// Shows what camera and microphone are doing, wherever it is shown.
    fn show_media(&mut self) {
        let Some(visit) = &self.visit else { return };
        let (media, stream) = (&visit.media, visit.media.stream());
        let (audio, video) = (media.state(MediaKind::Audio), media.state(MediaKind::Video));
        for (button, state) in [
            (&self.page.lobby_mic, &audio),
            (&self.page.mic, &audio),
            (&self.page.lobby_camera, &video),
            (&self.page.camera, &video),
        ] {
            button.set("aria-pressed", if state.on { "true" } else { "false" });
        }
        let sending = media.sending();
        self.page.own.set("data-audio", on_off(sending.audio));
        self.page.own.set("data-video", on_off(sending.video));
        let shown = sending.video.then_some(&stream);
        for video in [&self.page.preview, &self.page.own_video] {
            video.set_stream(shown);
            if shown.is_some() {
                // `autoplay` alone waits until the browser thinks that the element is looked at. One's own picture is
                // silent, so nothing forbids to play it.
                let video = video.clone();
                browser::spawn(async move {
                    video.play().await;
                });
            }
        }
        self.show_preview_note(&video);
        self.show_problem(audio.problem.as_ref(), video.problem.as_ref());
        self.listen_to_level(&stream);
        if self.screen == Screen::Lobby {
            self.list_devices();
        }
    }
}

fn own_server() -> Signaling {
    // No page is without an address. Were it so, no server would answer there, and the page would say that.
    Signaling::Server(browser::origin_socket().unwrap_or_default())
}

/// Notes which room this tab is in, for after a reload; empty for none.
fn remember_place(room: &str) {
    dom::remember(Memory::Tab, "in", room);
}

/// Where everything that happens on the page goes.
type Queue = Sender<Ask>;
