//! What web-sys 0.3 lacks of the interfaces used here.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{Event, MediaStream, RtcConfiguration, RtcPeerConnection, RtcRtpSender};

#[wasm_bindgen]
extern "C" {
    /// `performance.now()` (W3C High Resolution Time, section 7), without a way through the window to it: it is asked often.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn performance_now() -> f64;

    /// `RTCPeerConnection` with the methods of W3C webrtc-pc that web-sys does not bind.
    #[wasm_bindgen(extends = RtcPeerConnection)]
    pub type PeerConnection;

    /// `setLocalDescription()` without an argument: makes the offer or answer that the state calls for, and applies it
    /// in one step (W3C webrtc-pc, section 4.4.2).
    #[wasm_bindgen(method, js_name = setLocalDescription)]
    pub fn set_implicit_local_description(this: &PeerConnection) -> Promise;

    /// `restartIce()` (W3C webrtc-pc, section 4.4.2): the next negotiation restarts ICE, however late it comes.
    #[wasm_bindgen(method, js_name = restartIce)]
    pub fn restart_ice(this: &PeerConnection);

    /// `setConfiguration(…)` (W3C webrtc-pc, section 4.4.2): other STUN and TURN servers for the next gathering.
    #[wasm_bindgen(method, catch, js_name = setConfiguration)]
    pub fn set_configuration(this: &PeerConnection, configuration: &RtcConfiguration) -> Result<(), JsValue>;

    /// `sctp` (W3C webrtc-pc, section 6.1).
    #[wasm_bindgen(method, getter)]
    pub fn sctp(this: &PeerConnection) -> Option<SctpTransport>;

    /// `RTCSctpTransport` (W3C webrtc-pc, section 6.1.1).
    pub type SctpTransport;

    #[wasm_bindgen(method, getter, js_name = maxMessageSize)]
    pub fn max_message_size(this: &SctpTransport) -> f64;

    /// `RTCPeerConnectionIceErrorEvent` (W3C webrtc-pc, section 4.8.3).
    #[wasm_bindgen(extends = Event)]
    pub type IceErrorEvent;

    #[wasm_bindgen(method, getter)]
    pub fn url(this: &IceErrorEvent) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = errorCode)]
    pub fn error_code(this: &IceErrorEvent) -> Option<u16>;

    #[wasm_bindgen(method, getter, js_name = errorText)]
    pub fn error_text(this: &IceErrorEvent) -> Option<String>;

    /// `RTCRtpSender` with the methods that web-sys does not bind.
    #[wasm_bindgen(extends = RtcRtpSender)]
    pub type Sender;

    /// `setStreams(stream)` (W3C webrtc-pc, section 5.2): what the other side finds in its track event.
    #[wasm_bindgen(method, catch, js_name = setStreams)]
    pub fn set_streams(this: &Sender, stream: &MediaStream) -> Result<(), JsValue>;

    /// `navigator.locks` (W3C Web Locks).
    pub type LockManager;

    #[wasm_bindgen(method, catch)]
    pub fn request(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        granted: &Function,
    ) -> Result<Promise, JsValue>;
}
