//! The signaling server of Duologue: it brings the people of a room together, relays what they need to connect to
//! each other, and serves the page. Media and data never pass through it.
//!
//! Each idea has a file of its own:
//!
//! - `server` binds, serves and shuts down; `accept` meets a client with TLS and HTTP; `http` routes.
//! - `origin` decides which pages may connect, `host` by which names the server may be asked.
//! - `tls` is the certificate: read from files, or made here, and renewed while the server runs.
//! - `address` says whose connection it is, `limits` what a client may do, `metrics` counts.
//! - `connection` is one client's socket, which is `buffered`, `ending` why it ends, `conversation` what its messages mean.
//! - `readiness` is whether clients should come, `departure` how they are sent away when the server ends.
//! - `registry` finds rooms and sessions; `room` is the task that owns one: its members, what they may have to be told
//!   again, and the pairs by which they find each other.
//! - `cluster` makes several servers one.
//! - `relayed` is what members say to each other, `outbox` what waits to be written to a client, `pace` keeps a client from
//!   filling one.
//! - `token` checks what lets people into a room, and makes it.
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

mod accept;
mod address;
mod assets;
mod buffered;
mod cluster;
mod config;
mod connection;
mod conversation;
mod departure;
mod dismissal;
mod ending;
mod farewell;
mod host;
mod http;
mod ice_url;
mod ids;
mod limits;
mod membership;
mod metrics;
mod origin;
mod outbox;
mod pace;
mod readiness;
mod refusal;
mod registry;
mod relayed;
mod room;
mod server;
mod start_error;
mod tls;
mod token;
mod turn;

pub use assets::AssetsError;
pub use cluster::{ClusterConfig, ClusterError};
pub use config::{Config, IceConfig, QueueLimits, Timing};
pub use host::{Host, InvalidHost};
pub use ipnet::IpNet;
pub use limits::{Limits, LimitsError, Rate};
pub use origin::{InvalidOrigin, Origin};
pub use registry::Rooms;
pub use server::Server;
pub use start_error::StartError;
pub use tls::{TlsConfig, TlsError};
pub use token::{Invitation, InvitationKey, TokenConfig, TokenError};
pub use turn::{IceError, Secret};
