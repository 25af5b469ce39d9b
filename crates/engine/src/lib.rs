//! What a call has to decide, with no world around it.
//!
//! Small state machines that know no browser, no clock, no randomness and no async runtime: a [`Negotiator`] and a
//! [`Recovery`] for each pair of people, a [`Session`] for one person's place in a room, and a [`LocalRoom`] that stands
//! in for the server among the tabs of one browser; and for what a pair of people send each other besides sound and
//! picture, [`messages::Messages`] and [`transfer::Transfers`]. They all keep one contract with their driver:
//!
//! 1. Tell the machine what happened: `handle(…)`.
//! 2. Then call `poll()` until it gives `None`, and do what each output says, in that order.
//! 3. Where the machine has a `deadline()`, call `handle` with `Timeout` when that moment has come.
//!
//! A machine never fails and never blocks. What it is told out of turn it ignores; what the driver could not do is an
//! input like any other.

pub mod diagnosis;
mod local_room;
pub mod messages;
mod negotiation;
mod recovery;
mod session;
mod table;
mod time;
pub mod transfer;

pub use local_room::{Bus, BusBody, LocalInput, LocalOutput, LocalRoom};
pub use negotiation::{
    Failure, Input as NegotiatorInput, Negotiation, Negotiator, Operation, Output as NegotiatorOutput, Party,
    Signal, SignalingState,
};
pub use recovery::{
    Cause, Input as RecoveryInput, LinkState, Output as RecoveryOutput, Recovery, State as ConnectionState,
    Timing as RecoveryTiming,
};
pub use session::{
    Event as SessionEvent, Governing, Input as SessionInput, Output as SessionOutput, Session, Timing, Way,
};
pub use table::Table;
pub use time::Instant;
