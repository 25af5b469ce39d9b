//! What a session promises, one promise a test. Time is whatever the test says it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_engine::{
    Governing, Instant, Session, SessionEvent as Event, SessionInput as Input, SessionOutput as Output,
    Signal, Timing, Way,
};
use duologue_protocol::{
    About, Candidate, ClientMessage, Description, ErrorCode, GoingAway, IceServer, IceServers, Join, Knock,
    LeaveReason, Limits, Lock, Locked, Numbered, Offer, OfferFrom, PairToken, PeerId, PeerInfo, PeerLeft,
    PeerMoved, Ping, Ready, Refusal, Resume, Resumed, Rights, Role, RoomId, SdpType, ServerMessage,
    SessionToken, Trickle, TrickleFrom, Welcome,
};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// A session and the clock it is told.
struct Person {
    session: Session,
    now: Instant,
    random: u32,
}

impl Person {
    /// Begins to connect.
    fn new() -> Self {
        let now = Instant::from_origin(1000 * SECOND);
        let mut person = Self { session: Session::new(now, Timing::default()), now, random: 0 };
        assert_eq!(person.drain(), [Output::Open]);
        person
    }

    /// Connected to a server that has proved to be one.
    fn reached() -> Self {
        let mut person = Self::new();
        person.tell(Input::Opened);
        person.hears(ServerMessage::Pong);
        person
    }

    /// In a room.
    fn joined() -> Self {
        let mut person = Self::reached();
        person.tell(join("room"));
        person.hears(welcome("me"));
        person
    }

    /// In a room with one other.
    fn joined_with(peer: &str) -> Self {
        let mut person = Self::joined();
        person.hears(ready(peer));
        person
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.session.poll()).collect()
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.session.handle(self.now, input);
        self.drain()
    }

    fn hears(&mut self, message: ServerMessage) -> Vec<Output> {
        self.tell(Input::Received(message.into()))
    }

    /// The server says something that has a number.
    fn hears_number(&mut self, seq: u64, message: ServerMessage) -> Vec<Output> {
        self.tell(Input::Received(Numbered { message, seq: Some(seq) }))
    }

    fn peers(&self) -> Vec<PeerId> {
        self.session.peers().cloned().collect()
    }

    fn loses_connection(&mut self) -> Vec<Output> {
        self.tell(Input::Closed { random: self.random })
    }

    /// How long until the session wants to be woken.
    fn wait(&self) -> Option<Duration> {
        self.session.deadline().map(|deadline| deadline.since(self.now))
    }

    /// Lets time pass, and the timer fire if its moment comes.
    fn pass(&mut self, time: Duration) -> Vec<Output> {
        self.now = self.now + time;
        self.tell(Input::Timeout { random: self.random })
    }

    /// Lets the pause between two tries pass, and the next one succeed.
    fn comes_back(&mut self) -> Vec<Output> {
        let pause = self.wait().unwrap();
        assert_eq!(self.pass(pause), [Output::Open]);
        self.tell(Input::Opened)
    }
}

fn id(id: &str) -> PeerId {
    PeerId::new(id).unwrap()
}

fn wanted(room: &str) -> Join {
    Join {
        room: RoomId::new(room).unwrap(),
        name: None,
        token: None,
        protocol: Some(1),
        key: None,
        pairs: Vec::new(),
    }
}

fn join(room: &str) -> Input {
    Input::Join(wanted(room))
}

fn says_join(room: &str) -> Output {
    Output::Transmit(ClientMessage::Join(wanted(room)))
}

fn ping() -> Output {
    Output::Transmit(ClientMessage::Ping(Ping::default()))
}

/// A ping that says which message was the last to arrive.
fn acknowledges(seq: u64) -> Output {
    Output::Transmit(ClientMessage::Ping(Ping { seq: Some(seq) }))
}

fn says_resume(seq: u64) -> Output {
    let session = SessionToken::new("token").unwrap();
    Output::Transmit(ClientMessage::Resume(Resume { session, seq }))
}

fn says_join_with(pairs: &[&str]) -> Output {
    let pairs = pairs.iter().map(|pair| token(pair)).collect();
    Output::Transmit(ClientMessage::Join(Join { pairs, ..wanted("room") }))
}

fn token(pair: &str) -> PairToken {
    PairToken::new(pair).unwrap()
}

fn leave() -> Output {
    Output::Transmit(ClientMessage::Leave)
}

fn welcome(me: &str) -> ServerMessage {
    let ice_servers =
        vec![IceServer { urls: vec!["stun:stun.example.org".to_owned()], username: None, credential: None }];
    let session = SessionToken::new("token").unwrap();
    let ice = IceServers { ice_servers, ttl: None };
    ServerMessage::Welcome(Welcome {
        id: id(me),
        session,
        ice,
        limits: Limits::default(),
        rights: Rights::USUAL,
        locked: false,
    })
}

fn resumed() -> ServerMessage {
    ServerMessage::Resumed(Resumed::default())
}

fn info(peer: &str) -> PeerInfo {
    PeerInfo { id: id(peer), name: None, protocol: Some(1), speaks: true }
}

fn ready(peer: &str) -> ServerMessage {
    ServerMessage::Ready(Ready { role: Role::Callee, peer: info(peer), pair: None })
}

