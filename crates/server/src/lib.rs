//! The signaling server of Duologue: it brings the people of a room together, relays what they need to connect to
//! each other, and serves the page. Media and data never pass through it.
//!
//! Each idea has a file of its own:
//!
//! - `server` binds, accepts and shuts down; `http` routes; `origin` decides which pages may connect.
//! - `connection` is one client's socket, `conversation` what its messages mean.
//! - `registry` finds rooms and sessions; `room` is the task that owns one: its members, what they may have to be told
//!   again, and the pairs by which they find each other.
//! - `outbox` is what waits to be written to a client, `pace` keeps a client from filling one.
//! - `turn` makes credentials for TURN, `ice_url` reads the addresses of STUN and TURN servers.
//! - `assets` is the page.
//!
//! ```no_run
//! # async fn run() -> Result<(), duologue_server::StartError> {
//! let mut config = duologue_server::Config::new(2);
//! config.app = Some("dist".into());
//! let server = duologue_server::Server::bind(config).await?;
//! println!("live at {}", server.url());
//! server.serve(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

mod assets;
mod config;
mod connection;
mod conversation;
mod farewell;
mod http;
mod ice_url;
mod ids;
mod origin;
mod outbox;
mod pace;
mod refusal;
mod registry;
mod room;
mod server;
mod turn;

pub use assets::AssetsError;
pub use config::{Config, IceConfig, QueueLimits, Timing};
pub use registry::Rooms;
pub use server::{Server, StartError};
pub use turn::{IceError, Secret};
