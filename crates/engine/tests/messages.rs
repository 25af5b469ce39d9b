//! What messages promise, one promise a test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_engine::Instant;
use duologue_engine::messages::{
    Body, Input, LOW, Loss, MOST_BYTES, MOST_LOSSY_BYTES, MOST_WAITING, Messages, Mode, Output,
};
use proptest::prelude::*;

const MOST: usize = 1000;

/// One end and the clock it is told.
struct End {
    messages: Messages,
    now: Instant,
}

impl End {
    fn new() -> Self {
        Self { messages: Messages::default(), now: Instant::from_origin(Duration::from_secs(9)) }
    }

    fn open() -> Self {
        let mut end = Self::new();
        assert_eq!(end.tell(Input::Opened { most_bytes: MOST }), []);
        end
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.messages.handle(self.now, input);
        std::iter::from_fn(|| self.messages.poll()).collect()
    }

    /// Sends over a channel that has sent what it had.
    fn send(&mut self, id: u32, body: Body) -> Vec<Output> {
        let mut outputs = self.tell(Input::Buffered(Mode::Reliable, 0));
        outputs.extend(self.send_more(id, body));
        outputs
    }

    /// Sends while the channel still has what came before.
    fn send_more(&mut self, id: u32, body: Body) -> Vec<Output> {
        self.tell(Input::Send { id, mode: Mode::Reliable, body })
    }

    fn send_lossy(&mut self, id: u32, body: Body) -> Vec<Output> {
        self.tell(Input::Send { id, mode: Mode::Lossy, body })
    }

    /// What comes of everything that `outputs` of the other side transmit.
    fn hears(&mut self, outputs: &[Output]) -> Vec<Output> {
        frames(outputs).into_iter().flat_map(|(mode, frame)| self.tell(Input::Frame(mode, frame))).collect()
    }

    fn waits(&mut self) -> Vec<Output> {
        self.now = self.messages.deadline().expect("it waits for a moment");
        self.tell(Input::Timeout)
    }
}

fn frames(outputs: &[Output]) -> Vec<(Mode, Vec<u8>)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Transmit(mode, frame) => Some((*mode, frame.clone())),
            _ => None,
        })
        .collect()
}

fn text(text: &str) -> Body {
    Body::Text(text.to_owned())
}

fn received(body: Body) -> Output {
    Output::Received(Mode::Reliable, body)
}

#[test]
fn a_message_is_taken_then_arrives_then_counts_as_delivered() {
    let (mut ada, mut bob) = (End::open(), End::open());
    let sent = ada.send(7, text("hello"));
    assert_eq!(sent.last(), Some(&Output::Taken(7)));
    assert_eq!(bob.hears(&sent), [received(text("hello"))]);
    let confirmed = bob.waits();
    assert_eq!(ada.hears(&confirmed), [Output::Delivered(7)]);
    assert_eq!((ada.messages.deadline(), bob.messages.deadline()), (None, None));
}

#[test]
fn text_and_bytes_stay_what_they_are_even_when_empty() {
    let (mut ada, mut bob) = (End::open(), End::open());
    for body in [text(""), text("Grüße 👋"), Body::Bytes(vec![]), Body::Bytes(vec![0, 255, 6])] {
        let sent = ada.send(1, body.clone());
        assert_eq!(bob.hears(&sent), [received(body)]);
    }
}

#[test]
fn what_is_larger_than_the_peer_takes_is_cut_and_joined() {
    let (mut ada, mut bob) = (End::open(), End::open());
    let long = text(&"äöü€".repeat(2000));
    let sent = ada.send(1, long.clone());
    assert!(frames(&sent).len() > 10 && frames(&sent).iter().all(|(_, frame)| frame.len() <= MOST));
    assert_eq!(bob.hears(&sent), [received(long)]);
}