fn ready_in_pair(peer: &str, pair: &str) -> ServerMessage {
    ServerMessage::Ready(Ready { role: Role::Callee, peer: info(peer), pair: Some(token(pair)) })
}

fn away(peer: &str) -> ServerMessage {
    ServerMessage::PeerAway(PeerMoved { peer: id(peer) })
}

fn back(peer: &str) -> ServerMessage {
    ServerMessage::PeerBack(PeerMoved { peer: id(peer) })
}

fn peer_left(peer: &str, reason: LeaveReason) -> ServerMessage {
    ServerMessage::PeerLeft(PeerLeft { peer: id(peer), reason })
}

fn refusal(code: ErrorCode) -> Refusal {
    Refusal { code, message: "no".to_owned(), fatal: false }
}

fn refuses(code: ErrorCode) -> ServerMessage {
    ServerMessage::Error(refusal(code))
}

fn offer() -> Description {
    Description { kind: SdpType::Offer, sdp: "v=0".to_owned() }
}

fn offer_from(peer: &str) -> ServerMessage {
    ServerMessage::Offer(OfferFrom { offer: offer(), from: id(peer), negotiation: Some(1) })
}

fn joined_as(me: &str) -> Output {
    let ServerMessage::Welcome(welcome) = welcome(me) else { unreachable!() };
    let Welcome { id, ice, limits, rights, locked, .. } = welcome;
    Output::Event(Event::Joined { id, ice_servers: ice.ice_servers, limits, rights, locked })
}

fn no_servers() -> Output {
    Output::Event(Event::IceServers(Vec::new()))
}

fn way(peer: &str, way: Way) -> Output {
    Output::Event(Event::Way { peer: id(peer), way, role: Role::Callee })
}

fn joined_by(peer: &str) -> Output {
    Output::Event(Event::PeerJoined { peer: info(peer), role: Role::Callee })
}

fn left_by(peer: &str, reason: LeaveReason) -> Output {
    Output::Event(Event::PeerLeft { peer: id(peer), reason })
}

fn unreached(before: bool, retry_in: Duration) -> Output {
    Output::Event(Event::Unreached { before, retry_in })
}

fn says_remove(peer: &str) -> Output {
    Output::Transmit(ClientMessage::Remove(About { peer: id(peer) }))
}

// Connecting.

#[test]
fn it_connects_at_once() {
    let mut session = Session::new(Instant::default(), Timing::default());
    assert_eq!(session.poll(), Some(Output::Open));
    assert_eq!(session.poll(), None);
}

#[test]
fn only_an_answer_to_a_ping_proves_a_server() {
    let mut person = Person::new();
    assert_eq!(person.tell(Input::Opened), [ping()]);
    assert_eq!(person.hears(ServerMessage::Pong), [Output::Event(Event::Reached)]);
    assert_eq!(person.hears(ServerMessage::Pong), [], "said once");
}

#[test]
fn the_join_does_not_wait_for_that_proof() {
    let mut person = Person::new();
    assert_eq!(person.tell(join("room")), []);
    assert_eq!(person.tell(Input::Opened), [ping(), says_join("room")]);
}

#[test]
fn a_transport_that_does_not_open_is_given_up() {
    let mut person = Person::new();
    assert_eq!(person.pass(6 * SECOND), [Output::Close, unreached(false, SECOND / 4)]);
}

#[test]
fn a_transport_that_opens_with_no_server_behind_it_is_given_up() {
    let mut person = Person::new();
    person.tell(Input::Opened);
    assert_eq!(person.pass(5 * SECOND), []);
    assert_eq!(person.pass(SECOND), [Output::Close, unreached(false, SECOND / 4)]);
}

#[test]
fn the_pause_grows_with_each_failure_up_to_its_limit() {
    let mut person = Person::new();
    person.random = u32::MAX;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        person.loses_connection();
        let pause = person.wait().unwrap();
        pauses.push(pause.as_millis());
        assert_eq!(person.pass(pause), [Output::Open]);
    }
    assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
}

#[test]
fn the_pause_starts_small_again_once_a_server_was_there_for_five_seconds() {
    let mut person = Person::new();
    for _ in 0..3 {
        person.loses_connection();
        person.comes_back();
    }
    person.hears(ServerMessage::Pong);
    person.pass(5 * SECOND);
    assert_eq!(person.loses_connection(), [unreached(true, SECOND / 4)]);
}

#[test]
fn a_server_that_ends_says_how_long_to_stay_away_and_chance_adds_to_it() {
    for (random, seconds, pause) in [
        (0, 4, 4 * SECOND),
        (u32::MAX, 4, 8 * SECOND),
        (u32::MAX, 0, Duration::ZERO),
        (0, u32::MAX, 60 * SECOND),
    ] {
        let mut person = Person::reached();
        person.random = random;
        person.hears(ServerMessage::GoingAway(GoingAway { retry_after: seconds }));
        assert_eq!(person.loses_connection(), [unreached(true, pause)]);
        // That was for once: what follows is as ever.
        person.random = 0;
        person.comes_back();
        assert_eq!(person.loses_connection(), [unreached(true, SECOND / 2)]);
    }
}

