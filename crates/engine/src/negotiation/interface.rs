//! What a negotiator is told, and what it says.

use duologue_protocol::{Candidate, Description, Role};

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
