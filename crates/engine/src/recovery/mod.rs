//! Keeps the connection to one peer up: notices that it is broken, restarts ICE (RFC 8445, section 2.4), and knows when
//! there is no more hope.
//!
//! The rules:
//! - `disconnected` is no verdict. As long as bytes arrive the connection is up, whatever its state says; only when none
//!   do for a while is it repaired. `failed` is repaired at once.
//! - When bytes had flowed for some seconds and stop while the browser still says that the connection is up, either our
//!   network is another now or the peer has nothing to say. Only the first concerns us, and the signaling server tells
//!   the two apart: it is asked whether it is there, and nothing else is done.
//! - A restart needs a way to the peer, over the signaling server. While there is none, it waits, and no try is counted.
//!   Nor is one made before it is known that the server can be reached: in a network that is down, a restart would
//!   gather few candidates, and then stand in the way of a better one.
//! - Tries are bounded and their pauses grow. After the last the connection has failed, with a cause; a new network, a
//!   peer that is back, or a person who asks, begins again.
//! - A connection that is up again after a repair is believed when bytes arrive: browsers may say `connected` over a
//!   path that carries nothing.
//! - The caller restarts first; the callee waits a moment longer, so that the two seldom do at once.
//! - Signaling that has lost the peer does not end a connection that is up. One that is down then is over.

mod doubt;
mod flow;
mod interface;
mod repair;
mod timing;

use std::collections::VecDeque;

use duologue_protocol::{LeaveReason, Role};

use crate::session::Way;
use crate::time::Instant;
use flow::Flow;

pub use interface::{Cause, Input, LinkState, Output, State};
pub use timing::Timing;

/// How far the connection is from being up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not up yet, nor given reason to doubt that it will be.
    New {
        until: Instant,
    },
    Up,
    /// Perhaps it is broken: `bytes` had arrived when last asked, and none since `quiet_since`.
    Doubtful {
        quiet_since: Instant,
        bytes: Option<u64>,
        measure: Instant,
    },
    /// It is broken. `next` is when to try again.
    Broken {
        since: Instant,
        tries: u32,
        next: Instant,
    },
    GivenUp,
    Over,
}

/// Watches over one connection. See the crate's documentation for how to drive it.
#[derive(Debug)]
pub struct Recovery {
    timing: Timing,
    role: Role,
    phase: Phase,
    link: LinkState,
    way: Way,
    /// Whether the server has shown that it can be reached since the connection was last doubted.
    confirmed: bool,
    /// Whether a restart of ours has not been negotiated yet: another would only be one more of the same.
    pending: bool,
    /// Restarts of a connection that the browser says is up, and over which nothing arrives.
    silent_restarts: u32,
    agreed: bool,
    /// What arrives while the connection is up.
    flow: Flow,
    told: State,
    outputs: VecDeque<Output>,
}

impl Recovery {
    /// Begins with a new connection to a peer that can be reached.
    #[must_use]
    pub fn new(now: Instant, role: Role, timing: Timing) -> Self {
        Self {
            role,
            phase: Phase::New { until: now + timing.connect },
            timing,
            link: LinkState::Connecting,
            way: Way::Open,
            confirmed: false,
            pending: false,
            silent_restarts: 0,
            agreed: false,
            flow: Flow::default(),
            told: State::Connecting,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened. Afterwards, [`poll`](Self::poll) until it gives `None`.
    pub fn handle(&mut self, now: Instant, input: Input) {
        if self.phase == Phase::Over {
            return;
        }
        match input {
            Input::Link(link) => self.link_changed(now, link),
            Input::Received(bytes) => self.received(now, bytes),
            Input::Agreed => self.agreed(now),
            Input::Way(way) => self.way_changed(now, way),
            Input::SignalingConfirmed => self.signaling_confirmed(now),
            Input::NetworkChanged => self.network_changed(now),
            Input::Retry => self.retry(now),
            // One that is broken is closed by the browser as well, after a while: that is no goodbye.
            Input::Closed => {
                if self.link == LinkState::Connected {
                    self.end(LeaveReason::Left);
                }
            }
            Input::Timeout => self.timeout(now),
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`handle`](Self::handle) with [`Input::Timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::New { until } => Some(until),
            Phase::Doubtful { measure, .. } => Some(measure),
            Phase::Broken { next, .. } => Some(next),
            Phase::Up | Phase::GivenUp | Phase::Over => None,
        }
    }

    /// The connection, as a person sees it.
    #[must_use]
    pub fn state(&self) -> State {
        self.told
    }

    fn way_changed(&mut self, now: Instant, way: Way) {
        let before = std::mem::replace(&mut self.way, way);
        match (self.phase, way) {
            (Phase::New { .. } | Phase::GivenUp, Way::Lost) => self.end(LeaveReason::Lost),
            (Phase::Broken { .. }, Way::Lost) => self.repair(now),
            // Over a new way, old tries do not count.
            (Phase::Broken { .. } | Phase::GivenUp, Way::Open) => self.begin_again(now),
            (Phase::New { .. }, Way::Open) => self.phase = Phase::New { until: now + self.timing.connect },
            // We have a new way to the server; perhaps because we are in another network.
            (Phase::Up, Way::Open) if before == Way::Cut => self.doubt(now),
            _ => {}
        }
    }

    fn network_changed(&mut self, now: Instant) {
        match self.phase {
            // Whether what is up stays up shows soon enough; restarting does it no harm, and finds better ways.
            Phase::Up | Phase::Doubtful { .. } if self.way == Way::Open => self.restart(),
            Phase::Up => self.doubt(now),
            Phase::Broken { .. } | Phase::GivenUp => self.retry(now),
            Phase::New { .. } | Phase::Doubtful { .. } | Phase::Over => {}
        }
    }

    fn timeout(&mut self, now: Instant) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.phase {
            Phase::New { .. } => self.broken(now),
            Phase::Doubtful { quiet_since, measure, .. } => {
                let quiet = now.since(*quiet_since);
                *measure = now + self.timing.measure;
                if quiet >= self.timing.repair_after(self.role) {
                    return self.give_in(now);
                }
                self.outputs.push_back(Output::Measure);
                if quiet >= self.timing.notice && self.link != LinkState::Connected {
                    self.notice();
                }
            }
            Phase::Broken { .. } => self.repair(now),
            Phase::Up | Phase::GivenUp | Phase::Over => {}
        }
    }

    fn end(&mut self, reason: LeaveReason) {
        self.phase = Phase::Over;
        self.outputs.push_back(Output::End(reason));
    }

    fn tell(&mut self, state: State) {
        if state != self.told {
            self.told = state;
            self.outputs.push_back(Output::State(state));
        }
    }
}
