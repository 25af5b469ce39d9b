//! Rooms without sockets, in paused time.

use std::sync::Arc;
use std::time::Duration;

use duologue_protocol::{LeaveReason, Numbered, ServerMessage, Welcome};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Parting;
use crate::config::{IceConfig, QueueLimits, Timing};
use crate::conversation::{Bounds, Conversation};
use crate::limits::{Limits, Lobby, Throttle};
use crate::metrics::Metrics;
use crate::outbox::{Outgoing, outbox};
use crate::pace::Pace;
use crate::registry::{Rooms, Settings};
use crate::turn::Ice;

const QUEUE: QueueLimits = QueueLimits { messages: 64, bytes: 64 * 1024 };

fn rooms(size: usize) -> Rooms {
    Rooms::new(settings(size), Metrics::new(), CancellationToken::new(), None)
}

fn settings(size: usize) -> Settings {
    let limits = Limits::default().for_rooms_of(size);
    Settings { size, queue: QUEUE, grace: Timing::default().grace, limits }
}

struct Person {
    conversation: Conversation,
    outgoing: Outgoing,
}

impl Person {
    fn new(rooms: &Rooms) -> Self {
        let metrics = rooms.metrics().clone();
        let limits = rooms.settings().limits;
        let (outbox, outgoing) = outbox(QUEUE, metrics.clone());
        let ice = Arc::new(Ice::new(&IceConfig::default()).unwrap());
        let bounds = Bounds {
            pace: Pace::half_of(QUEUE, Duration::from_secs(1)),
            throttle: Box::new(Throttle::new(&limits, outbox.clone(), metrics)),
            lobby: Lobby::new(&limits, None),
        };
        Self { conversation: Conversation::new(rooms.clone(), ice, Arc::default(), outbox, bounds), outgoing }
    }

    async fn join(rooms: &Rooms, room: &str) -> Self {
        Self::welcome(rooms, room).await.0
    }