#[test]
fn a_server_that_drops_everybody_at_once_does_not_make_the_pause_small_again() {
    let mut person = Person::new();
    for (before, pause) in [(false, 250), (true, 500), (true, 1000)] {
        assert_eq!(person.loses_connection(), [unreached(before, Duration::from_millis(pause))]);
        person.comes_back();
        person.hears(ServerMessage::Pong);
    }
}

#[test]
fn a_transport_that_only_opens_does_not_make_the_pause_small_again() {
    let mut person = Person::new();
    person.loses_connection();
    person.comes_back();
    assert_eq!(person.loses_connection(), [unreached(false, SECOND / 2)]);
}

#[test]
fn word_of_a_network_ends_the_pause() {
    let mut person = Person::reached();
    person.loses_connection();
    assert_eq!(person.tell(Input::Reachable), [Output::Open]);
    assert_eq!(person.tell(Input::Reachable), [], "it is opening already");
}

#[test]
fn word_of_a_network_asks_a_connected_server_whether_it_is_still_there_and_waits_only_two_seconds() {
    let mut person = Person::joined();
    assert_eq!(person.tell(Input::Reachable), [ping()]);
    assert_eq!(person.tell(Input::Reachable), [], "it is asked once");
    assert_eq!(person.wait(), Some(2 * SECOND));
    assert_eq!(person.pass(2 * SECOND), [Output::Close, unreached(true, SECOND / 4)]);
}

#[test]
fn a_server_that_was_doubted_and_answers_is_told_of() {
    let mut person = Person::joined();
    person.tell(Input::Reachable);
    assert_eq!(person.hears(ServerMessage::Pong), [Output::Event(Event::Confirmed)]);
    assert_eq!(person.hears(ServerMessage::Pong), [], "once");
}

#[test]
fn word_of_a_network_begins_a_try_again_that_has_been_waiting_for_two_seconds() {
    let mut person = Person::new();
    person.pass(SECOND);
    assert_eq!(person.tell(Input::Reachable), []);
    person.pass(SECOND);
    assert_eq!(person.tell(Input::Reachable), [Output::Close, Output::Open]);
    assert_eq!(person.wait(), Some(6 * SECOND));
}

#[test]
fn while_calls_are_up_no_pause_is_longer_than_three_seconds() {
    let mut person = Person::joined_with("ada");
    person.random = u32::MAX;
    for _ in 0..8 {
        person.loses_connection();
        person.comes_back();
    }
    assert_eq!(person.loses_connection().first(), Some(&unreached(true, 3 * SECOND)));
}

#[test]
fn a_timer_that_fires_early_changes_nothing() {
    let mut person = Person::new();
    assert_eq!(person.pass(SECOND), []);
    assert_eq!(person.wait(), Some(5 * SECOND));
}

// The room.

#[test]
fn welcome_lets_one_in() {
    let mut person = Person::reached();
    assert_eq!(person.tell(join("room")), [says_join("room")]);
    assert!(!person.session.is_joined());
    assert_eq!(person.hears(welcome("me")), [joined_as("me")]);
    assert!(person.session.is_joined());
}

#[test]
fn the_application_hears_who_comes_and_who_goes() {
    let mut person = Person::joined();
    assert_eq!(person.hears(ready("ada")), [joined_by("ada")]);
    assert_eq!(person.peers(), [id("ada")]);
    assert_eq!(person.hears(peer_left("ada", LeaveReason::Left)), [left_by("ada", LeaveReason::Left)]);
    assert!(person.peers().is_empty());
    person.hears(ready("bob"));
    assert_eq!(person.hears(peer_left("bob", LeaveReason::Removed)), [left_by("bob", LeaveReason::Removed)]);
}

#[test]
fn nobody_comes_or_goes_twice() {
    let mut person = Person::joined_with("ada");
    assert_eq!(person.hears(ready("ada")), []);
    person.hears(peer_left("ada", LeaveReason::Left));
    assert_eq!(person.hears(peer_left("ada", LeaveReason::Left)), []);
}

#[test]
fn what_a_peer_says_reaches_the_application() {
    let mut person = Person::joined_with("ada");
    let signal = Signal::Description { description: offer(), negotiation: Some(1) };
    assert_eq!(person.hears(offer_from("ada")), [Output::Event(Event::Signal { from: id("ada"), signal })]);
    let trickle = ServerMessage::Candidate(TrickleFrom { candidate: Candidate::end(), from: id("ada") });
    let signal = Signal::Candidate(Candidate::end());
    assert_eq!(person.hears(trickle), [Output::Event(Event::Signal { from: id("ada"), signal })]);
}

#[test]
fn what_a_stranger_says_is_dropped() {
    let mut person = Person::joined_with("ada");
    assert_eq!(person.hears(offer_from("eve")), []);
    person.hears(peer_left("ada", LeaveReason::Left));
    assert_eq!(person.hears(offer_from("ada")), []);
}

#[test]
fn what_is_said_to_a_peer_goes_to_that_peer() {
    let mut person = Person::joined_with("ada");
    let signal = Signal::Description { description: offer(), negotiation: Some(3) };
    let message = ClientMessage::Offer(Offer { offer: offer(), to: Some(id("ada")), negotiation: Some(3) });
    assert_eq!(person.tell(Input::Send(id("ada"), signal)), [Output::Transmit(message)]);
    let message = ClientMessage::Candidate(Trickle { candidate: Candidate::end(), to: Some(id("ada")) });
    let signal = Signal::Candidate(Candidate::end());
    assert_eq!(person.tell(Input::Send(id("ada"), signal)), [Output::Transmit(message)]);
}

