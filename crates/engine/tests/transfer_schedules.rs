//! Files between two people to whom anything may happen, by the ten thousand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

mod files;
mod schedules;

use std::time::Duration;

use duologue_engine::transfer::{Id, Input, Side};
use files::{HERE, Pair, THERE, theirs};
use proptest::prelude::*;
use schedules::schedules;

/// What may happen to a pair, by chance.
fn step(pair: &mut Pair, choice: u16) {
    let (end, detail) = (usize::from(choice >> 15), usize::from(choice >> 6 & 0x1ff));
    let other = 1 - end;
    let some_id = |pair: &Pair| -> Option<Id> {
        let ours = pair.ends[end].files.keys().map(|number| Id { sender: Side::Here, number: *number });
        let all: Vec<Id> = ours.chain(pair.ends[end].offered.keys().map(|number| theirs(*number))).collect();
        all.get(detail % all.len().max(1)).copied()
    };
    match choice & 0x3f {
        0..=11 => pair.deliver_word(end),
        12..=23 => pair.deliver_piece(end),
        24..=41 => {
            if !pair.ends[end].jobs.is_empty() {
                pair.work(end, detail);
            }
        }
        42..=44 => {
            if pair.ends[end].files.len() < 3 {
                pair.offer(end, ["a", "b", "c"][detail % 3], (detail % 7) as u32);
            }
        }
        45..=48 => {
            let all: Vec<u32> = pair.ends[end].offered.keys().copied().collect();
            if let Some(number) = all.get(detail % all.len().max(1)).copied()
                && !pair.ends[end].parts.contains_key(&number)
                && pair.outcome(end, other, number).is_none()
            {
                pair.accept(end, number);
            }
        }
        49 => {
            if let Some(id) = some_id(pair) {
                pair.cancel(end, id);
            }
        }
        50 | 51 => {
            if let Some(id) = some_id(pair) {
                pair.tell(end, Input::Pause(id, detail & 1 == 0));
            }
        }
        52 | 53 => {
            if pair.up {
                pair.cut();
            } else {
                pair.connect();
            }
        }
        54 => {
            // A piece is altered on its way.
            let count = pair.ends[end].pieces.len();
            if let Some(piece) = pair.ends[end].pieces.get_mut(detail % count.max(1)) {
                piece.bytes ^= 1;
            }
        }
        55 => {
            // One comes twice.
            if let Some(piece) = pair.ends[end].pieces.front().cloned() {
                pair.arrives(other, &piece);
            }
        }
        56 => {
            // Two come in the wrong order.
            if pair.ends[end].pieces.len() > 1 {
                pair.ends[end].pieces.swap(0, 1);
            }
        }
        57 => {
            // A file changes.
            if let Some((_, bytes)) = pair.ends[end].files.values_mut().next_back()
                && !bytes.is_empty()
            {
                let at = detail % bytes.len();
                bytes[at] += 100_000;
            }
        }
        58 => pair.ends[end].disk_full = detail.is_multiple_of(8),
        59 => {
            if let Some(word) = pair.ends[end].words.front().cloned() {
                // A word comes twice.
                pair.tell(other, Input::Control(word));
            }
        }
        _ => pair.wait(Duration::from_millis(100 * (detail as u64 % 20))),
    }
}

/// The network is well again, everyone accepts, and nobody holds anything up any more.
fn come_to_rest(pair: &mut Pair) {
    if !pair.up {
        pair.connect();
    }
    for end in [HERE, THERE] {
        pair.settle();
        let all: Vec<u32> = pair.ends[end].offered.keys().copied().collect();
        for number in all {
            if pair.outcome(end, 1 - end, number).is_none() && !pair.ends[end].parts.contains_key(&number) {
                pair.accept(end, number);
            }
            pair.tell(end, Input::Pause(theirs(number), false));
        }
        let ours: Vec<u32> = pair.ends[end].files.keys().copied().collect();
        for number in ours {
            pair.tell(end, Input::Pause(Id { sender: Side::Here, number }, false));
        }
    }
    pair.settle();
}

proptest! {
    #![proptest_config(schedules())]

    /// Every file is whole on the other side, or both sides are told why not; and then nothing is held.
    #[test]
    fn every_file_is_whole_or_the_error_says_why(schedule in prop::collection::vec(any::<u16>(), 0..400)) {
        let mut pair = Pair::new();
        for choice in schedule {
            step(&mut pair, choice);
        }
        come_to_rest(&mut pair);
        for sender in [HERE, THERE] {
            for number in pair.ends[sender].files.keys() {
                let told = pair.outcome(sender, sender, *number);
                prop_assert!(told.is_some(), "{number} of {sender} never ends");
                let there = pair.outcome(1 - sender, sender, *number);
                if told == Some(Ok(())) {
                    prop_assert_eq!(there, Some(Ok(())), "one is told of success, and the other is not");
                }
                if let Some(saved) = pair.ends[1 - sender].saved.get(number) {
                    // Chunks may have changed before they were read: then all were read after that.
                    prop_assert_eq!(saved.len(), pair.ends[sender].files[number].1.len());
                }
            }
            prop_assert!(pair.ends[sender].buffers.is_empty(), "{} buffers are held", pair.ends[sender].buffers.len());
            prop_assert!(pair.ends[sender].parts.is_empty(), "parts are held");
        }
    }

    /// Where no file changes and nothing is cancelled or full, every file arrives, as it was.
    #[test]
    fn a_bad_network_alone_never_loses_a_file(schedule in prop::collection::vec(any::<u16>(), 0..400)) {
        let mut pair = Pair::new();
        let mut altered = 0;
        for choice in schedule {
            match choice & 0x3f {
                49 | 57 | 58 => {}
                // An altered piece that came again and again would be altered as often.
                54 if altered >= 2 => {}
                55 if altered > 0 => {}
                kind => {
                    altered += usize::from(kind == 54);
                    step(&mut pair, choice);
                }
            }
        }
        come_to_rest(&mut pair);
        for sender in [HERE, THERE] {
            for (number, (_, bytes)) in &pair.ends[sender].files {
                prop_assert_eq!(pair.outcome(sender, sender, *number), Some(Ok(())));
                prop_assert_eq!(&pair.ends[1 - sender].saved[number], bytes);
            }
        }
    }
}
