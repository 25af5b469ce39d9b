//! `diagnose`, for JavaScript.

use duologue_engine::diagnosis::{Mapping, Reach};
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::RawOptions;
use super::options::JoinOptions;
use super::values::{object, problems};
use crate::browser::MediaProblem;
use crate::{Diagnosis, diagnose};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "Diagnosis")]
    pub type JsDiagnosis;
}

/// Checks everything a call needs, from this page: camera and microphone (without opening them), the signaling server
/// at `url`, and the ways out of this network. Takes a second where everything answers, up to half a minute where not.
/// Of the options only `rtc` is looked at; without `iceServers` there, those of the signaling server are checked.
#[wasm_bindgen(js_name = diagnose)]
pub async fn js_diagnose(url: String, options: Option<RawOptions>) -> Result<JsDiagnosis, JsValue> {
    let JoinOptions { signaling, options, .. } =
        JoinOptions::read(&url, options.as_ref().map(AsRef::as_ref))?;
    Ok(value(&diagnose(&signaling, &options.rtc).await).unchecked_into())
}

fn value(diagnosis: &Diagnosis) -> JsValue {
    let Diagnosis { facts, findings, .. } = diagnosis;
    let mapping = match findings.mapping {
        Mapping::Direct => "direct",
        Mapping::EndpointIndependent => "endpoint-independent",
        Mapping::EndpointDependent => "endpoint-dependent",
        Mapping::Unknown => "unknown",
    };
    let candidates: Array = findings.kinds.iter().map(|kind| JsValue::from_str(kind.as_str())).collect();
    let relay_over = findings.relay_over.map(|over| over.as_str().to_ascii_lowercase());
    object(&[
        ("verdict", findings.verdict.code().into()),
        ("message", findings.verdict.sentence().into()),
        ("camera", device(diagnosis.camera.as_ref())),
        ("microphone", device(diagnosis.microphone.as_ref())),
        ("signaling", reach(facts.signaling)),
        ("candidates", candidates.into()),
        ("udp", findings.udp.map_or(JsValue::NULL, JsValue::from_bool)),
        ("mapping", mapping.into()),
        ("relay", reach(facts.relay)),
        ("relayProtocol", relay_over.map_or(JsValue::NULL, JsValue::from)),
        ("servers", problems(&diagnosis.problems)),
    ])
}

fn device(problem: Option<&MediaProblem>) -> JsValue {
    problem.map_or(JsValue::NULL, |problem| problem.to_string().into())
}

/// Milliseconds, false if it did not answer, null if there was nothing to try.
fn reach(reach: Reach) -> JsValue {
    match reach {
        Reach::Reached(time) => u32::try_from(time.as_millis()).unwrap_or(u32::MAX).into(),
        Reach::Unreached => JsValue::FALSE,
        Reach::NotTried => JsValue::NULL,
    }
}
