//! What became of every message. It is *delivered* if it has arrived. If not, its sender must have been told, in one of
//! these ways; anything else is lost, and there must be none:
//!
//! - *reported*: by an error, which stands for one message and no other;
//! - *in doubt*: it was under way when the sender's connection broke, or when the session it was for ended and the sender was
//!   told so.
//!
//! To have left is no word about what one has said before.

use std::time::Duration;

use tokio::time::Instant;

use super::{Entries, Ledger, Parted, Refused, Sent};

/// How long a message may honestly be under way while all is well: what a node has taken in is with the other's node in some
/// milliseconds. What a link lost or Redis cut is said again after one second, and a busy machine may take another.
const MOMENTS: Duration = Duration::from_secs(2);
/// How long it may be under way after a fault is over: `docs/scaling.md` promises that everything works ten seconds later
/// (a dead owner is noticed within six, and those who waited for it have then a second and a half more).
const HEALS: Duration = Duration::from_secs(10);
/// Longer than anything here.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// As many words about what went wrong say enough.
const MANY: usize = 40;

/// What became of all messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub sent: usize,
    pub delivered: usize,
    /// Not delivered, and an error says so.
    pub reported: usize,
    /// Not delivered, and its sender knows that this may be.
    pub doubted: usize,
}

/// What is made of the messages that have not arrived.
struct Judgement {
    lost: Vec<String>,
    /// Errors about messages of which none is missing.
    groundless: Vec<String>,
    reported: usize,
    doubted: usize,
}

impl Ledger {
    /// How many messages have not arrived so far, and nobody was told.
    pub fn open(&self) -> usize {
        self.0.lock().unwrap().judge().lost.len()
    }

    /// All has had its time. Fails with all that is wrong.
    pub fn check(&self) -> Result<Count, String> {
        let entries = self.0.lock().unwrap();
        let Judgement { lost, groundless, reported, doubted } = entries.judge();
        let delivered = entries.sent.values().filter(|sent| sent.delivered).count();
        let count = Count { sent: entries.sent.len(), delivered, reported, doubted };
        let all = [("wrong", &entries.wrong), ("lost", &lost), ("told in vain", &groundless)];
        if all.iter().all(|(_, which)| which.is_empty()) {
            println!("{count:?}\n{}", entries.story());
            return Ok(count);
        }
        let mut words = format!("{count:?}\n{}", entries.story());
        for (what, which) in all.iter().filter(|(_, which)| !which.is_empty()) {
            let first: Vec<_> = which.iter().take(MANY).cloned().collect();
            words.push_str(&format!("{} {what}:\n  {}\n", which.len(), first.join("\n  ")));
        }
        Err(words)
    }
}

impl Entries {
    fn judge(&self) -> Judgement {
        let mut all: Vec<(&String, &Sent)> = self.sent.iter().collect();
        all.sort_by_key(|(_, sent)| sent.at);
        let (arrived, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, sent)| sent.delivered);
        let (mut doubted, mut lost): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|(_, sent)| self.is_in_doubt(sent));
        let (mut groundless, mut reported) = (Vec::new(), 0);
        // Those that name whom it was for first: another must not take their message from them.
        let (named, others): (Vec<_>, Vec<_>) = self.refused.iter().partition(|refused| refused.to.is_some());
        for refused in named.into_iter().chain(others) {
            let may_mean = |(_, sent): &(&String, &Sent)| self.may_mean(refused, sent);
            // The oldest that nothing else explains; or one that is in doubt, of which it is the certainty.
            if let Some(at) = lost.iter().position(may_mean) {
                lost.remove(at);
                reported += 1;
            } else if let Some(at) = doubted.iter().position(may_mean) {
                doubted.remove(at);
                reported += 1;
            } else if !arrived.iter().any(|it| may_mean(it) && self.is_in_doubt(it.1)) {
                // What is in doubt may have arrived all the same. Anything else is reported and delivered.
                let Refused { told, code, to, at } = refused;
                let at = self.clock(*at);
                groundless
                    .push(format!("{told} at {at}: {code} (for {to:?}), and nothing of theirs is missing"));
            }
        }
        let lost = lost.into_iter().map(|(line, sent)| self.tells(line, sent)).collect();
        Judgement { lost, groundless, reported, doubted: doubted.len() }
    }

    /// Whether this error can be about this message: an answer comes as long as the message may be under way, and no later.
    fn may_mean(&self, refused: &Refused, sent: &Sent) -> bool {
        sent.from.name == refused.told
            && (sent.at..=self.under_way_until(sent.at)).contains(&refused.at)
            && refused.to.as_ref().is_none_or(|to| *to == sent.to.id)
    }

    /// Whether its sender knows that it may not have arrived.
    fn is_in_doubt(&self, sent: &Sent) -> bool {
        let until = self.under_way_until(sent.at);
        let mut broke = self.broke.get(&sent.from.name).into_iter().flatten();
        let mut parted = self.parted.iter().filter(|it| it.told == sent.from.name && it.peer == sent.to.id);
        broke.any(|at| sent.at <= *at && *at <= until)
            || parted.any(|it| sent.at <= it.at && self.gone_at(it).is_none_or(|gone| gone <= until))
    }

    /// Since when nobody was there who could have heard anything in that session. `None` if nobody ever was: a connection
    /// broke before they were told that they are in.
    fn gone_at(&self, parted: &Parted) -> Option<Instant> {
        let known = self.known.contains(&parted.peer);
        known.then(|| self.gone.get(&parted.peer).map_or(parted.at, |gone| parted.at.min(*gone)))
    }

    /// Until when a message may be under way that was sent then.
    fn under_way_until(&self, at: Instant) -> Instant {
        let mut until = at + MOMENTS;
        for fault in &self.faults {
            let healed = fault.end.unwrap_or(at + FOR_EVER) + HEALS;
            if fault.begin <= at + MOMENTS && at <= healed {
                until = until.max(healed);
            }
        }
        until
    }
}
