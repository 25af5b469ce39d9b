//! The panel for messages and files: a task of its own, in the part of the program that comes later.

mod file;
mod links;
mod message;

use std::rc::{Rc, Weak};

use duologue::browser::{File, Listener, dom, dom::Element, spawn};
use duologue::queue::{Receiver, Sender};
use duologue::{Body, Event, Mode, Peer, PeerId, Room, Transfer};
use futures_util::StreamExt;

use super::asks::{Ask, Asks};
use super::words;
use file::FileRow;
use message::{Fate, MessageRow};

/// What the panel has to deal with.
pub enum Talk {
    /// We are in this room, and in it are those of whom will be told. The panel does not hold on to it: with the visit it
    /// is over at once, and the devices are given back.
    Entered(Weak<Room>),
    /// We are in no room any more.
    Left,
    /// The room says something.
    Room(Rc<Event>),
    /// Show the panel, or hide it.
    Toggle,
    /// Show it.
    Show,
    /// Hide it, and go back to where one came from.
    Hide,
    /// Send what is written.
    Send,
    /// Send these.
    Files(Vec<File>),
    /// A message of ours was sent, delivered or lost.
    Sent(u32, Fate),
    /// Send a message again.
    Again(u32),
    /// A button of a file was pressed.
    File(u32, file::Press),
    /// A file of ours was offered to a peer.
    Offered(u32, Result<Transfer, String>),
    /// A file goes on, or has ended.
    Moved(u32, duologue::TransferState),
}

/// Where all this goes.
pub type Talks = Sender<Talk>;

duologue::later! {
    in rest;
    /// Nothing: once it was called, the rest of the part is there.
    pub async fn load() {}
}

duologue::later! {
    in rest;
    /// Deals with the panel, until the page goes.
    pub async fn deal(talks: Talks, queue: Receiver<Talk>, asks: Asks) {
        run(talks, queue, asks).await;
    }
}

async fn run(talks: Talks, mut queue: Receiver<Talk>, asks: Asks) {
    let mut panel = match Elements::find() {
        Ok(elements) => Panel::new(elements, talks, asks),
        Err(id) => wasm_bindgen::throw_str(&["the page has no element with the id ", id].concat()),
    };
    while let Some(talk) = queue.next().await {
        panel.handle(talk);
    }
}

super::page::elements! {
    struct Elements {
        panel = "talk",
        close = "talk-close",
        log = "talk-log",
        empty = "talk-empty",
        form = "talk-form",
        text = "talk-text",
        attach = "talk-attach",
        files = "talk-files",
        button = "talk-open",
        badge = "talk-badge",
        call = "call",
        kept = "ended-files",
        kept_list = "ended-files-list",
    }
}

struct Panel {
    page: Box<Elements>,
    talks: Talks,
    asks: Asks,
    room: Weak<Room>,
    peers: Vec<Peer>,
    messages: Vec<MessageRow>,
    files: Vec<FileRow>,
    next: u32,
    unread: usize,
    _listeners: Vec<Listener>,
}

/// The most messages that stay in the panel. Older ones go.
const MOST_MESSAGES: usize = 1000;

impl Panel {
    fn new(page: Box<Elements>, talks: Talks, asks: Asks) -> Self {
        let tell = |make: fn() -> Talk| {
            let talks = talks.clone();
            move || {
                // The panel lives as long as the page.
                let _ = talks.send(make());
            }
        };
        let chosen = {
            let (talks, files) = (talks.clone(), page.files.clone());
            move || {
                let _ = talks.send(Talk::Files(files.take_files()));
            }
        };
        let files = page.files.clone();
        let mut listeners = vec![
            page.close.on("click", tell(|| Talk::Hide)),
            page.form.on("submit", tell(|| Talk::Send)),
            page.attach.on("click", move || files.click()),
            page.files.on("change", chosen),
            page.text.on_enter(tell(|| Talk::Send)),
            page.panel.on_escape(tell(|| Talk::Hide)),
        ];
        let dropped = talks.clone();
        listeners.extend(dom::on_files(&page.call, move |files| {
            let _ = dropped.send(Talk::Files(files));
        }));
        Self {
            page,
            talks,
            asks,
            room: Weak::new(),
            peers: Vec::new(),
            messages: Vec::new(),
            files: Vec::new(),
            next: 0,
            unread: 0,
            _listeners: listeners,
        }
    }

