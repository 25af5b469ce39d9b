//! A message in the panel.

use duologue::Peer;
use duologue::browser::{Listener, dom, dom::Element};

use super::links::{Part, parts};
use super::{Talk, Talks};
use crate::app::words;

/// What becomes of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way.
    Sent,
    /// Everyone has it.
    Delivered,
    /// Somebody has not, or may not have; why.
    Lost(String),
}

/// A message. Dropping it takes it out of the panel.
pub struct MessageRow {
    pub number: u32,
    pub element: Element,
    pub text: String,
    _again: Option<Listener>,
}

impl MessageRow {
    pub fn theirs(number: u32, peer: &Peer, text: String) -> Option<Self> {
        Self::new(number, words::name(peer), "theirs", "", text)
    }

    pub fn ours(number: u32, text: String) -> Option<Self> {
        Self::new(number, "You", "ours", "Sending…", text)
    }

    fn new(number: u32, who: &str, whose: &str, state: &str, text: String) -> Option<Self> {
        let element = Element::from_template("talk-message")?;
        element.set("data-whose", whose);
        element.set_text_in(".who", who);
        element.set_text_in("time", &dom::time_of_day());
        element.set_text_in(".state", state);
        let words = element.find(".words")?;
        for part in parts(&text) {
            match part {
                Part::Text(text) => words.append_text(text),
                Part::Link(address) => words.append_link(address),
            }
        }
        Some(Self { number, element, text, _again: None })
    }

    pub fn show_fate(&mut self, fate: &Fate, talks: &Talks) {
        let (name, words) = match fate {
            Fate::Sent => ("sent", ""),
            Fate::Delivered => ("delivered", "Delivered"),
            Fate::Lost(why) => ("lost", why.as_str()),
        };
        self.element.set("data-fate", name);
        self.element.set_text_in(".state", words);
        if let Some(again) = self.element.find(".again") {
            again.show(name == "lost");
            let (talks, number) = (talks.clone(), self.number);
            self._again = Some(again.on("click", move || {
                // The panel lives as long as the page.
                let _ = talks.send(Talk::Again(number));
            }));
        }
    }
}

impl Drop for MessageRow {
    fn drop(&mut self) {
        self.element.remove();
    }
}
