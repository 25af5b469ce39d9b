//! Load for signaling servers, and what they make of it. `cargo xtask bench server` runs it against ours and others, in
//! turns, and prints one table.
//!
//! The load is an *open loop*: a message is sent when the schedule says so, whether or not what came before has arrived,
//! and how late it is counts from that time. A server that falls behind cannot slow down who measures it.
//!
//! - `plan` is how much of everything; `schedule` says when which message is due; `payload` what is in it.
//! - `contender` is a server, and the protocol in which its clients say the same things.
//! - `client` is one client, `fleet` many; `tally` counts what they send and hear, in `counts`.
//! - `process` starts servers and reads what they use; `machine` is its CPUs and files; `npm` installs the others.
//! - `crowd` is many connections that say little, `relay` few that say much; `report` is the table, `command` all of it.

// It reads /proc, and says which CPU is whose.
#![cfg(target_os = "linux")]

pub mod client;
pub mod command;
pub mod contender;
pub mod counts;
pub mod crowd;
pub mod fleet;
pub mod machine;
pub mod npm;
pub mod payload;
pub mod plan;
pub mod process;
pub mod relay;
pub mod report;
pub mod schedule;
pub mod tally;

/// What went wrong, for a person.
pub type Outcome<T = ()> = Result<T, String>;
