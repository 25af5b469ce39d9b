//! The elements of `index.html` that the app touches.

use duologue::browser::dom::Element;

/// Declares elements by their ids; `find` says which one is missing.
macro_rules! elements {
    ($vis:vis struct $name:ident { $($field:ident = $id:literal,)+ }) => {
        $vis struct $name {
            $(pub $field: Element,)+
        }

        impl $name {
            const IDS: [&str; [$($id),+].len()] = [$($id),+];

            /// Finds every element, or says which is not there.
            $vis fn find() -> Result<Self, &'static str> {
                // As a list, so that what happens to each element is compiled once and not sixty times.
                let elements: Vec<Element> = Self::IDS
                    .into_iter()
                    .map(|id| Element::by_id(id).ok_or(id))
                    .collect::<Result<_, _>>()?;
                // There are as many as there are ids.
                let [$($field),+] = elements.try_into().map_err(|_| "")?;
                Ok(Self { $($field),+ })
            }
        }
    };
}

pub(super) use elements;

elements! {
    pub struct Page {
    unsupported_title = "unsupported-title",
    unsupported_words = "unsupported-words",
    lobby_title = "lobby-title",
    preview = "preview",
    preview_note = "preview-note",
    lobby_mic = "lobby-mic",
    lobby_camera = "lobby-camera",
    level = "level",
    devices = "devices",
    microphone = "microphone",
    camera_device = "camera-device",
    join_form = "join-form",
    name = "name",
    room = "room",
    join = "join",
    media_problem = "media-problem",
    media_problem_words = "media-problem-words",
    media_retry = "media-retry",
    lobby_error = "lobby-error",
    lobby_error_words = "lobby-error-words",
    signal_note = "signal-note",
    signal_retry = "signal-retry",
    call_title = "call-title",
    room_name = "room-name",
    status = "status",
    stage = "stage",
    waiting = "waiting",
    link = "link",
    waiting_copy = "waiting-copy",
    own = "self",
    own_video = "self-video",
    call_note = "call-note",
    call_note_words = "call-note-words",
    call_note_action = "call-note-action",
    call_note_check = "call-note-check",
    mic = "mic",
    camera = "camera",
    copy = "copy",
    leave = "leave",
    ended_title = "ended-title",
    ended_words = "ended-words",
    rejoin = "rejoin",
    to_lobby = "to-lobby",
    check = "check",
    check_open = "check-open",
    check_again = "check-again",
    check_sentence = "check-sentence",
    check_camera = "check-camera",
    check_microphone = "check-microphone",
    check_signaling = "check-signaling",
    check_network = "check-network",
    check_ways = "check-ways",
    check_udp = "check-udp",
    check_relay = "check-relay",
    check_problems_row = "check-problems-row",
    check_problems = "check-problems",
    talk_open = "talk-open",
}
}
