//! What is read from `getStats()` (W3C webrtc-stats), all in one place.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `RTCStatsReport`: maplike.
    type Report;

    #[wasm_bindgen(method, js_name = forEach)]
    fn for_each(this: &Report, then: &mut dyn FnMut(JsValue));
}

/// All that has arrived over any pair of candidates. Both engines count it there; not both count it elsewhere.
pub(super) fn bytes_received(report: &JsValue) -> u64 {
    let mut bytes = 0.0;
    report.unchecked_ref::<Report>().for_each(&mut |entry| {
        if text(&entry, "type").as_deref() == Some("candidate-pair") {
            bytes += number(&entry, "bytesReceived").unwrap_or_default();
        }
    });
    bytes as u64
}

fn text(entry: &JsValue, name: &str) -> Option<String> {
    Reflect::get(entry, &JsValue::from_str(name)).ok()?.as_string()
}

fn number(entry: &JsValue, name: &str) -> Option<f64> {
    Reflect::get(entry, &JsValue::from_str(name)).ok()?.as_f64()
}
