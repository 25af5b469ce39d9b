//! A model of RTCPeerConnection as far as negotiation can see it: signaling states (RFC 8829, section 3.2), implicit
//! rollback, ICE generations, `negotiationneeded` (W3C webrtc-pc, section 4.7.3).
//!
//! It does each operation in two steps, as a browser does: first the state changes, later the promise's reaction runs.
//! Events may fire in between. What a real connection would refuse is recorded as a violation.

use std::collections::VecDeque;

use duologue_engine::{NegotiatorInput, Operation, SignalingState};
use duologue_protocol::{Candidate, Description, Role, SdpType};

/// What is inside the model's SDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Unique in the world.
    pub id: u32,
    /// The connection it is of.
    pub connection: u32,
    /// The offer this answers.
    pub answers: Option<u32>,
    pub ufrag: String,
    pub media_sections: u32,
}

impl Content {
    fn write(&self) -> String {
        format!(
            "v=0\r\no=- {} 1 IN IP4 127.0.0.1\r\na=ice-ufrag:{}\r\ns={} {} {}\r\n",
            self.connection,
            self.ufrag,
            self.id,
            self.answers.map_or("-".to_owned(), |id| id.to_string()),
            self.media_sections
        )
    }

    fn read(sdp: &str) -> Self {
        let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap().to_owned();
        let origin = sdp.lines().find_map(|line| line.strip_prefix("o=- ")).unwrap();
        let words: Vec<&str> =
            sdp.lines().find_map(|line| line.strip_prefix("s=")).unwrap().split(' ').collect();
        Self {
            id: words[0].parse().unwrap(),
            connection: origin.split(' ').next().unwrap().parse().unwrap(),
            answers: words[1].parse().ok(),
            ufrag,
            media_sections: words[2].parse().unwrap(),
        }
    }
}

#[derive(Debug)]
pub struct Connection {
    /// Unique in the world.
    pub id: u32,
    pub role: Role,
    label: String,
    signaling: SignalingState,
    current: (Option<Content>, Option<Content>),
    pending: (Option<Content>, Option<Content>),
    operation: Option<Operation>,
    /// Done in the browser, not yet reported to the engine.
    done: Option<NegotiatorInput>,
    gathered: VecDeque<Candidate>,
    /// Media sections the application wants, and how many both sides have agreed on.
    wanted: u32,
    agreed: u32,
    restart: bool,
    event_due: bool,
    pub violations: Vec<String>,
}

impl Connection {
    pub fn new(id: u32, role: Role, label: String) -> Self {
        Self {
            id,
            role,
            label,
            signaling: SignalingState::Stable,
            current: (None, None),
            pending: (None, None),
            operation: None,
            done: None,
            gathered: VecDeque::new(),
            wanted: 1,
            agreed: 0,
            restart: false,
            event_due: true,
            violations: Vec::new(),
        }
    }

    pub fn add_track(&mut self) {
        self.wanted += 1;
        self.look_again();
    }

    pub fn restart_ice(&mut self) {
        self.restart = true;
        self.look_again();
    }

    pub fn run(&mut self, operation: Operation) {
        if self.operation.is_some() || self.done.is_some() {
            self.violation("a second operation while one is under way");
        }
        self.operation = Some(operation);
    }

    pub fn can_execute(&self) -> bool {
        self.operation.is_some()
    }

    pub fn can_report(&self) -> bool {
        self.done.is_some()
    }

    pub fn can_fire(&self) -> bool {
        self.event_due && self.signaling == SignalingState::Stable && self.operation.is_none()
    }

    pub fn can_gather(&self) -> bool {
        !self.gathered.is_empty()
    }

    pub fn report(&mut self) -> NegotiatorInput {
        self.done.take().unwrap()
    }

    pub fn fire(&mut self) -> NegotiatorInput {
        self.event_due = false;
        NegotiatorInput::NegotiationNeeded
    }

    pub fn gather(&mut self) -> NegotiatorInput {
        NegotiatorInput::LocalCandidate(self.gathered.pop_front().unwrap())
    }

