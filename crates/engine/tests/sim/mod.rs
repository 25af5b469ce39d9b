//! The simulator: the real engine against a model of the browser and of the network.

pub mod connection;
pub mod world;