#[test]
fn messages_wait_for_the_channels_and_keep_their_order() {
    let (mut ada, mut bob) = (End::new(), End::open());
    assert_eq!(ada.send(1, text("one")), []);
    assert_eq!(ada.send(2, text("two")), []);
    let mut sent = ada.tell(Input::Opened { most_bytes: MOST });
    sent.extend(ada.waits());
    assert_eq!(bob.hears(&sent), [received(text("one")), received(text("two"))]);
}

#[test]
fn a_full_channel_is_given_nothing_until_it_has_drained() {
    let mut ada = End::open();
    let mut taken = 0;
    for id in 0..1000 {
        taken += ada
            .send_more(id, Body::Bytes(vec![0; 9000]))
            .iter()
            .filter(|it| matches!(it, Output::Taken(_)))
            .count();
    }
    let given = 1024 * 1024;
    assert!((given / 9100..=given / 9000 + 2).contains(&taken), "{taken} messages are in the channel");
    let more = ada.tell(Input::Buffered(Mode::Reliable, LOW));
    assert!(more.iter().any(|it| matches!(it, Output::Taken(_))), "then it goes on");
}

#[test]
fn who_sends_faster_than_the_network_is_told_so_and_nothing_piles_up() {
    let mut ada = End::new();
    let each = 1024 * 1024;
    for id in 0..(MOST_WAITING / each) as u32 {
        assert_eq!(ada.send_more(id, Body::Bytes(vec![0; each])), []);
    }
    assert_eq!(ada.send_more(99, Body::Bytes(vec![0; each])), [Output::Lost(99, Loss::TooMuchWaiting)]);
    // Once there is room, so is there for the next.
    ada.tell(Input::Opened { most_bytes: MOST });
    assert_eq!(ada.send_more(100, text("again")), []);
}

#[test]
fn a_message_that_is_too_large_is_refused_whole() {
    let mut ada = End::open();
    let sent = ada.send(1, Body::Bytes(vec![0; MOST_BYTES + 1]));
    assert_eq!(sent, [Output::Lost(1, Loss::TooLarge)]);
}

#[test]
fn when_the_connection_ends_every_sender_is_told_what_is_known() {
    let mut ada = End::open();
    ada.send_more(1, text("sent"));
    ada.tell(Input::Buffered(Mode::Reliable, 1024 * 1024 - 10));
    ada.send_more(2, Body::Bytes(vec![0; 5000])); // its first frame fills the channel
    ada.send_more(3, text("unsent"));
    assert_eq!(
        ada.tell(Input::Closed),
        [
            Output::Lost(1, Loss::Unconfirmed),
            Output::Lost(2, Loss::Unconfirmed),
            Output::Lost(3, Loss::Unsent)
        ]
    );
    assert_eq!(ada.tell(Input::Closed), [], "and only once");
}

#[test]
fn what_waits_when_the_connection_breaks_goes_over_the_next_one() {
    let (mut ada, mut bob) = (End::open(), End::open());
    ada.send_more(1, text("sent"));
    ada.tell(Input::Buffered(Mode::Reliable, 1024 * 1024));
    ada.send_more(2, text("waits"));
    assert_eq!(ada.tell(Input::Interrupted), [Output::Lost(1, Loss::Unconfirmed)]);
    let sent = ada.tell(Input::Opened { most_bytes: MOST });
    assert_eq!(bob.hears(&sent), [received(text("waits"))]);
}

#[test]
fn over_new_channels_counting_begins_anew() {
    let (mut ada, mut bob) = (End::open(), End::open());
    let sent = ada.send(1, text("one"));
    bob.hears(&sent);
    assert_eq!(ada.tell(Input::Opened { most_bytes: MOST }), [Output::Lost(1, Loss::Unconfirmed)]);
    bob.tell(Input::Opened { most_bytes: MOST });
    let sent = ada.send(2, text("two"));
    bob.hears(&sent);
    let confirmed = bob.waits();
    assert_eq!(ada.hears(&confirmed), [Output::Delivered(2)]);
}

