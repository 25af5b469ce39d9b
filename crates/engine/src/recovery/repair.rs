//! What is done about a connection that is broken, and when it is given up.

use duologue_protocol::LeaveReason;

use super::{Cause, Output, Phase, Recovery, State};
use crate::session::Way;
use crate::time::Instant;

impl Recovery {
    pub(super) fn broken(&mut self, now: Instant) {
        if self.told == State::Connected {
            self.tell(State::Reconnecting);
        }
        self.phase = Phase::Broken { since: now, tries: 0, next: now };
        if self.confirmed || self.way != Way::Open {
            return self.repair(now);
        }
        self.outputs.push_back(Output::DoubtSignaling);
        self.phase = Phase::Broken { since: now, tries: 0, next: now + self.timing.confirm };
    }

    pub(super) fn signaling_confirmed(&mut self, now: Instant) {
        self.confirmed = true;
        if matches!(self.phase, Phase::Broken { tries: 0, .. }) {
            self.repair(now);
        }
    }

    /// The connection is broken and it is time for the next step.
    pub(super) fn repair(&mut self, now: Instant) {
        let Phase::Broken { since, tries, next } = &mut self.phase else { return };
        match self.way {
            Way::Lost => self.end(LeaveReason::Lost),
            Way::Cut | Way::Away => {
                *next = *since + self.timing.hopeless;
                if now >= *next {
                    let cause = if self.way == Way::Cut { Cause::Offline } else { Cause::PeerAway };
                    self.give_up(cause);
                }
            }
            Way::Open => {
                if *tries >= self.timing.tries {
                    let cause = if self.agreed { Cause::NoPath } else { Cause::NoAnswer };
                    return self.give_up(cause);
                }
                *tries += 1;
                *next = now + self.timing.patience(*tries);
                self.restart();
            }
        }
    }

    /// It may have been the peer's restart: before we make one of our own, that one gets its chance.
    pub(super) fn agreed(&mut self, now: Instant) {
        self.agreed = true;
        self.pending = false;
        match &mut self.phase {
            Phase::Doubtful { quiet_since, .. } => *quiet_since = now,
            Phase::Broken { tries, next, .. } => {
                *tries = (*tries).max(1);
                *next = (*next).max(now + self.timing.between);
            }
            Phase::New { .. } | Phase::Up | Phase::GivenUp | Phase::Over => {}
        }
    }

    /// In another network, or at a person's wish, what an earlier restart has gathered does not count.
    pub(super) fn retry(&mut self, now: Instant) {
        self.pending = false;
        self.begin_again(now);
    }

    pub(super) fn begin_again(&mut self, now: Instant) {
        if let Phase::Broken { .. } | Phase::GivenUp = self.phase {
            if matches!(self.told, State::Failed(_)) {
                self.tell(if self.agreed { State::Reconnecting } else { State::Connecting });
            }
            self.phase = Phase::Broken { since: now, tries: 0, next: now };
            self.repair(now);
        }
    }

    pub(super) fn restart(&mut self) {
        if !std::mem::replace(&mut self.pending, true) {
            self.outputs.push_back(Output::Restart);
        }
    }

    fn give_up(&mut self, cause: Cause) {
        self.phase = Phase::GivenUp;
        self.tell(State::Failed(cause));
    }
}
