//! What a negotiator promises, one promise a test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_engine::{
    Failure, Negotiation, Negotiator, NegotiatorInput as Input, NegotiatorOutput as Output, Operation, Party,
    Signal, SignalingState,
};
use duologue_protocol::{Candidate, Description, Role, SdpType};

/// One side of a pair: what it is told, and what it asks for in reply.
struct Side(Negotiator);

impl Side {
    fn caller() -> Self {
        Self(Negotiator::new(Role::Caller, 0))
    }

    fn callee() -> Self {
        Self(Negotiator::new(Role::Callee, 0))
    }

    /// A caller whose offer 1 is with the peer.
    fn caller_with_offer_out() -> Self {
        let mut side = Self::caller();
        side.needed();
        side.completed(Some(offer("local1")));
        side
    }

    /// A caller after a first exchange: its own generation is `local1`, the peer's `remote1`.
    fn agreed_caller() -> Self {
        let mut side = Self::caller_with_offer_out();
        side.hears(sent(answer("remote1"), 1));
        side.completed(None);
        side
    }

    /// A callee after a first exchange: its own generation is `local1`, the peer's `remote1`.
    fn agreed_callee() -> Self {
        let mut side = Self::callee();
        side.hears(sent(offer("remote1"), 1));
        side.completed(None);
        side.completed(Some(answer("local1")));
        side
    }

    /// The same, with its offer 1, of the generation `local2`, with the peer.
    fn callee_with_offer_out() -> Self {
        let mut side = Self::agreed_callee();
        side.needed();
        side.completed(Some(offer("local2")));
        side
    }

    fn handle(&mut self, input: Input) -> Vec<Output> {
        self.0.handle(input);
        std::iter::from_fn(|| self.0.poll()).collect()
    }

    fn needed(&mut self) -> Vec<Output> {
        self.handle(Input::NegotiationNeeded)
    }

    fn hears(&mut self, signal: Signal) -> Vec<Output> {
        self.handle(Input::Remote(signal))
    }

    fn completed(&mut self, description: Option<Description>) -> Vec<Output> {
        self.handle(Input::Completed(description))
    }

    fn fails(&mut self, state: SignalingState) -> Vec<Output> {
        self.handle(Input::Failed(failure(state)))
    }

    fn gathers(&mut self, candidate: Candidate) -> Vec<Output> {
        self.handle(Input::LocalCandidate(candidate))
    }

    /// Goes through an exchange that the peer begins, and gives what comes at its end.
    #[track_caller]
    fn answers(&mut self, signal: Signal) -> Vec<Output> {
        assert_eq!(self.hears(signal.clone()), [apply(&signal)]);
        assert_eq!(self.completed(None), [Output::Run(Operation::Answer)]);
        self.completed(Some(answer("answering")))
    }
}

fn sdp(ufrag: &str) -> String {
    format!("v=0\r\na=ice-ufrag:{ufrag}\r\n")
}

fn offer(ufrag: &str) -> Description {
    Description { kind: SdpType::Offer, sdp: sdp(ufrag) }
}

fn answer(ufrag: &str) -> Description {
    Description { kind: SdpType::Answer, sdp: sdp(ufrag) }
}

fn sent(description: Description, negotiation: u32) -> Signal {
    Signal::Description { description, negotiation: Some(negotiation) }
}

/// What a page sends that knows no ids.
fn plain(description: Description) -> Signal {
    Signal::Description { description, negotiation: None }
}

fn candidate(number: usize, ufrag: &str) -> Candidate {
    Candidate { username_fragment: Some(ufrag.to_owned()), ..unnamed(number) }
}

fn unnamed(number: usize) -> Candidate {
    Candidate { candidate: format!("candidate:{number}"), ..Candidate::default() }
}

fn end_of(ufrag: &str) -> Candidate {
    Candidate { username_fragment: Some(ufrag.to_owned()), ..Candidate::end() }
}

fn trickled(candidate: Candidate) -> Signal {
    Signal::Candidate(candidate)
}

