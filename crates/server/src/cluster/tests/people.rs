//! People who are connected to nodes. Whatever they are told has to make sense: numbers have no gap, each `ready` is of somebody
//! whom they do not know, and everything else of somebody whom they do.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use duologue_protocol::{
    ErrorCode, LeaveReason, Numbered, PairToken, PeerId, Ready, Rights, Role, RoomId, ServerMessage,
};
use futures_util::FutureExt;
use tokio::time::sleep;

use super::nodes::Node;
use crate::conversation::Conversation;
use crate::dismissal::Dismissal;
use crate::outbox::{Outbox, Outgoing};
use crate::room::Parting;
use crate::token::{Invitation, InvitationKey, TokenConfig, Tokens};
use crate::turn::Secret;

pub(super) struct Person {
    conversation: Option<Conversation>,
    outbox: Outbox,
    pub(super) outgoing: Outgoing,
    id: Option<String>,
    pub(super) session: Option<String>,
    seq: u64,
    /// Who is in the room, as they were told.
    pub(super) known: HashSet<PeerId>,
    /// How many have left since [`Person::lines`] was asked for the first time.
    pub(super) parted: usize,
    /// What was refused since then.
    pub(super) refusals: Vec<ErrorCode>,
}

impl Person {
    pub(super) fn new(node: &Node) -> Self {
        Self::with(node.connect(Tokens::default()))
    }

    fn with((conversation, outbox, outgoing): (Conversation, Outbox, Outgoing)) -> Self {
        Self {
            conversation: Some(conversation),
            outbox,
            outgoing,
            id: None,
            session: None,
            seq: 0,
            known: HashSet::new(),
            parted: 0,
            refusals: Vec::new(),
        }
    }

    pub(super) async fn join(node: &Node, room: &str, pairs: &[PairToken]) -> Self {
        let mut person = Self::new(node);
        person.ask(room, pairs).await;
        person.welcomed().await;
        person
    }

