//! What the end-to-end tests and the benches share: the real server, real browsers, and words to speak of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "this is test code: it may fail loudly, and it is read rather than called"
)]

mod browser;
mod call;
mod delay;
mod frames;
mod hosted;
mod lab;
mod matrix;
mod memory;
mod pairing;
mod path;
mod payload;
mod process;
mod redis;
mod scene;
mod site;
mod talk;

pub use browser::{Browsers, Engine, Window, WindowOptions};
pub use call::Caller;
pub use delay::SlowLink;
pub use frames::Frames;
pub use hosted::Hosted;
pub use lab::{Home, Kind, Lab, PUBLIC, Router};
pub use matrix::Matrix;
pub use memory::{Cycles, Footprint, Leaving, Weight};
pub use pairing::Pair;
pub use path::Path;
pub use payload::Payload;
pub use process::{Running, Server, Trunk, root};
pub use redis::Redis;
pub use scene::{Call, Figures, Parting, Scene};
pub use site::Site;
pub use talk::{Couple, FileRow};
