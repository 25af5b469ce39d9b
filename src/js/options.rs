//! Reads the options of `Room.join`. What is not as it should be is a `TypeError` that names the option.

use duologue_protocol::IceServer;
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::wrong;
use crate::browser::{AbortSignal, MediaStream, RtcOptions, TransportPolicy};
use crate::{LocalMedia, Options, Signaling};

/// How many tabs of one browser fit into a room without a server, as on a server that is not told otherwise.
#[cfg(feature = "tabs")]
const TABS_IN_A_ROOM: usize = 2;

pub(super) struct JoinOptions {
    pub(super) name: String,
    pub(super) token: Option<String>,
    pub(super) on_waiting: Option<Function>,
    pub(super) signal: Option<AbortSignal>,
    pub(super) signaling: Signaling,
    pub(super) options: Options,
}

impl JoinOptions {
    pub(super) fn read(url: &str, raw: Option<&JsValue>) -> Result<Self, JsValue> {
        let mut read = Self {
            name: String::new(),
            token: None,
            on_waiting: None,
            signal: None,
            signaling: read_signaling(url),
            options: Options::default(),
        };
        let Some(raw) = raw.filter(|raw| !raw.is_undefined() && !raw.is_null()) else { return Ok(read) };
        if !raw.is_object() {
            return Err(wrong("options", "an object", raw));
        }
        if let Some(name) = given(raw, "name") {
            read.name = name.as_string().ok_or_else(|| wrong("options.name", "a string", &name))?;
        }
        if let Some(token) = given(raw, "token") {
            read.token = Some(token.as_string().ok_or_else(|| wrong("options.token", "a string", &token))?);
        }
        if let Some(handler) = given(raw, "onWaiting") {
            let function = handler.dyn_into().map_err(|it| wrong("options.onWaiting", "a function", &it))?;
            read.on_waiting = Some(function);
        }
        if let Some(signal) = given(raw, "signal") {
            let signal = signal.dyn_into().map_err(|it| wrong("options.signal", "an AbortSignal", &it))?;
            read.signal = Some(signal);
        }
        read.options.media = given(raw, "media").map(|media| read_media(&media)).transpose()?;
        if let Some(rtc) = given(raw, "rtc") {
            read.options.rtc = read_rtc(&rtc)?;
        }
        Ok(read)
    }
}

fn read_signaling(url: &str) -> Signaling {
    #[cfg(feature = "tabs")]
    if url == "tabs:" {
        return Signaling::Tabs { room_size: TABS_IN_A_ROOM };
    }
    Signaling::Server(url.to_owned())
}

/// The property, unless it is undefined or null.
fn given(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).ok().filter(|it| !it.is_undefined() && !it.is_null())
}

fn read_media(media: &JsValue) -> Result<LocalMedia, JsValue> {
    let problem = |problem: crate::MediaProblem| JsValue::from(js_sys::Error::new(&problem.to_string()));
    if let Some(stream) = media.dyn_ref::<MediaStream>() {
        return LocalMedia::from_stream(stream).map_err(problem);
    }
    if !media.is_object() {
        return Err(wrong("options.media", "constraints, a MediaStream or null", media));
    }
    let wanted = |name: &str| given(media, name).filter(|it| *it != JsValue::FALSE);
    LocalMedia::new(wanted("audio"), wanted("video")).map_err(problem)
}

fn read_rtc(rtc: &JsValue) -> Result<RtcOptions, JsValue> {
    let mut options = RtcOptions::default();
    if let Some(servers) = given(rtc, "iceServers") {
        if !Array::is_array(&servers) {
            return Err(wrong("options.rtc.iceServers", "an array", &servers));
        }
        options.ice_servers =
            Array::from(&servers).iter().map(|it| read_server(&it)).collect::<Result<_, _>>()?;
    }
    if let Some(policy) = given(rtc, "iceTransportPolicy") {
        options.transport_policy = match policy.as_string().as_deref() {
            Some("all") => TransportPolicy::All,
            Some("relay") => TransportPolicy::Relay,
            _ => return Err(wrong("options.rtc.iceTransportPolicy", "\"all\" or \"relay\"", &policy)),
        };
    }
    Ok(options)
}

/// An `RTCIceServer`, whose `urls` may be one string or several.
fn read_server(server: &JsValue) -> Result<IceServer, JsValue> {
    let urls = given(server, "urls").unwrap_or(JsValue::UNDEFINED);
    let list = if Array::is_array(&urls) { Array::from(&urls) } else { Array::of1(&urls) };
    let urls: Option<Vec<String>> = list.iter().map(|url| url.as_string()).collect();
    let urls =
        urls.ok_or_else(|| wrong("options.rtc.iceServers[].urls", "a string or an array of strings", &list))?;
    let text = |name: &str| given(server, name).and_then(|it| it.as_string());
    Ok(IceServer { urls, username: text("username"), credential: text("credential") })
}