#[test]
fn nothing_is_said_to_one_who_is_gone() {
    let mut person = Person::joined_with("ada");
    person.hears(peer_left("ada", LeaveReason::Left));
    assert_eq!(person.tell(Input::Send(id("ada"), Signal::Candidate(Candidate::end()))), []);
}

#[test]
fn leaving_is_said_once_and_peers_are_forgotten() {
    let mut person = Person::joined_with("ada");
    assert_eq!(person.tell(Input::Leave), [leave()]);
    assert_eq!(person.tell(Input::Leave), []);
    assert!(!person.session.is_joined() && person.peers().is_empty());
    assert_eq!(person.hears(ready("bob")), [], "it crossed the leaving");
}

#[test]
fn one_who_has_left_may_join_another_room() {
    let mut person = Person::joined();
    person.tell(Input::Leave);
    assert_eq!(person.tell(join("elsewhere")), [says_join("elsewhere")]);
    assert_eq!(person.hears(welcome("me2")), [joined_as("me2")]);
}

#[test]
fn the_welcome_of_a_join_that_was_taken_back_is_void() {
    let mut person = Person::reached();
    person.tell(join("one"));
    assert_eq!(person.tell(Input::Leave), [leave()]);
    assert_eq!(person.tell(join("two")), [says_join("two")]);
    assert_eq!(person.hears(welcome("in one")), []);
    assert_eq!(person.hears(ready("somebody in one")), []);
    assert_eq!(person.hears(welcome("in two")), [joined_as("in two")]);
}

#[test]
fn the_refusal_of_a_join_that_was_taken_back_is_void() {
    let mut person = Person::reached();
    person.tell(join("one"));
    person.tell(Input::Leave);
    person.tell(join("two"));
    assert_eq!(person.hears(refuses(ErrorCode::RoomFull)), []);
    assert_eq!(person.hears(welcome("in two")), [joined_as("in two")]);
}

#[test]
fn a_new_connection_owes_no_answers_to_the_old_one() {
    let mut person = Person::reached();
    person.tell(join("one"));
    person.tell(Input::Leave);
    person.tell(join("two"));
    person.loses_connection();
    person.comes_back();
    let outputs = person.hears(welcome("me"));
    assert_eq!(outputs, [Output::Event(Event::Reached), joined_as("me")]);
}

#[test]
fn one_whom_the_room_has_no_place_for_is_told_and_may_try_again() {
    let mut person = Person::reached();
    person.tell(join("room"));
    let rejected = Output::Event(Event::Rejected(refusal(ErrorCode::RoomFull)));
    assert_eq!(person.hears(refuses(ErrorCode::RoomFull)), [rejected]);
    assert_eq!(person.tell(join("room")), [says_join("room")]);
    assert_eq!(person.hears(welcome("me")), [joined_as("me")]);
}

#[test]
fn one_who_was_rejected_does_not_try_again_unasked() {
    let mut person = Person::reached();
    person.tell(join("room"));
    person.hears(refuses(ErrorCode::RoomFull));
    person.loses_connection();
    assert_eq!(person.comes_back(), [ping()]);
}

#[test]
fn any_other_refusal_is_told_and_changes_nothing() {
    let mut person = Person::joined_with("ada");
    for code in [ErrorCode::NoRecipient, ErrorCode::SdpTooLarge, ErrorCode::BadMessage, ErrorCode::RoomFull] {
        assert_eq!(person.hears(refuses(code.clone())), [Output::Event(Event::Refused(refusal(code)))]);
    }
    assert!(person.session.is_joined());
    assert_eq!(person.peers(), [id("ada")]);
}

#[test]
fn a_refusal_that_is_not_about_joining_does_not_end_the_joining() {
    let mut person = Person::reached();
    person.tell(join("room"));
    let refused = Output::Event(Event::Refused(refusal(ErrorCode::NoRecipient)));
    assert_eq!(person.hears(refuses(ErrorCode::NoRecipient)), [refused]);
    assert_eq!(person.hears(welcome("me")), [joined_as("me")]);
}

#[test]
fn one_whose_connection_ended_while_it_asked_to_be_let_in_asks_again() {
    for code in [ErrorCode::TooFast, ErrorCode::FirstMessageTimeout, ErrorCode::LobbyTimeout] {
        let mut person = Person::reached();
        person.tell(join("room"));
        let last = Refusal { fatal: true, ..refusal(code) };
        let rejected = Output::Event(Event::Rejected(last.clone()));
        assert!(!person.hears(ServerMessage::Error(last)).contains(&rejected));
        person.loses_connection();
        assert_eq!(person.comes_back(), [ping(), says_join("room")]);
    }
}

#[test]
fn one_who_waited_in_the_lobby_for_too_long_is_not_bothered_with_it() {
    let mut person = Person::reached();
    let last = Refusal { fatal: true, ..refusal(ErrorCode::LobbyTimeout) };
    assert_eq!(person.hears(ServerMessage::Error(last)), []);
    person.loses_connection();
    assert_eq!(person.comes_back(), [ping()]);
}

