//! What a room among tabs promises, one promise a test: first one tab alone with the bus, then several over a bus that
//! keeps nothing in order but the words of one tab.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::collections::VecDeque;
use std::time::Duration;

use duologue_engine::{
    Bus, BusBody, Instant, LocalInput, LocalOutput, LocalRoom, Session, SessionEvent, SessionInput,
    SessionOutput, Signal, Timing,
};
use duologue_protocol::{
    Candidate, ClientMessage, Description, ErrorCode, Join, LeaveReason, Name, Offer, OfferFrom, PeerId,
    PeerInfo, PeerLeft, Ping, Ready, Resume, Role, RoomId, SdpType, ServerMessage, SessionToken, Trickle,
};
use proptest::prelude::*;

const START: Instant = Instant::from_origin(Duration::from_secs(1000));
const FIRST_ANSWER: Duration = Duration::from_millis(250);

fn id(id: &str) -> PeerId {
    PeerId::new(id).unwrap()
}

fn name(name: &str) -> Option<Name> {
    Some(Name::new(name).unwrap())
}

fn join() -> Join {
    Join {
        room: RoomId::new("room").unwrap(),
        name: name("Me"),
        token: None,
        protocol: Some(1),
        key: None,
        pairs: Vec::new(),
    }
}

fn local_room(tab: &str, seniority: u64, size: usize) -> LocalRoom {
    LocalRoom::new(id(tab), SessionToken::new("token").unwrap(), seniority, size)
}

fn offer(sdp: &str) -> Description {
    Description { kind: SdpType::Offer, sdp: sdp.to_owned() }
}

/// One tab called `me`, of seniority 50, with nothing around it.
struct Tab(LocalRoom);

impl Tab {
    fn outside() -> Self {
        Self(local_room("me", 50, 3))
    }

    /// It has said `Hello` and heard nothing yet.
    fn asking() -> Self {
        let mut tab = Self::outside();
        tab.client(ClientMessage::Join(join()));
        tab
    }

    /// It is in the room with these.
    fn inside_with(others: &[&str]) -> Self {
        let mut tab = Self::asking();
        tab.handle(START + FIRST_ANSWER, LocalInput::Timeout);
        for other in others {
            tab.hears(other, hello(99));
        }
        tab
    }

    fn handle(&mut self, now: Instant, input: LocalInput) -> Vec<LocalOutput> {
        self.0.handle(now, input);
        std::iter::from_fn(|| self.0.poll()).collect()
    }

    fn client(&mut self, message: ClientMessage) -> Vec<LocalOutput> {
        self.handle(START, LocalInput::Client(message))
    }

    /// Hears what is said to all.
    fn hears(&mut self, from: &str, body: BusBody) -> Vec<LocalOutput> {
        self.handle(START, LocalInput::Bus(Bus { from: id(from), to: None, body }))
    }

    /// Hears what is said to `to` alone.
    fn overhears(&mut self, from: &str, to: &str, body: BusBody) -> Vec<LocalOutput> {
        self.handle(START, LocalInput::Bus(Bus { from: id(from), to: Some(id(to)), body }))
    }
}

fn hello(seniority: u64) -> BusBody {
    BusBody::Hello { seniority, name: name("Ada") }
}

fn here() -> BusBody {
    BusBody::Here { name: name("Ada") }
}

fn my_hello() -> BusBody {
    BusBody::Hello { seniority: 50, name: name("Me") }
}

fn relayed(from: &str) -> BusBody {
    BusBody::Relay(ServerMessage::Offer(OfferFrom {
        offer: offer("v=0"),
        from: id(from),
        negotiation: Some(1),
    }))
}

fn says(to: Option<&str>, body: BusBody) -> LocalOutput {
    LocalOutput::Say(Bus { from: id("me/1"), to: to.map(id), body })
}

fn ready(peer: &str, role: Role) -> LocalOutput {
    let peer = PeerInfo { id: id(peer), name: name("Ada"), protocol: Some(1), speaks: true };
    LocalOutput::Client(ServerMessage::Ready(Ready { role, peer, pair: None }))
}