    fn handle(&mut self, talk: Talk) {
        match talk {
            Talk::Entered(room) => self.entered(room),
            Talk::Left => self.left(),
            Talk::Room(event) => self.room_event(&event),
            Talk::Toggle if self.is_shown() => self.hide(),
            Talk::Toggle | Talk::Show => self.show(),
            Talk::Hide => self.hide(),
            Talk::Send => self.send_written(),
            Talk::Files(files) => files.into_iter().for_each(|file| self.send_file(&file)),
            Talk::Sent(number, fate) => {
                if let Some(row) = self.messages.iter_mut().find(|row| row.number == number) {
                    row.show_fate(&fate, &self.talks);
                }
            }
            Talk::Again(number) => {
                if let Some(at) = self.messages.iter().position(|row| row.number == number) {
                    let row = self.messages.remove(at);
                    self.send(row.text.clone());
                }
            }
            Talk::File(number, file::Press::Again) => {
                let again = self.files.iter().position(|row| row.number == number);
                if let Some(file) = again.and_then(|at| self.files.remove(at).file.clone()) {
                    self.send_file(&file);
                }
            }
            Talk::File(number, press) => {
                if let Some(row) = self.files.iter_mut().find(|row| row.number == number) {
                    row.press(press, &self.talks);
                }
            }
            Talk::Offered(number, outcome) => {
                if let Some(row) = self.files.iter_mut().find(|row| row.number == number) {
                    row.offered(outcome, &self.talks);
                }
            }
            Talk::Moved(number, state) => {
                if let Some(row) = self.files.iter_mut().find(|row| row.number == number) {
                    row.show(&state);
                }
            }
        }
    }

    fn entered(&mut self, room: Weak<Room>) {
        self.room = room;
        self.peers.clear();
        self.messages.clear();
        // Another call is no reason to lose what has arrived.
        self.files.retain(FileRow::waits_to_be_saved);
        self.files.iter().for_each(|row| self.page.log.append(&row.element));
        self.unread = 0;
        self.page.kept.show(false);
        self.page.empty.show(self.files.is_empty());
        self.show_unread();
    }

    fn left(&mut self) {
        self.room = Weak::new();
        self.peers.clear();
        self.page.panel.show(false);
        self.page.button.set("aria-expanded", "false");
        self.page.call.set("data-talk", "closed");
        // What has arrived and was not saved is not lost with the call.
        let kept: Vec<&FileRow> = self.files.iter().filter(|row| row.waits_to_be_saved()).collect();
        kept.iter().for_each(|row| self.page.kept_list.append(&row.element));
        self.page.kept.show(!kept.is_empty());
    }

    fn room_event(&mut self, event: &Event) {
        match event {
            Event::Peer(peer) => self.peers.push(peer.clone()),
            Event::PeerLeft { peer, .. } => self.peers.retain(|known| known.id != peer.id),
            Event::Message { peer, body: Body::Text(text), .. } => {
                let number = self.number();
                if let Some(row) = MessageRow::theirs(number, peer, text.clone()) {
                    self.add_message(row);
                    self.note_unread();
                }
            }
            Event::File(transfer) => {
                let number = self.number();
                if let Some(row) = FileRow::theirs(number, transfer.clone(), &self.talks) {
                    if !self.is_shown() {
                        self.asks.send(Ask::TalkNote(row.offer_words()));
                    }
                    self.page.log.append(&row.element);
                    self.files.push(row);
                    self.page.empty.show(false);
                    self.page.log.scroll_to_end();
                    self.note_unread();
                }
            }
            // Bytes are for other applications, and the rest is not about messages.
            _ => {}
        }
    }