#[test]
fn who_said_too_much_comes_back_after_a_pause_that_grows_however_long_it_was_connected() {
    let mut person = Person::joined_with("ada");
    let last = Refusal { fatal: true, ..refusal(ErrorCode::TooFast) };
    for pause in [250, 500, 1000] {
        person.pass(60 * SECOND);
        person.hears(ServerMessage::Error(last.clone()));
        let lost = person.loses_connection();
        assert!(lost.contains(&unreached(true, Duration::from_millis(pause))), "{pause}: {lost:?}");
        assert_eq!(person.peers(), [id("ada")], "the call goes on");
        assert_eq!(person.comes_back(), [ping(), says_resume(0)]);
        person.hears(resumed());
    }
}

// Whether the server is still there.

#[test]
fn after_fifteen_quiet_seconds_the_server_is_asked_whether_it_is_there() {
    let mut person = Person::joined();
    assert_eq!(person.wait(), Some(15 * SECOND));
    assert_eq!(person.pass(15 * SECOND), [ping()]);
    assert_eq!(person.hears(ServerMessage::Pong), []);
    assert_eq!(person.wait(), Some(15 * SECOND));
}

#[test]
fn a_server_that_does_not_answer_for_eight_seconds_is_given_up() {
    let mut person = Person::joined();
    person.pass(15 * SECOND);
    assert_eq!(person.wait(), Some(8 * SECOND));
    assert_eq!(person.pass(8 * SECOND), [Output::Close, unreached(true, SECOND / 4)]);
    assert!(!person.session.is_joined());
}

#[test]
fn anything_the_server_says_shows_that_it_is_there() {
    let mut person = Person::joined();
    person.pass(10 * SECOND);
    person.hears(ready("ada"));
    assert_eq!(person.wait(), Some(15 * SECOND));
    person.pass(15 * SECOND);
    person.hears(offer_from("ada"));
    assert_eq!(person.pass(8 * SECOND), [], "the question is answered");
}

#[test]
fn after_a_long_sleep_the_server_gets_a_short_chance_to_answer() {
    let mut person = Person::joined();
    assert_eq!(person.pass(100_000 * SECOND), [ping()]);
    assert_eq!(person.wait(), Some(2 * SECOND));
    assert_eq!(person.hears(ServerMessage::Pong), []);
    assert!(person.session.is_joined());
}

// Coming back.

#[test]
fn it_comes_back_by_itself_and_takes_up_its_session() {
    let mut person = Person::joined();
    assert_eq!(person.loses_connection(), [unreached(true, SECOND / 4)]);
    assert_eq!(person.comes_back(), [ping(), says_resume(0)]);
    assert!(!person.session.is_joined());
    assert_eq!(person.hears(resumed()), [Output::Event(Event::Reached), no_servers()]);
    assert!(person.session.is_joined());
}

#[test]
fn it_names_the_last_message_that_arrived_and_takes_none_twice() {
    let mut person = Person::joined();
    person.hears_number(1, ready("ada"));
    person.hears_number(2, ready("bob"));
    person.loses_connection();
    assert_eq!(person.comes_back(), [ping(), says_resume(2)]);
    person.hears(resumed());
    assert_eq!(person.hears_number(2, peer_left("bob", LeaveReason::Left)), [], "it had number 2");
    assert_eq!(
        person.hears_number(3, peer_left("ada", LeaveReason::Left)),
        [left_by("ada", LeaveReason::Left)]
    );
}

#[test]
fn what_has_arrived_is_acknowledged_now_and_then() {
    let mut person = Person::joined_with("ada");
    for seq in 1..=15 {
        assert!(!person.hears_number(seq, offer_from("ada")).contains(&acknowledges(seq)));
    }
    assert_eq!(person.hears_number(16, offer_from("ada")).first(), Some(&acknowledges(16)));
    person.hears_number(17, offer_from("ada"));
    assert_eq!(person.pass(15 * SECOND), [acknowledges(17)], "and with every ping");
}

#[test]
fn while_it_is_cut_off_the_way_to_peers_is_cut_and_afterwards_open_again() {
    let mut person = Person::joined_with("ada");
    assert_eq!(person.loses_connection(), [unreached(true, SECOND / 4), way("ada", Way::Cut)]);
    person.comes_back();
    let outputs = person.hears(resumed());
    assert_eq!(outputs, [Output::Event(Event::Reached), no_servers(), way("ada", Way::Open)]);
}

#[test]
fn a_session_that_the_server_has_forgotten_is_joined_anew_with_the_pairs_that_are_up() {
    let mut person = Person::joined();
    person.hears(ready_in_pair("ada", "us"));
    person.hears(ready("plain"));
    person.loses_connection();
    person.comes_back();
    let outputs = person.hears(refuses(ErrorCode::SessionUnknown));
    assert_eq!(outputs, [Output::Event(Event::Reached), says_join_with(&["us"])]);
    let outputs = person.hears(welcome("me2"));
    assert_eq!(outputs, [joined_as("me2"), way("ada", Way::Away), way("plain", Way::Away)]);
}

/// In a room that the server had forgotten, and once with ada there, in a pair that is called `us`.
fn forgotten_with_ada() -> Person {
    let mut person = Person::joined();
    person.hears(ready_in_pair("ada", "us"));
    person.loses_connection();
    person.comes_back();
    person.hears(refuses(ErrorCode::SessionUnknown));
    person.hears(welcome("me2"));
    person
}

