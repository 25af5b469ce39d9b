//! What the recovery of a connection promises, one promise a test. Time is whatever the test says it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_engine::{
    Cause, ConnectionState as State, Instant, LinkState, Recovery, RecoveryInput as Input,
    RecoveryOutput as Output, RecoveryTiming, Way,
};
use duologue_protocol::{LeaveReason, Role};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// The recovery of one connection and the clock it is told.
struct Watch {
    recovery: Recovery,
    now: Instant,
    /// How many bytes have arrived.
    bytes: u64,
}

impl Watch {
    fn new(role: Role) -> Self {
        let now = Instant::from_origin(1000 * SECOND);
        Self { recovery: Recovery::new(now, role, RecoveryTiming::default()), now, bytes: 0 }
    }

    /// Over a connection that is up.
    fn up() -> Self {
        let mut watch = Self::new(Role::Caller);
        watch.tell(Input::Agreed);
        assert_eq!(watch.tell(Input::Link(LinkState::Connected)), [Output::State(State::Connected)]);
        watch
    }

    /// Over one that is up, and over which something arrives each second.
    fn flowing() -> Self {
        let mut watch = Self::up();
        assert_eq!(watch.looks(5, 100), []);
        watch
    }

    /// Tells it, each second for so many seconds, that so many bytes more have arrived.
    fn looks(&mut self, times: u32, grows: u64) -> Vec<Output> {
        let mut all = Vec::new();
        for _ in 0..times {
            self.now = self.now + SECOND;
            self.bytes += grows;
            all.extend(self.tell(Input::Received(self.bytes)));
        }
        all
    }

    /// Over a connection that was up and has failed, with the first restart agreed on and under way.
    fn broken() -> Self {
        let mut watch = Self::up();
        let outputs = watch.tell(Input::Link(LinkState::Failed));
        assert_eq!(outputs, [Output::State(State::Reconnecting), Output::DoubtSignaling]);
        assert_eq!(watch.tell(Input::SignalingConfirmed), [Output::Restart]);
        watch.tell(Input::Agreed);
        watch
    }

    /// Over one for which everything was tried.
    fn given_up() -> Self {
        let mut watch = Self::broken();
        while !matches!(watch.recovery.state(), State::Failed(_)) {
            watch.waits();
        }
        watch
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.recovery.poll()).collect()
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.recovery.handle(self.now, input);
        self.drain()
    }

    fn pass(&mut self, time: Duration) -> Vec<Output> {
        self.now = self.now + time;
        self.tell(Input::Timeout)
    }

    /// Lets time pass until the next moment it asks for. The peer agrees to every restart.
    fn waits(&mut self) -> (Duration, Vec<Output>) {
        let wait = self.recovery.deadline().expect("it waits for something").since(self.now);
        let outputs = self.pass(wait);
        if outputs.contains(&Output::Restart) {
            self.tell(Input::Agreed);
        }
        (wait, outputs)
    }

    /// Lets so much time pass, and reports `grows` more bytes whenever it asks how many have arrived.
    fn passes_with_bytes(&mut self, time: Duration, grows: u64) -> Vec<Output> {
        let (end, mut bytes, mut all) = (self.now + time, 1000, Vec::new());
        while let Some(deadline) = self.recovery.deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            let mut outputs = self.tell(Input::Timeout);
            while outputs.contains(&Output::Measure) {
                outputs.retain(|output| *output != Output::Measure);
                bytes += grows;
                outputs.extend(self.tell(Input::Received(bytes)));
            }
            all.extend(outputs);
        }
        self.now = end;
        all
    }
}

#[test]
fn a_connection_that_comes_up_is_up() {
    let mut watch = Watch::new(Role::Callee);
    assert_eq!(watch.recovery.state(), State::Connecting);
    assert_eq!(watch.tell(Input::Link(LinkState::Connecting)), []);
    assert_eq!(watch.tell(Input::Link(LinkState::Connected)), [Output::State(State::Connected)]);
    assert_eq!(watch.recovery.deadline(), None, "there is nothing to wait for");
}

#[test]
fn as_long_as_bytes_arrive_a_disconnected_connection_is_up() {
    let mut watch = Watch::up();
    assert_eq!(watch.tell(Input::Link(LinkState::Disconnected)), [Output::Measure]);
    assert_eq!(watch.passes_with_bytes(60 * SECOND, 1), []);
    assert_eq!(watch.recovery.state(), State::Connected);
}

