//! Someone else in the call, on the stage.

use duologue::browser::{Listener, MediaStream, dom::Element};
use duologue::{Peer, PeerState};

use super::asks::{Ask, Asks};
use super::words;

/// A tile. Dropping it takes it off the stage.
pub struct Tile {
    pub peer: Peer,
    pub state: PeerState,
    /// Whether they have lost the signaling server.
    pub away: bool,
    element: Element,
    _listener: Option<Listener>,
}

impl Tile {
    pub fn new(peer: &Peer, stage: &Element, asks: &Asks) -> Option<Self> {
        let element = Element::from_template("tile")?;
        let (id, asks) = (peer.id.clone(), asks.clone());
        let remove = move || asks.send(Ask::Remove(id.clone()));
        let listener = element.find(".tile-remove").map(|button| button.on("click", remove));
        let tile = Self {
            peer: peer.clone(),
            state: PeerState::Connecting,
            away: false,
            element,
            _listener: listener,
        };
        tile.element.set_text_in(".tile-name", words::name(peer));
        tile.element.set_text_in(".tile-initial", &words::initial(peer));
        // The id is the server's word, not the person's.
        tile.element.set("data-peer", peer.id.as_str());
        tile.show_state();
        stage.append(&tile.element);
        Some(tile)
    }

    pub fn set_state(&mut self, state: PeerState) {
        self.state = state;
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
        self.element.set_text_in(".tile-state", words::tile(self));
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
