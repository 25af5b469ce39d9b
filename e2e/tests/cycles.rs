//! A tab that is used for one call after another must not grow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_e2e::{Cycles, Leaving};

/// How much the JavaScript heap may have grown. Code that runs often is compiled again, and takes room for that.
const SCRIPT: u64 = 1024 * 1024;
/// How many pages the memory of WebAssembly may have grown, which never shrinks.
const PAGES: u64 = 2;

#[tokio::test]
async fn two_hundred_joins_and_leaves_in_one_tab_leave_nothing_behind() {
    let cycles = Cycles::run(10, 200, Leaving::WhenConnected).await;
    keeps_nothing(&cycles);
    for [before, after] in [&cycles.ada, &cycles.bob] {
        assert!(after.connections.is_empty(), "a connection was not collected\n{cycles}");
        assert!(after.has_no_more_parts_than(before), "a part of a call was not collected\n{cycles}");
    }
    assert!(cycles.bob[1].is_bare(), "Bob has no call, and something is left of one\n{cycles}");
}

#[tokio::test]
async fn one_who_leaves_while_the_connection_is_on_its_way_leaves_nothing_behind() {
    keeps_nothing(&Cycles::run(10, 200, Leaving::WhileConnecting).await);
}

fn keeps_nothing(cycles: &Cycles) {
    assert_eq!(cycles.seen, [200, 200], "Ada saw not everyone come and go\n{cycles}");
    for (who, [before, after], live) in [("Ada", &cycles.ada, 2), ("Bob", &cycles.bob, 0)] {
        let promise = |kept: bool, what: &str| assert!(kept, "{who}'s page has kept {what}\n{cycles}");
        promise(after.connections.iter().all(|state| state == "closed"), "a connection open");
        promise(after.live_tracks == live, "a camera or microphone, its own or someone else's");
        promise(after.listeners <= before.listeners, "a listener");
        promise(after.held <= before.held, "an object in Rust");
        promise(after.holds_no_more_than(before), "nodes");
        promise(after.wasm <= before.wasm + PAGES, "memory in Rust");
        promise(after.script <= before.script + SCRIPT, "memory in JavaScript");
    }
    println!("{cycles}");
}