#[test]
fn one_second_without_bytes_is_told_and_two_are_repaired() {
    let mut watch = Watch::up();
    watch.tell(Input::Link(LinkState::Disconnected));
    assert_eq!(watch.passes_with_bytes(SECOND * 9 / 10, 0), []);
    let told = [Output::State(State::Reconnecting), Output::DoubtSignaling];
    assert_eq!(watch.passes_with_bytes(SECOND / 10, 0), told);
    assert_eq!(watch.tell(Input::SignalingConfirmed), []);
    assert_eq!(watch.passes_with_bytes(SECOND, 0), [Output::Restart]);
}

#[test]
fn no_repair_begins_before_the_server_is_known_to_be_reachable_or_does_not_say() {
    let mut watch = Watch::up();
    watch.tell(Input::Link(LinkState::Disconnected));
    assert_eq!(watch.passes_with_bytes(SECOND * 9 / 10, 0), []);
    let told = [Output::State(State::Reconnecting), Output::DoubtSignaling];
    assert_eq!(watch.passes_with_bytes(SECOND / 10, 0), told);
    assert_eq!(watch.passes_with_bytes(SECOND, 0), [Output::DoubtSignaling]);
    assert_eq!(watch.passes_with_bytes(SECOND * 5 / 2, 0), [Output::Restart]);
    let mut cut = Watch::up();
    cut.tell(Input::Link(LinkState::Failed));
    cut.tell(Input::Way(Way::Cut));
    assert_eq!(cut.passes_with_bytes(30 * SECOND, 0), []);
    assert_eq!(cut.tell(Input::Way(Way::Open)), [Output::Restart]);
}

#[test]
fn a_connection_that_comes_back_by_itself_is_not_repaired() {
    let mut watch = Watch::up();
    watch.tell(Input::Link(LinkState::Disconnected));
    watch.passes_with_bytes(SECOND * 3 / 2, 0);
    assert_eq!(watch.tell(Input::Link(LinkState::Connected)), [Output::State(State::Connected)]);
    assert_eq!(watch.pass(60 * SECOND), []);
}

#[test]
fn bytes_that_arrive_again_count_whatever_the_state_says() {
    let mut watch = Watch::up();
    watch.tell(Input::Link(LinkState::Disconnected));
    watch.passes_with_bytes(SECOND * 3 / 2, 0);
    assert_eq!(watch.recovery.state(), State::Reconnecting);
    assert_eq!(watch.tell(Input::Received(5000)), [Output::State(State::Connected)]);
}

#[test]
fn what_the_peer_has_restarted_gets_its_chance_before_we_do() {
    let mut waiting = Watch::up();
    waiting.tell(Input::Link(LinkState::Failed));
    waiting.tell(Input::Agreed);
    assert_eq!(waiting.tell(Input::SignalingConfirmed), []);
    assert_eq!(waiting.passes_with_bytes(2 * SECOND, 0), []);
    assert_eq!(waiting.passes_with_bytes(SECOND, 0), [Output::Restart]);
    let mut doubtful = Watch::up();
    doubtful.tell(Input::Link(LinkState::Disconnected));
    doubtful.passes_with_bytes(SECOND * 3 / 2, 0);
    doubtful.tell(Input::SignalingConfirmed);
    doubtful.tell(Input::Agreed);
    assert_eq!(doubtful.passes_with_bytes(SECOND, 0), []);
    assert_eq!(doubtful.passes_with_bytes(SECOND, 0), [Output::Restart]);
}

#[test]
fn the_callee_leaves_the_first_try_to_the_caller() {
    let mut callee = Watch::new(Role::Callee);
    callee.tell(Input::Agreed);
    callee.tell(Input::Link(LinkState::Connected));
    callee.tell(Input::Link(LinkState::Disconnected));
    assert!(!callee.passes_with_bytes(3 * SECOND, 0).contains(&Output::Restart));
    callee.tell(Input::SignalingConfirmed);
    assert!(callee.passes_with_bytes(SECOND / 2, 0).contains(&Output::Restart));
}

#[test]
fn a_connection_that_does_not_come_up_in_twelve_seconds_is_repaired() {
    let mut watch = Watch::new(Role::Caller);
    assert_eq!(watch.pass(11 * SECOND), []);
    assert_eq!(watch.pass(SECOND), [Output::DoubtSignaling]);
    assert_eq!(watch.tell(Input::SignalingConfirmed), [Output::Restart]);
    assert_eq!(watch.recovery.state(), State::Connecting, "it has not been up yet");
}

