//! What a member is told: numbered and kept, so that it can be told again, if it has a session that can be taken up.

use duologue_protocol::{Numbered, ServerMessage};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Fate, Member, Standing};
use crate::outbox::{Gone, encode};
use crate::pace::Permit;
use crate::relayed::Relayed;

impl Member {
    /// Tells what happens in the room: numbered, and kept for as long as it may have to be told again. Only a
    /// connection holds the permit, so whoever talks to a member that is away is not slowed down.
    pub(in crate::room) fn tell(&mut self, message: ServerMessage, permit: Option<Permit>) {
        if let Some(awaited) = &mut self.awaited {
            if !awaited.keep(message, permit.as_ref().and_then(Permit::said)) {
                self.fate = Some(Fate::Lost);
            }
            return;
        }
        let numbered = Numbered { message, seq: Some(self.log.next()) };
        self.deliver(encode(&numbered), permit);
    }

    /// Tells what another member says, as above.
    pub(in crate::room) fn pass_on(&mut self, what: Relayed, permit: Option<Permit>) {
        if self.awaited.is_some() {
            // What cannot be read is nothing that this server has written.
            if let Some(message) = what.message() {
                self.tell(message, permit);
            }
            return;
        }
        let text = what.numbered(self.log.next());
        self.deliver(text, permit);
    }

    /// Writes it to the connection, if there is one, and keeps it.
    fn deliver(&mut self, text: Utf8Bytes, permit: Option<Permit>) {
        let given = match &self.standing {
            Standing::Connected(outbox) => {
                let given = outbox.push(text.clone(), permit);
                if given.is_err() {
                    self.fate = self.fate.or(Some(Fate::Disconnected));
                }
                given.is_ok()
            }
            Standing::Away { .. } => false,
        };
        if self.log.keep(text, given).is_err() {
            self.fate = Some(Fate::Lost);
        }
    }

    /// Answers something that the member itself said: not numbered, and not kept.
    pub(in crate::room) fn answer(&mut self, message: &ServerMessage, permit: Option<Permit>) {
        if let Standing::Connected(outbox) = &self.standing
            && outbox.say(message, permit) == Err(Gone)
        {
            self.fate = self.fate.or(Some(Fate::Disconnected));
        }
    }

    /// These have arrived.
    pub(in crate::room) fn acknowledge(&mut self, seq: u64) {
        self.log.forget(seq);
    }

    /// Whether everything after this number is still kept.
    pub(in crate::room) fn can_resume_from(&self, seq: u64) -> bool {
        self.log.reaches(seq)
    }
}
