//! `diagnose`, for JavaScript.

use duologue_engine::diagnosis::{Mapping, Reach};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::RawOptions;
use super::options::JoinOptions;
use super::values::{ServerValue, plain, servers};
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
    plain(&DiagnosisValue {
        verdict: findings.verdict.code(),
        message: findings.verdict.sentence(),
        camera: diagnosis.camera.as_ref().map(ToString::to_string),
        microphone: diagnosis.microphone.as_ref().map(ToString::to_string),
        signaling: reach(facts.signaling),
        candidates: findings.kinds.iter().map(|kind| kind.as_str()).collect(),
        udp: findings.udp,
        mapping,
        relay: reach(facts.relay),
        relay_protocol: findings.relay_over.map(|over| over.as_str().to_ascii_lowercase()),
        servers: servers(&diagnosis.problems),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiagnosisValue<'a> {
    verdict: &'a str,
    message: &'a str,
    camera: Option<String>,
    microphone: Option<String>,
    signaling: ReachValue,
    candidates: Vec<&'a str>,
    udp: Option<bool>,
    mapping: &'a str,
    relay: ReachValue,
    relay_protocol: Option<String>,
    servers: Vec<ServerValue<'a>>,
}

/// Milliseconds, false if it did not answer, null if there was nothing to try.
#[derive(Serialize)]
#[serde(untagged)]
enum ReachValue {
    Millis(u32),
    Unreached(bool),
    NotTried,
}

fn reach(reach: Reach) -> ReachValue {
    match reach {
        Reach::Reached(time) => ReachValue::Millis(u32::try_from(time.as_millis()).unwrap_or(u32::MAX)),
        Reach::Unreached => ReachValue::Unreached(false),
        Reach::NotTried => ReachValue::NotTried,
    }
}