#[test]
fn a_failed_connection_is_repaired_at_once() {
    let mut watch = Watch::new(Role::Caller);
    assert_eq!(watch.tell(Input::Link(LinkState::Failed)), [Output::DoubtSignaling]);
    assert_eq!(watch.tell(Input::SignalingConfirmed), [Output::Restart]);
    Watch::broken();
}

#[test]
fn there_are_five_tries_with_growing_pauses_and_then_it_has_failed() {
    let mut watch = Watch::broken();
    let mut pauses = Vec::new();
    loop {
        let (pause, outputs) = watch.waits();
        pauses.push(pause.as_secs());
        if outputs != [Output::Restart] {
            assert_eq!(outputs, [Output::State(State::Failed(Cause::NoPath))]);
            break;
        }
    }
    assert_eq!(pauses, [8, 12, 16, 20, 24]);
    assert_eq!(watch.recovery.deadline(), None);
}

#[test]
fn a_restart_that_fails_early_is_followed_by_the_next_two_seconds_later() {
    let mut watch = Watch::broken();
    watch.pass(SECOND);
    watch.tell(Input::Link(LinkState::Connecting));
    assert_eq!(watch.tell(Input::Link(LinkState::Failed)), []);
    assert_eq!(watch.waits(), (2 * SECOND, vec![Output::Restart]));
}

#[test]
fn a_peer_that_never_answers_is_told_apart_from_a_network_with_no_way_through() {
    let mut watch = Watch::new(Role::Caller);
    watch.tell(Input::Link(LinkState::Failed));
    while watch.recovery.deadline().is_some() {
        watch.pass(24 * SECOND);
    }
    assert_eq!(watch.recovery.state(), State::Failed(Cause::NoAnswer));
}

#[test]
fn what_has_failed_may_still_come_up() {
    let mut watch = Watch::given_up();
    let outputs = watch.tell(Input::Link(LinkState::Connected));
    assert_eq!(outputs, [Output::State(State::Connected), Output::Measure]);
}

#[test]
fn a_repaired_connection_is_believed_when_bytes_arrive_and_restarted_when_none_do() {
    let mut watch = Watch::broken();
    watch.tell(Input::Link(LinkState::Connected));
    assert_eq!(watch.passes_with_bytes(10 * SECOND, 1), []);
    assert_eq!(watch.recovery.deadline(), None);
    let mut silent = Watch::broken();
    silent.tell(Input::Link(LinkState::Connected));
    for _ in 0..3 {
        assert_eq!(silent.passes_with_bytes(2 * SECOND, 0), [Output::Restart]);
        silent.tell(Input::Agreed);
    }
    assert_eq!(silent.passes_with_bytes(60 * SECOND, 0), [], "perhaps nothing is sent");
    assert_eq!(silent.recovery.state(), State::Connected);
}

#[test]
fn a_restart_that_the_peer_has_not_heard_of_is_not_made_twice() {
    let mut watch = Watch::up();
    watch.tell(Input::Link(LinkState::Failed));
    assert_eq!(watch.tell(Input::SignalingConfirmed), [Output::Restart]);
    assert_eq!(watch.passes_with_bytes(30 * SECOND, 0), []);
    watch.tell(Input::Way(Way::Away));
    assert_eq!(watch.tell(Input::Way(Way::Open)), [], "it is said again by itself");
    assert_eq!(watch.tell(Input::Retry), [Output::Restart], "unless a person asks");
}

#[test]
fn a_new_network_a_new_way_or_a_person_begins_again() {
    for input in [Input::NetworkChanged, Input::Way(Way::Open), Input::Retry] {
        let mut watch = Watch::given_up();
        assert_eq!(watch.tell(input), [Output::State(State::Reconnecting), Output::Restart], "{input:?}");
        assert_eq!(watch.waits().0, 8 * SECOND, "with all its tries");
    }
}

