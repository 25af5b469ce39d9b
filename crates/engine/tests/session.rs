//! What a session promises, one promise a test. Time is whatever the test says it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_engine::{
    Instant, Session, SessionEvent as Event, SessionInput as Input, SessionOutput as Output, Signal, Timing,
};
use duologue_protocol::{
    Candidate, ClientMessage, Description, ErrorCode, IceServer, Join, LeaveReason, Limits, Offer, OfferFrom,
    PeerId, PeerInfo, PeerLeft, Ready, Refusal, Role, RoomId, SdpType, ServerMessage, SessionToken, Trickle,
    TrickleFrom, Welcome,
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
        self.tell(Input::Received(message))
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
    Join { room: RoomId::new(room).unwrap(), name: None, token: None, protocol: Some(1) }
}

fn join(room: &str) -> Input {
    Input::Join(wanted(room))
}

fn says_join(room: &str) -> Output {
    Output::Transmit(ClientMessage::Join(wanted(room)))
}

fn ping() -> Output {
    Output::Transmit(ClientMessage::Ping)
}

fn leave() -> Output {
    Output::Transmit(ClientMessage::Leave)
}

fn welcome(me: &str) -> ServerMessage {
    let ice_servers =
        vec![IceServer { urls: vec!["stun:stun.example.org".to_owned()], username: None, credential: None }];
    let session = SessionToken::new("token").unwrap();
    ServerMessage::Welcome(Welcome { id: id(me), session, ice_servers, limits: Limits::default() })
}

fn info(peer: &str) -> PeerInfo {
    PeerInfo { id: id(peer), name: None, protocol: Some(1) }
}

fn ready(peer: &str) -> ServerMessage {
    ServerMessage::Ready(Ready { role: Role::Callee, peer: info(peer) })
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
    let ServerMessage::Welcome(Welcome { id, ice_servers, limits, .. }) = welcome(me) else { unreachable!() };
    Output::Event(Event::Joined { id, ice_servers, limits })
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
fn the_pause_starts_small_again_once_a_server_was_there() {
    let mut person = Person::new();
    for _ in 0..5 {
        person.loses_connection();
        person.comes_back();
    }
    person.hears(ServerMessage::Pong);
    assert_eq!(person.loses_connection(), [unreached(true, SECOND / 4)]);
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
fn word_of_a_network_changes_nothing_while_connected() {
    assert_eq!(Person::joined().tell(Input::Reachable), []);
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
    assert_eq!(person.session.peers(), [id("ada")]);
    assert_eq!(person.hears(peer_left("ada", LeaveReason::Lost)), [left_by("ada", LeaveReason::Lost)]);
    assert!(person.session.peers().is_empty());
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
    assert!(!person.session.is_joined() && person.session.peers().is_empty());
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
    assert_eq!(person.session.peers(), [id("ada")]);
}

#[test]
fn a_refusal_that_is_not_about_joining_does_not_end_the_joining() {
    let mut person = Person::reached();
    person.tell(join("room"));
    let refused = Output::Event(Event::Refused(refusal(ErrorCode::NoRecipient)));
    assert_eq!(person.hears(refuses(ErrorCode::NoRecipient)), [refused]);
    assert_eq!(person.hears(welcome("me")), [joined_as("me")]);
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
fn after_a_long_sleep_the_server_gets_a_chance_to_answer() {
    let mut person = Person::joined();
    assert_eq!(person.pass(100_000 * SECOND), [ping()]);
    assert_eq!(person.wait(), Some(8 * SECOND));
    assert_eq!(person.hears(ServerMessage::Pong), []);
    assert!(person.session.is_joined());
}

// Coming back.

#[test]
fn it_comes_back_by_itself_and_joins_again() {
    let mut person = Person::joined();
    assert_eq!(person.loses_connection(), [unreached(true, SECOND / 4)]);
    assert_eq!(person.comes_back(), [ping(), says_join("room")]);
}

#[test]
fn one_who_is_in_no_room_comes_back_to_none() {
    let mut person = Person::joined();
    person.loses_connection();
    assert_eq!(person.tell(Input::Leave), [], "there is nobody to tell");
    assert_eq!(person.comes_back(), [ping()]);
}

#[test]
fn calls_outlive_the_connection_until_the_room_is_entered_anew() {
    let mut person = Person::joined_with("ada");
    assert_eq!(person.loses_connection(), [unreached(true, SECOND / 4)], "ada is not gone");
    person.comes_back();
    person.hears(ServerMessage::Pong);
    assert_eq!(person.session.peers(), [id("ada")]);
    assert_eq!(person.hears(welcome("me2")), [left_by("ada", LeaveReason::Replaced), joined_as("me2")]);
    assert_eq!(person.hears(ready("ada2")), [joined_by("ada2")]);
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
        Input::Received(ServerMessage::Pong),
        Input::Received(ready("bob")),
        Input::Received(refuses(ErrorCode::RoomFull)),
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
        Just(Input::Received(ServerMessage::Pong)),
        Just(Input::Received(welcome("me"))),
        Just(Input::Received(ready("ada"))),
        Just(Input::Received(peer_left("ada", LeaveReason::Left))),
        Just(Input::Received(offer_from("ada"))),
        Just(Input::Received(refuses(ErrorCode::RoomFull))),
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