fn says(candidate: Candidate) -> Output {
    Output::Send(Signal::Candidate(candidate))
}

fn apply(signal: &Signal) -> Output {
    let Signal::Description { description, .. } = signal else { panic!("{signal:?} cannot be applied") };
    Output::Run(Operation::Apply(description.clone()))
}

fn make_offer() -> Output {
    Output::Run(Operation::Offer)
}

fn roll_back(offer_of: Party) -> Output {
    Output::Run(Operation::Rollback { offer_of })
}

fn failure(state: SignalingState) -> Failure {
    Failure { state, message: "no".to_owned() }
}

fn given_up(state: SignalingState) -> Output {
    Output::GivenUp(failure(state))
}

fn agreed(offer_by: Party, id: impl Into<Option<u32>>) -> Output {
    Output::Agreed(Negotiation { offer_by, id: id.into() })
}

// Who offers, and when.

#[test]
fn the_caller_offers_when_negotiation_is_needed() {
    let mut caller = Side::caller();
    assert_eq!(caller.needed(), [make_offer()]);
    assert_eq!(caller.completed(Some(offer("a"))), [Output::Send(sent(offer("a"), 1))]);
}

#[test]
fn the_callee_does_not_make_the_first_offer() {
    let mut callee = Side::callee();
    assert_eq!(callee.needed(), []);
    assert!(callee.0.is_at_rest());
}

#[test]
fn the_callee_may_offer_after_the_first_exchange() {
    let mut callee = Side::agreed_callee();
    assert_eq!(callee.needed(), [make_offer()]);
}

#[test]
fn an_exchange_ends_in_agreement_on_both_sides() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(sent(answer("b"), 1));
    assert_eq!(caller.completed(None), [agreed(Party::Local, 1)]);

    let mut callee = Side::callee();
    let end = callee.answers(sent(offer("a"), 1));
    assert_eq!(end, [Output::Send(sent(answer("answering"), 1)), agreed(Party::Remote, 1)]);
    assert!(caller.0.is_at_rest() && callee.0.is_at_rest());
    assert_eq!(callee.0.agreed(), Some(Negotiation { offer_by: Party::Remote, id: Some(1) }));
}

#[test]
fn what_is_needed_while_an_answer_is_applied_is_negotiated_afterwards() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(sent(answer("b"), 1));
    assert_eq!(caller.needed(), []);
    assert!(!caller.0.is_at_rest());
    assert_eq!(caller.completed(None), [agreed(Party::Local, 1), make_offer()]);
}

#[test]
fn what_is_needed_while_an_answer_is_made_is_negotiated_afterwards() {
    let mut callee = Side::callee();
    callee.hears(sent(offer("a"), 1));
    callee.completed(None);
    assert_eq!(callee.needed(), []);
    let end = callee.completed(Some(answer("b")));
    assert_eq!(end, [Output::Send(sent(answer("b"), 1)), agreed(Party::Remote, 1), make_offer()]);
}

#[test]
fn what_is_needed_while_an_exchange_begins_is_left_to_the_browser_to_ask_again() {
    let mut caller = Side::caller();
    caller.needed();
    assert_eq!(caller.needed(), []);
    caller.completed(Some(offer("a")));
    assert_eq!(caller.needed(), []);
    caller.hears(sent(answer("b"), 1));
    assert_eq!(caller.completed(None), [agreed(Party::Local, 1)]);
}

// Candidates of the peer.

#[test]
fn candidates_that_come_before_their_description_are_held_and_then_added_in_order() {
    let mut callee = Side::callee();
    for number in 0..3 {
        assert_eq!(callee.hears(trickled(candidate(number, "a"))), []);
    }
    callee.hears(sent(offer("a"), 1));
    assert_eq!(callee.hears(trickled(candidate(3, "a"))), [], "the description is not applied yet");
    let mut expected: Vec<Output> =
        (0..4).map(|number| Output::AddCandidate(candidate(number, "a"))).collect();
    expected.push(Output::Run(Operation::Answer));
    assert_eq!(callee.completed(None), expected);
}