#[test]
fn without_a_way_to_the_peer_nothing_is_tried_and_no_try_is_lost() {
    for way in [Way::Cut, Way::Away] {
        let mut watch = Watch::up();
        watch.tell(Input::Way(way));
        let outputs = watch.tell(Input::Link(LinkState::Failed));
        assert_eq!(outputs, [Output::State(State::Reconnecting)]);
        assert_eq!(watch.pass(30 * SECOND), []);
        assert_eq!(watch.tell(Input::Way(Way::Open)), [Output::Restart]);
        watch.tell(Input::Agreed);
        assert_eq!(watch.waits(), (8 * SECOND, vec![Output::Restart]));
    }
}

#[test]
fn a_minute_without_a_way_is_a_failure_that_says_whose_network_it_is() {
    for (way, cause) in [(Way::Cut, Cause::Offline), (Way::Away, Cause::PeerAway)] {
        let mut watch = Watch::broken();
        watch.tell(Input::Way(way));
        watch.waits();
        assert_eq!(watch.pass(60 * SECOND), [Output::State(State::Failed(cause))]);
        assert_eq!(watch.tell(Input::Way(Way::Open)), [Output::State(State::Reconnecting), Output::Restart]);
    }
}

#[test]
fn a_call_that_is_up_outlives_the_signaling() {
    for way in [Way::Cut, Way::Away, Way::Lost] {
        let mut watch = Watch::up();
        assert_eq!(watch.tell(Input::Way(way)), []);
        assert_eq!(watch.pass(3600 * SECOND), []);
        assert_eq!(watch.recovery.state(), State::Connected);
    }
}

#[test]
fn a_call_whose_signaling_is_lost_ends_when_its_connection_does() {
    let mut watch = Watch::up();
    watch.tell(Input::Way(Way::Lost));
    watch.tell(Input::Link(LinkState::Disconnected));
    let outputs = watch.passes_with_bytes(2 * SECOND, 0);
    assert_eq!(outputs.last(), Some(&Output::End(LeaveReason::Lost)));
}

#[test]
fn a_peer_who_is_lost_while_the_connection_is_down_is_gone() {
    let mut connecting = Watch::new(Role::Callee);
    assert_eq!(connecting.tell(Input::Way(Way::Lost)), [Output::End(LeaveReason::Lost)]);
    let mut broken = Watch::broken();
    assert_eq!(broken.tell(Input::Way(Way::Lost)), [Output::End(LeaveReason::Lost)]);
    let mut given_up = Watch::given_up();
    assert_eq!(given_up.tell(Input::Way(Way::Lost)), [Output::End(LeaveReason::Lost)]);
}

#[test]
fn a_connection_that_the_other_side_closes_is_over() {
    assert_eq!(Watch::up().tell(Input::Closed), [Output::End(LeaveReason::Left)]);
}

#[test]
fn the_browser_closing_what_is_broken_is_no_goodbye() {
    assert_eq!(Watch::broken().tell(Input::Closed), []);
}

#[test]
fn another_network_restarts_what_is_up_without_a_word() {
    assert_eq!(Watch::up().tell(Input::NetworkChanged), [Output::Restart]);
}

#[test]
fn after_an_interruption_of_our_own_signaling_the_connection_is_looked_at() {
    let mut watch = Watch::up();
    watch.tell(Input::Way(Way::Cut));
    assert_eq!(watch.tell(Input::Way(Way::Open)), [Output::Measure]);
    let outputs = watch.passes_with_bytes(10 * SECOND, 1);
    assert_eq!(outputs, [], "bytes arrive: all is well");
    assert_eq!(watch.recovery.deadline(), None);
    // The browser has not noticed yet that nothing arrives.
    watch.tell(Input::Way(Way::Cut));
    watch.tell(Input::Way(Way::Open));
    assert_eq!(watch.passes_with_bytes(2 * SECOND, 0), [Output::Restart]);
    assert_eq!(watch.recovery.state(), State::Connected, "which is no reason to alarm anyone");
}

#[test]
fn when_what_has_flowed_stops_the_server_is_asked_whether_it_is_there_and_nothing_else_is_done() {
    let mut watch = Watch::flowing();
    assert_eq!(watch.looks(1, 0), [], "one look may be a moment early");
    assert_eq!(watch.looks(1, 0), [Output::DoubtSignaling]);
    // It is: the other side has only turned off camera and microphone.
    assert_eq!(watch.tell(Input::SignalingConfirmed), []);
    assert_eq!(watch.looks(3600, 0), []);
    assert_eq!((watch.recovery.state(), watch.recovery.deadline()), (State::Connected, None));
    assert_eq!(watch.looks(4, 100), []);
    assert_eq!(watch.looks(2, 0), [Output::DoubtSignaling], "another time is another time");
}

