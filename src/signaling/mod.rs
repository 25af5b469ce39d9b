//! The ways to reach the other people's browsers before there is a connection to them, behind one trait.
//!
//! A transport carries the messages of `duologue-protocol` both ways and decides nothing; dropping it closes it.

mod socket;
#[cfg(feature = "tabs")]
mod tabs;

use std::rc::Rc;

use duologue_protocol::{ClientMessage, DecodeError, Numbered};

use crate::browser::Json;

/// Where to meet the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signaling {
    /// A signaling server, by its `ws:` or `wss:` address.
    Server(String),
    /// The other tabs of this browser, with no server at all.
    #[cfg(feature = "tabs")]
    Tabs {
        /// How many a room holds.
        room_size: usize,
    },
}

impl Signaling {
    /// Whether it needs a server.
    #[must_use]
    pub fn has_server(&self) -> bool {
        match self {
            Self::Server(_) => true,
            #[cfg(feature = "tabs")]
            Self::Tabs { .. } => false,
        }
    }
}

/// What happens on a transport.
#[derive(Debug, Clone)]
pub(crate) enum TransportEvent {
    Opened,
    Received(Numbered),
    /// Something arrived that is no message. It changes nothing.
    Malformed(DecodeError),
    /// It is closed, or could not be opened.
    Closed,
}

/// An open or opening transport.
pub(crate) trait Transport {
    /// Sends a message. Before it is open and after it is closed this does nothing.
    fn send(&self, message: &ClientMessage);
}

/// Opens a transport that reports to `on_event`.
pub(crate) fn open(signaling: &Signaling, on_event: impl Fn(TransportEvent) + 'static) -> Box<dyn Transport> {
    let on_event: Rc<dyn Fn(TransportEvent)> = Rc::new(on_event);
    match signaling {
        Signaling::Server(url) => Box::new(socket::Socket::open(url.clone(), on_event)),
        #[cfg(feature = "tabs")]
        Signaling::Tabs { room_size } => Box::new(tabs::Tabs::open(*room_size, on_event)),
    }
}

fn received(message: &Json) -> TransportEvent {
    match Numbered::decode(message) {
        Ok(message) => TransportEvent::Received(message),
        Err(error) => TransportEvent::Malformed(error),
    }
}