fn left(peer: &str, reason: LeaveReason) -> LocalOutput {
    LocalOutput::Client(ServerMessage::PeerLeft(PeerLeft { peer: id(peer), reason }))
}

fn to_peer(to: Option<&str>) -> ClientMessage {
    ClientMessage::Offer(Offer { offer: offer("v=0"), to: to.map(id), negotiation: Some(1) })
}

#[track_caller]
fn assert_welcome(output: &LocalOutput) {
    assert!(matches!(output, LocalOutput::Client(ServerMessage::Welcome(_))), "{output:?}");
}

#[track_caller]
fn assert_refused(outputs: &[LocalOutput], code: ErrorCode) {
    match outputs {
        [.., LocalOutput::Client(ServerMessage::Error(refusal))] => assert_eq!(refusal.code, code),
        other => panic!("{other:?}"),
    }
}

// Coming in.

#[test]
fn a_newcomer_asks_who_is_there() {
    let outputs = Tab::outside().client(ClientMessage::Join(join()));
    assert_eq!(outputs, [LocalOutput::Enter(RoomId::new("room").unwrap()), says(None, my_hello())]);
}

#[test]
fn an_empty_room_welcomes_after_a_wait() {
    let mut tab = Tab::asking();
    assert_eq!(tab.0.deadline(), Some(START + FIRST_ANSWER));
    assert_eq!(tab.handle(START, LocalInput::Timeout), [], "not yet");
    let outputs = tab.handle(START + FIRST_ANSWER, LocalInput::Timeout);
    assert_eq!(outputs.len(), 1);
    assert_welcome(&outputs[0]);
    assert_eq!(tab.0.deadline(), None);
}

#[test]
fn the_first_answer_welcomes_at_once() {
    let mut tab = Tab::asking();
    let outputs = tab.overhears("ada/1", "me/1", here());
    assert_welcome(&outputs[0]);
    assert_eq!(outputs[1..], [LocalOutput::Watch(id("ada")), ready("ada/1", Role::Callee)]);
    assert_eq!(tab.0.deadline(), None);
}

#[test]
fn later_answers_pair_and_do_not_welcome_again() {
    let mut tab = Tab::asking();
    tab.overhears("ada/1", "me/1", here());
    let outputs = tab.overhears("bob/1", "me/1", here());
    assert_eq!(outputs, [LocalOutput::Watch(id("bob")), ready("bob/1", Role::Callee)]);
}

#[test]
fn an_answer_that_comes_twice_pairs_once() {
    let mut tab = Tab::asking();
    tab.overhears("ada/1", "me/1", here());
    assert_eq!(tab.overhears("ada/1", "me/1", here()), []);
}

#[test]
fn a_member_answers_a_junior_newcomer() {
    let mut tab = Tab::inside_with(&[]);
    let answer = says(Some("ada/1"), BusBody::Here { name: name("Me") });
    let expected = [answer, LocalOutput::Watch(id("ada")), ready("ada/1", Role::Caller)];
    assert_eq!(tab.hears("ada/1", hello(60)), expected);
}

#[test]
fn a_senior_newcomer_is_asked_to_answer_itself() {
    let mut tab = Tab::inside_with(&[]);
    assert_eq!(tab.hears("ada/1", hello(40)), [says(Some("ada/1"), my_hello())]);
    let outputs = tab.overhears("ada/1", "me/1", here());
    assert_eq!(outputs, [LocalOutput::Watch(id("ada")), ready("ada/1", Role::Callee)]);
}

#[test]
fn a_newcomer_that_is_asked_to_answer_does() {
    let mut tab = Tab::asking();
    let outputs = tab.overhears("ada/1", "me/1", hello(60));
    assert_welcome(&outputs[0]);
    assert_eq!(outputs[1], says(Some("ada/1"), BusBody::Here { name: name("Me") }));
    assert_eq!(outputs[3], ready("ada/1", Role::Caller));
}

