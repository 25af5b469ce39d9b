//! What the page says.

use duologue::{Error, LeaveReason, MediaKind, MediaProblem, Peer, PeerState};

pub const NO_SERVER: &str = "No signaling server here: only tabs of this browser can join.";
pub const CONNECTING: &str = "Connecting to the server…";
pub const SERVER_GONE: &str = "The server does not answer at the moment. Trying again…";
pub const SERVER_GONE_IN_CALL: &str =
    "The server does not answer at the moment. Your call goes on; nobody new can come in until it is back.";
pub const SOUND_BLOCKED: &str = "The browser holds back the sound until you say so.";
pub const NO_WEBRTC: &str =
    "It has no WebRTC, which is what browsers call each other with, or it is switched off.";

/// How to call someone who may have given no name.
pub fn name(peer: &Peer) -> &str {
    if peer.name.is_empty() { "Guest" } else { &peer.name }
}

/// The first letter of a name, for where there is no picture.
pub fn initial(peer: &Peer) -> String {
    // The page shows it as a capital.
    name(peer).chars().next().map(String::from).unwrap_or_default()
}

/// The state of one connection, on its tile.
pub fn tile(state: PeerState) -> &'static str {
    match state {
        PeerState::Connecting => "Connecting…",
        PeerState::Connected => "",
        PeerState::Failed => "Not connected",
        _ => "Reconnecting…",
    }
}

/// The state of one connection, as a sentence.
pub fn state(peer: &Peer, state: PeerState) -> String {
    let name = name(peer);
    match state {
        PeerState::Connecting => ["Connecting to ", name, "…"].concat(),
        PeerState::Connected => ["Connected with ", name].concat(),
        PeerState::Failed => [
            "No connection to ",
            name,
            ". Your networks do not let each other through. Leave and join again.",
        ]
        .concat(),
        _ => ["The connection to ", name, " is interrupted. Waiting for it to come back…"].concat(),
    }
}

/// Someone is gone.
pub fn left(peer: &Peer, reason: &LeaveReason) -> String {
    let name = name(peer);
    match reason {
        LeaveReason::Left => [name, " left the call."].concat(),
        LeaveReason::Replaced => [name, " joined again."].concat(),
        _ => [name, " lost the connection."].concat(),
    }
}

/// Why one could not get in.
pub fn rejected(error: &Error) -> String {
    match error.code() {
        "room-full" => {
            "This room is full. Wait until someone leaves and try again, or choose another room.".to_owned()
        }
        _ => error.to_string(),
    }
}

/// What is the matter with camera and microphone; `None` if nothing is.
pub fn media_problem(audio: Option<&MediaProblem>, video: Option<&MediaProblem>) -> Option<String> {
    match (audio, video) {
        (None, None) => None,
        (Some(audio), Some(video)) if audio == video => {
            Some(["Camera and microphone: ", &audio.to_string()].concat())
        }
        (Some(audio), Some(video)) => {
            Some([one(MediaKind::Audio, audio), one(MediaKind::Video, video)].join(" "))
        }
        (Some(audio), None) => Some(one(MediaKind::Audio, audio)),
        (None, Some(video)) => Some(one(MediaKind::Video, video)),
    }
}

fn one(kind: MediaKind, problem: &MediaProblem) -> String {
    let device = match kind {
        MediaKind::Audio => "Microphone: ",
        MediaKind::Video => "Camera: ",
    };
    [device, &problem.to_string()].concat()
}