#[test]
fn many_messages_are_confirmed_together() {
    let (mut ada, mut bob) = (End::open(), End::open());
    let sent: Vec<Output> = (0..2100).flat_map(|id| ada.send(id, text("x"))).collect();
    let heard = bob.hears(&sent);
    assert_eq!(frames(&heard).len(), 2, "one word for 1024 messages");
    let last = bob.waits();
    let delivered = [ada.hears(&heard), ada.hears(&last)].concat();
    assert_eq!(delivered, (0..2100).map(Output::Delivered).collect::<Vec<_>>());
}

#[test]
fn small_messages_go_together_while_the_channel_is_busy_and_the_first_goes_at_once() {
    let mut ada = End::new();
    let mut bob = End::open();
    ada.tell(Input::Opened { most_bytes: 1 << 18 });
    assert_eq!(frames(&ada.send_more(0, text("first"))).len(), 1);
    let mut sent = Vec::new();
    for id in 1..=100 {
        sent.extend(ada.send_more(id, text("small")));
    }
    assert_eq!(sent, (1..=100).map(Output::Taken).collect::<Vec<_>>(), "taken, and none of them sent alone");
    let together = ada.waits();
    assert_eq!(frames(&together).len(), 1);
    let mut heard = bob.hears(&together);
    heard.retain(|output| matches!(output, Output::Received(..)));
    assert_eq!(heard, vec![received(text("small")); 100]);
    assert_eq!(ada.messages.deadline(), None);
}

#[test]
fn a_large_message_goes_behind_the_small_ones_before_it() {
    let (mut ada, mut bob) = (End::open(), End::open());
    let mut sent = ada.send_more(0, text("first"));
    sent.extend(ada.send_more(1, text("small")));
    sent.extend(ada.send_more(2, Body::Bytes(vec![7; 5000])));
    sent.extend(ada.send_more(3, text("last")));
    sent.extend(ada.waits());
    let got = [text("first"), text("small"), Body::Bytes(vec![7; 5000]), text("last")];
    assert_eq!(bob.hears(&sent), got.map(received));
}

#[test]
fn what_goes_together_and_was_not_sent_is_reported_when_the_connection_ends() {
    let mut ada = End::open();
    ada.send_more(1, text("first"));
    ada.send_more(2, text("second"));
    let lost = [Output::Lost(1, Loss::Unconfirmed), Output::Lost(2, Loss::Unconfirmed)];
    assert_eq!(ada.tell(Input::Interrupted), lost);
    assert_eq!(ada.messages.deadline(), None);
}

#[test]
fn a_lossy_message_goes_now_or_never() {
    let (mut ada, mut bob) = (End::new(), End::open());
    assert_eq!(ada.send_lossy(1, text("x")), [Output::Lost(1, Loss::NotConnected)]);
    ada.tell(Input::Opened { most_bytes: 1 << 18 });
    let sent = ada.send_lossy(2, text("x"));
    assert_eq!(bob.hears(&sent), [Output::Received(Mode::Lossy, text("x"))]);
    assert_eq!(bob.messages.deadline(), None, "and is not confirmed");
    let large = Body::Bytes(vec![0; MOST_LOSSY_BYTES + 1]);
    assert_eq!(ada.send_lossy(3, large), [Output::Lost(3, Loss::TooLarge)]);
    ada.tell(Input::Buffered(Mode::Lossy, 64 * 1024));
    assert_eq!(ada.send_lossy(4, text("late")), [Output::Lost(4, Loss::TooMuchWaiting)]);
    // Reliable ones do not suffer from it.
    assert_eq!(ada.send(5, text("x")).last(), Some(&Output::Taken(5)));
}