#[test]
fn a_peer_of_the_same_pair_is_the_same_peer_whatever_the_server_calls_them() {
    let mut person = forgotten_with_ada();
    assert_eq!(person.hears(ready_in_pair("ada2", "us")), [way("ada", Way::Open)]);
    assert_eq!(person.peers(), [id("ada")]);
    let signal = Signal::Candidate(Candidate::end());
    let message = ClientMessage::Candidate(Trickle { candidate: Candidate::end(), to: Some(id("ada2")) });
    assert_eq!(person.tell(Input::Send(id("ada"), signal)), [Output::Transmit(message)]);
    let Some(Output::Event(Event::Signal { from, .. })) = person.hears(offer_from("ada2")).pop() else {
        panic!("nothing was heard of her")
    };
    assert_eq!(from, id("ada"));
    assert_eq!(person.hears(peer_left("ada2", LeaveReason::Left)), [left_by("ada", LeaveReason::Left)]);
}

#[test]
fn a_stranger_is_no_old_friend() {
    let mut person = forgotten_with_ada();
    assert_eq!(person.hears(ready_in_pair("eve", "other")), [joined_by("eve")]);
    assert_eq!(person.hears(ready("ivy")), [joined_by("ivy")]);
    assert_eq!(person.peers(), [id("ada"), id("eve"), id("ivy")]);
}

#[test]
fn a_peer_who_does_not_come_back_within_thirty_seconds_is_lost() {
    let mut person = forgotten_with_ada();
    assert_eq!(person.pass(15 * SECOND), [ping()]);
    person.hears(ServerMessage::Pong);
    assert_eq!(person.wait(), Some(15 * SECOND));
    assert!(person.pass(15 * SECOND).contains(&way("ada", Way::Lost)));
    assert_eq!(person.peers(), [id("ada")], "whose connection may be up all the same");
    assert_eq!(person.hears(ready_in_pair("ada2", "us")), [way("ada", Way::Open)], "better late");
}

#[test]
fn nothing_is_said_to_peers_who_are_not_back_yet() {
    let mut person = forgotten_with_ada();
    assert_eq!(person.tell(Input::Send(id("ada"), Signal::Candidate(Candidate::end()))), []);
}

#[test]
fn a_peer_who_is_forgotten_is_met_again_as_a_stranger() {
    let mut person = forgotten_with_ada();
    assert_eq!(person.tell(Input::Forget(id("ada"))), []);
    assert!(person.peers().is_empty());
    assert_eq!(person.hears(ready_in_pair("ada2", "us")), [joined_by("ada2")]);
}

#[test]
fn peers_go_away_and_come_back() {
    let mut person = Person::joined_with("ada");
    assert_eq!(person.hears(away("ada")), [way("ada", Way::Away)]);
    let signal = Signal::Candidate(Candidate::end());
    assert_eq!(person.tell(Input::Send(id("ada"), signal)).len(), 1, "the server keeps it for her");
    assert_eq!(person.hears(back("ada")), [way("ada", Way::Open)]);
}

#[test]
fn a_peer_of_whom_the_server_has_lost_sight_is_not_gone_yet() {
    for reason in [LeaveReason::Lost, LeaveReason::Replaced, LeaveReason::Other("odd".to_owned())] {
        let mut person = Person::joined();
        person.hears(ready_in_pair("ada", "us"));
        assert_eq!(person.hears(peer_left("ada", reason)), [way("ada", Way::Lost)]);
        assert_eq!(person.hears(ready_in_pair("ada2", "us")), [way("ada", Way::Open)]);
    }
}

#[test]
fn a_full_room_on_the_way_back_is_asked_again_while_calls_are_up() {
    let mut person = Person::joined();
    person.hears(ready_in_pair("ada", "us"));
    person.loses_connection();
    person.comes_back();
    person.hears(refuses(ErrorCode::SessionUnknown));
    let outputs = person.hears(refuses(ErrorCode::RoomFull));
    assert_eq!(outputs, [Output::Event(Event::Refused(refusal(ErrorCode::RoomFull)))]);
    let pause = person.wait().unwrap();
    assert!(pause < SECOND, "{pause:?}");
    assert_eq!(person.pass(pause), [says_join_with(&["us"])]);
    assert_eq!(person.hears(welcome("me2")).first(), Some(&joined_as("me2")));
}

#[test]
fn a_session_that_cannot_be_looked_up_at_the_moment_is_asked_for_again() {
    let mut person = Person::joined();
    person.hears(ready_in_pair("ada", "us"));
    person.loses_connection();
    person.comes_back();
    let outputs = person.hears(refuses(ErrorCode::Busy));
    let refused = Output::Event(Event::Refused(refusal(ErrorCode::Busy)));
    assert_eq!(outputs, [Output::Event(Event::Reached), refused]);
    let pause = person.wait().unwrap();
    assert!(pause < SECOND, "{pause:?}");
    assert_eq!(person.pass(pause), [says_resume(0)]);
    assert_eq!(person.hears(resumed()), [no_servers(), way("ada", Way::Open)]);
}