    /// The operation takes effect.
    pub fn execute(&mut self, next_id: &mut u32) {
        let Some(operation) = self.operation.take() else { return };
        let mut new_id = || {
            *next_id += 1;
            *next_id
        };
        let description = match operation {
            Operation::Offer => {
                if self.signaling != SignalingState::Stable {
                    self.violation("an offer made while not stable");
                }
                let id = new_id();
                let ufrag = match &self.current.0 {
                    Some(local) if !self.restart => local.ufrag.clone(),
                    _ => format!("u{id}"),
                };
                let media_sections = self.agreed.max(self.wanted);
                let offer = Content { id, connection: self.id, answers: None, ufrag, media_sections };
                self.start_gathering(&offer);
                self.signaling = SignalingState::HaveLocalOffer;
                self.pending.0 = Some(offer.clone());
                Some(Description { kind: SdpType::Offer, sdp: offer.write() })
            }
            Operation::Answer => {
                if self.signaling != SignalingState::HaveRemoteOffer {
                    self.violation("an answer made without an offer");
                    return;
                }
                let offer = self.pending.1.clone().unwrap();
                let restarted = self.current.1.as_ref().is_none_or(|remote| remote.ufrag != offer.ufrag);
                let id = new_id();
                let ufrag = match &self.current.0 {
                    Some(local) if !restarted => local.ufrag.clone(),
                    _ => format!("u{id}"),
                };
                let answer = Content {
                    id,
                    connection: self.id,
                    answers: Some(offer.id),
                    ufrag,
                    media_sections: offer.media_sections,
                };
                self.start_gathering(&answer);
                self.settle(answer.clone(), offer);
                Some(Description { kind: SdpType::Answer, sdp: answer.write() })
            }
            Operation::Apply(description) => {
                let content = Content::read(&description.sdp);
                match description.kind {
                    SdpType::Offer => self.apply_offer(content),
                    SdpType::Answer => self.apply_answer(content),
                }
                None
            }
            Operation::Rollback { .. } => {
                self.violation("a rollback although nothing failed");
                None
            }
        };
        self.done = Some(NegotiatorInput::Completed(description));
    }

    fn apply_offer(&mut self, offer: Content) {
        match self.signaling {
            SignalingState::Stable => {}
            SignalingState::HaveLocalOffer => {
                if self.role == Role::Caller {
                    self.violation("the impolite side rolled back");
                }
                self.pending.0 = None;
                self.gathered.clear();
            }
            SignalingState::HaveRemoteOffer => self.violation("an offer applied over another"),
        }
        self.signaling = SignalingState::HaveRemoteOffer;
        self.pending.1 = Some(offer);
    }

    fn apply_answer(&mut self, answer: Content) {
        let Some(offer) = self.pending.0.clone() else {
            self.violation("an answer applied without an open offer");
            return;
        };
        if answer.answers != Some(offer.id) {
            self.violation("an answer applied to another offer than the one it answers");
        }
        self.settle(offer, answer);
    }

    fn settle(&mut self, local: Content, remote: Content) {
        if self.current.0.as_ref().is_none_or(|current| current.ufrag != local.ufrag) {
            self.restart = false;
        }
        self.agreed = local.media_sections;
        self.current = (Some(local), Some(remote));
        self.pending = (None, None);
        self.signaling = SignalingState::Stable;
        self.event_due = false;
        self.look_again();
    }

    fn look_again(&mut self) {
        self.event_due |= self.wanted > self.agreed || self.restart;
    }

    fn start_gathering(&mut self, description: &Content) {
        let gathered = self.current.0.as_ref().is_some_and(|local| local.ufrag == description.ufrag);
        if !gathered {
            for n in 0..2 {
                self.gathered.push_back(Candidate {
                    candidate: format!("candidate:{n}"),
                    username_fragment: Some(description.ufrag.clone()),
                    ..Candidate::default()
                });
            }
            self.gathered.push_back(Candidate::end());
        }
    }

    pub fn add_candidate(&mut self, candidate: &Candidate) {
        let ufrag = candidate.ufrag().map(str::to_owned);
        let remote = self.pending.1.as_ref().or(self.current.1.as_ref()).map(|remote| remote.ufrag.clone());
        if matches!(self.operation, Some(Operation::Apply(_))) {
            self.violation("a candidate added while a description is being applied");
        } else if remote.is_none() {
            self.violation("a candidate added before the remote description");
        } else if remote != ufrag {
            self.violation(&format!("a candidate of {ufrag:?} added to {remote:?}"));
        }
    }

    /// The ICE generations that are in force, ours and theirs.
    pub fn generations(&self) -> Option<(&str, &str)> {
        match &self.current {
            (Some(local), Some(remote)) => Some((&local.ufrag, &remote.ufrag)),
            _ => None,
        }
    }

    /// The connection that this one is connected to.
    pub fn partner(&self) -> Option<u32> {
        self.current.1.as_ref().map(|remote| remote.connection)
    }

    /// What keeps this side and the other from being in agreement.
    pub fn disagreement(&self, other: &Self) -> Option<String> {
        let id = |content: &Option<Content>| content.as_ref().map(|content| content.id);
        if self.signaling != SignalingState::Stable {
            Some(format!("{} ends in {:?}", self.label, self.signaling))
        } else if id(&self.current.0).is_none() {
            Some(format!("{} never negotiated", self.label))
        } else if id(&self.current.0) != id(&other.current.1) {
            Some(format!("{} and {} hold different descriptions", self.label, other.label))
        } else if self.wanted > self.agreed {
            Some(format!("{} wanted {} media sections and got {}", self.label, self.wanted, self.agreed))
        } else if self.restart {
            Some(format!("{} wanted an ICE restart that never came", self.label))
        } else {
            None
        }
    }

    fn violation(&mut self, what: &str) {
        self.violations.push(format!("{}: {what}", self.label));
    }
}