#[test]
fn what_cannot_be_read_is_reported_and_the_next_message_arrives() {
    let nonsense: [(Mode, &[u8]); 11] = [
        (Mode::Reliable, &[7, 0]),
        (Mode::Reliable, &[7, 1, 255, 255, 255, 255, 1]),
        (Mode::Reliable, &[]),
        (Mode::Reliable, &[99, 1]),
        (Mode::Reliable, &[0, 0xff, 0xfe]), // a text that is none
        (Mode::Reliable, &[4, 1]),          // a part of nothing
        (Mode::Reliable, &[5, 1]),
        (Mode::Reliable, &[6, 1]),
        (Mode::Reliable, &[6, 1, 0, 0, 0]), // one message that we never sent has arrived
        (Mode::Lossy, &[2, 1]),
        (Mode::Lossy, &[6, 0, 0, 0, 0]),
    ];
    for (mode, frame) in nonsense {
        let (mut ada, mut bob) = (End::open(), End::open());
        let heard = bob.tell(Input::Frame(mode, frame.to_vec()));
        assert!(matches!(heard[..], [Output::Malformed(_)]), "{frame:?}: {heard:?}");
        let sent = ada.send(1, text(&"x".repeat(3000)));
        assert_eq!(bob.hears(&sent), [received(text(&"x".repeat(3000)))], "after {frame:?}");
    }
}

#[test]
fn a_message_without_an_end_takes_no_more_memory_than_a_message_may() {
    let mut bob = End::open();
    let part = vec![4; 1024 * 1024];
    bob.tell(Input::Frame(Mode::Reliable, vec![3, 0]));
    let mut reports = 0;
    for _ in 0..40 {
        reports += bob.tell(Input::Frame(Mode::Reliable, part.clone())).len();
    }
    assert_eq!(reports, 1, "it is said once");
    assert_eq!(bob.tell(Input::Frame(Mode::Reliable, vec![5, 0])), []);
    assert_eq!(bob.tell(Input::Frame(Mode::Reliable, b"\0hello".to_vec())), [received(text("hello"))]);
}

proptest! {
    /// Whatever is sent, in pieces of whatever size, with a channel that drains when it will: it arrives, once, in order.
    #[test]
    fn everything_arrives_once_and_in_order(
        bodies in prop::collection::vec((any::<bool>(), 0_usize..5000), 1..40),
        most in 2_usize..3000,
        drains in prop::collection::vec(0_usize..2_000_000, 0..60),
    ) {
        let (mut ada, mut bob) = (End::new(), End::new());
        bob.tell(Input::Opened { most_bytes: most });
        let mut sent = ada.tell(Input::Opened { most_bytes: most });
        let bodies: Vec<Body> = bodies
            .into_iter()
            .enumerate()
            .map(|(at, (is_text, size))| match is_text {
                true => text(&format!("{at}é").repeat(size / 4)),
                false => Body::Bytes((0..size).map(|byte| (byte + at) as u8).collect()),
            })
            .collect();
        for (id, body) in (0..).zip(&bodies) {
            sent.extend(ada.send_more(id, body.clone()));
        }
        for left in drains.into_iter().chain([0; 20]) {
            sent.extend(ada.tell(Input::Buffered(Mode::Reliable, left)));
        }
        let mut heard = bob.hears(&sent);
        if bob.messages.deadline().is_some() {
            heard.extend(bob.waits());
        }
        let got: Vec<Body> = heard.iter().filter_map(|it| match it {
            Output::Received(Mode::Reliable, body) => Some(body.clone()),
            _ => None,
        }).collect();
        prop_assert_eq!(&got, &bodies);
        let delivered = ada.hears(&heard);
        prop_assert_eq!(delivered, (0..bodies.len() as u32).map(Output::Delivered).collect::<Vec<_>>());
    }

    #[test]
    fn no_frame_breaks_it(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..60)) {
        let (mut ada, mut bob) = (End::open(), End::open());
        for frame in frames {
            bob.tell(Input::Frame(Mode::Reliable, frame));
        }
        let sent = ada.send(1, text("still here"));
        prop_assert!(bob.hears(&sent).contains(&received(text("still here"))));
    }
}