#[test]
fn one_whom_somebody_removed_is_out_for_good() {
    for code in [ErrorCode::Removed, ErrorCode::Replaced] {
        let mut person = Person::joined_with("ada");
        let refusal = Refusal { fatal: true, ..refusal(code) };
        let outputs = person.hears(ServerMessage::Error(refusal.clone()));
        assert_eq!(outputs, [Output::Event(Event::Ended(refusal))]);
        assert!(person.peers().is_empty());
        person.loses_connection();
        assert_eq!(person.comes_back(), [ping()], "it does not go in again");
    }
}

#[test]
fn one_who_leaves_on_the_way_back_is_out() {
    let mut person = Person::joined_with("ada");
    person.loses_connection();
    person.comes_back();
    assert_eq!(person.tell(Input::Leave), [leave()]);
    assert_eq!(person.tell(join("elsewhere")), [says_join("elsewhere")]);
    assert_eq!(person.hears(resumed()), [Output::Event(Event::Reached)]);
    assert_eq!(person.hears(welcome("me2")), [joined_as("me2")]);
}

#[test]
fn one_who_has_to_be_let_in_waits_for_it_and_then_is_in() {
    let mut person = Person::reached();
    assert_eq!(person.tell(join("room")), [says_join("room")]);
    assert_eq!(person.hears(ServerMessage::Waiting), [Output::Event(Event::Waiting)]);
    assert!(!person.session.is_joined());
    assert_eq!(person.hears(welcome("me")), [joined_as("me")]);
    assert!(person.session.is_joined());
}

#[test]
fn one_who_is_not_let_in_is_told_and_may_knock_again() {
    let mut person = Person::reached();
    person.tell(join("room"));
    person.hears(ServerMessage::Waiting);
    let denied = Output::Event(Event::Rejected(refusal(ErrorCode::Denied)));
    assert_eq!(person.hears(refuses(ErrorCode::Denied)), [denied]);
    assert_eq!(person.tell(join("room")), [says_join("room")]);
}

#[test]
fn the_answer_to_a_knock_that_was_taken_back_is_void_whatever_it_is() {
    for answer in [welcome("me"), refuses(ErrorCode::Denied)] {
        let mut person = Person::reached();
        person.tell(join("room"));
        person.hears(ServerMessage::Waiting);
        assert_eq!(person.tell(Input::Leave), [leave()]);
        assert_eq!(person.tell(join("other")), [says_join("other")]);
        assert_eq!(person.hears(answer), []);
        assert_eq!(person.hears(welcome("me too")), [joined_as("me too")]);
    }
}

#[test]
fn one_whose_connection_breaks_while_they_wait_knocks_anew() {
    let mut person = Person::reached();
    person.tell(join("room"));
    person.hears(ServerMessage::Waiting);
    person.loses_connection();
    assert_eq!(person.comes_back(), [ping(), says_join("room")]);
}

#[test]
fn admins_hear_who_knocks_and_everyone_whether_the_room_is_locked() {
    let mut person = Person::joined();
    let knock = ServerMessage::Knock(Knock { peer: info("eve") });
    assert_eq!(person.hears(knock), [Output::Event(Event::Knock(info("eve")))]);
    let over = ServerMessage::KnockOver(PeerMoved { peer: id("eve") });
    assert_eq!(person.hears(over), [Output::Event(Event::KnockOver(id("eve")))]);
    let locked = ServerMessage::Locked(Locked { locked: true });
    assert_eq!(person.hears(locked), [Output::Event(Event::Locked(true))]);
}

#[test]
fn what_an_admin_decides_is_said_and_names_peers_as_the_server_knows_them() {
    let mut person = forgotten_with_ada();
    person.hears(ready_in_pair("ada2", "us"));
    assert_eq!(person.tell(Input::Govern(Governing::Remove(id("ada")))), [says_remove("ada2")]);
    assert_eq!(person.tell(Input::Govern(Governing::Remove(id("eve")))), [says_remove("eve")]);
    let admit = Output::Transmit(ClientMessage::Admit(About { peer: id("eve") }));
    assert_eq!(person.tell(Input::Govern(Governing::Admit(id("eve")))), [admit]);
    let deny = Output::Transmit(ClientMessage::Deny(About { peer: id("eve") }));
    assert_eq!(person.tell(Input::Govern(Governing::Deny(id("eve")))), [deny]);
    let lock = Output::Transmit(ClientMessage::Lock(Lock { locked: true }));
    assert_eq!(person.tell(Input::Govern(Governing::Lock(true))), [lock]);
    person.tell(Input::Leave);
    assert_eq!(person.tell(Input::Govern(Governing::Lock(true))), [], "outside there is nothing to decide");
}

#[test]
fn one_who_is_no_admin_is_told_so_and_stays() {
    let mut person = Person::joined();
    let refused = Output::Event(Event::Refused(refusal(ErrorCode::NotAllowed)));
    assert_eq!(person.hears(refuses(ErrorCode::NotAllowed)), [refused]);
    assert!(person.session.is_joined());
}