#[test]
fn candidates_that_come_before_the_answer_are_held_as_well() {
    let mut caller = Side::caller_with_offer_out();
    assert_eq!(caller.hears(trickled(candidate(0, "b"))), []);
    caller.hears(sent(answer("b"), 1));
    assert_eq!(caller.completed(None)[0], Output::AddCandidate(candidate(0, "b")));
}

#[test]
fn a_candidate_of_the_applied_description_is_added_at_once() {
    let mut caller = Side::agreed_caller();
    let added = caller.hears(trickled(candidate(0, "remote1")));
    assert_eq!(added, [Output::AddCandidate(candidate(0, "remote1"))]);
}

#[test]
fn a_candidate_of_a_generation_that_is_over_is_dropped() {
    let mut callee = Side::agreed_callee();
    callee.answers(sent(offer("remote2"), 2));
    assert_eq!(callee.hears(trickled(candidate(0, "remote1"))), []);
    assert_eq!(callee.answers(sent(offer("remote3"), 3)).len(), 2, "no candidate is among them");
    assert_eq!(callee.0.held_candidates(), 0);
}

#[test]
fn a_candidate_of_the_next_generation_waits_through_an_exchange_of_the_present_one() {
    let mut callee = Side::agreed_callee();
    callee.hears(sent(offer("remote1"), 2));
    callee.hears(trickled(candidate(0, "remote2")));
    assert_eq!(callee.completed(None), [Output::Run(Operation::Answer)]);
    callee.completed(Some(answer("local1")));
    callee.hears(sent(offer("remote2"), 3));
    assert_eq!(callee.completed(None)[0], Output::AddCandidate(candidate(0, "remote2")));
}

#[test]
fn the_end_of_candidates_passes_through() {
    let mut caller = Side::agreed_caller();
    let added = caller.hears(trickled(end_of("remote1")));
    assert_eq!(added, [Output::AddCandidate(end_of("remote1"))]);
}

#[test]
fn the_end_of_candidates_is_held_like_a_candidate() {
    let mut callee = Side::callee();
    callee.hears(trickled(candidate(0, "a")));
    callee.hears(trickled(end_of("a")));
    callee.hears(sent(offer("a"), 1));
    let added = [Output::AddCandidate(candidate(0, "a")), Output::AddCandidate(end_of("a"))];
    assert_eq!(callee.completed(None)[..2], added);
}

#[test]
fn a_candidate_that_names_no_generation_belongs_to_the_latest_description() {
    let mut caller = Side::agreed_caller();
    assert_eq!(caller.hears(trickled(unnamed(0))), [Output::AddCandidate(unnamed(0))]);

    // One description is being applied, another waits its turn: the candidate is for the one that waits.
    caller.hears(plain(offer("remote2")));
    caller.hears(plain(offer("remote3")));
    assert_eq!(caller.hears(trickled(unnamed(1))), []);
    assert_eq!(caller.completed(None), [Output::Run(Operation::Answer)]);
    assert_eq!(caller.hears(trickled(unnamed(2))), []);
    caller.completed(Some(answer("local2")));
    let added = [Output::AddCandidate(unnamed(1)), Output::AddCandidate(unnamed(2))];
    assert_eq!(caller.completed(None)[..2], added);
}

#[test]
fn a_candidate_that_names_no_generation_and_comes_before_all_belongs_to_the_first_description() {
    let mut callee = Side::callee();
    assert_eq!(callee.hears(trickled(unnamed(0))), []);
    callee.hears(plain(offer("a")));
    assert_eq!(callee.completed(None)[0], Output::AddCandidate(unnamed(0)));
}

#[test]
fn at_most_256_candidates_are_held_and_the_oldest_go_first() {
    let mut callee = Side::callee();
    for number in 0..300 {
        callee.hears(trickled(candidate(number, "a")));
    }
    assert_eq!(callee.0.held_candidates(), 256);
    callee.hears(sent(offer("a"), 1));
    let outputs = callee.completed(None);
    assert_eq!(outputs.len(), 257);
    assert_eq!(outputs[0], Output::AddCandidate(candidate(44, "a")));
    assert_eq!(callee.0.held_candidates(), 0);
}

