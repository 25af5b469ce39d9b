//! The call itself, and its end.

use std::rc::Rc;

use duologue::browser::{self, dom};
use duologue::{Event, Peer, PeerState, Reason};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;

use super::asks::Ask;
use super::talk::Talk;
use super::tile::Tile;
use super::{App, NoteAction, Screen, remember_place, show_screen, words};

/// How long a button says that the link was copied.
const COPIED_MILLIS: u32 = 2_000;
/// Less than a frame.
const DRAW_MILLIS: u32 = 12;

impl App {
    pub(super) fn show_call(&mut self) {
        let room = self.page.room.value();
        self.screen = Screen::Call;
        remember_place(&room);
        if dom::fragment() != room {
            dom::set_fragment(&room);
        }
        dom::set_title(&[&room, " – Duologue"].concat());
        self.page.room_name.set_text(&room);
        self.page.link.set_value(&dom::address());
        if let Some(visit) = &self.visit {
            self.panel.tell(Talk::Entered(Rc::downgrade(&visit.room)));
        }
        self.hide_note();
        if self.door.listens {
            self.note(words::LISTENER, Some(("Close", NoteAction::Dismiss)));
        }
        self.show_waiting();
        self.show_media();
        // To draw all this takes the browser longer than the next words with the server do: those first.
        let asks = self.asks.clone();
        browser::spawn(async move {
            TimeoutFuture::new(DRAW_MILLIS).await;
            asks.send(Ask::ShowCall);
        });
    }

    pub(super) fn room_event(&mut self, event: Rc<Event>) {
        match &*event {
            Event::Reached => {
                self.reached = true;
                self.show_signaling();
                if self.note_action == Some(NoteAction::TryServer) {
                    self.hide_note();
                }
            }
            Event::Unreached { before, .. } => self.unreached(*before),
            Event::Waiting => self.wait_to_be_let_in(words::WAITING),
            Event::Joined { rights, locked, .. } => self.joined(*rights, *locked),
            Event::Locked(locked) => {
                self.show_lock(*locked);
                self.page.status.set_text(if *locked { words::LOCKED } else { words::OPENED });
            }
            Event::Knock(peer) => self.knock(peer),
            Event::KnockOver(id) => self.knock_over(id),
            Event::Peer(peer) => {
                self.tiles.extend(Tile::new(peer, &self.page.stage, &self.asks));
                self.show_waiting();
            }
            Event::PeerLeft { peer, reason } => {
                self.tiles.retain(|tile| tile.peer.id != peer.id);
                if self.note_action == Some(NoteAction::Reconnect) {
                    self.hide_note();
                }
                self.show_waiting();
                self.page.status.set_text(&words::left(peer, reason));
            }
            Event::Stream { peer, stream } => {
                if let Some(tile) = self.tile(peer) {
                    tile.set_stream(stream);
                    self.play();
                }
            }
            Event::State { peer, state, reason } => self.peer_state(peer, *state, reason.as_ref()),
            Event::PeerAway(peer) => self.peer_away(peer, true),
            Event::PeerBack(peer) => self.peer_away(peer, false),
            Event::Ended(refusal) if refusal.code.as_str() == "removed" => {
                self.end("You were removed from the call", words::REMOVED);
            }
            Event::Ended(_) => self.end("The call goes on elsewhere", words::REPLACED),
            Event::Media { peer, audio, video } => {
                if let Some(tile) = self.tile(peer) {
                    tile.set_media(*audio, *video);
                }
            }
            // Words that crossed someone's leaving find nobody; and where servers cannot reach each other, what still counts
            // is said and asked again. That is no one's concern.
            Event::Error(error) if matches!(error.code(), "no-recipient" | "not-delivered" | "busy") => {}
            Event::Error(error) => self.note(&error.to_string(), Some(("Close", NoteAction::Dismiss))),
            _ => {}
        }
        if let Event::Peer(_) | Event::PeerLeft { .. } | Event::Message { .. } | Event::File(_) = *event {
            self.panel.tell(Talk::Room(event));
        }
    }

    fn unreached(&mut self, before: bool) {
        // One who waits to be let in is told by `entered`, and falls back there.
        if !before && self.screen == Screen::Lobby && self.fall_back() {
            return;
        }
        if self.screen == Screen::Call {
            self.note(words::SERVER_GONE_IN_CALL, Some(("Try now", NoteAction::TryServer)));
        } else {
            self.say_signaling(words::SERVER_GONE, true);
        }
        if self.signaling.has_server() {
            self.reached &= before;
        }
    }

