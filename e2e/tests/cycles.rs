//! A tab that is used for one call after another must not grow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_e2e::{Cycles, Footprint};

/// How much the JavaScript heap may have grown. Code that runs often is compiled again, and takes room for that.
const SCRIPT: u64 = 1024 * 1024;
/// How many pages the memory of WebAssembly may have grown, which never shrinks.
const PAGES: u64 = 2;

#[tokio::test]
async fn two_hundred_joins_and_leaves_in_one_tab_leave_nothing_behind() {
    let cycles = Cycles::run(10, 200).await;
    println!("{cycles}");
    assert_eq!(cycles.seen, [200, 200], "Ada saw everyone come and go\n{cycles}");
    for (who, [before, after], live) in [("Ada", &cycles.ada, 2), ("Bob", &cycles.bob, 0)] {
        let fail = |what: &str| panic!("{who}'s page has kept {what}\n{cycles}");
        let grew = |measure: fn(&Footprint) -> u64| measure(after).saturating_sub(measure(before));
        if !after.connections.is_empty() {
            fail("a connection");
        }
        if after.live_tracks != live {
            fail("a camera, a microphone, or what came of someone else's");
        }
        if grew(|it| it.listeners) > 0 {
            fail("a listener");
        }
        if grew(|it| it.nodes) > 0 {
            fail("a node");
        }
        if grew(|it| it.held) > 0 {
            fail("a JavaScript value in Rust");
        }
        if !after.counts_no_more_than(before) {
            fail("a part of a call");
        }
        if grew(|it| it.wasm) > PAGES {
            fail("memory in Rust");
        }
        if grew(|it| it.script) > SCRIPT {
            fail("memory in JavaScript");
        }
    }
    assert!(cycles.bob[1].is_bare(), "Bob's page has kept a part of a call\n{cycles}");
}
