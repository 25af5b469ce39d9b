//! RTCDataChannel, agreed on by both sides in advance (W3C webrtc-pc, section 6.2, `negotiated`).

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelState};

/// What happens on a data channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataChannelEvent {
    /// It is open.
    Opened,
    /// Text has arrived. Binary messages are not reported.
    Text(String),
    /// The other side closed it, or the connection is gone for good.
    Closed,
}

/// An open or opening channel. Dropping it closes it.
pub struct DataChannel {
    channel: RtcDataChannel,
    _listeners: [EventListener; 3],
}

impl DataChannel {
    pub(super) fn new(
        channel: RtcDataChannel,
        on_event: impl Fn(DataChannelEvent) + Clone + 'static,
    ) -> Self {
        let (on_open, on_close) = (on_event.clone(), on_event.clone());
        let listeners = [
            EventListener::new(&channel, "open", move |_| on_open(DataChannelEvent::Opened)),
            EventListener::new(&channel, "close", move |_| on_close(DataChannelEvent::Closed)),
            EventListener::new(&channel, "message", move |event| {
                let text = event.dyn_ref::<MessageEvent>().and_then(|event| event.data().as_string());
                if let Some(text) = text {
                    on_event(DataChannelEvent::Text(text));
                }
            }),
        ];
        Self { channel, _listeners: listeners }
    }

    /// Sends text; `false` if the channel is not open or cannot take it.
    #[must_use]
    pub fn send(&self, text: &str) -> bool {
        self.channel.ready_state() == RtcDataChannelState::Open && self.channel.send_with_str(text).is_ok()
    }
}

impl Drop for DataChannel {
    fn drop(&mut self) {
        self.channel.close();
    }
}
