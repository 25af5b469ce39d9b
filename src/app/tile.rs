//! Someone else in the call, on the stage.

use duologue::browser::{MediaStream, dom::Element};
use duologue::{Peer, PeerState, Reason};

use super::words;

/// A tile. Dropping it takes it off the stage.
pub struct Tile {
    pub peer: Peer,
    pub state: PeerState,
    /// Why the connection has failed, if it has.
    pub reason: Option<Reason>,
    /// Whether they have lost the signaling server.
    pub away: bool,
    element: Element,
}

impl Tile {
    pub fn new(peer: Peer, stage: &Element) -> Option<Self> {
        let element = Element::from_template("tile")?;
        let tile = Self { peer, state: PeerState::Connecting, reason: None, away: false, element };
        tile.set_text(".tile-name", words::name(&tile.peer));
        tile.set_text(".tile-initial", &words::initial(&tile.peer));
        // The id is the server's word, not the person's.
        tile.element.set("data-peer", tile.peer.id.as_str());
        tile.show_state();
        stage.append(&tile.element);
        Some(tile)
    }

    pub fn set_state(&mut self, state: PeerState, reason: Option<Reason>) {
        self.state = state;
        self.reason = reason;
        self.show_state();
    }

    pub fn set_away(&mut self, away: bool) {
        self.away = away;
        self.show_state();
    }

    pub fn set_stream(&self, stream: &MediaStream) {
        // Until they say otherwise: a plain page never says.
        self.element.set("data-video", "on");
        if let Some(video) = self.video() {
            video.set_stream(Some(stream));
        }
    }

    pub fn set_media(&self, audio: bool, video: bool) {
        self.element.set("data-audio", on_off(audio));
        self.element.set("data-video", on_off(video));
    }

    pub fn video(&self) -> Option<Element> {
        self.element.find("video")
    }

    fn show_state(&self) {
        self.element.set("data-state", self.state.as_str());
        self.set_text(".tile-state", words::tile(self));
    }

    fn set_text(&self, selector: &str, text: &str) {
        if let Some(element) = self.element.find(selector) {
            element.set_text(text);
        }
    }
}

impl Drop for Tile {
    fn drop(&mut self) {
        if let Some(video) = self.video() {
            video.set_stream(None);
        }
        self.element.remove();
    }
}

pub fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