// Our own candidates.

#[test]
fn our_candidates_wait_until_the_offer_they_belong_to_is_sent() {
    let mut caller = Side::caller();
    caller.needed();
    assert_eq!(caller.gathers(candidate(0, "a")), []);
    let expected = [Output::Send(sent(offer("a"), 1)), says(candidate(0, "a"))];
    assert_eq!(caller.completed(Some(offer("a"))), expected);
    assert_eq!(caller.gathers(candidate(1, "a")), [says(candidate(1, "a"))]);
}

#[test]
fn our_candidates_wait_until_the_answer_they_belong_to_is_sent() {
    let mut callee = Side::callee();
    callee.hears(sent(offer("a"), 1));
    callee.completed(None);
    assert_eq!(callee.gathers(candidate(0, "b")), []);
    let end = callee.completed(Some(answer("b")));
    assert_eq!(end[..2], [Output::Send(sent(answer("b"), 1)), says(candidate(0, "b"))]);
}

#[test]
fn the_end_of_our_candidates_carries_the_generation_it_ends() {
    let mut caller = Side::caller_with_offer_out();
    assert_eq!(caller.gathers(Candidate::end()), [says(end_of("local1"))]);
}

#[test]
fn our_candidates_of_a_generation_that_was_given_up_are_not_sent() {
    let mut callee = Side::callee_with_offer_out();
    callee.answers(sent(offer("remote2"), 2));
    assert_eq!(callee.gathers(candidate(0, "local2")), []);
    assert_eq!(callee.gathers(candidate(0, "answering")), [says(candidate(0, "answering"))]);
}

// Two offers at once.

#[test]
fn in_glare_the_impolite_side_ignores_the_others_offer_and_goes_on_with_its_own() {
    let mut caller = Side::caller_with_offer_out();
    assert_eq!(caller.hears(sent(offer("b"), 1)), []);
    caller.hears(sent(answer("b"), 1));
    assert_eq!(caller.completed(None), [agreed(Party::Local, 1)]);
}

#[test]
fn in_glare_the_polite_side_gives_way() {
    let mut callee = Side::callee_with_offer_out();
    let end = callee.answers(sent(offer("remote2"), 2));
    assert_eq!(end, [Output::Send(sent(answer("answering"), 2)), agreed(Party::Remote, 2)]);
    assert!(callee.0.is_at_rest());
}

#[test]
fn an_offer_that_comes_while_the_polite_side_makes_its_own_keeps_that_from_being_sent() {
    let mut callee = Side::agreed_callee();
    callee.needed();
    assert_eq!(callee.hears(sent(offer("remote2"), 2)), []);
    let taken_up = callee.completed(Some(offer("local2")));
    assert_eq!(taken_up, [apply(&plain(offer("remote2")))], "only theirs is dealt with");
    callee.completed(None);
    let end = callee.completed(Some(answer("local1")));
    assert_eq!(end, [Output::Send(sent(answer("local1"), 2)), agreed(Party::Remote, 2)]);
}

#[test]
fn an_offer_that_comes_while_the_impolite_side_makes_its_own_is_ignored() {
    let mut caller = Side::agreed_caller();
    caller.needed();
    assert_eq!(caller.hears(sent(offer("remote2"), 1)), []);
    assert_eq!(caller.completed(Some(offer("local1"))), [Output::Send(sent(offer("local1"), 2))]);
    caller.hears(sent(answer("remote1"), 2));
    assert_eq!(caller.completed(None), [agreed(Party::Local, 2)]);
}

#[test]
fn after_giving_way_the_polite_side_offers_again_under_a_new_id() {
    let mut callee = Side::callee_with_offer_out();
    callee.answers(sent(offer("remote2"), 2));
    assert_eq!(callee.needed(), [make_offer()]);
    assert_eq!(callee.completed(Some(offer("local3"))), [Output::Send(sent(offer("local3"), 2))]);
}