    fn peer_state(&mut self, peer: &Peer, state: PeerState, reason: Option<&Reason>) {
        let Some(tile) = self.tiles.iter_mut().find(|tile| tile.peer.id == peer.id) else { return };
        tile.set_state(state);
        self.page.status.set_text(&words::state(tile));
        self.page.status.set("data-state", state.as_str());
        if state == PeerState::Connected {
            self.load_panel();
        }
        match reason {
            Some(reason) => {
                self.note(reason.message, Some(("Try again", NoteAction::Reconnect)));
                self.page.call_note_check.show(true);
                // So that the answer is there when somebody asks for it.
                self.run_check();
            }
            None if self.note_action == Some(NoteAction::Reconnect) => self.hide_note(),
            None => {}
        }
    }

    fn peer_away(&mut self, peer: &Peer, away: bool) {
        if let Some(tile) = self.tiles.iter_mut().find(|tile| tile.peer.id == peer.id) {
            tile.set_away(away);
            self.page.status.set_text(&words::state(tile));
        }
    }

    fn tile(&self, peer: &Peer) -> Option<&Tile> {
        self.tiles.iter().find(|tile| tile.peer.id == peer.id)
    }

    /// Shows who is here in words, or that nobody is and how to change that.
    fn show_waiting(&self) {
        self.page.waiting.show(self.tiles.is_empty());
        self.page.stage.set("data-people", &self.tiles.len().to_string());
        let state = self.tiles.last().map_or("", |tile| tile.state.as_str());
        self.page.status.set("data-state", state);
        let words = match self.tiles.last() {
            Some(tile) => words::state(tile),
            None if !self.signaling.has_server() => words::NO_SERVER.to_owned(),
            None => "Waiting for someone to join".to_owned(),
        };
        self.page.status.set_text(&words);
    }

    /// Starts every picture that is not playing, and asks for a gesture where the browser wants one.
    fn play(&self) {
        for video in self.tiles.iter().filter_map(Tile::video) {
            let asks = self.asks.clone();
            browser::spawn(async move {
                if !video.play().await {
                    asks.send(Ask::SoundBlocked);
                }
            });
        }
    }

    pub(super) fn show_problem_in_call(&mut self, words: Option<&str>) {
        match words {
            Some(words) => self.note(words, Some(("Try again", NoteAction::OpenMedia))),
            None if self.note_action == Some(NoteAction::OpenMedia) => self.hide_note(),
            None => {}
        }
    }

    pub(super) fn note(&mut self, words: &str, action: Option<(&str, NoteAction)>) {
        self.page.call_note_words.set_text(words);
        self.page.call_note_action.set_text(action.map_or("", |(label, _)| label));
        self.page.call_note_action.show(action.is_some());
        self.page.call_note_check.show(false);
        self.page.call_note_other.show(false);
        self.page.call_note.show(true);
        self.note_action = action.map(|(_, action)| action);
    }

    pub(super) fn hide_note(&mut self) {
        self.note_action = None;
        self.page.call_note.show(false);
        self.show_knock();
    }

    pub(super) fn act_on_note(&mut self) {
        match self.note_action {
            Some(NoteAction::PlaySound) => {
                self.hide_note();
                self.play();
            }
            Some(NoteAction::TryServer) => self.try_server(),
            Some(NoteAction::Reconnect) => {
                self.hide_note();
                if let Some(visit) = &self.visit {
                    visit.room.retry();
                }
            }
            Some(NoteAction::OpenMedia) => {
                self.hide_note();
                self.open_media();
            }
            Some(NoteAction::ShowPanel) => {
                self.hide_note();
                self.show_panel();
            }
            Some(NoteAction::Admit | NoteAction::Remove) => self.answer(true),
            Some(NoteAction::Dismiss) | None => self.hide_note(),
        }
    }

    pub(super) fn copy_link(&self) {
        let asks = self.asks.clone();
        browser::spawn(async move {
            asks.send(Ask::Copied(dom::copy(&dom::address()).await));
        });
    }

    pub(super) fn show_copied(&mut self, copied: bool) {
        if copied {
            self.show_copy_labels("Copied");
            let asks = self.asks.clone();
            self._copied = Some(Timeout::new(COPIED_MILLIS, move || asks.send(Ask::CopyShown)));
        } else {
            self.note(
                &["The browser does not let this page copy. Copy the link by hand: ", &dom::address()]
                    .concat(),
                Some(("Close", NoteAction::Dismiss)),
            );
            self.page.link.select_text();
        }
    }

    pub(super) fn show_copy_labels(&self, text: &str) {
        self.page.waiting_copy.set_text(text);
        self.page.copy.set_text_in(".label", text);
    }

    pub(super) fn leave(&mut self) {
        self.end("You left the call", "Your camera and microphone are off.");
    }

    fn end(&mut self, title: &str, words: &str) {
        self.screen = Screen::Ended;
        remember_place("");
        self.panel.left();
        self.end_visit();
        self.page.ended_title.set_text(title);
        self.page.ended_words.set_text(words);
        dom::set_title("Duologue");
        show_screen("ended");
        self.page.ended_title.focus();
    }
}
