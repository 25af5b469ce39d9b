//! What other nodes have to do with a member: what they would have to know to go on with it, which messages have come of their
//! clients already, and what is kept for somebody of whom only others have told.

use duologue_protocol::{PeerInfo, Rights, ServerMessage, to_json};
use tokio::time::Instant;

use super::{Member, NOTHING, Standing};
use crate::cluster::{Person, Profile, Said};
use crate::config::QueueLimits;
use crate::room::pairs::Pairs;
use crate::room::session_log::SessionLog;

/// Somebody who is in the room as far as others know, and was not announced by a node yet.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// What they are to be told, in order, and which message it is if a member said it.
    held: Vec<(ServerMessage, Option<Said>)>,
    bytes: usize,
    limits: Option<QueueLimits>,
    /// Whether anybody was told that they are away.
    said: bool,
}

/// How many connections are remembered of which a message has come.
const HEARD: usize = 64;

impl Awaited {
    /// Keeps what they are to be told. Gives whether there was a place for it.
    pub(super) fn keep(&mut self, message: ServerMessage, said: Option<Said>) -> bool {
        let limits = self.limits.unwrap_or(NOTHING);
        self.bytes = self.bytes.saturating_add(to_json(&message).len());
        self.held.push((message, said));
        self.held.len() <= limits.messages && self.bytes <= limits.bytes
    }
}

impl Member {
    /// Somebody who is expected to be announced until then.
    pub(in crate::room) fn awaited(info: PeerInfo, until: Instant, limits: QueueLimits) -> Self {
        Self {
            info,
            rights: Rights::default(),
            key: None,
            pairs: Pairs::default(),
            log: SessionLog::new(NOTHING),
            standing: Standing::Away { until },
            connection: 0,
            fate: None,
            enrolment: None,
            heard: Vec::new(),
            awaited: Some(Box::new(Awaited { limits: Some(limits), ..Awaited::default() })),
            counted: None,
        }
    }

    /// A member that another room had: its messages are numbered on, and it has heard these.
    pub(in crate::room) fn goes_on(&mut self, seq: u64, heard: &[Said], limits: QueueLimits) {
        self.log = SessionLog::after(seq, if self.enrolment.is_some() { limits } else { NOTHING });
        self.heard = heard.iter().rev().take(HEARD).rev().copied().collect();
    }

    /// Whether it is not known yet where they are.
    pub(in crate::room) fn is_awaited(&self) -> bool {
        self.awaited.is_some()
    }

    /// Somebody was told that they are away.
    pub(in crate::room) fn said_to_be_away(&mut self) {
        if let Some(awaited) = &mut self.awaited {
            awaited.said = true;
        }
    }

    /// What was kept for them, and whether anybody was told that they are away.
    pub(in crate::room) fn kept(&mut self) -> (Vec<(ServerMessage, Option<Said>)>, bool) {
        self.awaited.take().map(|awaited| (awaited.held, awaited.said)).unwrap_or_default()
    }

    /// Whether they have this message already. If not, they have it now.
    pub(in crate::room) fn has_had(&mut self, said: Option<Said>) -> bool {
        let Some(said) = said.filter(|_| self.awaited.is_none()) else { return false };
        let at = self.heard.iter().position(|heard| heard.connection == said.connection);
        if let Some(at) = at {
            if self.heard.get(at).is_some_and(|heard| heard.n >= said.n) {
                return true;
            }
            self.heard.remove(at);
        } else if self.heard.len() >= HEARD {
            self.heard.remove(0);
        }
        self.heard.push(said);
        false
    }

    /// What another node would have to know to go on with this member, but for whom it knows.
    pub(in crate::room) fn profile(&self) -> Profile {
        Profile {
            connection: self.connection,
            is: Person::from(&self.info),
            rights: (self.rights.join, self.rights.speak, self.rights.admin),
            key: self.key.as_ref().map(ToString::to_string),
            pairs: self.pairs.iter().map(ToString::to_string).collect(),
            session: self.enrolment.as_ref().map(|it| it.session().to_string()).unwrap_or_default(),
            seq: self.log.last(),
            knows: Vec::new(),
            heard: self.heard.clone(),
        }
    }
}