// What fits and what does not.

#[test]
fn an_answer_to_another_offer_is_ignored() {
    let mut caller = Side::agreed_caller();
    caller.needed();
    caller.completed(Some(offer("local1")));
    assert_eq!(caller.hears(sent(answer("remote1"), 1)), []);
    assert_eq!(caller.hears(sent(answer("remote1"), 7)), []);
    assert_eq!(caller.hears(sent(answer("remote1"), 2)), [apply(&plain(answer("remote1")))]);
}

#[test]
fn an_answer_is_ignored_when_no_offer_is_open() {
    assert_eq!(Side::callee().hears(plain(answer("a"))), []);
    assert_eq!(Side::agreed_caller().hears(sent(answer("remote1"), 1)), []);
    assert_eq!(Side::agreed_caller().hears(plain(answer("remote1"))), []);
}

#[test]
fn an_answer_that_came_before_our_offer_was_sent_is_not_to_it() {
    let mut caller = Side::agreed_caller();
    caller.needed();
    caller.hears(plain(answer("remote1")));
    assert_eq!(caller.completed(Some(offer("local1"))), [Output::Send(sent(offer("local1"), 2))]);
}

#[test]
fn a_plain_page_can_be_called() {
    let mut caller = Side::caller_with_offer_out();
    assert_eq!(caller.hears(plain(answer("b"))), [apply(&plain(answer("b")))]);
    assert_eq!(caller.completed(None), [agreed(Party::Local, 1)]);
}

#[test]
fn a_plain_page_can_call_and_is_answered_without_an_id() {
    let mut callee = Side::callee();
    let end = callee.answers(plain(offer("a")));
    assert_eq!(end, [Output::Send(plain(answer("answering"))), agreed(Party::Remote, None)]);
    assert_eq!(callee.answers(plain(offer("a"))).len(), 2, "it may offer again");
}

#[test]
fn an_offer_that_comes_again_is_ignored() {
    let mut callee = Side::callee();
    callee.hears(sent(offer("a"), 5));
    assert_eq!(callee.hears(sent(offer("a"), 5)), []);
    callee.completed(None);
    assert_eq!(callee.completed(Some(answer("b"))).len(), 2, "nothing follows the exchange");
    assert_eq!(callee.hears(sent(offer("a"), 5)), []);
    assert_eq!(callee.hears(sent(offer("a"), 4)), [], "nor is an older one taken");
}

#[test]
fn an_offer_that_was_passed_over_in_glare_is_not_taken_up_when_it_comes_again() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(sent(offer("b"), 1));
    caller.hears(sent(answer("b"), 1));
    caller.completed(None);
    assert_eq!(caller.hears(sent(offer("b"), 1)), []);
}

#[test]
fn ids_may_wrap_around() {
    let mut callee = Side::callee();
    callee.answers(sent(offer("a"), u32::MAX));
    callee.answers(sent(offer("a"), 0));
    assert_eq!(callee.hears(sent(offer("a"), u32::MAX)), []);
}

#[test]
fn one_operation_is_under_way_at_a_time_and_what_arrives_meanwhile_waits_its_turn() {
    let mut callee = Side::callee();
    callee.hears(sent(offer("a"), 1));
    assert_eq!(callee.hears(sent(offer("a2"), 2)), []);
    assert_eq!(callee.completed(None), [Output::Run(Operation::Answer)]);
    let end = callee.completed(Some(answer("b")));
    let expected = [Output::Send(sent(answer("b"), 1)), agreed(Party::Remote, 1), apply(&plain(offer("a2")))];
    assert_eq!(end, expected);
}

#[test]
fn a_report_that_nobody_waits_for_changes_nothing() {
    let mut caller = Side::agreed_caller();
    assert_eq!(caller.completed(None), []);
    assert_eq!(caller.completed(Some(answer("x"))), []);
    assert_eq!(caller.fails(SignalingState::HaveLocalOffer), []);
    assert_eq!(caller.needed(), [make_offer()]);
}