#[test]
fn a_hello_that_comes_again_pairs_once() {
    let mut tab = Tab::inside_with(&["ada/1"]);
    assert_eq!(tab.hears("ada/1", hello(99)), []);
    assert_eq!(tab.overhears("ada/1", "me/1", hello(99)), []);
}

#[test]
fn a_full_room_turns_newcomers_away() {
    let mut tab = Tab::inside_with(&["ada/1", "bob/1"]);
    assert_eq!(tab.hears("eve/1", hello(99)), [says(Some("eve/1"), BusBody::Full)]);
    assert_eq!(tab.hears("eve/2", hello(1)), [says(Some("eve/2"), BusBody::Full)], "seniors as well");
}

#[test]
fn a_newcomer_that_is_turned_away_says_goodbye_to_those_who_may_have_let_it_in() {
    let mut tab = Tab::asking();
    let outputs = tab.overhears("ada/1", "me/1", BusBody::Full);
    assert_eq!(outputs[..2], [says(None, BusBody::Bye), LocalOutput::Exit]);
    assert_refused(&outputs, ErrorCode::RoomFull);
    assert_eq!(tab.overhears("bob/1", "me/1", here()), [], "too late");
    assert_eq!(tab.0.deadline(), None);
}

#[test]
fn the_first_answer_decides_whether_one_is_in() {
    let mut tab = Tab::asking();
    tab.overhears("ada/1", "me/1", here());
    assert_eq!(tab.overhears("bob/1", "me/1", BusBody::Full), []);
}

#[test]
fn one_is_in_one_room_at_a_time() {
    assert_refused(&Tab::asking().client(ClientMessage::Join(join())), ErrorCode::AlreadyJoined);
    assert_refused(&Tab::inside_with(&[]).client(ClientMessage::Join(join())), ErrorCode::AlreadyJoined);
}

// Going.

#[test]
fn leaving_is_said_to_all() {
    let mut tab = Tab::inside_with(&["ada/1"]);
    assert_eq!(tab.client(ClientMessage::Leave), [says(None, BusBody::Bye), LocalOutput::Exit]);
    assert_eq!(tab.client(ClientMessage::Leave), [], "once");
    assert_eq!(tab.hears("bob/1", hello(99)), [], "it hears no bus any more");
}

#[test]
fn a_join_that_is_taken_back_is_answered_all_the_same() {
    let outputs = Tab::asking().client(ClientMessage::Leave);
    assert_welcome(&outputs[0]);
    assert_eq!(outputs[1..], [says(None, BusBody::Bye), LocalOutput::Exit]);
}

#[test]
fn a_goodbye_ends_the_pair() {
    let mut tab = Tab::inside_with(&["ada/1"]);
    assert_eq!(tab.hears("ada/1", BusBody::Bye), [left("ada/1", LeaveReason::Left)]);
    assert_eq!(tab.hears("ada/1", BusBody::Bye), []);
}

#[test]
fn the_goodbye_of_a_stranger_means_nothing() {
    assert_eq!(Tab::inside_with(&["ada/1"]).hears("eve/1", BusBody::Bye), []);
}

#[test]
fn a_tab_that_is_gone_without_a_goodbye_is_lost() {
    let mut tab = Tab::inside_with(&["ada/1", "bob/2"]);
    assert_eq!(tab.handle(START, LocalInput::Gone(id("bob"))), [left("bob/2", LeaveReason::Left)]);
    assert_eq!(tab.handle(START, LocalInput::Gone(id("bob"))), []);
    assert_eq!(tab.handle(START, LocalInput::Gone(id("eve"))), []);
}

#[test]
fn the_place_of_one_who_left_is_free_again() {
    let mut tab = Tab::inside_with(&["ada/1", "bob/1"]);
    tab.hears("ada/1", BusBody::Bye);
    assert_eq!(tab.hears("eve/1", hello(99)).last(), Some(&ready("eve/1", Role::Caller)));
}

