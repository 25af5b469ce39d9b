//! What the transfer of files promises, one promise a test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

mod files;

use std::time::Duration;

use duologue_engine::transfer::{
    CHUNK, Event, Failure, Id, Input, Progress, Ranges, Reason, Side, WINDOW, safe_name,
};
use files::{HERE, Pair, THERE, file, size_of, theirs};
use proptest::prelude::*;

fn by(by: Side, reason: Reason) -> Option<Result<(), Failure>> {
    Some(Err(Failure { by, reason }))
}

/// A file is offered and taken, and nothing more has happened.
fn begun(chunks: u32) -> (Pair, Id) {
    let mut pair = Pair::new();
    let id = pair.offer(HERE, "film.mkv", chunks);
    pair.settle();
    pair.accept(THERE, id.number);
    (pair, id)
}

/// Runs until the receiver has saved `chunks` of the first file.
fn run_until(pair: &mut Pair, chunks: usize) {
    while pair.ends[THERE].parts.get(&0).is_none_or(|part| part.len() < chunks) {
        for end in [HERE, THERE] {
            pair.deliver_word(end);
            if !pair.ends[end].jobs.is_empty() {
                pair.work(end, 0);
            }
        }
        pair.deliver_piece(HERE);
    }
}

#[test]
fn a_file_arrives_as_it_was_sent() {
    for chunks in [0, 1, 2, 40, 200] {
        let (mut pair, id) = begun(chunks);
        pair.settle();
        assert_eq!(pair.outcome(HERE, HERE, id.number), Some(Ok(())), "{chunks} chunks");
        assert_eq!(pair.outcome(THERE, HERE, id.number), Some(Ok(())));
        assert_eq!(pair.ends[THERE].saved[&id.number], pair.ends[HERE].files[&id.number].1);
        assert_eq!(pair.ends[HERE].chunks_sent, chunks as usize, "nothing travels twice");
    }
}

#[test]
fn nothing_is_held_when_it_is_over() {
    let (mut pair, _) = begun(40);
    pair.settle();
    for end in &pair.ends {
        assert!(end.buffers.is_empty() && end.parts.is_empty());
        assert_eq!(end.transfers.deadline().map(|_| ()), Some(()), "one more look at the progress");
    }
    pair.wait(Duration::from_secs(1));
    assert!(pair.ends.iter().all(|end| end.transfers.deadline().is_none()), "and then rest");
}

#[test]
fn nothing_is_sent_before_a_person_takes_it() {
    let mut pair = Pair::new();
    let id = pair.offer(HERE, "film.mkv", 40);
    pair.settle();
    assert_eq!(pair.ends[THERE].events, [Event::Offered(theirs(id.number), file("film.mkv", size_of(40)))]);
    assert!(pair.ends[HERE].jobs.is_empty() && pair.ends[HERE].chunks_sent == 0);
}

#[test]
fn a_file_that_is_declined_says_why() {
    let mut pair = Pair::new();
    let id = pair.offer(HERE, "film.mkv", 40);
    pair.settle();
    pair.tell(THERE, Input::Cancel(theirs(id.number), Reason::Declined("not now".to_owned())));
    pair.settle();
    assert_eq!(pair.outcome(HERE, HERE, id.number), by(Side::There, Reason::Declined("not now".to_owned())));
    assert_eq!(pair.outcome(THERE, HERE, id.number), by(Side::Here, Reason::Declined("not now".to_owned())));
}

#[test]
fn a_connection_lost_at_any_chunk_costs_only_what_was_on_its_way() {
    for at in 0..=40 {
        let (mut pair, id) = begun(40);
        run_until(&mut pair, at);
        let sent = pair.ends[HERE].chunks_sent;
        let saved = pair.ends[THERE].parts[&id.number].len();
        // What is being hashed or written has arrived.
        let there = saved + pair.ends[THERE].jobs.len();
        pair.cut();
        pair.connect();
        pair.settle();
        assert_eq!(pair.outcome(HERE, HERE, id.number), Some(Ok(())), "lost after {at} chunks");
        assert_eq!(pair.ends[THERE].saved[&id.number], pair.ends[HERE].files[&id.number].1);
        let again = pair.ends[HERE].chunks_sent - 40;
        assert!(
            again <= sent - there.min(sent),
            "{again} again of {sent} sent and {there} arrived, after {at}"
        );
    }
}

