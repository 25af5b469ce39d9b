//! Two ends of a link, and a way between them that can do anything.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::Link;
use crate::cluster::wire::{Envelope, Item, Parcel};

fn parcel(n: u64) -> Parcel {
    Parcel { room: "r".to_owned(), epoch: n, item: Item::Over { connection: n } }
}

fn numbers(parcels: &[Parcel]) -> Vec<u64> {
    parcels.iter().map(|parcel| parcel.epoch).collect()
}

/// Numbers that look random and are the same each time (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Both have always something to say, which crosses on the way.
#[test]
fn when_one_end_has_forgotten_the_other_both_begin_anew_and_then_go_on() {
    for seed in 1..200 {
        let mut chance = Chance(seed * 7919);
        let mut now = Instant::now();
        let mut ends: [Link<()>; 2] = [Link::new(1), Link::new(2)];
        let mut under_way: [VecDeque<Envelope>; 2] = Default::default();
        let (mut fresh, mut begun) = (10, Vec::new());
        let forgets = 100 + chance.below(50);
        for round in 0..600_u64 {
            now += Duration::from_millis(100);
            if round == forgets {
                ends[1] = Link::new(3);
            }
            for at in 0..2 {
                if round % 5 == 0 {
                    ends[at].send(parcel(round), None);
                }
                under_way[at].extend(ends[at].pack(now, "x"));
                if chance.below(3) > 0
                    && let Some(envelope) = under_way[at].pop_front()
                {
                    fresh += 1;
                    if ends[1 - at].receive(envelope, fresh, now).anew {
                        begun.push(round);
                    }
                }
            }
        }
        assert!(
            begun.len() <= 3,
            "seed {seed}: at {forgets} one has forgotten, and anew was begun at {begun:?}"
        );
    }
}

#[test]
fn over_a_way_that_loses_repeats_and_delays_everything_arrives_once_and_in_order() {
    for seed in 1..200 {
        let mut chance = Chance(seed * 7919);
        let mut now = Instant::now();
        let (mut a, mut b): (Link<()>, Link<()>) = (Link::new(1), Link::new(2));
        let (mut said, mut heard) = (0, Vec::new());
        let mut under_way: Vec<(bool, Envelope)> = Vec::new();
        let mut rounds = 0;
        while heard.len() < 60 {
            rounds += 1;
            assert!(rounds < 20_000, "seed {seed}: {} of 60", heard.len());
            if said < 60 && chance.below(2) == 0 {
                said += 1;
                a.send(parcel(said), None);
            }
            if let Some(envelope) = a.pack(now, "a") {
                under_way.push((true, envelope));
            }
            if let Some(envelope) = b.pack(now, "b") {
                under_way.push((false, envelope));
            }
            for _ in 0..2 {
                if under_way.is_empty() {
                    break;
                }
                let at = usize::try_from(chance.below(under_way.len() as u64)).unwrap();
                let (to_b, envelope) = match chance.below(4) {
                    0 => under_way[at].clone(),
                    _ => under_way.swap_remove(at),
                };
                if chance.below(4) == 0 {
                    continue;
                }
                let brought = if to_b { b.receive(envelope, 9, now) } else { a.receive(envelope, 9, now) };
                assert!(!brought.anew);
                heard.extend(numbers(&brought.parcels));
            }
            now += Duration::from_millis(chance.below(300));
        }
        assert_eq!(heard, (1..=60).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn what_was_lost_is_said_again_also_while_there_is_always_something_new() {
    let begin = Instant::now();
    let (mut a, mut b): (Link<()>, Link<()>) = (Link::new(1), Link::new(2));
    let mut heard = Vec::new();
    for n in 1..=30 {
        let now = begin + Duration::from_millis(100 * n);
        a.send(parcel(n), None);
        while let Some(envelope) = a.pack(now, "a") {
            // The third is lost.
            if n != 3 {
                heard.extend(numbers(&b.receive(envelope, 9, now).parcels));
            }
        }
        if let Some(envelope) = b.pack(now, "b") {
            a.receive(envelope, 9, now);
        }
    }
    assert_eq!(heard, (1..=30).collect::<Vec<_>>());
}

#[test]
fn what_is_confirmed_is_let_go_and_not_said_again() {
    let now = Instant::now();
    let (mut a, mut b): (Link<&str>, Link<&str>) = (Link::new(1), Link::new(2));
    a.send(parcel(1), Some("kept"));
    b.receive(a.pack(now, "a").unwrap(), 9, now);
    assert!(a.pack(now, "a").is_none(), "it has been said");
    let brought = a.receive(b.pack(now, "b").unwrap(), 9, now);
    assert_eq!(brought.released[0].1, Some("kept"));
    assert_eq!(a.due(now), None);
}

#[test]
fn who_was_forgotten_hears_of_it_and_begins_anew() {
    let now = Instant::now();
    let (mut a, mut b): (Link<&str>, Link<&str>) = (Link::new(1), Link::new(2));
    a.send(parcel(1), None);
    b.receive(a.pack(now, "a").unwrap(), 9, now);
    a.receive(b.pack(now, "b").unwrap(), 9, now);
    // The other end is another one now.
    let mut b: Link<&str> = Link::new(3);
    a.send(parcel(2), Some("kept"));
    assert!(b.receive(a.pack(now, "a").unwrap(), 9, now).parcels.is_empty());
    let brought = a.receive(b.pack(now, "b").unwrap(), 10, now);
    assert!(brought.anew);
    assert_eq!(brought.released.len(), 1);
    a.send(parcel(3), None);
    assert_eq!(numbers(&b.receive(a.pack(now, "a").unwrap(), 9, now).parcels), [3]);
}

#[test]
fn who_hears_a_new_beginning_begins_anew_as_well() {
    let now = Instant::now();
    let (mut a, mut b): (Link<&str>, Link<&str>) = (Link::new(1), Link::new(2));
    b.send(parcel(1), None);
    a.receive(b.pack(now, "b").unwrap(), 9, now);
    a.send(parcel(2), Some("kept"));
    let mut b: Link<&str> = Link::new(3);
    b.send(parcel(4), None);
    let brought = a.receive(b.pack(now, "b").unwrap(), 10, now);
    assert!(brought.anew);
    assert_eq!((numbers(&brought.parcels), brought.released.len()), (vec![4], 1));
}