// What the browser refuses.

#[test]
fn an_offer_that_cannot_be_made_is_given_up_and_the_next_try_may_succeed() {
    let mut caller = Side::caller();
    caller.needed();
    assert_eq!(caller.fails(SignalingState::Stable), [given_up(SignalingState::Stable)]);
    assert!(caller.0.is_at_rest());
    assert_eq!(caller.needed(), [make_offer()]);
    assert_eq!(caller.completed(Some(offer("a"))), [Output::Send(sent(offer("a"), 2))]);
}

#[test]
fn an_offer_that_cannot_be_applied_is_given_up_and_the_next_one_is_taken() {
    let mut callee = Side::callee();
    callee.hears(sent(offer("a"), 1));
    assert_eq!(callee.fails(SignalingState::Stable), [given_up(SignalingState::Stable)]);
    assert_eq!(callee.answers(sent(offer("a"), 2))[1], agreed(Party::Remote, 2));
}

#[test]
fn an_answer_that_cannot_be_applied_takes_our_offer_back() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(sent(answer("b"), 1));
    let outputs = caller.fails(SignalingState::HaveLocalOffer);
    assert_eq!(outputs, [roll_back(Party::Local), given_up(SignalingState::HaveLocalOffer)]);
    assert_eq!(caller.completed(None), []);
    assert!(caller.0.is_at_rest());
    assert_eq!(caller.needed(), [make_offer()]);
}

#[test]
fn an_answer_that_cannot_be_made_takes_their_offer_back() {
    let mut callee = Side::agreed_callee();
    callee.hears(sent(offer("remote2"), 2));
    callee.completed(None);
    let outputs = callee.fails(SignalingState::HaveRemoteOffer);
    assert_eq!(outputs, [roll_back(Party::Remote), given_up(SignalingState::HaveRemoteOffer)]);
    callee.completed(None);
    // The generation that had been agreed is the one that counts again.
    assert_eq!(callee.hears(trickled(candidate(0, "remote1"))).len(), 1);
    assert_eq!(callee.hears(trickled(candidate(0, "remote2"))), []);
    assert_eq!(callee.0.agreed(), Some(Negotiation { offer_by: Party::Remote, id: Some(1) }));
    callee.answers(sent(offer("remote3"), 3));
}

#[test]
fn an_offer_that_cannot_be_applied_over_our_own_leaves_ours_open() {
    let mut callee = Side::callee_with_offer_out();
    callee.hears(sent(offer("remote2"), 2));
    callee.gathers(candidate(0, "local2"));
    let state = SignalingState::HaveLocalOffer;
    assert_eq!(callee.fails(state), [given_up(state), says(candidate(0, "local2"))]);
    callee.hears(sent(answer("remote1"), 1));
    assert_eq!(callee.completed(None), [agreed(Party::Local, 1)]);
}

#[test]
fn an_offer_of_ours_that_was_never_sent_is_taken_back_when_theirs_cannot_be_applied() {
    let mut callee = Side::agreed_callee();
    callee.needed();
    callee.hears(sent(offer("remote2"), 2));
    callee.completed(Some(offer("local2")));
    let state = SignalingState::HaveLocalOffer;
    assert_eq!(callee.fails(state), [roll_back(Party::Local), given_up(state)]);
    callee.completed(None);
    assert_eq!(callee.needed(), [make_offer()], "nobody waits for an answer that cannot come");
}

#[test]
fn our_candidates_of_what_stands_are_sent_when_an_exchange_is_given_up() {
    let mut callee = Side::agreed_callee();
    callee.hears(sent(offer("remote2"), 2));
    callee.completed(None);
    callee.gathers(candidate(0, "local1"));
    let outputs = callee.fails(SignalingState::HaveRemoteOffer);
    assert_eq!(outputs.last(), Some(&says(candidate(0, "local1"))));
}

