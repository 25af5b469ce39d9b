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
//! - An offer carries an id that grows. An answer is applied only to the offer it names, and an offer that is not newer
//!   than the last is a duplicate. A plain page sends no ids; what fits the state is accepted from it.
//! - After an interruption, whatever the peer may not have heard is said again, in the order in which it was said. The
//!   ids make that harmless: what did arrive is a duplicate.
//! - An offer of another connection than the one before means that the peer has begun anew, and so must we.
//! - What the browser refuses several times in a row is not tried again unasked.
//! - A remote candidate waits until the description of its ICE generation is applied (RFC 8838, section 11); our own
//!   wait until the description they belong to is sent.
//!
//! The transport below must keep the messages of one peer in order; it may repeat them.

mod held;
mod said;
mod sdp;

use std::collections::VecDeque;

use duologue_protocol::{Candidate, Description, Role, SdpType};

use held::Held;
use said::Said;
use sdp::{Ufrags, connection_of};

/// What passes between two peers to negotiate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// An offer or an answer.
    Description {
        /// The description itself.
        description: Description,
        /// The id of the negotiation: an offer's own, or that of the offer that is answered.
        negotiation: Option<u32>,
    },
    /// A candidate, or the end of them.
    Candidate(Candidate),
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The connection fired `negotiationneeded` (W3C webrtc-pc, section 4.7.3).
    NegotiationNeeded,
    /// The peer sent this.
    Remote(Signal),
    /// The connection gathered a candidate; [`Candidate::end`] for the `null` at the end.
    LocalCandidate(Candidate),
    /// The operation that [`Output::Run`] asked for is done. After [`Operation::Offer`] and [`Operation::Answer`] it
    /// brings the local description.
    Completed(Option<Description>),
    /// The operation that [`Output::Run`] asked for was refused.
    Failed(Failure),
    /// The way to the peer was interrupted and is open again: what was said may not have arrived.
    Interrupted {
        /// Our part from now on. After a new introduction by the server both sides have the parts it gave them then.
        role: Role,
    },
}

/// An operation was refused by the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The signaling state the connection is in now.
    pub state: SignalingState,
    /// What the browser said.
    pub message: String,
}

/// Where the connection stands (W3C webrtc-pc, section 4.4.1.1), as far as a failed operation can leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalingState {
    /// No exchange is under way.
    Stable,
    /// Our offer is applied, no answer yet.
    HaveLocalOffer,
    /// Their offer is applied, no answer yet.
    HaveRemoteOffer,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Run this on the connection and report [`Input::Completed`] or [`Input::Failed`]. There is never a second one
    /// before that.
    Run(Operation),
    /// Hand this candidate to the connection. No report is awaited: one that cannot be used is no reason to stop.
    AddCandidate(Candidate),
    /// Send this to the peer.
    Send(Signal),
    /// Both sides now agree on this negotiation.
    Agreed(Negotiation),
    /// The browser refused an operation, and the negotiation it belonged to was given up. What had been agreed before
    /// still stands.
    GivenUp(Failure),
    /// The peer has made a new connection. Close ours and make a new one too: as the callee, if there is an offer here,
    /// which its negotiator is to be told of first; otherwise as the caller. This negotiator is of no more use.
    Superseded(Option<Signal>),
}

/// An operation on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `setLocalDescription()` while stable: make an offer and apply it.
    Offer,
    /// `setLocalDescription()` with a remote offer applied: make an answer and apply it.
    Answer,
    /// `setRemoteDescription(…)`. An offer rolls back our own, if one is out.
    Apply(Description),
    /// `setLocalDescription({type: "rollback"})`, or its remote twin: back to stable.
    Rollback {
        /// Whose offer is taken back.
        offer_of: Party,
    },
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// We.
    Local,
    /// The peer.
    Remote,
}

/// A finished exchange of offer and answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Negotiation {
    /// Who made the offer.
    pub offer_by: Party,
    /// The offer's id; a plain page's offers have none.
    pub id: Option<u32>,
}

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

/// A description from the peer that waits for the connection to be at rest.
#[derive(Debug)]
struct Arrived {
    description: Description,
    negotiation: Option<u32>,
    number: u64,
}

/// How many exchanges in a row may fail before no more are begun unasked.
const MOST_FAILURES: u8 = 3;

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
    /// The id of the last offer the peer made that we took up or passed over.
    last_remote_offer: Option<u32>,
    /// The same before the last one that we passed over, because ours was out and we are impolite.
    before_passed_over: Option<Option<u32>>,
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
    /// Which connection of the peer's this is about, once it is known.
    remote_connection: Option<String>,
    /// Exchanges that failed since the last that did not.
    failures: u8,
    /// `negotiationneeded` fired while the last operation of an exchange was under way.
    needed: bool,
    outputs: VecDeque<Output>,
}

