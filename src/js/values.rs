//! Small values for JavaScript.

use js_sys::{Object, Reflect};
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::{Error, Peer, Reason, ServerProblem};

pub(super) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

/// What holds nothing of the browser's, as plain objects, arrays and values; `None` is null.
pub(super) fn plain(value: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
    // Fails only for what says by itself that it cannot be serialized.
    value.serialize(&serializer).unwrap_or_default()
}

#[derive(Serialize)]
struct PeerValue<'a> {
    id: &'a str,
    name: &'a str,
    speaks: bool,
}

pub(super) fn peer(peer: &Peer) -> JsValue {
    plain(&PeerValue { id: peer.id.as_str(), name: &peer.name, speaks: peer.speaks })
}

#[derive(Serialize)]
struct ReasonValue<'a> {
    code: &'a str,
    message: &'a str,
    servers: Vec<ServerValue<'a>>,
}

pub(super) fn reason(reason: &Reason) -> JsValue {
    plain(&ReasonValue { code: reason.code, message: reason.message, servers: servers(&reason.servers) })
}

/// A STUN or TURN server, and what it had to say.
#[derive(Serialize)]
pub(super) struct ServerValue<'a> {
    url: &'a str,
    code: u16,
    message: &'a str,
}

pub(super) fn servers(problems: &[ServerProblem]) -> Vec<ServerValue<'_>> {
    let values = problems.iter().map(|it| ServerValue { url: &it.url, code: it.code, message: &it.text });
    values.collect()
}

/// An `Error` with a `code`.
pub(super) fn exception(error: &Error) -> JsValue {
    let exception = js_sys::Error::new(&error.to_string());
    let _ = Reflect::set(&exception, &JsValue::from_str("code"), &JsValue::from_str(error.code()));
    exception.into()
}

/// What `typeof` says, and `null` for null.
pub(super) fn type_of(value: &JsValue) -> String {
    if value.is_null() { "null".to_owned() } else { value.js_typeof().as_string().unwrap_or_default() }
}
