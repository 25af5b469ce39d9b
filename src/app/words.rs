//! What the page says.

use duologue::{Error, LeaveReason, MediaKind, MediaProblem, Peer, PeerState};

use super::tile::Tile;

pub const NO_SERVER: &str = "No signaling server here: only tabs of this browser can join.";
pub const CONNECTING: &str = "Connecting to the server…";
pub const SERVER_GONE: &str = "The server does not answer at the moment. Trying again…";
pub const SERVER_GONE_IN_CALL: &str =
    "The server does not answer at the moment. Your call goes on; nobody new can come in until it is back.";
pub const REMOVED: &str = "Someone took you out of the room. Your camera and microphone are off.";
pub const REPLACED: &str =
    "It was taken up over another connection. Your camera and microphone are off here.";
pub const SOUND_BLOCKED: &str = "The browser holds back the sound until you say so.";
pub const WAITING: &str = "Somebody inside has to let you in. They have been told that you are here.";
pub const BUSY: &str = "The server cannot let you in at the moment. It is asked again until it can.";
pub const LISTENER: &str = "You were invited to watch and listen: your camera and microphone stay off.";
pub const LOCKED: &str = "The room is locked: newcomers have to knock.";
pub const OPENED: &str = "The room is open again.";
pub const NO_WEBRTC: &str =
    "It has no WebRTC, which is what browsers call each other with, or it is switched off.";

/// How many there are, as far as it fits into a small circle.
pub fn count(number: usize) -> String {
    if number > 99 { "99+".to_owned() } else { number.to_string() }
}

/// A number of bytes, in the unit that suits it (powers of a thousand, as disks and networks count).
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let (mut tenths, mut unit) = (bytes.saturating_mul(10), 0);
    while tenths >= 9_995 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if unit == 0 || whole >= 100 || tenth == 0 {
        [&((tenths + 5) / 10).to_string(), " ", name].concat()
    } else {
        [&whole.to_string(), ".", &tenth.to_string(), " ", name].concat()
    }
}

/// How long something will take.
pub fn left_over(time: std::time::Duration) -> String {
    let seconds = time.as_secs().max(1);
    let (number, unit) = match seconds {
        0..100 => (seconds, " s"),
        100..6000 => ((seconds + 30) / 60, " min"),
        _ => ((seconds + 1800) / 3600, " h"),
    };
    [&number.to_string(), unit, " left"].concat()
}

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
pub fn tile(tile: &Tile) -> &'static str {
    match tile.state {
        PeerState::Connected => "",
        PeerState::Connecting if !tile.away => "Connecting…",
        PeerState::Failed => "Not connected",
        _ if tile.away => "Connection lost",
        _ => "Reconnecting…",
    }
}

/// The state of one connection, as a sentence.
pub fn state(tile: &Tile) -> String {
    let name = name(&tile.peer);
    match tile.state {
        PeerState::Connected => ["Connected with ", name].concat(),
        PeerState::Connecting if !tile.away => ["Connecting to ", name, "…"].concat(),
        PeerState::Failed => ["No connection to ", name].concat(),
        _ if tile.away => [name, " lost the connection. Waiting for them to come back…"].concat(),
        _ => ["The connection to ", name, " is interrupted. Waiting for it to come back…"].concat(),
    }
}

/// Someone is gone.
pub fn left(peer: &Peer, reason: &LeaveReason) -> String {
    let name = name(peer);
    match reason {
        LeaveReason::Left => [name, " left the call."].concat(),
        LeaveReason::Replaced => [name, " joined again."].concat(),
        LeaveReason::Removed => [name, " was removed from the call."].concat(),
        _ => [name, " lost the connection."].concat(),
    }
}

/// Why one could not get in.
pub fn rejected(error: &Error) -> String {
    match error.code() {
        "room-full" => {
            "This room is full. Wait until someone leaves and try again, or choose another room.".to_owned()
        }
        "token-invalid" => {
            "Rooms here are opened by an invitation, and this is none to this room. Ask whoever invited \
                            you for the link again, and open it whole."
                .to_owned()
        }
        "token-expired" => "The invitation is over, or its time has not come. Ask for a new one.".to_owned(),
        "denied" => "You were not let in. You may knock again.".to_owned(),
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