#[test]
fn each_stay_goes_by_an_id_of_its_own() {
    let mut tab = Tab::inside_with(&[]);
    tab.client(ClientMessage::Leave);
    let outputs = tab.client(ClientMessage::Join(join()));
    assert_eq!(outputs[1], LocalOutput::Say(Bus { from: id("me/2"), to: None, body: my_hello() }));
    assert_eq!(tab.overhears("ada/1", "me/1", here()), [], "that was for the stay before");
    assert_eq!(tab.overhears("ada/1", "me/2", here()).last(), Some(&ready("ada/1", Role::Callee)));
}

// Passing on.

#[test]
fn what_is_for_a_peer_goes_to_that_peer() {
    let mut tab = Tab::inside_with(&["ada/1", "bob/1"]);
    assert_eq!(tab.client(to_peer(Some("bob/1"))), [says(Some("bob/1"), relayed("me/1"))]);
}

#[test]
fn with_one_other_there_is_no_need_to_say_whom_it_is_for() {
    let mut tab = Tab::inside_with(&["ada/1"]);
    assert_eq!(tab.client(to_peer(None)), [says(Some("ada/1"), relayed("me/1"))]);
}

#[test]
fn with_several_others_it_must_be_said() {
    let mut tab = Tab::inside_with(&["ada/1", "bob/1"]);
    assert_refused(&tab.client(to_peer(None)), ErrorCode::AmbiguousRecipient);
}

#[test]
fn what_is_for_nobody_is_refused() {
    assert_refused(&Tab::inside_with(&[]).client(to_peer(None)), ErrorCode::NoRecipient);
    assert_refused(&Tab::inside_with(&["ada/1"]).client(to_peer(Some("eve/1"))), ErrorCode::NoRecipient);
    let candidate = ClientMessage::Candidate(Trickle { candidate: Candidate::end(), to: Some(id("ada/1")) });
    assert_refused(&Tab::outside().client(candidate), ErrorCode::NoRecipient);
}

#[test]
fn what_a_peer_says_reaches_the_session() {
    let mut tab = Tab::inside_with(&["ada/1"]);
    let BusBody::Relay(message) = relayed("ada/1") else { unreachable!() };
    assert_eq!(tab.overhears("ada/1", "me/1", relayed("ada/1")), [LocalOutput::Client(message)]);
}

#[test]
fn nothing_is_passed_on_from_strangers() {
    let mut tab = Tab::inside_with(&["ada/1"]);
    assert_eq!(tab.overhears("eve/1", "me/1", relayed("eve/1")), []);
    tab.hears("ada/1", BusBody::Bye);
    assert_eq!(tab.overhears("ada/1", "me/1", relayed("ada/1")), []);
}

#[test]
fn what_is_for_others_is_not_listened_to() {
    for body in [here(), BusBody::Full, hello(99), relayed("ada/1")] {
        assert_eq!(Tab::asking().overhears("ada/1", "bob/1", body), []);
    }
    assert_eq!(Tab::inside_with(&["ada/1"]).overhears("ada/1", "bob/1", relayed("ada/1")), []);
}

#[test]
fn nobody_listens_to_themselves() {
    for body in [here(), BusBody::Full, hello(99)] {
        assert_eq!(Tab::asking().hears("me/1", body), []);
    }
}

#[test]
fn outside_a_room_nothing_is_heard() {
    for body in [here(), BusBody::Full, BusBody::Bye, hello(99), relayed("ada/1")] {
        assert_eq!(Tab::outside().hears("ada/1", body), []);
    }
}

#[test]
fn it_answers_pings_and_keeps_no_sessions() {
    let mut tab = Tab::outside();
    assert_eq!(tab.client(ClientMessage::Ping(Ping::default())), [LocalOutput::Client(ServerMessage::Pong)]);
    let resume = ClientMessage::Resume(Resume { session: SessionToken::new("token").unwrap(), seq: 1 });
    assert_refused(&tab.client(resume), ErrorCode::SessionUnknown);
}

// Several tabs.

/// A tab with its session, as an application would see it.
struct Seat {
    session: Session,
    room: LocalRoom,
    on_the_bus: bool,
    /// What it has said and the bus has not taken up yet.
    said: VecDeque<Bus>,
    /// What is under way to it, and from which tab.
    queue: Vec<(usize, Bus)>,
    wants_in: bool,
    me: Option<PeerId>,
    peers: Vec<(PeerId, Role)>,
    rejected: bool,
    offers: usize,
}

