//! Perfect negotiation with one peer (W3C webrtc-pc, "perfect negotiation example"; RFC 8829 for the states).
//!
//! The browser's example guards against races with flags, because its handlers run whenever they like. Here one
//! operation on the connection is under way at a time and everything that arrives meanwhile waits its turn, so a race
//! has nowhere to happen: each description meets a connection at rest.
//!
//! The rules:
//! - The caller is impolite, the callee polite. When both have an offer out, the impolite one ignores the other's,
//!   and the polite one rolls its own back by applying the other's.
//! - The callee does not make the first offer of a pair: its tracks ride on the caller's. So the first negotiation
//!   cannot collide, and a plain page that knows no rollback can be called.
//! - An offer carries an id that grows, for each connection from another beginning. An answer is applied only to the
//!   offer it names, and an offer that is not newer than the last is a duplicate. A plain page sends no ids; what fits
//!   the state is accepted from it.
//! - After an interruption, whatever the peer may not have heard is said again, in the order in which it was said. The
//!   ids make that harmless: what did arrive is a duplicate.
//! - An offer or answer of another connection than the one that was last taken up means that the peer has begun anew, and
//!   so must we.
//! - What the browser refuses several times in a row is not tried again unasked.
//! - A remote candidate waits until the description of its ICE generation is applied (RFC 8838, section 11); our own
//!   wait until the description they belong to is sent.
//!
//! The transport below must keep the messages of one peer in order; it may repeat them.

mod candidates;
mod exchange;
mod held;
mod interface;
mod said;
mod sdp;

use std::collections::VecDeque;

use duologue_protocol::{Candidate, Description, Role};

use held::Held;
use said::Said;
use sdp::Ufrags;

pub use interface::{Failure, Input, Negotiation, Operation, Output, Party, Signal, SignalingState};

/// Where the exchange stands. A state with `ing` in its name has an operation under way.
///
/// ```text
///            negotiation needed                 completed: send offer           answer
///   Stable ────────────────────▶ MakingOffer ───────────────────────▶ OfferOut ───────▶ ApplyingAnswer ─▶ Stable
///     │                                                                  │
///     │ offer                                         offer, and we are polite: implicit rollback
///     └──────────▶ ApplyingOffer ◀───────────────────────────────────────┘
///                       │ completed
///                       ▼
///                  MakingAnswer ─▶ send answer ─▶ Stable              (a refused operation: RollingBack ─▶ Stable)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Stable,
    MakingOffer {
        id: u32,
    },
    OfferOut {
        id: u32,
    },
    ApplyingAnswer {
        id: u32,
        number: u64,
        ufrags: Ufrags,
    },
    /// `ours` is the offer of our own that this one rolls back, if the peer was sent it.
    ApplyingOffer {
        offer: RemoteOffer,
        ours: Option<u32>,
    },
    MakingAnswer {
        offer: RemoteOffer,
    },
    RollingBack,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RemoteOffer {
    negotiation: Option<u32>,
    /// How many descriptions had come from the peer, this one included.
    number: u64,
    ufrags: Ufrags,
}

/// An offer of the peer's that has been here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SeenOffer {
    id: u32,
    connection: Option<u64>,
}

/// A description from the peer that waits for the connection to be at rest.
#[derive(Debug)]
struct Arrived {
    description: Description,
    negotiation: Option<u32>,
    number: u64,
}

#[derive(Debug, Clone, Default)]
struct Generations {
    local: Ufrags,
    /// `None` before the first remote description.
    remote: Option<Ufrags>,
}

/// Negotiates with one peer. See the module's documentation for the rules, and the crate's for how to drive it.
#[derive(Debug)]
pub struct Negotiator {
    role: Role,
    phase: Phase,
    /// The id of the last offer we made.
    last_offer: u32,
    /// The last offer of the peer's that we took up or passed over.
    last_remote_offer: Option<SeenOffer>,
    /// The same before the last one that we passed over, because ours was out and we are impolite.
    before_passed_over: Option<Option<SeenOffer>>,
    agreed: Option<Negotiation>,
    /// Descriptions that have arrived.
    arrived: u64,
    inbox: VecDeque<Arrived>,
    /// The ICE generations of the applied descriptions.
    applied: Generations,
    /// The same when both sides last agreed: what a rollback goes back to.
    settled: Generations,
    held: Held,
    /// Our candidates whose description is not sent yet.
    unsent: Vec<Candidate>,
    /// What the peer may not have heard.
    said: Said,
    /// Which connection of the peer's this is about: the one whose answer or offer was taken up. One that was passed over
    /// says nothing of it: the peer may have made it before they knew of our connection, and may have begun anew since.
    remote_connection: Option<u64>,
    /// Exchanges that failed since the last that did not.
    failures: u8,
    /// `negotiationneeded` fired while the last operation of an exchange was under way.
    needed: bool,
    outputs: VecDeque<Output>,
}

impl Negotiator {
    /// Begins with a new connection, in the part the server gave us for this pair. The ids of our offers go on from
    /// `random`, any number, each as likely as the other: a peer that has not heard yet that we began anew may say its
    /// last answer to our former connection again, and that must not name an offer of this one.
    #[must_use]
    pub fn new(role: Role, random: u32) -> Self {
        Self {
            role,
            phase: Phase::Stable,
            // From the lower half, so that they can grow.
            last_offer: random / 2,
            last_remote_offer: None,
            before_passed_over: None,
            agreed: None,
            arrived: 0,
            inbox: VecDeque::new(),
            applied: Generations::default(),
            settled: Generations::default(),
            held: Held::default(),
            unsent: Vec::new(),
            said: Said::default(),
            remote_connection: None,
            failures: 0,
            needed: false,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened. Afterwards, [`poll`](Self::poll) until it gives `None`.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::NegotiationNeeded => self.negotiation_needed(),
            Input::Remote(Signal::Description { description, negotiation }) => {
                self.arrived += 1;
                self.inbox.push_back(Arrived { description, negotiation, number: self.arrived });
                self.take_turn();
            }
            Input::Remote(Signal::Candidate(candidate)) => self.remote_candidate(candidate),
            Input::LocalCandidate(candidate) => self.local_candidate(candidate),
            Input::Completed(description) => self.completed(description),
            Input::Failed(failure) => self.failed(failure),
            Input::Interrupted { role } => self.repeat(role),
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The last exchange that both sides finished, as far as this side knows.
    #[must_use]
    pub fn agreed(&self) -> Option<Negotiation> {
        self.agreed
    }

    /// Whether no exchange is under way and nothing waits for one.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.phase == Phase::Stable && self.inbox.is_empty() && !self.needed
    }

    /// How many remote candidates wait for their description.
    #[must_use]
    pub fn held_candidates(&self) -> usize {
        self.held.len()
    }

    fn repeat(&mut self, role: Role) {
        self.failures = 0;
        if role == Role::Callee
            && self.role == Role::Caller
            && let Some(before) = self.before_passed_over.take()
        {
            // What we passed over as the caller we take up as the callee, when it is said again.
            self.last_remote_offer = before;
        }
        let promoted = role == Role::Caller && self.role == Role::Callee;
        self.role = role;
        if promoted && self.agreed.is_none() && self.phase == Phase::Stable {
            // The first offer is ours to make now.
            self.make_offer();
        }
        for signal in self.said.again(&self.applied.local) {
            self.outputs.push_back(Output::Send(signal));
        }
    }

    fn say(&mut self, signal: Signal) {
        self.said.note(&signal);
        self.outputs.push_back(Output::Send(signal));
    }
}
