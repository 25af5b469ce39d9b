//! Whatever the network and the people do, everyone in the room ends in agreement with everyone else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

mod schedules;
mod sim;

use proptest::prelude::*;
use schedules::schedules;
use sim::world::{Faults, World};

proptest! {
    #![proptest_config(schedules())]

    /// All pairs end stable on the same negotiation, over a path that is up; no candidate was applied early or to the
    /// wrong generation, nothing is left over, no operation was refused, nobody meets a ghost.
    #[test]
    fn every_schedule_ends_in_agreement(
        people in 2_usize..=4,
        // A path can only break where there is one, and schedules seldom come as far by themselves.
        in_calls in any::<bool>(),
        schedule in prop::collection::vec(any::<u16>(), 0..250),
    ) {
        let mut world = World::new(people);
        if in_calls {
            world.settle();
        }
        for choice in schedule {
            world.step(choice, Faults::All);
        }
        world.settle();
        if let Err(violations) = world.verdict() {
            return Err(TestCaseError::fail(violations));
        }
    }

    /// As long as only signaling breaks (lost wires, a server that forgets, messages that never arrive), every call goes
    /// on over the connection it has.
    #[test]
    fn calls_outlive_signaling(people in 2_usize..=4, schedule in prop::collection::vec(any::<u16>(), 0..250)) {
        let mut world = World::new(people);
        world.settle();
        let connections = world.connections_made();
        for choice in schedule {
            world.step(choice, Faults::OnlySignaling);
        }
        world.settle();
        if let Err(violations) = world.verdict() {
            return Err(TestCaseError::fail(violations));
        }
        prop_assert_eq!(world.partings, 0, "somebody was told that a call was over");
        prop_assert_eq!(world.connections_made(), connections, "a connection was made anew");
    }
}