    async fn welcome(rooms: &Rooms, room: &str) -> (Self, Welcome) {
        let mut person = Self::new(rooms);
        let join = format!(r#"{{"type":"join","room":"{room}","protocol":1}}"#);
        person.hear(&join).await;
        let ServerMessage::Welcome(welcome) = person.next().await else { panic!("no welcome") };
        (person, welcome)
    }

    /// Says this, and waits for the room if that is to be entered.
    async fn hear(&mut self, text: &str) {
        self.conversation.hear(text).await;
        self.conversation.settle().await;
    }

    async fn say(&mut self, line: usize) {
        let line = format!(r#"{{"type":"candidate","candidate":{{"candidate":"{line}"}}}}"#);
        self.hear(&line).await;
    }

    async fn next(&mut self) -> ServerMessage {
        Numbered::from_json(&self.outgoing.next().await.unwrap()).unwrap().message
    }
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_kept_for_thirty_seconds() {
    let rooms = rooms(2);
    let mut ada = Person::join(&rooms, "r").await;
    let bob = Person::join(&rooms, "r").await;
    assert!(matches!(ada.next().await, ServerMessage::Ready(_)));
    assert_eq!(rooms.sessions(), 2);
    bob.conversation.end(Some(Parting::Broken));
    assert!(matches!(ada.next().await, ServerMessage::PeerAway(_)));
    let begin = Instant::now();
    let ServerMessage::PeerLeft(left) = ada.next().await else { panic!("nobody left") };
    assert_eq!(left.reason, LeaveReason::Lost);
    // A timer of tokio has a resolution of a millisecond.
    let waited = begin.elapsed();
    assert!((30_000..30_005).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(rooms.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_keeps_the_seat_for_as_long_as_the_other() {
    let rooms = rooms(3);
    let mut ada = Person::join(&rooms, "r").await;
    let bob = Person::join(&rooms, "r").await;
    let eve = Person::join(&rooms, "r").await;
    for _ in 0..2 {
        assert!(matches!(ada.next().await, ServerMessage::Ready(_)));
    }
    let begin = Instant::now();
    bob.conversation.end(Some(Parting::Broken));
    sleep(Duration::from_secs(10)).await;
    eve.conversation.end(Some(Parting::Broken));
    let mut heard = Vec::new();
    for _ in 0..4 {
        let word = match ada.next().await {
            ServerMessage::PeerAway(_) => "away",
            ServerMessage::PeerLeft(_) => "left",
            other => panic!("neither away nor left: {other:?}"),
        };
        heard.push((word, begin.elapsed().as_secs()));
    }
    assert_eq!(heard, [("away", 10), ("away", 10), ("left", 30), ("left", 40)]);
}

#[tokio::test(start_paused = true)]
async fn what_an_older_connection_still_says_means_nothing() {
    let rooms = rooms(2);
    let mut ada = Person::join(&rooms, "r").await;
    let (mut older, b) = Person::welcome(&rooms, "r").await;
    assert!(matches!(ada.next().await, ServerMessage::Ready(_)));
    let mut newer = Person::new(&rooms);
    newer.hear(&format!(r#"{{"type":"resume","session":"{}","seq":1}}"#, b.session)).await;
    assert!(matches!(newer.next().await, ServerMessage::Resumed(_)));
    // The older one does not know yet.
    older.say(1).await;
    older.hear(r#"{"type":"ping","seq":99}"#).await;
    older.hear(r#"{"type":"leave"}"#).await;
    older.conversation.end(Some(Parting::Left));
    newer.say(2).await;
    let ServerMessage::Candidate(trickle) = ada.next().await else { panic!("not the newer one") };
    assert_eq!(trickle.candidate.candidate, "2");
}

#[tokio::test(start_paused = true)]
async fn who_was_too_slow_and_then_turns_out_to_have_left_has_left() {
    let rooms = rooms(2);
    let mut ada = Person::join(&rooms, "r").await;
    let bob = Person::join(&rooms, "r").await;
    assert!(matches!(ada.next().await, ServerMessage::Ready(_)));
    for line in 0..64 {
        ada.say(line).await;
    }
    assert!(matches!(ada.next().await, ServerMessage::PeerAway(_)));
    bob.conversation.end(Some(Parting::Left));
    let ServerMessage::PeerLeft(left) = ada.next().await else { panic!("nobody left") };
    assert_eq!(left.reason, LeaveReason::Left);
}

#[tokio::test(start_paused = true)]
async fn a_room_is_there_until_the_last_seat_is_given_up() {
    let rooms = rooms(2);
    let ada = Person::join(&rooms, "r").await;
    let bob = Person::join(&rooms, "r").await;
    ada.conversation.end(Some(Parting::Broken));
    bob.conversation.end(Some(Parting::Broken));
    sleep(Duration::from_secs(29)).await;
    assert_eq!((rooms.count(), rooms.sessions()), (1, 2));
    sleep(Duration::from_secs(2)).await;
    assert_eq!((rooms.count(), rooms.sessions()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_sessions_that_ended_nothing_is_left() {
    let rooms = rooms(20);
    for n in 0..1000 {
        let mut person = Person::join(&rooms, &format!("room {}", n % 100)).await;
        match n % 4 {
            0 => person.hear(r#"{"type":"leave"}"#).await,
            1 => person.conversation.end(Some(Parting::Left)),
            2 => person.conversation.end(Some(Parting::Broken)),
            _ => drop(person.conversation),
        }
    }
    assert!(rooms.sessions() >= 500, "those who may be back: {}", rooms.sessions());
    sleep(Duration::from_secs(31)).await;
    assert_eq!((rooms.count(), rooms.sessions()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_leaves_no_session_behind() {
    let stopping = CancellationToken::new();
    let rooms = Rooms::new(settings(2), Metrics::new(), stopping.clone(), None);
    let mut ada = Person::join(&rooms, "r").await;
    let bob = Person::join(&rooms, "r").await;
    assert!(matches!(ada.next().await, ServerMessage::Ready(_)));
    stopping.cancel();
    bob.conversation.end(None);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rooms.sessions(), 0);
    assert!(ada.outgoing.try_next().is_none(), "calls outlive the server");
}
