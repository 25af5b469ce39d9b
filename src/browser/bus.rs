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
    pub(crate) fn open(name: &str, on_message: impl Fn(String) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let listener = EventListener::new(&channel, "message", move |event| {
            if let Some(text) = event.dyn_ref::<MessageEvent>().and_then(|event| event.data().as_string()) {
                on_message(text);
            }
        });
        Some(Self { channel, _listener: listener })
    }

    /// Says it to every other tab that has the channel open.
    pub(crate) fn say(&self, text: &str) {
        // Fails only for what cannot be copied, which text can.
        let _ = self.channel.post_message(&JsValue::from_str(text));
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.channel.close();
    }
}
