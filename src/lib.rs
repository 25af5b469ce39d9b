//! Private calling for the web: video and voice straight from one browser to another.
//!
//! ```no_run
//! # async fn call() -> Result<(), duologue::Error> {
//! use duologue::{Event, Options, Room, Signaling};
//! use futures_util::StreamExt;
//!
//! let server = Signaling::Server("wss://example.org/ws".to_owned());
//! let room = Room::open(server, Options::default());
//! let mut events = room.events();
//! room.enter("standup", "Ada").await?;
//! while let Some(event) = events.next().await {
//!     if let Event::Stream { stream, .. } = &*event {
//!         // Show it: `video.set_src_object(Some(&stream))`.
//! #       drop(stream);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Dropping the [`Room`] leaves it. What a call decides is in `duologue-engine`, which knows no browser; this crate
//! carries it out. `ARCHITECTURE.md` in the repository follows one call through the code.

pub mod browser;
mod diagnosis;
mod error;
mod exchange;
#[cfg(feature = "js")]
mod js;
pub mod later;
pub mod queue;
mod room;
mod signaling;

pub use duologue_engine::Governing;
pub use duologue_engine::diagnosis as network;
pub use duologue_protocol::{IceServer, LeaveReason, PeerId, Rights};

pub use browser::{MediaKind, MediaProblem, RtcOptions, ServerProblem, TransportPolicy};
pub use diagnosis::{Diagnosis, diagnose};
pub use duologue_engine::messages::{Body, Loss, Mode};
pub use duologue_engine::transfer::Progress;
pub use error::Error;
pub use exchange::{
    Destination, MOST_IN_MEMORY, Receipt, Saved, Transfer, TransferError, TransferState, TransferStates,
};
pub use later::NotLoaded;
pub use room::{
    Event, Events, LocalMedia, LocalState, Options, Peer, PeerState, Reason, Room, Sending, Watch,
};
pub use signaling::Signaling;
