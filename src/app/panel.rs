//! The panel for messages and files, as far as it is there from the beginning: what happens waits for it.

use duologue::browser::spawn;
use duologue::queue::{Receiver, Sender, queue};

use super::App;
use super::NoteAction;
use super::asks::Ask;
use super::talk::{Talk, deal, load};

/// Holds on to the panel, there already or not.
pub struct Panel {
    to: Sender<Talk>,
    /// Until it is there.
    queue: Option<Receiver<Talk>>,
    loading: bool,
    /// Whether somebody has asked for it and waits.
    asked: bool,
}

impl Default for Panel {
    fn default() -> Self {
        let (to, queue) = queue();
        Self { to, queue: Some(queue), loading: false, asked: false }
    }
}

impl Panel {
    /// The call is over. What happened in it concerns a panel that is not there yet no more.
    pub(super) fn left(&mut self) {
        if self.queue.is_some() {
            *self = Self { loading: self.loading, ..Self::default() };
        } else {
            self.tell(Talk::Left);
        }
    }

    pub(super) fn tell(&self, talk: Talk) {
        // The panel lives as long as the page.
        let _ = self.to.send(talk);
    }
}

impl App {
    /// Loads what the panel needs, unless it is there or on its way.
    pub(super) fn load_panel(&mut self) {
        if self.panel.queue.is_none() || std::mem::replace(&mut self.panel.loading, true) {
            return;
        }
        let asks = self.asks.clone();
        spawn(async move { asks.send(Ask::TalkLoaded(load().await)) });
    }

    pub(super) fn toggle_panel(&mut self) {
        self.panel.asked |= self.panel.queue.is_some();
        self.panel.tell(Talk::Toggle);
        self.load_panel();
    }

    pub(super) fn show_panel(&mut self) {
        self.panel.asked |= self.panel.queue.is_some();
        self.panel.tell(Talk::Show);
        self.load_panel();
    }

    pub(super) fn panel_loaded(&mut self, outcome: Result<(), duologue::NotLoaded>) {
        self.panel.loading = false;
        let asked = std::mem::take(&mut self.panel.asked);
        match outcome {
            Ok(()) => {
                if let Some(queue) = self.panel.queue.take() {
                    let (talks, asks) = (self.panel.to.clone(), self.asks.clone());
                    spawn(async move {
                        // It is loaded: this cannot fail.
                        let _ = deal(talks, queue, asks).await;
                    });
                }
            }
            // Nobody needs it yet: it is tried again when somebody does.
            Err(_) if !asked => {}
            Err(error) => self.note(&error.to_string(), Some(("Try again", NoteAction::ShowPanel))),
        }
    }
}
