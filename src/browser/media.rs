//! Camera and microphone (W3C Media Capture and Streams).

use gloo_events::EventListener;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, MediaDeviceInfo, MediaDeviceKind, MediaDevices, MediaStreamConstraints, MediaStreamTrack,
};

use super::connection::MediaKind;
use super::words;

/// Why there is no camera or no microphone. The message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaProblem {
    /// The person, or a policy of the page's site or the browser, said no.
    #[error(
        "The browser was told not to give this page the camera or microphone. Allow them beside the address, then try again."
    )]
    Denied,
    /// There is none.
    #[error("No such device was found. Plug one in, then try again.")]
    NotFound,
    /// Another program has it.
    #[error("Another program is using it. Close that program, then try again.")]
    InUse,
    /// The page came over plain http.
    #[error(
        "Browsers give camera and microphone only to pages that come over https, or from this computer itself. Open the page by its https address."
    )]
    InsecureOrigin,
    /// The browser has no such interface.
    #[error("This browser gives web pages no camera or microphone.")]
    Unsupported,
    /// Something else; what the browser said.
    #[error("The browser could not open it: {0}")]
    Other(String),
}

impl MediaProblem {
    fn of(error: &JsValue) -> Self {
        let Some(exception) = error.dyn_ref::<DomException>() else { return Self::Other(words(error)) };
        match exception.name().as_str() {
            "NotAllowedError" | "SecurityError" => Self::Denied,
            "NotFoundError" | "OverconstrainedError" => Self::NotFound,
            "NotReadableError" | "AbortError" => Self::InUse,
            _ => Self::Other(exception.message()),
        }
    }
}

/// Asks for one track. `constraints` is a `MediaTrackConstraints` object, or `true`.
///
/// # Errors
/// Why there is none.
pub async fn capture(kind: MediaKind, constraints: &JsValue) -> Result<MediaStreamTrack, MediaProblem> {
    Ok(capture_all(&[(kind, constraints)]).await?.remove(0))
}

/// Asks for several tracks at once, so that the person is asked once.
///
/// # Errors
/// Why there is none of them.
pub(crate) async fn capture_all(
    wanted: &[(MediaKind, &JsValue)],
) -> Result<Vec<MediaStreamTrack>, MediaProblem> {
    let devices = media_devices()?;
    let constraints = MediaStreamConstraints::new();
    for (kind, value) in wanted {
        match kind {
            MediaKind::Audio => constraints.set_audio(value),
            MediaKind::Video => constraints.set_video(value),
        }
    }
    let promise =
        devices.get_user_media_with_constraints(&constraints).map_err(|error| MediaProblem::of(&error))?;
    let stream = JsFuture::from(promise).await.map_err(|error| MediaProblem::of(&error))?;
    let stream: web_sys::MediaStream = stream.unchecked_into();
    let mut tracks = Vec::new();
    for (kind, _) in wanted {
        let found = stream.get_tracks();
        let mut found = found.iter().filter_map(|it| it.dyn_into::<MediaStreamTrack>().ok());
        tracks.push(found.find(|track| track.kind() == kind.as_str()).ok_or(MediaProblem::NotFound)?);
    }
    Ok(tracks)
}

fn media_devices() -> Result<MediaDevices, MediaProblem> {
    let window = web_sys::window().ok_or(MediaProblem::Unsupported)?;
    let navigator = window.navigator();
    // Absent, not null, where the origin is insecure.
    let there = Reflect::get(&navigator, &JsValue::from_str("mediaDevices")).is_ok_and(|it| it.is_object());
    match navigator.media_devices() {
        Ok(devices) if there => Ok(devices),
        _ if !window.is_secure_context() => Err(MediaProblem::InsecureOrigin),
        _ => Err(MediaProblem::Unsupported),
    }
}

/// The devices there are to choose from, each with its id and its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    /// Microphones.
    pub audio: Vec<(String, String)>,
    /// Cameras.
    pub video: Vec<(String, String)>,
}

/// Lists the devices. They have names once the person has let the page use one.
pub async fn list_devices() -> Devices {
    let mut devices = Devices::default();
    let Ok(Ok(promise)) = media_devices().map(|devices| devices.enumerate_devices()) else { return devices };
    let Ok(list) = JsFuture::from(promise).await else { return devices };
    for device in Array::from(&list).iter().filter_map(|it| it.dyn_into::<MediaDeviceInfo>().ok()) {
        let entry = (device.device_id(), device.label());
        match device.kind() {
            _ if entry.0.is_empty() => {}
            MediaDeviceKind::Audioinput => devices.audio.push(entry),
            MediaDeviceKind::Videoinput => devices.video.push(entry),
            _ => {}
        }
    }
    devices
}

/// Why there would be no device of this kind; `None` if there is one and the person has not said no. Asks nobody.
pub(crate) async fn device_problem(kind: MediaKind) -> Option<MediaProblem> {
    let devices = match media_devices() {
        Ok(devices) => devices,
        Err(problem) => return Some(problem),
    };
    let (name, wanted) = match kind {
        MediaKind::Audio => ("microphone", MediaDeviceKind::Audioinput),
        MediaKind::Video => ("camera", MediaDeviceKind::Videoinput),
    };
    let list = JsFuture::from(devices.enumerate_devices().ok()?).await.ok()?;
    let list = Array::from(&list);
    let mut devices = list.iter().filter_map(|it| it.dyn_into::<MediaDeviceInfo>().ok());
    if !devices.any(|device| device.kind() == wanted) {
        return Some(MediaProblem::NotFound);
    }
    (permission(name).await.as_deref() == Some("denied")).then_some(MediaProblem::Denied)
}

/// What the person has said before, where the browser tells (W3C Permissions).
async fn permission(name: &str) -> Option<String> {
    let permissions = web_sys::window()?.navigator().permissions().ok()?;
    let question = Object::new();
    Reflect::set(&question, &JsValue::from_str("name"), &JsValue::from_str(name)).ok()?;
    let status = JsFuture::from(permissions.query(&question).ok()?).await.ok()?;
    Reflect::get(&status, &JsValue::from_str("state")).ok()?.as_string()
}

/// Calls `then` whenever a device is plugged in or out, until the listener is dropped.
pub fn on_devices_change(then: impl Fn() + 'static) -> Option<EventListener> {
    let devices = media_devices().ok()?;
    Some(EventListener::new(&devices, "devicechange", move |_| then()))
}

/// Constraints that ask for this device and no other.
pub(crate) fn exactly(device: &str) -> JsValue {
    let exact = Object::new();
    let _ = Reflect::set(&exact, &JsValue::from_str("exact"), &JsValue::from_str(device));
    let constraints = Object::new();
    let _ = Reflect::set(&constraints, &JsValue::from_str("deviceId"), &exact);
    constraints.into()
}