#[test]
fn a_receiver_that_is_loaded_anew_goes_on_with_what_it_kept() {
    for at in [0, 1, 17, 39, 40] {
        let (mut pair, _) = begun(40);
        run_until(&mut pair, at);
        pair.reload(THERE);
        pair.settle();
        assert_eq!(pair.outcome(HERE, HERE, 0), by(Side::There, Reason::Left), "the sender is told");
        let before = pair.ends[HERE].chunks_sent;
        let (info, bytes) = pair.ends[HERE].files[&0].clone();
        let id = pair.offer_bytes(HERE, info, bytes);
        pair.settle();
        pair.accept(THERE, id.number);
        pair.settle();
        assert_eq!(pair.outcome(THERE, HERE, id.number), Some(Ok(())), "loaded anew after {at}");
        assert_eq!(pair.ends[THERE].saved[&id.number], pair.ends[HERE].files[&id.number].1);
        assert!(pair.ends[HERE].chunks_sent - before <= 40 - at, "what was kept travels again");
    }
}

#[test]
fn what_was_kept_of_another_file_is_not_used() {
    let (mut pair, _) = begun(40);
    run_until(&mut pair, 20);
    pair.reload(THERE);
    pair.settle();
    // The same name and size, and other bytes.
    let bytes: Vec<u64> = (0..40).map(|chunk| if chunk == 7 { 7 } else { 1000 + chunk }).collect();
    let id = pair.offer_bytes(HERE, file("film.mkv", size_of(40)), bytes.clone());
    pair.settle();
    pair.accept(THERE, id.number);
    pair.settle();
    assert_eq!(pair.outcome(THERE, HERE, id.number), Some(Ok(())));
    assert_eq!(pair.ends[THERE].saved[&id.number], bytes);
}

#[test]
fn an_altered_chunk_is_asked_for_again() {
    let (mut pair, id) = begun(40);
    run_until(&mut pair, 3);
    while pair.ends[HERE].pieces.is_empty() {
        pair.deliver_word(THERE);
        pair.work(HERE, 0);
    }
    pair.ends[HERE].pieces[0].bytes ^= 1;
    pair.settle();
    assert_eq!(pair.outcome(THERE, HERE, id.number), Some(Ok(())));
    assert_eq!(pair.ends[THERE].saved[&id.number], pair.ends[HERE].files[&id.number].1);
    assert_eq!(pair.ends[HERE].chunks_sent, 41);
}

