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

            /// Finds every element, or says which is not there. Boxed, because there are many, and they are moved.
            $vis fn find() -> Result<Box<Self>, &'static str> {
                // There are as many as there are ids.
                let [$($field),+] = $crate::app::page::find_all(&Self::IDS)?.try_into().map_err(|_| "")?;
                Ok(Box::new(Self { $($field),+ }))
            }
        }
    };
}

/// The elements with these ids, or the first id that none has. What happens to each is compiled once here, and not once
/// for each.
pub(super) fn find_all(ids: &[&'static str]) -> Result<Vec<Element>, &'static str> {
    let mut elements = Vec::with_capacity(ids.len());
    for id in ids {
        elements.push(Element::by_id(id).ok_or(*id)?);
    }
    Ok(elements)
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
    name = "name",
    room = "room",
    join = "join",
    media_problem = "media-problem",
    media_problem_words = "media-problem-words",
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
    call_note_other = "call-note-other",
    mic = "mic",
    camera = "camera",
    lock = "lock",
    room_lock = "room-lock",
    copy = "copy",
    ended_title = "ended-title",
    ended_words = "ended-words",
    check = "check",
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
}
}
