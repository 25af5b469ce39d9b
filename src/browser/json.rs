//! The browser's own JSON. Serde's would weigh as much as the rest of the protocol.

use duologue_protocol::DecodeError;
use duologue_protocol::value::Value;
use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The largest integer that a JavaScript number holds exactly.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// A value that `JSON.parse` has made, or that came as an object to begin with.
#[derive(Debug, Clone)]
pub(crate) struct Json(pub(crate) JsValue);

impl Json {
    /// Parses JSON text.
    pub(crate) fn parse(text: &str) -> Result<Self, DecodeError> {
        if text.len() > duologue_protocol::limits::MESSAGE {
            return Err(DecodeError::TooLarge);
        }
        JSON::parse(text).map(Self).map_err(|error| DecodeError::Json(super::words(&error)))
    }
}

impl Value for Json {
    fn is_object(&self) -> bool {
        self.0.is_object() && !Array::is_array(&self.0)
    }

    fn is_null(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    fn get(&self, name: &str) -> Option<Self> {
        let name = JsValue::from_str(name);
        // Own properties only: "constructor" is no field of a message.
        let own =
            self.0.is_object() && js_sys::Object::has_own(self.0.unchecked_ref::<js_sys::Object>(), &name);
        own.then(|| Reflect::get(&self.0, &name).ok()).flatten().filter(|it| !it.is_undefined()).map(Self)
    }

    fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn whole(&self) -> Option<u64> {
        self.0.as_f64().filter(|it| *it >= 0.0 && *it <= LARGEST && it.trunc() == *it).map(|it| it as u64)
    }

    fn flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn items(&self) -> Option<Vec<Self>> {
        Array::is_array(&self.0).then(|| self.0.unchecked_ref::<Array>().iter().map(Self).collect())
    }
}
