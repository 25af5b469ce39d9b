//! Whatever the network and the people do, everyone in the room ends in agreement with everyone else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

mod sim;

use proptest::prelude::*;
use sim::world::World;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("SCHEDULES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000),
        max_shrink_iters: 300_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// All pairs end stable on the same negotiation; no candidate was applied early or to the wrong generation, nothing
    /// is left over, no operation was refused.
    #[test]
    fn every_schedule_ends_in_agreement(people in 2_usize..=4, schedule in prop::collection::vec(any::<u16>(), 0..250)) {
        let mut world = World::new(people);
        for choice in schedule {
            world.step(choice);
        }
        world.settle();
        if let Err(violations) = world.verdict() {
            return Err(TestCaseError::fail(violations));
        }
    }
}
