//! A file in the panel.

use duologue::browser::{File, Listener, dom::Element, dom::ObjectUrl, spawn};
use duologue::{Destination, Peer, Progress, Transfer, TransferError, TransferState};
use futures_util::StreamExt;

use super::{Talk, Talks};
use crate::app::words;

/// What the person does with a file.
pub enum Press {
    Accept,
    /// They have chosen where to save it, or closed the dialog.
    Chosen(Option<Destination>),
    Decline,
    Pause,
    Cancel,
    Again,
    Saved,
}

/// A button's class, and what pressing it means.
type Button = (&'static str, fn() -> Press);

const BUTTONS: [Button; 6] = [
    (".accept", || Press::Accept),
    (".decline", || Press::Decline),
    (".pause", || Press::Pause),
    (".cancel", || Press::Cancel),
    (".again", || Press::Again),
    (".save", || Press::Saved),
];

/// A file. Dropping it takes it out of the panel; what has arrived and was not saved goes with it.
pub struct FileRow {
    pub number: u32,
    pub element: Element,
    /// What we send.
    pub file: Option<File>,
    who: String,
    size: u64,
    transfer: Option<Transfer>,
    state: TransferState,
    /// Whether a place to save it is being chosen or made ready.
    answered: bool,
    saved: bool,
    url: Option<ObjectUrl>,
    _listeners: Vec<Listener>,
}

impl FileRow {
    /// A file that a peer offers.
    pub fn theirs(number: u32, transfer: Transfer, talks: &Talks) -> Option<Self> {
        let who = words::name(transfer.peer()).to_owned();
        let mut row = Self::new(number, &who, "theirs", transfer.name(), transfer.size(), talks)?;
        row.follow(transfer, talks);
        Some(row)
    }

    /// A file that we offer, to `peer` or to whoever comes.
    pub fn ours(number: u32, file: File, peer: Option<&Peer>, talks: &Talks) -> Option<Self> {
        let who = peer.map_or("", words::name);
        let mut row = Self::new(number, who, "ours", &file.name(), file.size() as u64, talks)?;
        row.file = Some(file);
        row.show(&TransferState::Offered);
        Some(row)
    }

    fn new(number: u32, who: &str, whose: &str, name: &str, size: u64, talks: &Talks) -> Option<Self> {
        let element = Element::from_template("talk-file")?;
        element.set("data-whose", whose);
        element.set_text_in(".name", name);
        element.set_text_in(".size", &words::bytes(size));
        let listeners = BUTTONS.iter().filter_map(|(class, press)| {
            let (talks, press) = (talks.clone(), *press);
            let tell = move || {
                // The panel lives as long as the page.
                let _ = talks.send(Talk::File(number, press()));
            };
            Some(element.find(class)?.on("click", tell))
        });
        let listeners = listeners.collect();
        Some(Self {
            number,
            element,
            file: None,
            who: who.to_owned(),
            size,
            transfer: None,
            state: TransferState::Offered,
            answered: false,
            saved: false,
            url: None,
            _listeners: listeners,
        })
    }

    /// Shows how a transfer goes.
    fn follow(&mut self, transfer: Transfer, talks: &Talks) {
        let (number, talks, mut states) = (self.number, talks.clone(), transfer.states());
        self.transfer = Some(transfer);
        self.show(&TransferState::Offered);
        spawn(async move {
            while let Some(state) = states.next().await {
                // The panel lives as long as the page.
                let _ = talks.send(Talk::Moved(number, state));
            }
        });
    }

    /// Our file was offered, or could not be.
    pub fn offered(&mut self, outcome: Result<Transfer, String>, talks: &Talks) {
        match outcome {
            Ok(transfer) => self.follow(transfer, talks),
            Err(words) => self.show_over("lost", &words, true),
        }
    }

    pub fn press(&mut self, press: Press, talks: &Talks) {
        let Some(transfer) = &self.transfer else { return };
        match press {
            Press::Accept if !self.answered => {
                self.answered = true;
                let (talks, number, name) = (talks.clone(), self.number, transfer.name().to_owned());
                spawn(async move {
                    let place = Destination::choose(&name).await;
                    let _ = talks.send(Talk::File(number, Press::Chosen(place)));
                });
            }
            Press::Chosen(Some(place)) => {
                transfer.accept(place);
                self.say("Getting ready…");
                self.show_buttons(&[".cancel"]);
            }
            Press::Chosen(None) => self.answered = false,
            Press::Decline => transfer.decline(""),
            Press::Pause => match &self.state {
                TransferState::Active(progress) if progress.paused_here => transfer.resume(),
                _ => transfer.pause(),
            },
            Press::Cancel => transfer.cancel(),
            Press::Saved => {
                self.saved = true;
                self.say("Saved where the browser keeps downloads.");
            }
            Press::Accept | Press::Again => {}
        }
    }

    /// Whether it has arrived and only this page has it.
    pub fn waits_to_be_saved(&self) -> bool {
        self.url.is_some() && !self.saved
    }

    /// What to say when nobody looks at the panel.
    pub fn offer_words(&self) -> String {
        let name = self.transfer.as_ref().map_or("a file", |transfer| transfer.name());
        [&self.who, " offers you ", name, "."].concat()
    }

    pub fn show(&mut self, state: &TransferState) {
        self.state = state.clone();
        let incoming = self.file.is_none();
        match state {
            TransferState::Offered if incoming => {
                self.say(&[&self.who, " offers you this file."].concat());
                self.show_buttons(&[".accept", ".decline"]);
            }
            TransferState::Offered => {
                self.say(&["Waiting for ", &self.who, " to accept it"].concat());
                self.show_buttons(&[".cancel"]);
            }
            TransferState::Active(progress) => self.show_progress(progress),
            TransferState::Done(None) if incoming => self.show_over("done", "Saved.", false),
            TransferState::Done(None) => {
                self.show_over("done", &[&self.who, " has all of it."].concat(), false);
            }
            TransferState::Done(Some(saved)) => match &saved.file {
                Some(file) => {
                    self.show_over("done", "All of it is here. Save it before you close this page.", false);
                    self.url = ObjectUrl::of(file);
                    if let (Some(link), Some(url)) = (self.element.find(".save"), &self.url) {
                        link.set("href", url.as_str());
                        link.set("download", &file.name());
                        link.show(true);
                    }
                }
                None => self.show_over("done", "Saved.", false),
            },
            TransferState::Failed(error) => self.show_failure(error, incoming),
            _ => {}
        }
    }

    fn show_failure(&self, error: &TransferError, incoming: bool) {
        let words = match (error.code(), incoming) {
            ("left" | "forgotten" | "unreadable", true) => {
                [&self.who, " has to send it again. What has arrived is kept, and will not be sent again."]
                    .concat()
            }
            _ => error.to_string(),
        };
        let stopped = matches!(error.code(), "cancelled" | "declined");
        self.show_over(if stopped { "stopped" } else { "lost" }, &words, !incoming && !error.is_ours());
    }

    fn show_progress(&self, progress: &Progress) {
        self.element.set("data-state", "active");
        let mut said = vec![words::bytes(progress.bytes), " of ".to_owned(), words::bytes(self.size)];
        if progress.paused_here {
            said.push(" · paused".to_owned());
        } else if progress.paused_there {
            said.push([" · ", &self.who, " has paused it"].concat());
        } else {
            said.extend(progress.rate.map(|rate| [" · ", &words::bytes(rate), "/s"].concat()));
            said.extend(progress.left.map(|left| [" · ", &words::left_over(left)].concat()));
        }
        self.say(&said.concat());
        if let Some(bar) = self.element.find("progress") {
            bar.set("max", &self.size.max(1).to_string());
            bar.set("value", &progress.bytes.to_string());
            bar.show(true);
        }
        self.show_buttons(&[".pause", ".cancel"]);
        self.element.set_text_in(".pause", if progress.paused_here { "Resume" } else { "Pause" });
    }

    /// Shows that nothing more will come.
    fn show_over(&self, state: &str, words: &str, may_be_sent_again: bool) {
        self.element.set("data-state", state);
        self.say(words);
        if let Some(bar) = self.element.find("progress") {
            bar.show(false);
        }
        self.show_buttons(if may_be_sent_again { &[".again"] } else { &[] });
    }

    fn say(&self, words: &str) {
        self.element.set_text_in(".state", words);
    }

    fn show_buttons(&self, shown: &[&str]) {
        for (class, _) in BUTTONS {
            if let Some(button) = self.element.find(class) {
                button.show(shown.contains(&class));
            }
        }
    }
}

impl Drop for FileRow {
    fn drop(&mut self) {
        if let Some(transfer) = &self.transfer
            && !self.state.is_final()
        {
            transfer.cancel();
        }
        self.element.remove();
    }
}