#[test]
fn what_keeps_a_silent_connection_alive_is_no_flow() {
    let mut watch = Watch::up();
    for _ in 0..100 {
        assert_eq!(watch.looks(2, 100), []);
        assert_eq!(watch.looks(4, 0), []);
    }
}

#[test]
fn after_what_has_flowed_has_stopped_a_new_way_is_used_at_once() {
    let mut watch = Watch::flowing();
    watch.looks(2, 0);
    assert_eq!(watch.tell(Input::Way(Way::Cut)), []);
    assert_eq!(watch.tell(Input::Way(Way::Open)), [Output::Measure]);
    assert_eq!(watch.passes_with_bytes(SECOND / 4, 0), [Output::Restart]);
    // Unless all is well.
    let mut well = Watch::flowing();
    well.looks(2, 0);
    well.tell(Input::Way(Way::Cut));
    well.looks(1, 100);
    assert_eq!(well.tell(Input::Way(Way::Open)), [Output::Measure]);
    assert_eq!(well.passes_with_bytes(SECOND * 10, 1), []);
    assert_eq!(well.recovery.deadline(), None);
}

#[test]
fn what_was_seen_to_stop_need_not_be_quiet_anew_when_the_browser_notices() {
    let mut watch = Watch::flowing();
    watch.looks(4, 0);
    assert_eq!(watch.tell(Input::Link(LinkState::Disconnected)), [Output::Measure]);
    let told = [Output::State(State::Reconnecting), Output::DoubtSignaling];
    assert_eq!(watch.passes_with_bytes(SECOND / 4, 0), told);
    assert_eq!(watch.tell(Input::SignalingConfirmed), [Output::Restart]);
}

#[test]
fn what_stopped_before_a_repair_is_not_held_against_what_was_repaired() {
    let mut watch = Watch::flowing();
    watch.looks(3, 0);
    watch.tell(Input::Link(LinkState::Failed));
    assert_eq!(watch.tell(Input::SignalingConfirmed), [Output::Restart]);
    watch.tell(Input::Agreed);
    assert_eq!(
        watch.tell(Input::Link(LinkState::Connected)),
        [Output::State(State::Connected), Output::Measure]
    );
    assert_eq!(watch.passes_with_bytes(SECOND * 19 / 10, 0), []);
}

#[test]
fn without_a_way_to_the_server_it_is_not_asked() {
    let mut watch = Watch::flowing();
    watch.tell(Input::Way(Way::Cut));
    assert_eq!(watch.looks(10, 0), []);
}

#[test]
fn after_the_end_nothing_happens() {
    let mut watch = Watch::up();
    watch.tell(Input::Closed);
    for input in [Input::Link(LinkState::Failed), Input::Retry, Input::Way(Way::Lost), Input::NetworkChanged]
    {
        assert_eq!(watch.tell(input), [], "{input:?}");
    }
    assert_eq!(watch.recovery.deadline(), None);
}

fn anything() -> impl Strategy<Value = Input> {
    let link = prop::sample::select(vec![
        LinkState::Connecting,
        LinkState::Connected,
        LinkState::Disconnected,
        LinkState::Failed,
    ]);
    let way = prop::sample::select(vec![Way::Open, Way::Cut, Way::Away]);
    prop_oneof![
        link.prop_map(Input::Link),
        way.prop_map(Input::Way),
        (0..4_u64).prop_map(Input::Received),
        Just(Input::Agreed),
        Just(Input::NetworkChanged),
        Just(Input::Retry),
        Just(Input::Timeout),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever has happened, a connection that then stays down has failed in the end, and says so.
    #[test]
    fn nobody_waits_for_ever(
        happenings in prop::collection::vec((anything(), 0..20_000_u64), 0..60),
    ) {
        let mut watch = Watch::up();
        for (input, millis) in happenings {
            watch.now = watch.now + Duration::from_millis(millis);
            watch.tell(input);
        }
        // From here on nothing happens but time.
        watch.tell(Input::Link(LinkState::Disconnected));
        for _ in 0..400 {
            let Some(deadline) = watch.recovery.deadline() else { break };
            watch.now = watch.now.max(deadline);
            watch.tell(Input::Timeout);
        }
        prop_assert!(matches!(watch.recovery.state(), State::Failed(_)), "{:?}", watch.recovery);
    }
}
