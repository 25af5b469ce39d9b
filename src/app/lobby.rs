//! Before the call: one's own picture, a name, a room.

#[cfg(feature = "tabs")]
use duologue::Signaling;
use duologue::browser::{self, Devices, MediaStream, Meter, dom};
use duologue::{LocalState, MediaKind, MediaProblem};
use gloo_timers::callback::Interval;
use gloo_timers::future::TimeoutFuture;

use super::asks::Ask;
#[cfg(feature = "tabs")]
use super::own_server;
use super::{App, Screen, remember_place, show_screen, words};

/// How many tabs of one browser fit into a room without a server.
#[cfg(feature = "tabs")]
const TABS_IN_A_ROOM: usize = 2;
/// How often the microphone's level is shown.
const LEVEL_MILLIS: u32 = 80;
/// How long a meter that nobody looks at is kept.
const METER_MILLIS: u32 = 2_000;

impl App {
    pub(super) fn show_lobby(&mut self) {
        self.screen = Screen::Lobby;
        remember_place("");
        self.tiles.clear();
        self.door.waits = false;
        self.page.join.enable(true);
        self.page.join.set_text("Join");
        self.page.lobby_error.show(false);
        self.show_signaling();
        self.show_media();
        dom::set_title("Duologue");
        show_screen("lobby");
        self.page.lobby_title.focus();
        self.fetch_check_soon();
    }

    pub(super) fn take_room_from_address(&mut self) {
        let room = Self::room_of_address();
        let room = if room.trim().is_empty() { dom::unguessable_room() } else { room };
        self.page.room.set_value(&room);
    }

    /// Someone changed the address by hand: that is where they want to be.
    pub(super) fn address_changed(&mut self) {
        if dom::fragment() == self.page.room.value() {
            return;
        }
        self.take_room_from_address();
        if matches!(self.screen, Screen::Call | Screen::Entering { .. }) {
            if let Some(visit) = &self.visit {
                visit.room.exit();
            }
            self.show_lobby();
        }
    }

    pub(super) fn show_preview_note(&self, video: &LocalState) {
        let note = match video {
            LocalState { on: false, .. } => "Camera is off",
            LocalState { live: true, .. } => "",
            LocalState { asking: true, .. } => "Waiting for your permission…",
            LocalState { problem: Some(MediaProblem::Denied), .. } => "The camera is not allowed",
            _ => "No camera",
        };
        self.page.preview_note.set_text(note);
        self.page.preview_note.show(!note.is_empty());
    }

    pub(super) fn show_problem(&mut self, audio: Option<&MediaProblem>, video: Option<&MediaProblem>) {
        let words = words::media_problem(audio, video);
        self.page.media_problem_words.set_text(words.as_deref().unwrap_or_default());
        self.page.media_problem.show(words.is_some());
        if self.screen == Screen::Call {
            self.show_problem_in_call(words.as_deref());
        }
    }

    pub(super) fn show_signaling(&self) {
        let tabs = !self.signaling.has_server();
        let words = match (tabs, self.reached) {
            (true, _) => words::NO_SERVER,
            (false, true) => "",
            (false, false) => words::CONNECTING,
        };
        self.say_signaling(words, tabs);
    }

    pub(super) fn say_signaling(&self, words: &str, may_retry: bool) {
        self.page.signal_note.set_text(words);
        self.page.signal_note.show(!words.is_empty());
        self.page.signal_retry.show(may_retry);
    }

    /// Meets in this browser's tabs, because the server does not answer: only where it has never been there, and where
    /// this program can. Says whether it does.
    pub(super) fn fall_back(&mut self) -> bool {
        #[cfg(feature = "tabs")]
        if !self.reached && self.signaling.has_server() {
            self.meet_at(Signaling::Tabs { room_size: TABS_IN_A_ROOM });
            return true;
        }
        false
    }

    pub(super) fn try_server(&mut self) {
        #[cfg(feature = "tabs")]
        if !self.signaling.has_server() {
            return self.meet_at(own_server());
        }
        if let Some(visit) = &self.visit {
            visit.room.retry();
        }
    }

    #[cfg(feature = "tabs")]
    fn meet_at(&mut self, signaling: Signaling) {
        self.signaling = signaling;
        if let Some(media) = self.visit.as_ref().map(|visit| visit.media.clone()) {
            let room = self.open_room(&media);
            if let Some(visit) = &mut self.visit {
                visit.room = room;
            }
        }
        self.show_signaling();
    }

    /// Measures the microphone while someone looks at the meter.
    pub(super) fn listen_to_level(&mut self, stream: &MediaStream) {
        let live = self.visit.as_ref().is_some_and(|visit| visit.media.sending().audio);
        if !live || self.screen != Screen::Lobby {
            if let Some((meter, _)) = self.meter.take() {
                // Closing an audio context stops the page for some milliseconds, and now it should be joining.
                browser::spawn(async move {
                    TimeoutFuture::new(METER_MILLIS).await;
                    drop(meter);
                });
            }
            self.page.level.set("value", "0");
        } else if self.meter.is_none() {
            let asks = self.asks.clone();
            self.meter = Meter::new(stream)
                .map(|meter| (meter, Interval::new(LEVEL_MILLIS, move || asks.send(Ask::ShowLevel))));
        }
    }

    pub(super) fn show_level(&self) {
        if let Some((meter, _)) = &self.meter {
            self.page.level.set("value", &meter.level().to_string());
        }
    }

    pub(super) fn list_devices(&self) {
        let asks = self.asks.clone();
        browser::spawn(async move {
            asks.send(Ask::DevicesListed(browser::list_devices().await));
        });
    }

    pub(super) fn show_devices(&self, devices: &Devices) {
        let Some(visit) = &self.visit else { return };
        for (kind, select, list) in [
            (MediaKind::Audio, &self.page.microphone, &devices.audio),
            (MediaKind::Video, &self.page.camera_device, &devices.video),
        ] {
            select.set_choices(list);
            if let Some(device) = visit.media.device(kind) {
                select.set_value(&device);
            }
        }
        self.page.devices.show(devices.audio.len() > 1 || devices.video.len() > 1);
    }

    pub(super) fn use_device(&self, kind: MediaKind) {
        let Some(visit) = &self.visit else { return };
        let device = match kind {
            MediaKind::Audio => self.page.microphone.value(),
            MediaKind::Video => self.page.camera_device.value(),
        };
        let media = visit.media.clone();
        browser::spawn(async move { media.use_device(kind, &device).await });
    }
}
