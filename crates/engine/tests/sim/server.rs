//! A model of the signaling server: sessions, grace, replay, pairs; and of the wires between it and the people.
//!
//! A wire keeps the order of what is sent over it. It breaks in silence; each end notices when the schedule likes. What
//! is in it then is lost.

use std::collections::VecDeque;

use duologue_engine::Instant;
use duologue_protocol::{
    AnswerFrom, ClientMessage, ErrorCode, IceServers, JoinKey, LeaveReason, Limits, Numbered, OfferFrom,
    PairToken, PeerId, PeerInfo, PeerLeft, PeerMoved, Ready, Refusal, Resumed, Rights, Role, ServerMessage,
    SessionToken, TrickleFrom, Welcome,
};

/// How long the server waits for one who is away.
const GRACE: std::time::Duration = std::time::Duration::from_secs(30);

/// The number of a wire.
pub type WireId = usize;

#[derive(Debug, Default)]
pub struct Wire {
    pub up: VecDeque<ClientMessage>,
    pub down: VecDeque<Numbered>,
    /// Nothing passes any more.
    pub cut: bool,
    pub closed_by_client: bool,
    pub closed_by_server: bool,
}

impl Wire {
    pub fn is_open(&self) -> bool {
        !self.cut && !self.closed_by_client && !self.closed_by_server
    }
}

#[derive(Debug)]
struct Member {
    id: PeerId,
    token: SessionToken,
    key: JoinKey,
    wire: Option<WireId>,
    away_until: Option<Instant>,
    seq: u64,
    log: Vec<Numbered>,
    pairs: Vec<PairToken>,
}

#[derive(Debug, Default)]
pub struct Server {
    pub wires: Vec<Wire>,
    members: Vec<Member>,
    names: u32,
    /// Everybody who was ever let in, also those who never heard of it, and by which key.
    pub named: Vec<(PeerId, JoinKey)>,
    pub violations: Vec<String>,
}

impl Server {
    pub fn connect(&mut self) -> WireId {
        self.wires.push(Wire::default());
        self.wires.len() - 1
    }

    /// Everything is forgotten, all wires are closed.
    pub fn restart(&mut self) {
        self.members.clear();
        for wire in &mut self.wires {
            wire.up.clear();
            wire.down.clear();
            wire.closed_by_server = true;
        }
    }

    /// When somebody has been away for too long.
    pub fn deadline(&self) -> Option<Instant> {
        self.members.iter().filter_map(|member| member.away_until).min()
    }

    pub fn time_passes(&mut self, now: Instant) {
        while let Some(lost) =
            self.members.iter().position(|member| member.away_until.is_some_and(|until| now >= until))
        {
            self.dismiss(lost, LeaveReason::Lost);
        }
    }

    /// Whether a wire has ended that the server takes to be up.
    pub fn can_notice(&self, wire: WireId) -> bool {
        let ended = self.wires[wire].cut || self.wires[wire].closed_by_client;
        ended && !self.wires[wire].closed_by_server
    }

    pub fn notice(&mut self, now: Instant, wire: WireId) {
        self.wires[wire].closed_by_server = true;
        if let Some(index) = self.members.iter().position(|member| member.wire == Some(wire)) {
            self.members[index].wire = None;
            self.members[index].away_until = Some(now + GRACE);
            let peer = self.members[index].id.clone();
            self.tell_others(index, &ServerMessage::PeerAway(PeerMoved { peer }));
        }
    }

    /// Takes the next message of a wire.
    pub fn take(&mut self, wire: WireId) {
        let Some(message) = self.wires[wire].up.pop_front() else { return };
        let me = self.members.iter().position(|member| member.wire == Some(wire));
        let relay = match (message, me) {
            (ClientMessage::Ping(ping), me) => {
                if let (Some(me), Some(seq)) = (me, ping.seq) {
                    self.members[me].log.retain(|message| message.seq > Some(seq));
                }
                return self.reply(wire, ServerMessage::Pong);
            }
            (ClientMessage::Join(join), None) => return self.join(wire, join.key.unwrap(), join.pairs),
            (ClientMessage::Resume(resume), None) => return self.resume(wire, &resume.session, resume.seq),
            (ClientMessage::Leave, Some(me)) => return self.dismiss(me, LeaveReason::Left),
            (ClientMessage::Leave, None) => return self.refuse(wire, ErrorCode::NotJoined),
            (ClientMessage::Offer(it), Some(me)) => {
                let from = self.members[me].id.clone();
                (
                    it.to,
                    ServerMessage::Offer(OfferFrom { offer: it.offer, from, negotiation: it.negotiation }),
                )
            }
            (ClientMessage::Answer(it), Some(me)) => {
                let from = self.members[me].id.clone();
                (
                    it.to,
                    ServerMessage::Answer(AnswerFrom {
                        answer: it.answer,
                        from,
                        negotiation: it.negotiation,
                    }),
                )
            }
            (ClientMessage::Candidate(it), Some(me)) => {
                let from = self.members[me].id.clone();
                (it.to, ServerMessage::Candidate(TrickleFrom { candidate: it.candidate, from }))
            }
            (message, me) => {
                return self.violations.push(format!("{me:?} sent {message:?} out of turn"));
            }
        };
        let (to, message) = relay;
        match self.members.iter().position(|member| Some(&member.id) == to.as_ref()) {
            Some(receiver) => self.tell(receiver, message),
            None => self.refuse(wire, ErrorCode::NoRecipient),
        }
    }