#[test]
fn our_candidates_of_an_offer_the_browser_rolled_back_by_itself_are_not_sent() {
    let mut callee = Side::callee_with_offer_out();
    callee.hears(sent(offer("remote2"), 2));
    callee.gathers(candidate(0, "local2"));
    assert_eq!(callee.fails(SignalingState::Stable), [given_up(SignalingState::Stable)]);
    assert_eq!(callee.gathers(candidate(0, "local1")), [says(candidate(0, "local1"))]);
}

#[test]
fn the_end_of_candidates_of_a_first_offer_that_was_taken_back_is_not_sent() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(sent(answer("b"), 1));
    caller.fails(SignalingState::HaveLocalOffer);
    assert_eq!(caller.gathers(Candidate::end()), []);
}

#[test]
fn a_rollback_that_is_refused_is_not_tried_again() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(sent(answer("b"), 1));
    caller.fails(SignalingState::HaveLocalOffer);
    let state = SignalingState::HaveLocalOffer;
    assert_eq!(caller.fails(state), [given_up(state)]);
    assert_eq!(
        caller.hears(sent(offer("b"), 1)),
        [apply(&plain(offer("b")))],
        "theirs may still get through"
    );
}

#[test]
fn what_arrived_meanwhile_is_taken_up_after_a_failure() {
    let mut callee = Side::callee();
    callee.hears(sent(offer("a"), 1));
    callee.hears(sent(offer("a"), 2));
    let outputs = callee.fails(SignalingState::Stable);
    assert_eq!(outputs, [given_up(SignalingState::Stable), apply(&plain(offer("a")))]);
}

#[test]
fn what_is_needed_during_a_rollback_is_negotiated_afterwards() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(sent(answer("b"), 1));
    caller.fails(SignalingState::HaveLocalOffer);
    assert_eq!(caller.needed(), []);
    assert_eq!(caller.completed(None), [make_offer()]);
}

#[test]
fn even_after_a_failure_the_callee_does_not_make_the_first_offer() {
    let mut callee = Side::callee();
    callee.hears(sent(offer("a"), 1));
    callee.completed(None);
    callee.needed();
    callee.fails(SignalingState::HaveRemoteOffer);
    assert_eq!(callee.completed(None), []);
    assert!(callee.0.is_at_rest());
}

#[test]
fn what_fails_three_times_in_a_row_is_not_tried_again_unasked() {
    let mut caller = Side::caller();
    for _ in 0..3 {
        assert_eq!(caller.needed(), [make_offer()]);
        caller.fails(SignalingState::Stable);
    }
    assert_eq!(caller.needed(), []);
    // An exchange that the peer begins and that succeeds shows that there is hope.
    caller.answers(sent(offer("remote1"), 1));
    assert_eq!(caller.needed(), [make_offer()]);
}

// After an interruption.

fn interrupted(role: Role) -> Input {
    Input::Interrupted { role }
}

#[test]
fn an_open_offer_is_said_again_with_its_candidates_in_order() {
    let mut caller = Side::caller_with_offer_out();
    caller.gathers(candidate(0, "local1"));
    caller.gathers(end_of("local1"));
    let again =
        [Output::Send(sent(offer("local1"), 1)), says(candidate(0, "local1")), says(end_of("local1"))];
    assert_eq!(caller.handle(interrupted(Role::Caller)), again);
    assert_eq!(caller.handle(interrupted(Role::Caller)), again, "as often as it takes");
}

#[test]
fn the_last_answer_is_said_again_and_an_offer_after_it() {
    let mut callee = Side::callee_with_offer_out();
    let again = [Output::Send(sent(answer("local1"), 1)), Output::Send(sent(offer("local2"), 1))];
    assert_eq!(callee.handle(interrupted(Role::Callee)), again);
}

#[test]
fn an_answered_offer_is_not_said_again_but_the_candidates_after_it() {
    let mut caller = Side::caller_with_offer_out();
    caller.gathers(candidate(0, "local1"));
    caller.hears(sent(answer("remote1"), 1));
    caller.completed(None);
    caller.gathers(candidate(1, "local1"));
    let again = [says(candidate(0, "local1")), says(candidate(1, "local1"))];
    assert_eq!(caller.handle(interrupted(Role::Caller)), again);
}