/// One thing that can happen to the tab of this number.
enum Step {
    Leave(usize),
    Join(usize),
    /// The bus takes up its next word.
    Post(usize),
    /// It hears the word at this place of its queue.
    Deliver(usize, usize),
    /// Its wait is over.
    TimeOut(usize),
}

/// Several tabs and the bus between them. A tab hears what the bus takes up while it listens, the words of each other
/// tab in their order.
struct Tabs {
    seats: Vec<Seat>,
    now: Instant,
}

impl Tabs {
    fn new(seniorities: &[u64], size: usize) -> Self {
        let mut tabs = Self { seats: Vec::new(), now: START };
        for (index, seniority) in seniorities.iter().enumerate() {
            tabs.seats.push(Seat {
                session: Session::new(START, Timing::default()),
                room: local_room(&format!("tab{index}"), *seniority, size),
                on_the_bus: false,
                said: VecDeque::new(),
                queue: Vec::new(),
                wants_in: false,
                me: None,
                peers: Vec::new(),
                rejected: false,
                offers: 0,
            });
            tabs.tell(index, SessionInput::Opened);
        }
        tabs
    }

    fn join(&mut self, index: usize) {
        self.seats[index].wants_in = true;
        self.seats[index].rejected = false;
        self.tell(index, SessionInput::Join(join()));
    }

    fn leave(&mut self, index: usize) {
        let seat = &mut self.seats[index];
        (seat.wants_in, seat.me) = (false, None);
        seat.peers.clear();
        self.tell(index, SessionInput::Leave);
    }

    fn tell(&mut self, index: usize, input: SessionInput) {
        self.seats[index].session.handle(self.now, input);
        while let Some(output) = self.seats[index].session.poll() {
            match output {
                SessionOutput::Transmit(message) => self.handle(index, LocalInput::Client(message)),
                SessionOutput::Event(event) => self.event(index, event),
                SessionOutput::Open => {}
                SessionOutput::Close => panic!("closed"),
            }
        }
    }

    fn event(&mut self, index: usize, event: SessionEvent) {
        let seat = &mut self.seats[index];
        match event {
            SessionEvent::Joined { id, .. } => seat.me = Some(id),
            SessionEvent::PeerJoined { peer, role } => {
                seat.peers.push((peer.id.clone(), role));
                if role == Role::Caller {
                    let description = offer(&format!("{} calls {}", seat.me.as_ref().unwrap(), peer.id));
                    let signal = Signal::Description { description, negotiation: Some(1) };
                    self.tell(index, SessionInput::Send(peer.id, signal));
                }
            }
            SessionEvent::PeerLeft { peer, .. } => seat.peers.retain(|(known, _)| *known != peer),
            SessionEvent::Signal { from, signal: Signal::Description { description, .. } } => {
                let expected = format!("{from} calls {}", seat.me.as_ref().unwrap());
                assert_eq!(description.sdp, expected, "an offer for another stay");
                seat.offers += 1;
            }
            SessionEvent::Rejected(_) => seat.rejected = true,
            SessionEvent::Reached => {}
            other => panic!("{other:?}"),
        }
    }

    fn handle(&mut self, index: usize, input: LocalInput) {
        self.seats[index].room.handle(self.now, input);
        while let Some(output) = self.seats[index].room.poll() {
            match output {
                LocalOutput::Enter(_) => self.seats[index].on_the_bus = true,
                LocalOutput::Exit => {
                    self.seats[index].on_the_bus = false;
                    self.seats[index].queue.clear();
                }
                LocalOutput::Say(said) => self.seats[index].said.push_back(said),
                LocalOutput::Client(message) => self.tell(index, SessionInput::Received(message.into())),
                LocalOutput::Watch(tab) => {
                    assert!(
                        self.seats.iter().enumerate().any(|(index, _)| id(&format!("tab{index}")) == tab)
                    );
                }
            }
        }
    }