    /// Somebody who may lock the room, and take others out.
    pub(super) async fn join_as_admin(node: &Node, room: &str) -> Self {
        let secret = Secret::from("x".repeat(32));
        let invitation = Invitation {
            room: RoomId::new(room).unwrap(),
            name: None,
            rights: Rights { admin: true, ..Rights::USUAL },
            expires: SystemTime::now() + Duration::from_secs(3600),
        };
        let token = invitation.token(&InvitationKey::of_secret(&secret).unwrap()).unwrap();
        let keys = TokenConfig { secret: Some(secret), public_key: None };
        let mut person = Self::with(node.connect(Tokens::new(&keys).unwrap()));
        person.ask_with(room, &format!(r#""token":"{token}""#)).await;
        person.welcomed().await;
        person
    }

    pub(super) fn id(&self) -> String {
        self.id.clone().expect("is in a room")
    }

    pub(super) async fn ask(&mut self, room: &str, pairs: &[PairToken]) {
        let pairs: Vec<_> = pairs.iter().map(|pair| format!("\"{pair}\"")).collect();
        self.ask_with(room, &format!(r#""pairs":[{}]"#, pairs.join(","))).await;
    }

    /// Asks to come in, and says this besides, without a key.
    pub(super) async fn ask_with(&mut self, room: &str, more: &str) {
        self.hear(&format!(r#"{{"type":"join","room":"{room}","protocol":1,{more}}}"#)).await;
    }

    pub(super) async fn welcomed(&mut self) {
        assert!(self.is_welcome().await, "was told to wait");
    }

    /// Or told to wait.
    pub(super) async fn is_welcome(&mut self) -> bool {
        match self.next().await {
            ServerMessage::Welcome(welcome) => {
                (self.id, self.session) =
                    (Some(welcome.id.to_string()), Some(welcome.session.as_str().to_owned()));
                self.seq = 0;
                true
            }
            ServerMessage::Error(refusal) if refusal.code == ErrorCode::Busy => false,
            other => panic!("no welcome: {other:?}"),
        }
    }

    pub(super) async fn hear(&mut self, text: &str) {
        self.begin(text).await;
        self.settle().await;
    }

    /// Waits for what the room answers, and for what was said meanwhile to be taken in.
    pub(super) async fn settle(&mut self) {
        self.conversation.as_mut().expect("is connected").settle().await;
    }

    /// The same, without waiting for what the room answers to one who wants to come in.
    pub(super) async fn begin(&mut self, text: &str) {
        self.conversation.as_mut().expect("is connected").hear(text).await;
    }

    pub(super) async fn say(&mut self, to: &str, line: usize) {
        self.hear(&format!(r#"{{"type":"candidate","candidate":{{"candidate":"{line}"}},"to":"{to}"}}"#))
            .await;
    }

    pub(super) async fn leave(&mut self) {
        self.hear(r#"{"type":"leave"}"#).await;
    }

    pub(super) async fn lock(&mut self) {
        self.hear(r#"{"type":"lock","locked":true}"#).await;
    }

    /// Lets in who knocks, or does not.
    pub(super) async fn decide(&mut self, peer: &str, comes_in: bool) {
        let decision = if comes_in { "admit" } else { "deny" };
        self.hear(&format!(r#"{{"type":"{decision}","peer":"{peer}"}}"#)).await;
    }

    pub(super) async fn remove(&mut self, peer: &str) {
        self.hear(&format!(r#"{{"type":"remove","peer":"{peer}"}}"#)).await;
    }

    /// What came up to now has arrived.
    pub(super) async fn acknowledge(&mut self) {
        self.hear(&format!(r#"{{"type":"ping","seq":{}}}"#, self.seq)).await;
    }

    /// The connection breaks.
    pub(super) async fn breaks(&mut self) {
        self.goes(Parting::Broken).await;
    }

    /// The connection ends like this.
    pub(super) async fn goes(&mut self, parting: Parting) {
        if let Some(conversation) = self.conversation.take() {
            conversation.end(Some(parting));
        }
        sleep(Duration::from_millis(100)).await;
    }

    pub(super) async fn resume_at(&mut self, node: &Node) {
        let (mut conversation, outbox, outgoing) = node.connect(Tokens::default());
        let session = self.session.as_ref().expect("was in a room");
        let seq = self.seq;
        conversation.hear(&format!(r#"{{"type":"resume","session":"{session}","seq":{seq}}}"#)).await;
        conversation.settle().await;
        (self.conversation, self.outbox, self.outgoing) = (Some(conversation), outbox, outgoing);
        assert!(matches!(self.next().await, ServerMessage::Resumed(_)));
    }

    /// Gives what is kept of the connection, which goes on without anybody.
    pub(super) fn split(&mut self) -> Outbox {
        let conversation = self.conversation.take();
        std::mem::forget(conversation);
        self.outbox.clone()
    }

    /// Why the server has let go of the connection, if it has.
    pub(super) fn let_go(&self) -> Option<Dismissal> {
        self.outbox.dismissed().now_or_never()
    }

    pub(super) async fn next(&mut self) -> ServerMessage {
        let text = tokio::select! {
            biased;
            text = self.outgoing.next() => text.unwrap(),
            why = self.outbox.dismissed() => panic!("is let go: {why:?}"),
            () = sleep(Duration::from_secs(120)) => panic!("nothing comes"),
        };
        self.read(&text)
    }

    fn read(&mut self, text: &str) -> ServerMessage {
        let Numbered { message, seq } = Numbered::from_json(text).unwrap();
        if let Some(seq) = seq {
            self.seq += 1;
            assert_eq!(seq, self.seq, "without a gap: {text}");
        }
        match &message {
            ServerMessage::Welcome(_) => self.known.clear(),
            ServerMessage::Ready(it) => assert!(self.known.insert(it.peer.id.clone()), "again: {text}"),
            ServerMessage::PeerLeft(it) => assert!(self.known.remove(&it.peer), "is not there: {text}"),
            ServerMessage::PeerAway(it) | ServerMessage::PeerBack(it) => {
                assert!(self.known.contains(&it.peer), "is not there: {text}");
            }
            ServerMessage::Candidate(it) => assert!(self.known.contains(&it.from), "is not there: {text}"),
            _ => {}
        }
        message
    }

    pub(super) fn waiting(&mut self) -> Option<ServerMessage> {
        let text = self.outgoing.try_next()?;
        Some(self.read(&text))
    }

    pub(super) async fn ready(&mut self, role: Role) -> Ready {
        match self.next().await {
            ServerMessage::Ready(ready) if ready.role == role => ready,
            other => panic!("not ready as {role:?}: {other:?}"),
        }
    }

    pub(super) async fn left(&mut self) -> (String, LeaveReason) {
        match self.next().await {
            ServerMessage::PeerLeft(left) => (left.peer.to_string(), left.reason),
            other => panic!("nobody left: {other:?}"),
        }
    }

    pub(super) async fn refused(&mut self) -> ErrorCode {
        match self.next().await {
            ServerMessage::Error(refusal) => refusal.code,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(super) async fn line(&mut self) -> String {
        match self.next().await {
            ServerMessage::Candidate(trickle) => trickle.candidate.candidate,
            other => panic!("not a candidate: {other:?}"),
        }
    }

    /// The lines that have come, whatever came between them.
    pub(super) fn lines(&mut self) -> Vec<usize> {
        let mut lines = Vec::new();
        while let Some(message) = self.waiting() {
            match message {
                ServerMessage::Candidate(trickle) => lines.push(trickle.candidate.candidate.parse().unwrap()),
                ServerMessage::PeerLeft(_) => self.parted += 1,
                ServerMessage::Error(refusal) => self.refusals.push(refusal.code),
                _ => {}
            }
        }
        lines
    }
}

/// Of two who are alone, the first is the caller.
pub(super) async fn meet(caller: &mut Person, callee: &mut Person) {
    let (a, b) = (caller.ready(Role::Caller).await, callee.ready(Role::Callee).await);
    assert_eq!(a.pair, b.pair);
    assert_eq!((a.peer.id.to_string(), b.peer.id.to_string()), (callee.id(), caller.id()));
}
