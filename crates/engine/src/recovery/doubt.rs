//! Whether the connection is up: what its state says, and what the bytes say.

use super::flow::Flow;
use super::{LinkState, Output, Phase, Recovery, State};
use crate::session::Way;
use crate::time::Instant;

impl Recovery {
    pub(super) fn link_changed(&mut self, now: Instant, link: LinkState) {
        self.link = link;
        match link {
            LinkState::Connected => {
                let repaired = matches!(self.phase, Phase::Broken { .. } | Phase::GivenUp);
                self.phase = Phase::Up;
                self.confirmed = false;
                self.flow = Flow::default();
                self.tell(State::Connected);
                if repaired {
                    self.doubt(now);
                }
            }
            LinkState::Disconnected if self.phase == Phase::Up => self.doubt(now),
            LinkState::Failed => match self.phase {
                Phase::New { .. } | Phase::Up | Phase::Doubtful { .. } => self.broken(now),
                // The restart that is under way failed: the next need not wait for its full time.
                Phase::Broken { since, tries, next } => {
                    let soon = now + self.timing.between;
                    self.phase = Phase::Broken { since, tries, next: next.min(soon) };
                }
                Phase::GivenUp | Phase::Over => {}
            },
            LinkState::Connecting | LinkState::Disconnected => {}
        }
    }

    pub(super) fn doubt(&mut self, now: Instant) {
        self.confirmed = false;
        // What has been seen to stop has been quiet for longer than it has been doubted.
        let quiet_since = self.flow.stopped_at().unwrap_or(now);
        self.flow = Flow::default();
        self.phase = Phase::Doubtful { quiet_since, bytes: None, measure: now + self.timing.measure };
        self.outputs.push_back(Output::Measure);
    }

    pub(super) fn received(&mut self, now: Instant, received: u64) {
        if self.phase == Phase::Up {
            if self.flow.stops_with(now, received) && self.way == Way::Open {
                self.outputs.push_back(Output::DoubtSignaling);
            }
            return;
        }
        let Phase::Doubtful { quiet_since, bytes, .. } = &mut self.phase else { return };
        let before = bytes.replace(received);
        if before.is_none_or(|before| received <= before) {
            return;
        }
        *quiet_since = now;
        self.confirmed = false;
        self.silent_restarts = 0;
        if self.link == LinkState::Connected {
            self.phase = Phase::Up;
        }
        self.tell(State::Connected);
    }

    /// Nothing has arrived for a while.
    pub(super) fn notice(&mut self) {
        if self.told == State::Connected {
            self.tell(State::Reconnecting);
            self.outputs.push_back(Output::DoubtSignaling);
        }
    }

    /// Nothing has arrived for so long that it has to be repaired.
    pub(super) fn give_in(&mut self, now: Instant) {
        if self.link == LinkState::Connected {
            // The browser says that it is up, and perhaps there is nothing to send. A restart does no harm.
            self.phase = Phase::Up;
            if self.way == Way::Open && self.silent_restarts < self.timing.silent_restarts {
                self.silent_restarts += 1;
                self.restart();
                self.doubt(now);
            }
        } else {
            self.broken(now);
        }
    }
}
