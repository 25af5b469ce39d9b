//! Small values for JavaScript.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use crate::{Error, Peer, Reason, ServerProblem};

pub(super) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

pub(super) fn peer(peer: &Peer) -> JsValue {
    object(&[("id", peer.id.as_str().into()), ("name", peer.name.as_str().into())])
}

pub(super) fn reason(reason: &Reason) -> JsValue {
    object(&[
        ("code", reason.code.into()),
        ("message", reason.message.into()),
        ("servers", problems(&reason.servers)),
    ])
}

pub(super) fn problems(problems: &[ServerProblem]) -> JsValue {
    let problems = problems.iter().map(|problem| {
        let (url, text) = (problem.url.as_str().into(), problem.text.as_str().into());
        object(&[("url", url), ("code", problem.code.into()), ("message", text)])
    });
    problems.collect::<js_sys::Array>().into()
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