impl Negotiator {
    /// Begins with a new connection, in the part the server gave us for this pair.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            phase: Phase::Stable,
            last_offer: 0,
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

    fn negotiation_needed(&mut self) {
        let first_is_theirs = self.role == Role::Callee && self.agreed.is_none();
        match self.phase {
            Phase::Stable if first_is_theirs || self.failures >= MOST_FAILURES => {}
            Phase::Stable => self.make_offer(),
            // The browser looks again whether negotiation is needed when it gets back to stable, and fires again
            // (W3C webrtc-pc, section 4.7.3). Only while the operation that leads back there is under way could it
            // already have looked.
            Phase::ApplyingAnswer { .. } | Phase::MakingAnswer { .. } | Phase::RollingBack => {
                self.needed = true
            }
            Phase::MakingOffer { .. } | Phase::OfferOut { .. } | Phase::ApplyingOffer { .. } => {}
        }
    }

    fn make_offer(&mut self) {
        self.last_offer = self.last_offer.wrapping_add(1);
        self.phase = Phase::MakingOffer { id: self.last_offer };
        self.outputs.push_back(Output::Run(Operation::Offer));
    }

    /// Goes through what has arrived, until one thing needs an operation or nothing is left.
    fn take_turn(&mut self) {
        while matches!(self.phase, Phase::Stable | Phase::OfferOut { .. }) {
            let Some(arrived) = self.inbox.pop_front() else { break };
            match arrived.description.kind {
                SdpType::Offer => self.take_offer(arrived),
                SdpType::Answer => self.take_answer(arrived),
            }
        }
        if self.phase == Phase::Stable && std::mem::take(&mut self.needed) {
            self.negotiation_needed();
        }
    }

    fn take_offer(&mut self, arrived: Arrived) {
        let Arrived { description, negotiation, number } = arrived;
        if self.is_of_another_connection(&description, negotiation) {
            let offer = Signal::Description { description, negotiation };
            self.outputs.push_back(Output::Superseded(Some(offer)));
            return;
        }
        if is_repeated(negotiation, self.last_remote_offer) {
            return;
        }
        let before = self.last_remote_offer;
        self.last_remote_offer = negotiation.or(before);
        self.before_passed_over = None;
        let ours = match self.phase {
            Phase::OfferOut { .. } if self.role == Role::Caller => {
                self.before_passed_over = Some(before);
                return;
            }
            Phase::OfferOut { id } => Some(id),
            _ => None,
        };
        let offer = RemoteOffer { negotiation, number, ufrags: Ufrags::of(&description.sdp) };
        self.phase = Phase::ApplyingOffer { offer, ours };
        self.outputs.push_back(Output::Run(Operation::Apply(description)));
    }

    fn take_answer(&mut self, arrived: Arrived) {
        let Arrived { description, negotiation, number } = arrived;
        let Phase::OfferOut { id } = self.phase else { return };
        if negotiation.is_some_and(|answered| answered != id) {
            return;
        }
        if self.is_of_another_connection(&description, negotiation) {
            self.outputs.push_back(Output::Superseded(None));
            return;
        }
        self.phase = Phase::ApplyingAnswer { id, number, ufrags: Ufrags::of(&description.sdp) };
        self.outputs.push_back(Output::Run(Operation::Apply(description)));
    }

    fn completed(&mut self, description: Option<Description>) {
        match (std::mem::replace(&mut self.phase, Phase::Stable), description) {
            (Phase::MakingOffer { id }, Some(description)) => self.offer_made(id, description),
            (Phase::MakingAnswer { offer }, Some(description)) => {
                self.applied.local = Ufrags::of(&description.sdp);
                self.send_description(description, offer.negotiation);
                self.agree(Negotiation { offer_by: Party::Remote, id: offer.negotiation });
            }
            (Phase::ApplyingAnswer { id, number, ufrags }, _) => {
                self.remote_applied(number, ufrags);
                self.said.offer_was_heard();
                self.agree(Negotiation { offer_by: Party::Local, id: Some(id) });
            }
            (Phase::ApplyingOffer { offer, .. }, _) => {
                self.remote_applied(offer.number, offer.ufrags.clone());
                self.phase = Phase::MakingAnswer { offer };
                self.outputs.push_back(Output::Run(Operation::Answer));
            }
            (Phase::RollingBack, _) => self.take_turn(),
            // A report nobody waits for, or one without the description it must bring: nothing to go on with.
            (phase, _) => self.phase = phase,
        }
    }