    fn post(&mut self, index: usize) {
        let said = self.seats[index].said.pop_front().unwrap();
        for (hearer, seat) in self.seats.iter_mut().enumerate() {
            if hearer != index && seat.on_the_bus {
                seat.queue.push((index, said.clone()));
            }
        }
    }

    fn deliver(&mut self, index: usize, place: usize) {
        let (_, said) = self.seats[index].queue.remove(place);
        self.handle(index, LocalInput::Bus(said));
    }

    fn time_out(&mut self, index: usize) {
        self.now = self.now.max(self.seats[index].room.deadline().unwrap());
        self.handle(index, LocalInput::Timeout);
        assert_eq!(self.seats[index].room.deadline(), None);
    }

    /// Lets `choice` pick one of the things that can happen next.
    fn step(&mut self, choice: usize) {
        let mut possible = Vec::new();
        for (index, seat) in self.seats.iter().enumerate() {
            let stays = seat.wants_in && !seat.rejected;
            possible.push(if stays { Step::Leave(index) } else { Step::Join(index) });
            if !seat.said.is_empty() {
                possible.push(Step::Post(index));
            }
            for (place, (from, _)) in seat.queue.iter().enumerate() {
                if seat.queue[..place].iter().all(|(earlier, _)| earlier != from) {
                    possible.push(Step::Deliver(index, place));
                }
            }
            if seat.room.deadline().is_some() {
                possible.push(Step::TimeOut(index));
            }
        }
        match possible[choice % possible.len()] {
            Step::Leave(index) => self.leave(index),
            Step::Join(index) => self.join(index),
            Step::Post(index) => self.post(index),
            Step::Deliver(index, place) => self.deliver(index, place),
            Step::TimeOut(index) => self.time_out(index),
        }
    }

    /// Lets everything under way arrive, and then the waits end.
    fn settle(&mut self) {
        loop {
            let seats = || self.seats.iter();
            if let Some(index) = seats().position(|seat| !seat.said.is_empty()) {
                self.post(index);
            } else if let Some(index) = seats().position(|seat| !seat.queue.is_empty()) {
                self.deliver(index, 0);
            } else if let Some(index) = seats().position(|seat| seat.room.deadline().is_some()) {
                self.time_out(index);
            } else {
                break;
            }
        }
    }

    /// What is wrong with how things stand: everyone who is in must agree with every peer on who calls whom.
    fn disagreement(&self) -> Option<String> {
        for (index, seat) in self.seats.iter().enumerate() {
            if seat.wants_in != (seat.me.is_some() || seat.rejected) {
                return Some(format!("tab {index} waits forever"));
            }
            for (peer, role) in &seat.peers {
                let other = self.seats.iter().find(|other| other.me.as_ref() == Some(peer));
                let Some(other) = other else {
                    return Some(format!("tab {index} is paired with nobody: {peer}"));
                };
                let theirs = other.peers.iter().find(|(known, _)| Some(known) == seat.me.as_ref());
                match theirs {
                    None => return Some(format!("{peer} does not know of tab {index}")),
                    Some((_, theirs)) if theirs == role => {
                        return Some(format!("tab {index}: both are {role:?}"));
                    }
                    Some(_) => {}
                }
            }
        }
        None
    }

    fn inside(&self) -> usize {
        self.seats.iter().filter(|seat| seat.me.is_some()).count()
    }
}

#[test]
fn the_one_who_was_there_calls_the_one_who_comes() {
    let mut tabs = Tabs::new(&[1, 2], 8);
    tabs.join(0);
    tabs.settle();
    tabs.join(1);
    tabs.settle();
    assert_eq!(tabs.seats[0].peers, [(id("tab1/1"), Role::Caller)]);
    assert_eq!(tabs.seats[1].peers, [(id("tab0/1"), Role::Callee)]);
    assert_eq!(tabs.seats[1].offers, 1);
}