    fn number(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    fn is_shown(&self) -> bool {
        self.page.panel.is_shown()
    }

    fn show(&mut self) {
        self.page.panel.show(true);
        self.page.call.set("data-talk", "open");
        self.page.button.set("aria-expanded", "true");
        self.unread = 0;
        self.show_unread();
        self.page.log.scroll_to_end();
        self.page.text.focus();
    }

    fn hide(&mut self) {
        self.page.panel.show(false);
        self.page.call.set("data-talk", "closed");
        self.page.button.set("aria-expanded", "false");
        self.page.button.focus();
    }

    fn note_unread(&mut self) {
        if !self.is_shown() {
            self.unread += 1;
            self.show_unread();
        }
    }

    fn show_unread(&self) {
        self.page.badge.set_text(&words::count(self.unread));
        self.page.badge.show(self.unread > 0);
        let label = match self.unread {
            0 => "Chat".to_owned(),
            1 => "Chat, 1 unread".to_owned(),
            more => ["Chat, ", &more.to_string(), " unread"].concat(),
        };
        self.page.button.set("aria-label", &label);
    }

    fn send_written(&mut self) {
        let text = self.page.text.value();
        let text = text.trim();
        if !text.is_empty() {
            self.send(text.to_owned());
            self.page.text.set_value("");
        }
    }

    fn send(&mut self, text: String) {
        let number = self.number();
        let Some(row) = MessageRow::ours(number, text.clone()) else { return };
        self.add_message(row);
        let Some(room) = self.room.upgrade() else { return };
        let talks = self.talks.clone();
        let sent = room.send(Body::Text(text), None, Mode::Reliable);
        spawn(async move {
            let tell = |fate| {
                // The panel lives as long as the page.
                let _ = talks.send(Talk::Sent(number, fate));
            };
            let outcome = match sent.await {
                Ok(receipt) if receipt.peers().next().is_none() => {
                    return tell(Fate::Lost("Nobody else is here to read it.".to_owned()));
                }
                Ok(receipt) => {
                    tell(Fate::Sent);
                    receipt.delivered().await
                }
                Err(error) => Err(error),
            };
            tell(match outcome {
                Ok(()) => Fate::Delivered,
                Err(error) => Fate::Lost(error.to_string()),
            });
        });
    }

    fn add_message(&mut self, row: MessageRow) {
        self.page.log.append(&row.element);
        self.messages.push(row);
        if self.messages.len() > MOST_MESSAGES {
            self.messages.remove(0);
        }
        self.page.empty.show(false);
        self.page.log.scroll_to_end();
    }

    /// Offers a file to everyone: each decides for themselves.
    fn send_file(&mut self, file: &File) {
        if !self.is_shown() {
            self.show();
        }
        let peers: Vec<Option<Peer>> = match self.peers.is_empty() {
            true => vec![None],
            false => self.peers.iter().cloned().map(Some).collect(),
        };
        for peer in peers {
            let number = self.number();
            let Some(row) = FileRow::ours(number, file.clone(), peer.as_ref(), &self.talks) else { return };
            self.page.log.append(&row.element);
            self.files.push(row);
            self.page.empty.show(false);
            self.page.log.scroll_to_end();
            match (peer, self.room.upgrade()) {
                (Some(peer), Some(room)) => self.offer(number, &room, file, &peer.id),
                _ => {
                    let words = "Nobody else is here to take it.".to_owned();
                    let _ = self.talks.send(Talk::Offered(number, Err(words)));
                }
            }
        }
    }

    fn offer(&self, number: u32, room: &Room, file: &File, to: &PeerId) {
        let talks = self.talks.clone();
        let offered = room.send_file(file, Some(to));
        spawn(async move {
            let outcome = offered.await.map_err(|error| error.to_string());
            // The panel lives as long as the page.
            let _ = talks.send(Talk::Offered(number, outcome));
        });
    }
}
