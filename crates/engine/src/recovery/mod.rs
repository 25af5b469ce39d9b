//! Keeps the connection to one peer up: notices that it is broken, restarts ICE (RFC 8445, section 2.4), and knows when
//! there is no more hope.
//!
//! The rules:
//! - `disconnected` is no verdict. As long as bytes arrive the connection is up, whatever its state says; only when none
//!   do for a while is it repaired. `failed` is repaired at once.
//! - A restart needs a way to the peer, over the signaling server. While there is none, it waits, and no try is counted.
//!   Nor is one made before it is known that the server can be reached: in a network that is down, a restart would
//!   gather few candidates, and then stand in the way of a better one.
//! - Tries are bounded and their pauses grow. After the last the connection has failed, with a cause; a new network, a
//!   peer that is back, or a person who asks, begins again.
//! - A connection that is up again after a repair is believed when bytes arrive: browsers may say `connected` over a
//!   path that carries nothing.
//! - The caller restarts first; the callee waits a moment longer, so that the two seldom do at once.
//! - Signaling that has lost the peer does not end a connection that is up. One that is down then is over.

mod timing;

use std::collections::VecDeque;
use std::time::Duration;

use duologue_protocol::{LeaveReason, Role};

use crate::session::Way;
use crate::time::Instant;

pub use timing::Timing;

/// Where the connection stands (W3C webrtc-pc, section 4.4.1.4, `RTCPeerConnectionState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Not up yet.
    Connecting,
    /// Up.
    Connected,
    /// Nothing arrives at the moment. It may come back by itself.
    Disconnected,
    /// It will not come back by itself.
    Failed,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The connection changed its state.
    Link(LinkState),
    /// The answer to [`Output::Measure`]: how many bytes the connection has received in all.
    Received(u64),
    /// An offer and its answer were agreed on with the peer.
    Agreed,
    /// Whether signals get to the peer has changed.
    Way(Way),
    /// After [`Output::DoubtSignaling`]: the server can be reached.
    SignalingConfirmed,
    /// Our own network has changed.
    NetworkChanged,
    /// A person asks for another try.
    Retry,
    /// The other side closed the connection, in good order.
    Closed,
    /// The moment of [`Recovery::deadline`] has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask the connection how many bytes it has received, and report [`Input::Received`].
    Measure,
    /// `restartIce()` (W3C webrtc-pc, section 4.4.2). The browser keeps the intent until it can be negotiated.
    Restart,
    /// Look whether the signaling server can still be reached: a socket may say so long after.
    DoubtSignaling,
    /// Tell the application.
    State(State),
    /// The call with this peer is over.
    End(LeaveReason),
}

/// The connection, as a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Not up yet.
    Connecting,
    /// Up.
    Connected,
    /// Nothing arrives at the moment; it is being repaired.
    Reconnecting,
    /// It could not be made or repaired. It may still come up, if what was in the way goes away.
    Failed(Cause),
}

/// Why a connection could not be made or repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// We cannot reach the signaling server either: it is our own network.
    Offline,
    /// The peer has lost the signaling server, too: it is theirs.
    PeerAway,
    /// The peer does not answer what we send, although the server passes it on.
    NoAnswer,
    /// Both are there, and no way leads from one to the other.
    NoPath,
}

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

    fn link_changed(&mut self, now: Instant, link: LinkState) {
        self.link = link;
        match link {
            LinkState::Connected => {
                let repaired = matches!(self.phase, Phase::Broken { .. } | Phase::GivenUp);
                self.phase = Phase::Up;
                self.confirmed = false;
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

    fn doubt(&mut self, now: Instant) {
        self.confirmed = false;
        self.phase = Phase::Doubtful { quiet_since: now, bytes: None, measure: now + self.timing.measure };
        self.outputs.push_back(Output::Measure);
    }

    fn received(&mut self, now: Instant, received: u64) {
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

    fn broken(&mut self, now: Instant) {
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

    fn signaling_confirmed(&mut self, now: Instant) {
        self.confirmed = true;
        if matches!(self.phase, Phase::Broken { tries: 0, .. }) {
            self.repair(now);
        }
    }

    /// The connection is broken and it is time for the next step.
    fn repair(&mut self, now: Instant) {
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
    fn agreed(&mut self, now: Instant) {
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

    /// In another network, or at a person's wish, what an earlier restart has gathered does not count.
    fn retry(&mut self, now: Instant) {
        self.pending = false;
        self.begin_again(now);
    }

    fn begin_again(&mut self, now: Instant) {
        if let Phase::Broken { .. } | Phase::GivenUp = self.phase {
            if matches!(self.told, State::Failed(_)) {
                self.tell(if self.agreed { State::Reconnecting } else { State::Connecting });
            }
            self.phase = Phase::Broken { since: now, tries: 0, next: now };
            self.repair(now);
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

    /// Nothing has arrived for a while.
    fn notice(&mut self) {
        if self.told == State::Connected {
            self.tell(State::Reconnecting);
            self.outputs.push_back(Output::DoubtSignaling);
        }
    }

    /// Nothing has arrived for so long that it has to be repaired.
    fn give_in(&mut self, now: Instant) {
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

    fn restart(&mut self) {
        if !std::mem::replace(&mut self.pending, true) {
            self.outputs.push_back(Output::Restart);
        }
    }

    fn give_up(&mut self, cause: Cause) {
        self.phase = Phase::GivenUp;
        self.tell(State::Failed(cause));
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

impl Timing {
    /// How long nothing may arrive before ICE is restarted. The callee leaves the first try to the caller.
    fn repair_after(&self, role: Role) -> Duration {
        match role {
            Role::Caller => self.repair,
            Role::Callee => self.repair + self.callee_waits,
        }
    }

    /// How long to wait for what try number `tries` (from 1) brings.
    fn patience(&self, tries: u32) -> Duration {
        self.restart.saturating_add(self.restart_grows.saturating_mul(tries.saturating_sub(1)))
    }
}
