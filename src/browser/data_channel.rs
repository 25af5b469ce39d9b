//! RTCDataChannel, agreed on by both sides in advance (W3C webrtc-pc, section 6.2, `negotiated`).

use std::rc::Rc;

use gloo_events::EventListener;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelInit, RtcDataChannelState, RtcDataChannelType};

/// What both sides have to agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataChannelKind {
    /// Its name, for people who look.
    pub label: &'static str,
    /// Its number, by which the two sides' channels are one.
    pub id: u16,
    /// Whether what is lost stays lost, and what comes late comes late; otherwise everything arrives, in order.
    pub lossy: bool,
}

impl DataChannelKind {
    pub(super) fn init(&self) -> RtcDataChannelInit {
        let init = RtcDataChannelInit::new();
        init.set_negotiated(true);
        init.set_id(self.id);
        if self.lossy {
            init.set_ordered(false);
            init.set_max_retransmits(0);
        }
        init
    }
}

/// What happens on a data channel.
#[derive(Debug, Clone)]
pub enum DataChannelEvent {
    /// It is open.
    Opened,
    /// Text has arrived.
    Text(String),
    /// Bytes have arrived. They are still the browser's: a file's need not come through the program's memory.
    Bytes(Uint8Array),
    /// What waits to be sent has come down to the low mark.
    Drained,
    /// The other side closed it, or the connection is gone for good.
    Closed,
}

/// An open or opening channel. Dropping it closes it.
pub struct DataChannel {
    channel: RtcDataChannel,
    _listeners: [EventListener; 4],
}

impl DataChannel {
    pub(super) fn new(channel: RtcDataChannel, on_event: Rc<dyn Fn(DataChannelEvent)>) -> Self {
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        let listen = |name: &'static str, read: fn(&web_sys::Event) -> Option<DataChannelEvent>| {
            let on_event = Rc::clone(&on_event);
            EventListener::new(&channel, name, move |event| {
                if let Some(event) = read(event) {
                    on_event(event);
                }
            })
        };
        let listeners = [
            listen("open", |_| Some(DataChannelEvent::Opened)),
            listen("close", |_| Some(DataChannelEvent::Closed)),
            listen("bufferedamountlow", |_| Some(DataChannelEvent::Drained)),
            listen("message", |event| {
                let data = event.dyn_ref::<MessageEvent>()?.data();
                match data.dyn_into::<ArrayBuffer>() {
                    Ok(buffer) => Some(DataChannelEvent::Bytes(Uint8Array::new(&buffer))),
                    Err(text) => text.as_string().map(DataChannelEvent::Text),
                }
            }),
        ];
        Self { channel, _listeners: listeners }
    }

    /// Sends text; `false` if the channel is not open or cannot take it.
    #[must_use]
    pub fn send(&self, text: &str) -> bool {
        self.is_open() && self.channel.send_with_str(text).is_ok()
    }

    /// Sends bytes; `false` if the channel is not open or cannot take them.
    #[must_use]
    pub fn send_bytes(&self, bytes: &[u8]) -> bool {
        self.is_open() && self.channel.send_with_u8_array(bytes).is_ok()
    }

    /// Sends bytes that are the browser's; `false` if the channel is not open or cannot take them.
    #[must_use]
    pub fn send_buffer(&self, bytes: &Uint8Array) -> bool {
        self.is_open() && self.channel.send_with_js_u8_array(bytes).is_ok()
    }

    /// How many bytes wait to be sent.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.channel.buffered_amount() as usize
    }

    /// At how many waiting bytes to report [`DataChannelEvent::Drained`].
    pub fn set_low_mark(&self, bytes: usize) {
        self.channel.set_buffered_amount_low_threshold(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    fn is_open(&self) -> bool {
        self.channel.ready_state() == RtcDataChannelState::Open
    }
}

impl Drop for DataChannel {
    fn drop(&mut self) {
        self.channel.close();
    }
}
