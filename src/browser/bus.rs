//! BroadcastChannel: what one tab says, the other tabs of the same origin hear.

use gloo_events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// An open channel. Dropping it closes it.
pub(crate) struct Bus {
    channel: BroadcastChannel,
    _listener: EventListener,
}

impl Bus {
    /// Opens the channel `name`. `None` where the browser has no such thing.
    pub(crate) fn open(name: &str, on_message: impl Fn(JsValue) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let listener = EventListener::new(&channel, "message", move |event| {
            if let Some(event) = event.dyn_ref::<MessageEvent>() {
                on_message(event.data());
            }
        });
        Some(Self { channel, _listener: listener })
    }

    /// Says it to every other tab that has the channel open. A message that cannot be copied is not sent.
    pub(crate) fn say(&self, message: &JsValue) {
        let _ = self.channel.post_message(message);
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.channel.close();
    }
}