#[test]
fn credentials_are_renewed_when_half_their_time_is_over() {
    let mut person = Person::reached();
    person.tell(join("room"));
    let ServerMessage::Welcome(mut hello) = welcome("me") else { unreachable!() };
    hello.ice.ttl = Some(60);
    person.hears(ServerMessage::Welcome(hello));
    assert_eq!(person.pass(15 * SECOND), [ping()]);
    person.hears(ServerMessage::Pong);
    assert_eq!(person.pass(15 * SECOND), [Output::Transmit(ClientMessage::IceServers), ping()]);
    let servers = vec![IceServer { urls: vec!["turn:there".to_owned()], username: None, credential: None }];
    let fresh = ServerMessage::IceServers(IceServers { ice_servers: servers.clone(), ttl: Some(60) });
    assert_eq!(person.hears(fresh), [Output::Event(Event::IceServers(servers))]);
    assert_eq!(person.wait(), Some(15 * SECOND));
}

#[test]
fn one_who_is_in_no_room_comes_back_to_none() {
    let mut person = Person::joined();
    person.loses_connection();
    assert_eq!(person.tell(Input::Leave), [], "there is nobody to tell");
    assert_eq!(person.comes_back(), [ping()]);
}

#[test]
fn a_room_wanted_while_there_is_no_connection_is_joined_when_there_is() {
    let mut person = Person::reached();
    person.loses_connection();
    assert_eq!(person.tell(join("room")), []);
    assert_eq!(person.comes_back(), [ping(), says_join("room")]);
}

#[test]
fn what_an_old_transport_still_reports_changes_nothing() {
    let mut person = Person::joined();
    person.loses_connection();
    let wait = person.wait();
    assert_eq!(person.loses_connection(), []);
    assert_eq!(person.tell(Input::Opened), []);
    assert_eq!(person.hears(ready("ada")), []);
    assert_eq!(person.wait(), wait);
}

// The end.

#[test]
fn the_end_says_goodbye_and_closes() {
    assert_eq!(Person::joined().tell(Input::End), [leave(), Output::Close]);
    assert_eq!(Person::reached().tell(Input::End), [Output::Close]);
    assert_eq!(Person::new().tell(Input::End), [Output::Close]);
}

#[test]
fn between_two_tries_there_is_nothing_to_close() {
    let mut person = Person::joined();
    person.loses_connection();
    assert_eq!(person.tell(Input::End), []);
    assert_eq!(person.wait(), None);
}

#[test]
fn nothing_happens_after_the_end() {
    let mut person = Person::joined_with("ada");
    person.tell(Input::End);
    let late = [
        Input::Opened,
        Input::Closed { random: 7 },
        Input::Received(ServerMessage::Pong.into()),
        Input::Received(ready("bob").into()),
        Input::Received(refuses(ErrorCode::RoomFull).into()),
        join("room"),
        Input::Leave,
        Input::Send(id("ada"), Signal::Candidate(Candidate::end())),
        Input::Reachable,
        Input::End,
    ];
    for input in late {
        assert_eq!(person.tell(input.clone()), [], "{input:?}");
    }
    assert_eq!(person.pass(1000 * SECOND), []);
    assert_eq!(person.wait(), None);
}

// Whatever happens.

fn anything() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Opened),
        any::<u32>().prop_map(|random| Input::Closed { random }),
        any::<u32>().prop_map(|random| Input::Timeout { random }),
        Just(Input::Reachable),
        Just(join("room")),
        Just(Input::Leave),
        Just(Input::Received(ServerMessage::Pong.into())),
        Just(Input::Received(welcome("me").into())),
        Just(Input::Received(ready("ada").into())),
        Just(Input::Received(peer_left("ada", LeaveReason::Left).into())),
        Just(Input::Received(offer_from("ada").into())),
        Just(Input::Received(refuses(ErrorCode::RoomFull).into())),
        Just(Input::Received(refuses(ErrorCode::SessionUnknown).into())),
        Just(Input::Received(refuses(ErrorCode::Busy).into())),
        Just(Input::Received(resumed().into())),
        Just(Input::Received(away("ada").into())),
        Just(Input::Received(peer_left("ada", LeaveReason::Lost).into())),
        Just(Input::Received(ready_in_pair("ada", "us").into())),
        (0..20_u64).prop_map(|seq| Input::Received(Numbered { message: back("ada"), seq: Some(seq) })),
        Just(Input::Forget(id("ada"))),
        Just(Input::Send(id("ada"), Signal::Candidate(Candidate::end()))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Clocks that jump, forwards or back, and inputs in any order make it neither panic nor forget to go on.
    #[test]
    fn no_jump_of_the_clock_and_no_order_of_events_stops_it(
        happenings in prop::collection::vec((anything(), prop_oneof![0..40_000_u64, any::<u64>()]), 0..60),
    ) {
        let mut person = Person::new();
        for (input, millis) in happenings {
            person.now = Instant::from_origin(Duration::from_millis(millis));
            person.tell(input);
            prop_assert!(person.session.deadline().is_some(), "it waits for something");
        }
    }

    /// Whatever the user changes their mind about, the server hears `join` and `leave` in turns.
    #[test]
    fn joining_and_leaving_take_turns(steps in prop::collection::vec(any::<bool>(), 0..30)) {
        let mut person = Person::reached();
        let mut inside = false;
        for wants_in in steps {
            for output in person.tell(if wants_in { join("room") } else { Input::Leave }) {
                prop_assert_eq!(inside, output == leave());
                inside = !inside;
            }
        }
    }
}
