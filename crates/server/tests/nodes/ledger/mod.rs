//! Every message that was sent, and what became of it, by the measure of `docs/scaling.md`.
//!
//! Here is what people write into it; `judging` is what is made of that in the end, and `story` how it is told. What is wrong at once is written down at
//! once: a message that comes twice, out of order, from or to somebody else than it was sent by and for.

mod judging;
mod story;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use duologue_protocol::{ErrorCode, Refusal};
use tokio::time::Instant;

pub use judging::Count;

/// All that was sent in a scene.
#[derive(Debug, Default, Clone)]
pub struct Ledger(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    /// By the line that was sent.
    sent: HashMap<String, Sent>,
    /// How many messages the first of a pair has sent to the second, both by name.
    said: HashMap<(String, String), u64>,
    /// The number of the last of these that has arrived.
    had: HashMap<(String, String), u64>,
    refused: Vec<Refused>,
    /// By name, when a connection ended that was not left.
    broke: HashMap<String, Vec<Instant>>,
    parted: Vec<Parted>,
    /// The ids that somebody goes by, or went by.
    known: HashSet<String>,
    /// By id, since when nobody goes by it, or nobody is connected.
    gone: HashMap<String, Instant>,
    /// The ids of those who have left by themselves.
    left: HashSet<String>,
    /// By the token of a pair, the names of those who have heard it.
    pairs: HashMap<String, HashSet<String>>,
    faults: Vec<Fault>,
    wrong: Vec<String>,
}

/// A message.
#[derive(Debug)]
struct Sent {
    from: Who,
    to: Who,
    at: Instant,
    delivered: bool,
}

/// Somebody, in one stay in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub name: String,
    pub id: String,
}

/// An error that says that one message was not delivered.
#[derive(Debug)]
struct Refused {
    /// Who was told, by name.
    told: String,
    code: String,
    /// The id that it was for, if the error names it.
    to: Option<String>,
    at: Instant,
}

/// Somebody was told that a session has ended.
#[derive(Debug)]
struct Parted {
    /// Who was told, by name.
    told: String,
    /// Whose session, by its id.
    peer: String,
    at: Instant,
}

/// Something that the nodes have to get over.
#[derive(Debug)]
struct Fault {
    begin: Instant,
    /// `None` as long as it lasts.
    end: Option<Instant>,
}

impl Ledger {
    /// A message is sent; gives the line to send.
    pub fn send(&self, from: &Who, to: &Who) -> String {
        let mut entries = self.0.lock().unwrap();
        let n = entries.said.entry((from.name.clone(), to.name.clone())).or_default();
        *n += 1;
        let line = format!("{} {} {n}", from.name, to.name);
        let sent = Sent { from: from.clone(), to: to.clone(), at: Instant::now(), delivered: false };
        entries.sent.insert(line.clone(), sent);
        line
    }

    /// Somebody has heard this token, of a pair with somebody else.
    pub fn paired(&self, name: &str, pair: &str) {
        self.0.lock().unwrap().pairs.entry(pair.to_owned()).or_default().insert(name.to_owned());
    }

    /// Whether both have heard this token.
    pub fn is_pair(&self, pair: &str) -> bool {
        self.0.lock().unwrap().pairs.get(pair).is_some_and(|names| names.len() > 1)
    }

    /// A line has come to `by`, from the peer of this id.
    pub fn delivered(&self, line: &str, by: &Who, from: &str) {
        let mut entries = self.0.lock().unwrap();
        let Entries { sent, had, wrong, .. } = &mut *entries;
        let Some(sent) = sent.get_mut(line) else {
            return wrong.push(format!("{} heard {line}, which nobody sent", by.name));
        };
        if sent.delivered {
            wrong.push(format!("{} heard {line} twice", by.name));
        }
        if sent.to != *by {
            wrong.push(format!("{by:?} heard {line}, which was for {:?}", sent.to));
        }
        if sent.from.id != from {
            wrong.push(format!("{by:?} heard {line} from {from}, and it was sent by {:?}", sent.from));
        }
        sent.delivered = true;
        let n: u64 = line.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let last = had.entry((sent.from.name.clone(), sent.to.name.clone())).or_default();
        if n < *last {
            wrong.push(format!("{} heard {line} after number {last}", by.name));
        }
        *last = n.max(*last);
    }

    /// Somebody who is in the room is told an error. Only two of them say that a message was not delivered; most others
    /// have no place here.
    pub fn error(&self, told: &str, refusal: &Refusal) {
        let mut entries = self.0.lock().unwrap();
        match refusal.code {
            ErrorCode::NotDelivered | ErrorCode::NoRecipient => {
                let named = refusal.message.strip_prefix("no other peer in the room has the id ");
                let to = named.and_then(|rest| Some(rest.split_once(':')?.0.to_owned()));
                let (told, code) = (told.to_owned(), refusal.code.as_str().to_owned());
                entries.refused.push(Refused { told, code, to, at: Instant::now() });
            }
            // Its connection ends, and what was said there last is in doubt by that.
            ErrorCode::TooSlow => {}
            _ => entries.wrong.push(format!("{told} was told {refusal:?}")),
        }
    }

    /// Somebody is in the room, by this id.
    pub fn entered(&self, id: &str) {
        let mut entries = self.0.lock().unwrap();
        entries.known.insert(id.to_owned());
        entries.gone.remove(id);
    }

    /// A connection has ended by itself.
    pub fn broke(&self, who: &Who) {
        let now = Instant::now();
        let mut entries = self.0.lock().unwrap();
        entries.broke.entry(who.name.clone()).or_default().push(now);
        entries.gone.entry(who.id.clone()).or_insert(now);
    }

    /// Somebody has left. That is no word about what they said before, all of which is to arrive.
    pub fn left(&self, id: &str) {
        let mut entries = self.0.lock().unwrap();
        entries.left.insert(id.to_owned());
        entries.gone.entry(id.to_owned()).or_insert_with(Instant::now);
    }

    /// Whether whoever goes by this id has left by themselves.
    pub fn has_left(&self, id: &str) -> bool {
        self.0.lock().unwrap().left.contains(id)
    }

    /// `told` hears that the session of `peer` has ended.
    pub fn parted(&self, told: &str, peer: &str) {
        let parted = Parted { told: told.to_owned(), peer: peer.to_owned(), at: Instant::now() };
        self.0.lock().unwrap().parted.push(parted);
    }

    /// Something that the nodes have to get over begins.
    pub fn fault_begins(&self) {
        self.0.lock().unwrap().faults.push(Fault { begin: Instant::now(), end: None });
    }

    /// All faults are over; what they have held up may still take its time.
    pub fn faults_end(&self) {
        let now = Instant::now();
        for fault in &mut self.0.lock().unwrap().faults {
            fault.end = fault.end.or(Some(now));
        }
    }

    /// A fault that nobody meant, which is over: everything stood still since `begin`.
    pub fn starved(&self, begin: Instant) {
        self.0.lock().unwrap().faults.push(Fault { begin, end: Some(Instant::now()) });
    }

    pub fn wrong(&self, what: String) {
        self.0.lock().unwrap().wrong.push(what);
    }
}