    fn offer_made(&mut self, id: u32, description: Description) {
        self.applied.local = Ufrags::of(&description.sdp);
        self.phase = Phase::OfferOut { id };
        // No answer can be to an offer that is not sent yet.
        self.inbox.retain(|arrived| arrived.description.kind == SdpType::Offer);
        self.take_turn();
        match &mut self.phase {
            // An offer of theirs came meanwhile and we gave way to it: ours need never be seen, and there is no coming
            // back to it.
            Phase::ApplyingOffer { ours, .. } => *ours = None,
            _ => self.send_description(description, Some(id)),
        }
    }

    fn failed(&mut self, failure: Failure) {
        let state = failure.state;
        match std::mem::replace(&mut self.phase, Phase::Stable) {
            // Nothing is under way: nothing can have failed.
            phase @ (Phase::Stable | Phase::OfferOut { .. }) => {
                self.phase = phase;
                return;
            }
            Phase::ApplyingOffer { ours: Some(id), .. } if state == SignalingState::HaveLocalOffer => {
                self.phase = Phase::OfferOut { id };
            }
            // What cannot be rolled back will not be the next time either.
            Phase::RollingBack => {}
            _ => self.roll_back_from(state),
        }
        self.failures = self.failures.saturating_add(1);
        self.outputs.push_back(Output::GivenUp(failure));
        self.take_turn();
        if matches!(self.phase, Phase::Stable | Phase::OfferOut { .. } | Phase::RollingBack) {
            self.send_unsent();
        }
    }

    fn roll_back_from(&mut self, state: SignalingState) {
        self.applied = self.settled.clone();
        self.said.take_back_offer();
        let offer_of = match state {
            SignalingState::Stable => return,
            SignalingState::HaveLocalOffer => Party::Local,
            SignalingState::HaveRemoteOffer => Party::Remote,
        };
        self.phase = Phase::RollingBack;
        self.outputs.push_back(Output::Run(Operation::Rollback { offer_of }));
    }

    fn agree(&mut self, negotiation: Negotiation) {
        self.agreed = Some(negotiation);
        self.failures = 0;
        self.settled = self.applied.clone();
        self.outputs.push_back(Output::Agreed(negotiation));
        self.take_turn();
    }

    fn send_description(&mut self, description: Description, negotiation: Option<u32>) {
        self.say(Signal::Description { description, negotiation });
        self.send_unsent();
    }

    fn say(&mut self, signal: Signal) {
        self.said.note(&signal);
        self.outputs.push_back(Output::Send(signal));
    }

    fn send_unsent(&mut self) {
        for candidate in std::mem::take(&mut self.unsent) {
            self.send_candidate(candidate);
        }
    }

    fn send_candidate(&mut self, mut candidate: Candidate) {
        if candidate.is_end() && candidate.ufrag().is_none() {
            // The end of what was rolled back: there is no description of ours it could belong to.
            let Some(ufrag) = self.applied.local.first() else { return };
            candidate.username_fragment = Some(ufrag.to_owned());
        }
        // One of a generation that was rolled back is of no use to the peer.
        if self.applied.local.fit(candidate.ufrag()) {
            self.say(Signal::Candidate(candidate));
        }
    }

    fn local_candidate(&mut self, candidate: Candidate) {
        match self.phase {
            Phase::MakingOffer { .. } | Phase::MakingAnswer { .. } | Phase::ApplyingOffer { .. } => {
                self.unsent.push(candidate);
            }
            _ => self.send_candidate(candidate),
        }
    }

    fn remote_candidate(&mut self, candidate: Candidate) {
        let applying = matches!(self.phase, Phase::ApplyingOffer { .. } | Phase::ApplyingAnswer { .. });
        let named = candidate.ufrag().is_some();
        let fits = self.applied.remote.as_ref().is_some_and(|remote| remote.fit(candidate.ufrag()));
        // One that names no generation belongs to the latest description, which may still be in the inbox.
        if fits && !applying && (named || self.inbox.is_empty()) {
            self.outputs.push_back(Output::AddCandidate(candidate));
        } else {
            self.held.hold(self.arrived, candidate);
        }
    }

    /// Only a client that numbers its offers is known to keep to the session id.
    fn is_of_another_connection(&mut self, description: &Description, negotiation: Option<u32>) -> bool {
        let (Some(_), Some(theirs)) = (negotiation, connection_of(&description.sdp)) else { return false };
        self.remote_connection.get_or_insert_with(|| theirs.to_owned()) != theirs
    }

    fn remote_applied(&mut self, number: u64, ufrags: Ufrags) {
        for candidate in self.held.release(number, &ufrags) {
            self.outputs.push_back(Output::AddCandidate(candidate));
        }
        self.applied.remote = Some(ufrags);
    }
}

/// Whether an offer of this id has been seen. Ids grow; the comparison stands a wrap-around.
fn is_repeated(offer: Option<u32>, last: Option<u32>) -> bool {
    match (offer, last) {
        (Some(offer), Some(last)) => offer.wrapping_sub(last).cast_signed() <= 0,
        _ => false,
    }
}
