//! Everything that is the browser's: thin wrappers over web-sys and the few bindings it lacks. They own what they hold
//! and give it back when dropped, and they decide nothing.

mod answers;
mod bindings;
#[cfg(feature = "tabs")]
mod bus;
mod bytes;
mod clock;
mod connection;
mod data_channel;
mod disk;
#[cfg(feature = "app")]
pub mod dom;
mod environment;
mod json;
mod lock;
mod media;
#[cfg(feature = "app")]
mod meter;
mod stats;
mod task;

pub use gloo_events::EventListener as Listener;
#[cfg(feature = "js")]
pub(crate) use web_sys::AbortSignal;
pub use web_sys::{Blob, File, FileSystemFileHandle, MediaStream, MediaStreamTrack};

pub use connection::{Connection, ConnectionEvent, MediaKind, RtcOptions, ServerProblem, TransportPolicy};
pub use data_channel::{DataChannel, DataChannelEvent, DataChannelKind};
pub use environment::{Shortcoming, origin_socket, shortcoming};
pub use media::{Devices, MediaProblem, capture, list_devices, on_devices_change};
#[cfg(feature = "app")]
pub use meter::Meter;
pub use task::spawn;
#[cfg(feature = "js")]
pub(crate) use task::until_aborted;

#[cfg(feature = "tabs")]
pub(crate) use bus::Bus;
pub(crate) use bytes::{frame, read, sha256};
pub(crate) use clock::{Alarm, now, random, random_token, wall_clock_millis};
pub(crate) use disk::{Folder, Writable, choose_place, joined, room as disk_room};
pub(crate) use environment::{on_network_change, on_shown, on_window};
pub(crate) use json::Json;
pub(crate) use lock::Lock;
pub(crate) use media::{capture_all, device_problem, exactly};

/// What the browser said, as text for a person: an exception's message where there is one.
pub(crate) fn words(error: &wasm_bindgen::JsValue) -> String {
    use wasm_bindgen::JsCast;
    if let Some(exception) = error.dyn_ref::<web_sys::DomException>() {
        return exception.message();
    }
    if let Some(error) = error.dyn_ref::<js_sys::Error>() {
        return String::from(error.message());
    }
    error.as_string().unwrap_or_else(|| "no reason given".to_owned())
}
