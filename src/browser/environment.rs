//! What this browser and this page can do at all.

use gloo_events::EventListener;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};

/// Why a call cannot be made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortcoming {
    /// The browser has no RTCPeerConnection.
    NoWebRtc,
    /// The page came over plain http from another machine; browsers give no camera or microphone to such a page.
    InsecureOrigin,
}

/// What is missing, the worst first; `None` if everything is there.
#[must_use]
pub fn shortcoming() -> Option<Shortcoming> {
    let window = web_sys::window()?;
    let has = |name: &str| Reflect::get(&window, &JsValue::from_str(name)).is_ok_and(|it| !it.is_undefined());
    if !has("RTCPeerConnection") {
        Some(Shortcoming::NoWebRtc)
    } else if !window.is_secure_context() {
        Some(Shortcoming::InsecureOrigin)
    } else {
        None
    }
}

/// The address of the signaling server that served this page: `/ws` beside it.
#[must_use]
pub fn origin_socket() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/ws", location.host().ok()?))
}

/// Calls `then` on every event `name` of the window, until the listener is dropped.
pub(crate) fn on_window(name: &'static str, then: impl Fn() + 'static) -> Option<EventListener> {
    Some(EventListener::new(web_sys::window()?.as_ref(), name, move |_| then()))
}

/// Calls `then` whenever the computer may be in another network, until the listener is dropped. Not every browser
/// tells (Network Information API).
pub(crate) fn on_network_change(then: impl Fn() + 'static) -> Option<EventListener> {
    let navigator = web_sys::window()?.navigator();
    let network = Reflect::get(&navigator, &JsValue::from_str("connection")).ok()?;
    let target = network.dyn_into::<web_sys::EventTarget>().ok()?;
    Some(EventListener::new(&target, "change", move |_| then()))
}

/// Calls `then` whenever the page is shown again, until the listener is dropped.
pub(crate) fn on_shown(then: impl Fn() + 'static) -> Option<EventListener> {
    let document = web_sys::window()?.document()?;
    let target = document.clone();
    Some(EventListener::new(&document, "visibilitychange", move |_| {
        if !target.hidden() {
            then();
        }
    }))
}
