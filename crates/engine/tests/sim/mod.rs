//! The simulator: the real engine against a model of the browser, of the server and of the network.

pub mod connection;
pub mod server;
pub mod world;
