//! Who comes in: invitations, waiting to be let in, and what admins do about those who wait and those who are there.

use duologue::browser::{self, dom, dom::Memory};
use duologue::{Governing, MediaKind, Peer, PeerId, Rights};

use super::{App, NoteAction, Screen, show_screen, words};

/// What stands in the address between the room and the token that opens it. It is behind the `#`, which browsers send to
/// no server.
const INVITATION: &str = "?invitation=";

/// How long a server that cannot let us in is left alone.
const PAUSE_WHEN_BUSY_MILLIS: u32 = 2000;

/// What the app knows of the door of the room.
#[derive(Default)]
pub struct Door {
    /// Whether we wait to be let in, by somebody inside or by a server that cannot at the moment.
    pub waits: bool,
    locked: bool,
    /// Whether we may not be seen and heard.
    pub listens: bool,
    /// Who waits to be let in, if that is for us to decide.
    knocks: Vec<Peer>,
    /// Whom the note asks about.
    about: Option<PeerId>,
}

impl App {
    /// The room that the address names. A token there is taken out of it: what is copied and looked at is no key.
    pub(super) fn room_of_address() -> String {
        let fragment = dom::fragment();
        let mark = fragment.bytes().rposition(|byte| byte == b'?');
        let parts = mark.and_then(|mark| fragment.split_at_checked(mark));
        let found = parts.and_then(|(room, rest)| Some((room, rest.strip_prefix(INVITATION)?)));
        let Some((room, token)) = found else { return fragment };
        dom::replace_fragment(room);
        dom::remember(Memory::Tab, &key(room), token);
        room.to_owned()
    }

    /// What opens the room, if it is one that we were invited to.
    pub(super) fn token(room: &str) -> Option<String> {
        dom::recall(Memory::Tab, &key(room))
    }

    /// Shows for what we wait, and how to give up.
    pub(super) fn wait_to_be_let_in(&mut self, words: &str) {
        if let Screen::Entering { .. } = self.screen {
            self.door.waits = true;
            self.page.join.enable(true);
            self.page.join.set_text("Stop waiting");
            self.say_signaling(words, false);
            show_screen("lobby");
        }
    }

    /// Nobody has to do anything about this: it is tried again until it is done, or we give up.
    pub(super) fn wait_for_server(&mut self) {
        self.wait_to_be_let_in(words::BUSY);
        self.enter_again_in(PAUSE_WHEN_BUSY_MILLIS);
    }

    pub(super) fn stop_waiting(&mut self) {
        if let Some(visit) = &self.visit {
            visit.room.exit();
        }
        self.show_lobby();
    }

    pub(super) fn joined(&mut self, rights: Rights, locked: bool) {
        self.door = Door::default();
        self.page.lock.show(rights.admin);
        self.page.stage.mark("data-admin", rights.admin);
        self.show_lock(locked);
        // Who was invited has no link for others.
        self.page.stage.mark("data-invited", Self::token(&self.page.room.value()).is_some());
        self.page.stage.mark("data-listens", !rights.speak);
        self.door.listens = !rights.speak;
        if !rights.speak
            && let Some(media) = self.visit.as_ref().map(|visit| visit.media.clone())
        {
            browser::spawn(async move {
                for kind in MediaKind::ALL {
                    media.set(kind, false).await;
                }
            });
        }
    }

    pub(super) fn show_lock(&mut self, locked: bool) {
        self.door.locked = locked;
        self.page.lock.set("aria-pressed", if locked { "true" } else { "false" });
        self.page.room_lock.show(locked);
    }

    pub(super) fn toggle_lock(&self) {
        self.govern(Governing::Lock(!self.door.locked));
    }

    fn govern(&self, what: Governing) {
        if let Some(visit) = &self.visit {
            visit.room.govern(what);
        }
    }

    pub(super) fn knock(&mut self, peer: &Peer) {
        self.door.knocks.push(peer.clone());
        if self.note_action.is_none() {
            self.show_knock();
        }
    }

    /// Somebody has been let in, or not, or is gone: there is nothing to decide about them any more.
    pub(super) fn knock_over(&mut self, id: &PeerId) {
        self.door.knocks.retain(|peer| peer.id != *id);
        if self.note_action == Some(NoteAction::Admit) && self.door.about.as_ref() == Some(id) {
            self.hide_note();
        }
    }

    /// Asks about the first of those who knock, if there is one.
    pub(super) fn show_knock(&mut self) {
        if let Some(peer) = self.door.knocks.first().cloned() {
            self.ask_about(&peer, " wants to come in.", ("Let in", NoteAction::Admit), "Not now");
        }
    }

    /// Asks whether somebody is to be taken out.
    pub(super) fn ask_to_remove(&mut self, id: &PeerId) {
        let peer = self.tiles.iter().map(|tile| &tile.peer).find(|peer| peer.id == *id).cloned();
        if let Some(peer) = peer {
            self.ask_about(
                &peer,
                " will be taken out of the call.",
                ("Remove", NoteAction::Remove),
                "Cancel",
            );
        }
    }

    fn ask_about(&mut self, peer: &Peer, what: &str, yes: (&str, NoteAction), no: &str) {
        self.note(&[words::name(peer), what].concat(), Some(yes));
        self.door.about = Some(peer.id.clone());
        self.page.call_note_other.set_text(no);
        self.page.call_note_other.show(true);
    }

    /// The answer to what the note asks about somebody.
    pub(super) fn answer(&mut self, yes: bool) {
        let (Some(action), Some(id)) = (self.note_action, self.door.about.take()) else { return };
        self.door.knocks.retain(|peer| peer.id != id);
        match (action, yes) {
            (NoteAction::Admit, true) => self.govern(Governing::Admit(id)),
            (NoteAction::Admit, false) => self.govern(Governing::Deny(id)),
            (NoteAction::Remove, true) => self.govern(Governing::Remove(id)),
            _ => {}
        }
        self.hide_note();
    }
}

/// Under what the token of a room is remembered.
fn key(room: &str) -> String {
    [INVITATION, room].concat()
}