#[test]
fn a_chunk_that_always_arrives_altered_ends_it_with_an_error() {
    let (mut pair, id) = begun(3);
    for _ in 0..1000 {
        for end in [HERE, THERE] {
            pair.deliver_word(end);
            if !pair.ends[end].jobs.is_empty() {
                pair.work(end, 0);
            }
        }
        pair.ends[HERE].pieces.iter_mut().for_each(|piece| piece.bytes = 1);
        pair.deliver_piece(HERE);
    }
    assert_eq!(pair.outcome(THERE, HERE, id.number), by(Side::There, Reason::Damaged));
    assert!(matches!(
        pair.outcome(HERE, HERE, id.number),
        Some(Err(Failure { reason: Reason::Damaged, .. }))
    ));
    assert!(pair.ends[THERE].saved.is_empty());
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_an_error() {
    let (mut pair, id) = begun(200);
    run_until(&mut pair, 100);
    // The receiver asks for a chunk again, and now it reads otherwise.
    pair.cut();
    pair.ends[HERE].files.get_mut(&id.number).unwrap().1.iter_mut().for_each(|bytes| *bytes += 1);
    pair.connect();
    pair.settle();
    for end in [HERE, THERE] {
        let outcome = pair.outcome(end, HERE, id.number);
        assert!(matches!(outcome, Some(Err(Failure { reason: Reason::Changed, .. }))), "{outcome:?}");
    }
    assert!(pair.ends[THERE].saved.is_empty());
}

#[test]
fn a_file_whose_root_is_another_is_no_success() {
    let (mut pair, id) = begun(3);
    // Every chunk is as its hash says, and the sender's root is of something else.
    while !pair.ends[HERE].jobs.iter().any(|job| matches!(job, files::Job::Root(..))) {
        pair.deliver_word(HERE);
        pair.deliver_word(THERE);
        pair.deliver_piece(HERE);
        for end in [HERE, THERE] {
            let job = pair.ends[end].jobs.iter().position(|job| !matches!(job, files::Job::Root(..)));
            if let Some(job) = job {
                pair.work(end, job);
            }
        }
    }
    pair.ends[HERE].jobs.retain(|job| !matches!(job, files::Job::Root(..)));
    pair.tell(HERE, Input::Root(id, [9; 32]));
    pair.settle();
    assert_eq!(pair.outcome(THERE, HERE, id.number), by(Side::There, Reason::Changed));
    assert!(matches!(pair.outcome(HERE, HERE, id.number), Some(Err(_))));
    assert!(pair.ends[THERE].saved.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_or_written_is_an_error_on_both_sides() {
    let (mut pair, id) = begun(40);
    pair.deliver_word(THERE);
    pair.deliver_word(THERE);
    let files::Job::Read(_, buffer, _) = pair.ends[HERE].jobs.remove(0) else { panic!("it reads") };
    pair.tell(HERE, Input::Read(buffer, Err("it is gone".to_owned())));
    pair.settle();
    let reason = Reason::Unreadable("it is gone".to_owned());
    assert_eq!(pair.outcome(HERE, HERE, id.number), by(Side::Here, reason.clone()));
    assert_eq!(pair.outcome(THERE, HERE, id.number), by(Side::There, reason));

    let (mut pair, id) = begun(40);
    pair.ends[THERE].disk_full = true;
    pair.settle();
    let reason = Reason::CannotSave("the disk is full".to_owned());
    assert_eq!(pair.outcome(THERE, HERE, id.number), by(Side::Here, reason.clone()));
    assert_eq!(pair.outcome(HERE, HERE, id.number), by(Side::There, reason));
}

#[test]
fn a_slow_disk_holds_up_the_sender() {
    let (mut pair, _) = begun(400);
    // The receiver's disk does nothing at all.
    for _ in 0..10_000 {
        pair.deliver_word(HERE);
        pair.deliver_word(THERE);
        pair.deliver_piece(HERE);
        if !pair.ends[HERE].jobs.is_empty() {
            pair.work(HERE, 0);
        }
        let hashing = pair.ends[THERE].jobs.iter().position(|job| matches!(job, files::Job::Digest(_)));
        if let Some(job) = hashing {
            pair.work(THERE, job);
        }
    }
    assert_eq!(pair.ends[HERE].chunks_sent as u64, WINDOW / u64::from(CHUNK));
    pair.settle();
    assert_eq!(pair.outcome(THERE, HERE, 0), Some(Ok(())));
}

#[test]
fn both_may_pause_and_go_on() {
    for end in [HERE, THERE] {
        let (mut pair, id) = begun(100);
        run_until(&mut pair, 10);
        let id = Id { sender: if end == HERE { Side::Here } else { Side::There }, ..id };
        pair.tell(end, Input::Pause(id, true));
        pair.settle();
        let sent = pair.ends[HERE].chunks_sent;
        assert!(sent < 100, "it stops");
        let shown = |pair: &Pair, who: usize| {
            let last = pair.ends[who].events.iter().rev().find_map(|event| match event {
                Event::Progress(_, progress) => Some(*progress),
                _ => None,
            });
            last.map(|Progress { paused_here, paused_there, .. }| (paused_here, paused_there))
        };
        assert_eq!(shown(&pair, end), Some((true, false)));
        assert_eq!(shown(&pair, 1 - end), Some((false, true)));
        // Over a new connection it is still paused.
        pair.cut();
        pair.connect();
        pair.settle();
        assert!(pair.ends[HERE].chunks_sent - sent <= 1, "it has not forgotten");
        pair.tell(end, Input::Pause(id, false));
        pair.settle();
        assert_eq!(pair.outcome(THERE, HERE, id.number), Some(Ok(())));
    }
}

#[test]
fn both_may_cancel_at_once() {
    let (mut pair, id) = begun(100);
    run_until(&mut pair, 10);
    pair.cancel(HERE, id);
    pair.cancel(THERE, theirs(id.number));
    pair.settle();
    assert_eq!(pair.outcome(HERE, HERE, id.number), by(Side::Here, Reason::Cancelled));
    assert_eq!(pair.outcome(THERE, HERE, id.number), by(Side::Here, Reason::Cancelled));
    for end in &pair.ends {
        assert!(end.buffers.is_empty() && end.parts.is_empty() && end.kept.is_empty());
    }
}

#[test]
fn a_cancel_that_was_lost_with_the_connection_is_heard_of_later() {
    for end in [HERE, THERE] {
        let (mut pair, id) = begun(100);
        run_until(&mut pair, 10);
        let id = Id { sender: if end == HERE { Side::Here } else { Side::There }, ..id };
        pair.cancel(end, id);
        pair.cut();
        pair.connect();
        pair.settle();
        let told = pair.outcome(1 - end, HERE, id.number);
        assert!(matches!(told, Some(Err(Failure { by: Side::There, .. }))), "{told:?}");
    }
}

#[test]
fn a_done_that_was_lost_with_the_connection_is_heard_of_later() {
    let (mut pair, id) = begun(2);
    while pair.ends[THERE].saved.is_empty() {
        for end in [HERE, THERE] {
            pair.deliver_word(end);
            if !pair.ends[end].jobs.is_empty() {
                pair.work(end, 0);
            }
        }
        pair.deliver_piece(HERE);
    }
    assert_eq!(pair.outcome(HERE, HERE, id.number), None, "it has not heard");
    pair.cut();
    pair.connect();
    pair.settle();
    assert_eq!(pair.outcome(HERE, HERE, id.number), Some(Ok(())));
}

#[test]
fn files_take_turns() {
    let mut pair = Pair::new();
    for name in ["a", "b", "c"] {
        pair.offer(HERE, name, 100);
    }
    pair.settle();
    for number in 0..3 {
        pair.accept(THERE, number);
    }
    while pair.ends[THERE].parts.values().map(std::collections::BTreeMap::len).sum::<usize>() < 150 {
        for end in [HERE, THERE] {
            pair.deliver_word(end);
            if !pair.ends[end].jobs.is_empty() {
                pair.work(end, 0);
            }
        }
        pair.deliver_piece(HERE);
    }
    let counts: Vec<usize> = pair.ends[THERE].parts.values().map(std::collections::BTreeMap::len).collect();
    assert!(counts.iter().all(|count| (40..=60).contains(count)), "{counts:?}");
    pair.settle();
    assert_eq!(pair.ends[THERE].saved.len(), 3);
}

#[test]
fn a_sender_that_lies_gets_nothing_written() {
    let mut pair = Pair::new();
    let id = pair.offer(HERE, "film.mkv", 3);
    pair.settle();
    let nobody_asked = files::Piece { head: vec![0; 44], length: 100, bytes: 1 };
    pair.arrives(THERE, &nobody_asked);
    assert!(matches!(pair.ends[THERE].events.last(), Some(Event::Malformed(_))), "before it is accepted");
    assert!(pair.ends[THERE].buffers.is_empty());
    pair.accept(THERE, id.number);
    // Pieces of chunks that nobody asked for, before and beyond the file's end, and more bytes than a chunk has.
    let head = |number: u32, chunk: u32, at: u32| {
        let mut head = Vec::new();
        [number, chunk, at].iter().for_each(|word| head.extend(word.to_le_bytes()));
        if at == 0 {
            head.extend([0; 32]);
        }
        head
    };
    pair.deliver_word(THERE);
    for (chunk, at, length) in
        [(3, 0, 100), (u32::MAX, 0, 100), (0, 5, 100), (0, 0, 300_000), (2, 0, 2000), (0, 0, 44)]
    {
        let events = pair.ends[THERE].events.len();
        pair.arrives(THERE, &files::Piece { head: head(id.number, chunk, at), length, bytes: 1 });
        let told = &pair.ends[THERE].events[events..];
        assert!(matches!(told, [Event::Malformed(_)]), "chunk {chunk} at {at}, {length} bytes: {told:?}");
    }
    assert!(pair.ends[THERE].buffers.is_empty());
    pair.settle();
    assert_eq!(pair.outcome(THERE, HERE, id.number), Some(Ok(())), "and the transfer does not mind");
}

#[test]
fn nonsense_changes_nothing() {
    let (mut pair, id) = begun(3);
    for nonsense in [&[][..], &[0], &[1, 0, 0], &[255; 40], &[3, 0, 0, 0, 0, 1], &[6, 0, 0, 0, 0]] {
        pair.tell(THERE, Input::Control(nonsense.to_vec()));
        assert!(matches!(pair.ends[THERE].events.last(), Some(Event::Malformed(_))), "{nonsense:?}");
    }
    pair.settle();
    assert_eq!(pair.outcome(THERE, HERE, id.number), Some(Ok(())));
}

#[test]
fn a_receiver_that_wants_what_is_not_there_is_refused() {
    let (mut pair, id) = begun(3);
    let mut want = vec![6];
    want.extend(id.number.to_le_bytes());
    want.extend(0_u64.to_le_bytes());
    want.extend(2_u32.to_le_bytes());
    want.extend(u32::MAX.to_le_bytes());
    pair.settle_words();
    pair.tell(HERE, Input::Control(want));
    assert_eq!(pair.outcome(HERE, HERE, id.number), by(Side::There, Reason::Malformed));
}

#[test]
fn a_file_larger_than_can_be_counted_is_refused_and_nothing_is_set_aside_for_it() {
    let mut pair = Pair::new();
    let id = pair.offer_bytes(HERE, file("huge", u64::MAX), Vec::new());
    assert_eq!(pair.outcome(HERE, HERE, id.number), by(Side::Here, Reason::Malformed));
    // One that can be counted, just so: it is offered, taken, and costs nothing until bytes come.
    let id = pair.offer_bytes(HERE, file("large", u64::from(u32::MAX) * u64::from(CHUNK)), Vec::new());
    pair.settle();
    pair.accept(THERE, id.number);
    assert!(pair.ends[THERE].buffers.is_empty());
}

#[test]
fn a_peer_may_not_offer_without_end() {
    let mut pair = Pair::new();
    for number in 0..40 {
        pair.offer(HERE, &format!("{number}"), 1);
    }
    pair.settle();
    assert_eq!(pair.ends[THERE].offered.len(), 32);
    assert_eq!(pair.outcome(HERE, HERE, 39), by(Side::There, Reason::TooMany));
}

#[test]
fn both_sides_see_how_far_it_is() {
    let (mut pair, _) = begun(100);
    let mut shown = [Vec::new(), Vec::new()];
    while pair.ends[THERE].saved.is_empty() {
        for end in [HERE, THERE] {
            pair.deliver_word(end);
            if !pair.ends[end].jobs.is_empty() {
                pair.work(end, 0);
            }
            let events = std::mem::take(&mut pair.ends[end].events);
            shown[end].extend(events.into_iter().filter_map(|event| match event {
                Event::Progress(_, progress) => Some(progress),
                _ => None,
            }));
        }
        pair.deliver_piece(HERE);
        pair.wait(Duration::from_millis(20));
    }
    for shown in &shown {
        assert!(shown.len() >= 3, "{}", shown.len());
        assert!(shown.windows(2).all(|two| two[0].bytes <= two[1].bytes), "it never goes back");
        let last = shown.last().unwrap();
        assert!(last.rate.is_some_and(|rate| rate > 0) && last.left.is_some(), "{shown:?}");
    }
}

#[test]
fn names_are_made_safe() {
    for (told, safe) in [
        ("a.txt", "a.txt"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("a.txt. . .", "a.txt"),
        ("exe.\u{202e}gpj", "exe.gpj"),
        ("a\u{200b}b\n\u{7}c", "abc"),
        ("nul", "_nul"),
        ("CON.txt", "_CON.txt"),
        ("com1.log", "_com1.log"),
        ("LPT³", "_LPT³"),
        ("com10.log", "com10.log"),
        ("console.log", "console.log"),
        ("a:b?c*d|e<f>g\"h", "a_b_c_d_e_f_g_h"),
        ("Übung – 日本語.pdf", "Übung – 日本語.pdf"),
    ] {
        assert_eq!(safe_name(told), safe, "{told:?}");
    }
}

proptest! {
    #[test]
    fn every_name_is_made_safe(told in "\\PC{0,400}|.{0,40}") {
        let name = safe_name(&told);
        prop_assert!(!name.is_empty() && name.len() <= 255);
        prop_assert!(!name.contains(['/', '\\', '\0']) && name != "." && name != "..");
        prop_assert_eq!(safe_name(&name), name.clone(), "a safe name stays as it is");
    }

    #[test]
    fn ranges_are_a_set(steps in prop::collection::vec((any::<bool>(), 0_u32..40, 1_u32..9), 0..60)) {
        let mut ranges = Ranges::default();
        let mut set = std::collections::BTreeSet::new();
        for (add, first, count) in steps {
            if add {
                ranges.insert_range(first, first + count);
                set.extend(first..first + count);
            } else {
                prop_assert_eq!(ranges.remove(first), set.remove(&first));
            }
            prop_assert_eq!(ranges.len() as usize, set.len());
            prop_assert!((0..50).all(|number| ranges.contains(number) == set.contains(&number)));
        }
        let mut all = Vec::new();
        while let Some(number) = ranges.pop() {
            all.push(number);
        }
        prop_assert_eq!(all, set.into_iter().collect::<Vec<_>>());
    }
}
