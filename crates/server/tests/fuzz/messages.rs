//! What is said: messages with nothing wrong in them, at any time, and messages with something wrong.

use crate::random::Random;

/// The rooms that strangers meet in. No other name comes near the room of the call.
const ROOMS: usize = 60;

/// What is in everything that a log must not hold.
pub const MARK: &str = "unheard-of";

/// What a connection has learned from the server.
#[derive(Default, Clone)]
pub struct Known {
    pub peers: Vec<String>,
    pub session: Option<String>,
}

/// Text that goes over the wire, most of it with something wrong in it.
pub fn any(random: &mut Random, known: &Known, plain: bool) -> String {
    match random.below(16) {
        0..=5 => valid(random, known, plain),
        6 | 7 => truncated(random, known),
        8 | 9 => edited(random, known),
        10 => garbage(random),
        11 => deep(random),
        12 | 13 => of_wrong_types(random, known),
        14 => strange(random),
        _ if random.one_in(8) => oversized(random),
        _ => numbers(random, known),
    }
}

/// A message with nothing wrong in it, whether it makes sense at the moment or not.
pub fn valid(random: &mut Random, known: &Known, plain: bool) -> String {
    match random.below(12) {
        0..=2 => join(random, plain),
        3 if random.one_in(4) => r#"{"type":"leave"}"#.to_owned(),
        4 | 5 => {
            let kind = random.pick(&["offer", "answer"]);
            let (to, sdp) = (to(random, known), "s".repeat(random.below(3000)));
            let id = negotiation(random);
            format!(r#"{{"type":"{kind}","{kind}":{{"type":"{kind}","sdp":"v=0 {MARK} {sdp}"}}{to}{id}}}"#)
        }
        6..=8 => {
            let to = to(random, known);
            match random.below(5) {
                0 => format!(r#"{{"type":"candidate","candidate":null{to}}}"#),
                1 => format!(r#"{{"type":"candidate","candidate":{{"candidate":""}}{to}}}"#),
                _ => format!(
                    r#"{{"type":"candidate","candidate":{{"candidate":"candidate:{MARK}","sdpMid":"0"}}{to}}}"#
                ),
            }
        }
        9 => {
            let own = known.session.as_deref().filter(|_| random.one_in(2));
            let session = own.map_or_else(|| format!("{:x}", random.next()), str::to_owned);
            format!(r#"{{"type":"resume","session":"{session}","seq":{}}}"#, random.below(100))
        }
        10 => r#"{"type":"ice-servers"}"#.to_owned(),
        _ => format!(r#"{{"type":"ping","seq":{}}}"#, random.below(1000)),
    }
}

/// A way into a room; as a plain page, whose seat is not kept, or as any client.
pub fn join(random: &mut Random, plain: bool) -> String {
    let room = random.below(ROOMS);
    let mut fields = String::new();
    if random.one_in(3) {
        fields += &format!(r#","name":"{MARK} {}""#, random.pick(&["Ada", "<b>", "\u{202e}", "", "😀"]));
    }
    if !plain {
        fields +=
            random.pick(&[r#","protocol":1"#, r#","protocol":1"#, r#","protocol":0"#, r#","protocol":2"#]);
        if random.one_in(2) {
            fields += &format!(r#","key":"key {}""#, random.below(2));
        }
        if random.one_in(4) {
            fields += &format!(r#","pairs":["{:x}","{:x}"]"#, random.below(9), random.next());
        }
    }
    format!(r#"{{"type":"join","room":"{MARK} {room}"{fields}}}"#)
}

fn to(random: &mut Random, known: &Known) -> String {
    match random.below(4) {
        0 => String::new(),
        1 => format!(r#","to":"{:x}""#, random.next()),
        _ if known.peers.is_empty() => String::new(),
        _ => format!(r#","to":"{}""#, known.peers[random.below(known.peers.len())]),
    }
}

fn negotiation(random: &mut Random) -> String {
    if random.one_in(2) { format!(r#","negotiation":{}"#, random.next() as u32) } else { String::new() }
}

/// One that ends too early.
fn truncated(random: &mut Random, known: &Known) -> String {
    let text = valid(random, known, true);
    let end = random.below(text.len());
    text.char_indices().take_while(|(at, _)| *at < end).map(|(_, c)| c).collect()
}

/// One in which some characters are others, missing, or too many.
fn edited(random: &mut Random, known: &Known) -> String {
    const OTHERS: &[char] =
        &['"', '{', '}', '[', ']', ',', ':', '\\', '0', '-', 'e', '\u{0}', '\n', 'ü', '\u{feff}'];
    let mut text: Vec<char> = valid(random, known, true).chars().collect();
    for _ in 0..=random.below(6) {
        if text.is_empty() {
            break;
        }
        let (at, other) = (random.below(text.len()), random.pick(OTHERS));
        match random.below(3) {
            0 => text[at] = other,
            1 => text.insert(at, other),
            _ => drop(text.remove(at)),
        }
    }
    text.into_iter().collect()
}

fn garbage(random: &mut Random) -> String {
    let length = random.below(200);
    (0..length).filter_map(|_| char::from_u32(random.below(0x500) as u32)).collect()
}

/// Objects and arrays in each other, and sometimes nothing that ends them.
fn deep(random: &mut Random) -> String {
    let depth = if random.one_in(4) { random.below(5000) } else { random.below(30) };
    let (open, close) = random.pick(&[("[", "]"), ("{\"a\":", "}")]);
    let inside =
        format!("{}1{}", open.repeat(depth), if random.one_in(3) { "" } else { close }.repeat(depth));
    match random.below(3) {
        0 => inside,
        1 => format!(r#"{{"type":"ping","seq":{inside}}}"#),
        _ => format!(r#"{{"type":"ping","more":{inside}}}"#),
    }
}

/// What a field holds that should hold something else.
const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e999",
    "\"\"",
    "\"x\"",
    "[]",
    "{}",
    "[[1],{\"a\":null}]",
    "{\"type\":\"offer\"}",
    "{\"candidate\":1}",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\" \"",
    "9007199254740993",
    "[\"a\",\"a\"]",
];

const FIELDS: &[&str] = &[
    "room",
    "name",
    "token",
    "protocol",
    "key",
    "pairs",
    "offer",
    "answer",
    "candidate",
    "to",
    "negotiation",
    "session",
    "seq",
    "type",
    "sdp",
    "sdpMid",
    "",
];

const TYPES: &[&str] = &[
    "join",
    "leave",
    "offer",
    "answer",
    "candidate",
    "resume",
    "ice-servers",
    "ping",
    "welcome",
    "ready",
    "error",
    "Join",
];

fn of_wrong_types(random: &mut Random, known: &Known) -> String {
    let mut text = format!(r#"{{"type":"{}""#, random.pick(TYPES));
    for _ in 0..random.below(6) {
        text += &format!(r#","{}":{}"#, random.pick(FIELDS), random.pick(VALUES));
    }
    text += &to(random, known);
    text + "}"
}

/// What is JSON and no message, or hardly JSON.
fn strange(random: &mut Random) -> String {
    let all = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "\"join\"",
        "1",
        "{\"type\":1}",
        "{\"type\":null}",
        "{\"type\":\"\"}",
        "{\"type\":\"ping\",\"type\":\"join\"}",
        "{\"type\":\"ping\"}{\"type\":\"ping\"}",
        "{\"type\":\"ping\",}",
        "{'type':'ping'}",
        "\u{feff}{\"type\":\"ping\"}",
        "{\"type\":\"p\\u0069ng\"}",
        "{\"\\u0000\":1,\"type\":\"leave\"}",
        "{\"type\":\"list\"}",
        "NaN",
        "// no",
        "{\"type\":\"__proto__\"}",
        "\t\n{\"type\" : \"ping\"}\r\n",
    ];
    random.pick(&all).to_owned()
}

fn numbers(random: &mut Random, known: &Known) -> String {
    let number = random.pick(&[
        "-1",
        "-0",
        "1e3",
        "0.5",
        "9007199254740992",
        "18446744073709551616",
        "1e-999",
        "00",
        "0x1",
    ]);
    let session = known.session.as_deref().unwrap_or("none");
    match random.below(3) {
        0 => format!(r#"{{"type":"ping","seq":{number}}}"#),
        1 => format!(r#"{{"type":"resume","session":"{session}","seq":{number}}}"#),
        _ => format!(r#"{{"type":"join","room":"{MARK}","protocol":{number}}}"#),
    }
}

/// Longer than it may be, somewhere; never so long that it is not read.
fn oversized(random: &mut Random) -> String {
    let long = |length: usize| "x".repeat(length);
    match random.below(7) {
        0 => format!(r#"{{"type":"ping","pad":"{}"}}"#, long(65_500 + random.below(100_000))),
        1 => format!(
            r#"{{"type":"offer","offer":{{"type":"offer","sdp":"{}"}}}}"#,
            long(32_700 + random.below(200))
        ),
        2 => {
            format!(
                r#"{{"type":"candidate","candidate":{{"candidate":"{}"}}}}"#,
                long(505 + random.below(20))
            )
        }
        3 => format!(r#"{{"type":"join","room":"{MARK}","name":"{}"}}"#, long(60 + random.below(10))),
        4 => format!(r#"{{"type":"join","room":"{MARK}{}"}}"#, long(125 - MARK.len() + random.below(10))),
        5 => format!(r#"{{"type":"join","room":"{MARK}","token":"{}"}}"#, long(4090 + random.below(20))),
        _ => {
            let pairs = vec!["\"p\""; 60 + random.below(10)].join(",");
            format!(r#"{{"type":"join","room":"{MARK}","pairs":[{pairs}]}}"#)
        }
    }
}