#[test]
fn an_offer_that_was_rolled_back_is_not_said_again() {
    let mut callee = Side::callee_with_offer_out();
    callee.gathers(candidate(0, "local2"));
    callee.hears(sent(offer("remote2"), 2));
    callee.completed(None);
    callee.completed(Some(answer("local3")));
    assert_eq!(callee.handle(interrupted(Role::Callee)), [Output::Send(sent(answer("local3"), 2))]);
}

#[test]
fn what_did_arrive_is_a_duplicate_and_changes_nothing() {
    let mut callee = Side::agreed_callee();
    assert_eq!(callee.hears(sent(offer("remote1"), 1)), []);
    let mut caller = Side::agreed_caller();
    assert_eq!(caller.hears(sent(answer("remote1"), 1)), []);
}

#[test]
fn a_callee_that_becomes_the_caller_makes_the_first_offer() {
    let mut callee = Side::callee();
    callee.needed();
    assert_eq!(callee.handle(interrupted(Role::Caller)), [make_offer()]);
}

#[test]
fn a_caller_that_becomes_the_callee_takes_up_the_offer_it_had_passed_over() {
    let mut caller = Side::agreed_caller();
    caller.needed();
    caller.completed(Some(offer("local2")));
    assert_eq!(caller.hears(sent(offer("remote2"), 1)), [], "it is impolite");
    caller.handle(interrupted(Role::Callee));
    assert_eq!(caller.answers(sent(offer("remote2"), 1)).len(), 2);
}

#[test]
fn an_answer_to_an_offer_of_an_earlier_connection_is_not_taken_for_one_to_ours() {
    // What the peer says again, before it hears of the new connection.
    let to_the_earlier = sent(answer("remote1"), 1);
    let mut side = Side(Negotiator::new(Role::Caller, 4_000_000_000));
    side.needed();
    side.completed(Some(offer("local1")));
    assert_eq!(side.hears(to_the_earlier), []);
    assert_ne!(side.hears(sent(answer("remote2"), 2_000_000_001)), [], "this one is to ours");
}

/// A description of this connection of the peer's.
fn of(connection: u32, kind: SdpType, negotiation: u32) -> Signal {
    let sdp = format!("v=0\r\no=- {connection} 1 IN IP4 127.0.0.1\r\na=ice-ufrag:of{connection}\r\n");
    sent(Description { kind, sdp }, negotiation)
}

#[test]
fn an_offer_of_another_connection_calls_for_another_connection_here() {
    let mut callee = Side::callee();
    callee.answers(of(11, SdpType::Offer, 2));
    let anew = of(12, SdpType::Offer, 2);
    assert_eq!(callee.hears(anew.clone()), [Output::Superseded(Some(anew))]);
}

#[test]
fn an_answer_of_another_connection_calls_for_another_connection_here() {
    let mut caller = Side::caller_with_offer_out();
    caller.hears(of(11, SdpType::Answer, 1));
    caller.completed(None);
    caller.needed();
    caller.completed(Some(offer("local1")));
    assert_eq!(caller.hears(of(12, SdpType::Answer, 2)), [Output::Superseded(None)]);
}

/// The peer made it before they heard of our connection, and has begun anew since.
#[test]
fn an_offer_that_is_passed_over_does_not_say_which_connection_of_the_peers_this_is_about() {
    let mut caller = Side::caller_with_offer_out();
    assert_eq!(caller.hears(of(11, SdpType::Offer, 900)), []);
    assert!(matches!(caller.hears(of(12, SdpType::Answer, 1))[..], [Output::Run(Operation::Apply(_))]));
    assert_eq!(caller.completed(None), [agreed(Party::Local, 1)]);
    let next = caller.hears(of(12, SdpType::Offer, 7));
    assert!(matches!(next[..], [Output::Run(Operation::Apply(_))]), "ids of two connections do not compare");
}