#[test]
fn two_that_come_at_once_meet() {
    for seniorities in [[1, 2], [2, 1], [1, 1]] {
        let mut tabs = Tabs::new(&seniorities, 8);
        tabs.join(0);
        tabs.join(1);
        tabs.settle();
        assert_eq!(tabs.disagreement(), None);
        assert_eq!(tabs.seats[0].peers.len(), 1);
    }
}

#[test]
fn two_newcomers_agree_even_if_one_is_let_in_before_it_hears_the_other() {
    let mut tabs = Tabs::new(&[1, 2, 0], 8);
    tabs.join(2);
    tabs.settle();
    tabs.join(0);
    tabs.join(1);
    tabs.post(0);
    tabs.post(1);
    // Tab 2 hears tab 1 and answers it; only then does tab 1 hear tab 0.
    let hello_of_1 = tabs.seats[2].queue.iter().position(|(from, _)| *from == 1).unwrap();
    tabs.deliver(2, hello_of_1);
    tabs.post(2);
    tabs.deliver(1, 1);
    assert!(tabs.seats[1].me.is_some());
    tabs.settle();
    assert_eq!(tabs.disagreement(), None);
    assert!(tabs.seats.iter().all(|seat| seat.peers.len() == 2));
}

#[test]
fn a_senior_that_comes_while_a_junior_is_still_asking_is_met() {
    let mut tabs = Tabs::new(&[1, 2], 8);
    tabs.join(1);
    tabs.post(1);
    // Tab 0 was not there to hear that.
    tabs.join(0);
    tabs.settle();
    assert_eq!(tabs.disagreement(), None);
    assert_eq!(tabs.seats[0].peers.len(), 1);
}

#[test]
fn one_who_leaves_and_comes_back_at_once_is_let_in() {
    let mut tabs = Tabs::new(&[1, 2], 8);
    tabs.join(0);
    tabs.settle();
    tabs.join(1);
    tabs.post(1);
    tabs.leave(1);
    tabs.join(1);
    // Only now is the first hello heard.
    tabs.settle();
    assert_eq!(tabs.disagreement(), None);
    assert_eq!(tabs.seats[0].peers, [(id("tab1/2"), Role::Caller)]);
}

#[test]
fn one_too_many_is_turned_away_and_let_in_when_there_is_a_place() {
    let mut tabs = Tabs::new(&[1, 2, 3], 2);
    for index in 0..3 {
        tabs.join(index);
        tabs.settle();
    }
    assert!(tabs.seats[2].rejected && tabs.inside() == 2);
    tabs.leave(0);
    tabs.settle();
    tabs.join(2);
    tabs.settle();
    assert_eq!(tabs.disagreement(), None);
    assert_eq!(tabs.seats[2].peers, [(id("tab1/1"), Role::Callee)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// In whatever order tabs come and go and their words arrive, all who are in end as pairs with opposite roles, and
    /// nobody hears an offer that was made to an earlier stay.
    #[test]
    fn whatever_the_order_everyone_in_the_room_meets(
        seniorities in prop::collection::vec(0..3_u64, 2..=4),
        schedule in prop::collection::vec(any::<usize>(), 0..80),
    ) {
        let mut tabs = Tabs::new(&seniorities, 8);
        for choice in schedule {
            tabs.step(choice);
        }
        tabs.settle();
        prop_assert_eq!(tabs.disagreement(), None);
        let inside = tabs.inside();
        for seat in tabs.seats.iter().filter(|seat| seat.me.is_some()) {
            prop_assert_eq!(seat.peers.len(), inside - 1, "somebody did not meet");
        }
    }

    /// Where the room is too small for all, nobody is left waiting and no pair is left with one side only.
    #[test]
    fn whatever_the_order_a_full_room_leaves_no_half_pairs(
        seniorities in prop::collection::vec(0..3_u64, 3..=4),
        schedule in prop::collection::vec(any::<usize>(), 0..80),
    ) {
        let mut tabs = Tabs::new(&seniorities, 2);
        for choice in schedule {
            tabs.step(choice);
        }
        tabs.settle();
        prop_assert_eq!(tabs.disagreement(), None);
    }
}