    fn join(&mut self, wire: WireId, key: JoinKey, named: Vec<PairToken>) {
        // The same client, that never heard that it was in: it is not there twice.
        if let Some(index) = self.members.iter().position(|member| member.key == key) {
            if let Some(older) = self.members[index].wire {
                self.wires[older].closed_by_server = true;
            }
            self.dismiss(index, LeaveReason::Replaced);
        }
        let id = PeerId::new(self.name("p")).unwrap();
        self.named.push((id.clone(), key.clone()));
        let token = SessionToken::new(self.name("s")).unwrap();
        let mut newcomer = Member {
            id: id.clone(),
            token: token.clone(),
            key,
            wire: Some(wire),
            away_until: None,
            seq: 0,
            log: Vec::new(),
            pairs: named.clone(),
        };
        let (ice, limits) = (IceServers::default(), Limits::default());
        self.reply(
            wire,
            ServerMessage::Welcome(Welcome {
                id: id.clone(),
                session: token,
                ice,
                limits,
                rights: Rights::USUAL,
                locked: false,
            }),
        );
        let info = |id: &PeerId| PeerInfo { id: id.clone(), name: None, protocol: Some(1), speaks: true };
        let mut ready = Vec::new();
        for index in 0..self.members.len() {
            let shared = named.iter().rev().find(|pair| self.members[index].pairs.contains(pair)).cloned();
            let pair = shared.unwrap_or_else(|| PairToken::new(self.name("t")).unwrap());
            let member = &mut self.members[index];
            for pairs in [&mut member.pairs, &mut newcomer.pairs] {
                if !pairs.contains(&pair) {
                    pairs.push(pair.clone());
                }
            }
            ready.push(Ready { role: Role::Callee, peer: info(&member.id), pair: Some(pair.clone()) });
            self.tell(
                index,
                ServerMessage::Ready(Ready { role: Role::Caller, peer: info(&id), pair: Some(pair) }),
            );
        }
        self.members.push(newcomer);
        let me = self.members.len() - 1;
        for ready in ready {
            let peer = ready.peer.id.clone();
            let away = self.members.iter().any(|member| member.id == peer && member.away_until.is_some());
            self.tell(me, ServerMessage::Ready(ready));
            if away {
                self.tell(me, ServerMessage::PeerAway(PeerMoved { peer }));
            }
        }
    }

    fn resume(&mut self, wire: WireId, token: &SessionToken, seq: u64) {
        let Some(index) = self.members.iter().position(|member| member.token == *token) else {
            return self.refuse(wire, ErrorCode::SessionUnknown);
        };
        let member = &mut self.members[index];
        let first_kept = member.log.first().map_or(member.seq + 1, |message| message.seq.unwrap());
        if seq > member.seq || seq + 1 < first_kept {
            self.violations.push(format!("{seq} of a session that is at {}", member.seq));
            return self.refuse(wire, ErrorCode::SessionUnknown);
        }
        let was_away = member.away_until.take().is_some();
        if let Some(older) = member.wire.replace(wire) {
            self.wires[older].closed_by_server = true;
        }
        let missed: Vec<Numbered> =
            self.members[index].log.iter().filter(|message| message.seq > Some(seq)).cloned().collect();
        self.reply(wire, ServerMessage::Resumed(Resumed::default()));
        self.wires[wire].down.extend(missed);
        if was_away {
            let peer = self.members[index].id.clone();
            self.tell_others(index, &ServerMessage::PeerBack(PeerMoved { peer }));
        }
    }

    fn dismiss(&mut self, index: usize, reason: LeaveReason) {
        let peer = self.members.remove(index).id;
        for other in 0..self.members.len() {
            self.tell(
                other,
                ServerMessage::PeerLeft(PeerLeft { peer: peer.clone(), reason: reason.clone() }),
            );
        }
    }

    fn tell_others(&mut self, index: usize, message: &ServerMessage) {
        for other in (0..self.members.len()).filter(|other| *other != index).collect::<Vec<_>>() {
            self.tell(other, message.clone());
        }
    }

    fn tell(&mut self, index: usize, message: ServerMessage) {
        let member = &mut self.members[index];
        member.seq += 1;
        let message = Numbered { message, seq: Some(member.seq) };
        member.log.push(message.clone());
        if let Some(wire) = member.wire {
            self.send(wire, message);
        }
    }

    fn reply(&mut self, wire: WireId, message: ServerMessage) {
        self.send(wire, message.into());
    }

    fn refuse(&mut self, wire: WireId, code: ErrorCode) {
        self.reply(wire, ServerMessage::Error(Refusal { code, message: "no".to_owned(), fatal: false }));
    }

    fn send(&mut self, wire: WireId, message: Numbered) {
        if self.wires[wire].is_open() {
            self.wires[wire].down.push_back(message);
        }
    }

    fn name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{what}{}", self.names)
    }
}
