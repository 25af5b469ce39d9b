//! Files: whole, whatever happens on the way, and nothing of them twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::{Duration, Instant};

use duologue_e2e::{
    Caller, Couple, Engine, FileRow, Pair, Path, Payload, Scene, Weight, Window, for_each_pairing,
};

const MIB: u64 = 1024 * 1024;
/// What a transfer may add to what a page needs of memory.
const MOST_MEMORY: u64 = 64_000_000;
/// What may be asked for and not be saved.
const WINDOW: u64 = 8 * MIB;
/// What survives the page, whole.
const SEGMENT: u64 = 4 * MIB;
/// Long enough for the largest file here on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);

/// What the heads of frames may add to so many bytes: there are no fewer than 16 KiB between two heads.
fn with_heads(bytes: u64) -> u64 {
    bytes + bytes / 256
}

/// How many bytes of files went into the connection that is up, by the browser's count.
async fn sent_bytes(window: &Window) -> u64 {
    let script = "const connection = connections.findLast(it => it.connectionState !== 'closed');
        const stats = [...(await connection.getStats()).values()];
        return stats.find(it => it.type === 'data-channel' && it.label === 'duologue-bytes').bytesSent;";
    window.run(script).await.as_u64().expect("a count of bytes")
}

/// Ada gives a file, and Bob takes it.
async fn begin(ada: &Caller, bob: &Caller, payload: &Payload) -> (FileRow, FileRow) {
    ada.gives(&payload.path).await;
    let (given, offered) = (ada.has_file(&payload.name).await, bob.has_file(&payload.name).await);
    offered.press("accept").await;
    (given, offered)
}

for_each_pairing!(a_large_file_arrives_unaltered_and_fills_no_memory);

async fn a_large_file_arrives_unaltered_and_fills_no_memory(pair: Pair) {
    let couple = Couple::meet(pair).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    let windows = [&ada.window, &bob.window];
    let payload = couple.payload("large.bin", 256 * MIB);
    bob.opens_the_panel().await;
    // A small one first: the code that it takes is in memory from then on.
    let small = couple.payload("small.bin", MIB);
    let (_, offered) = begin(ada, bob, &small).await;
    offered.is_done_within(PATIENCE).await;

    let before = [Weight::held(windows[0]).await, Weight::held(windows[1]).await];
    let mut most = before;
    let begun = Instant::now();
    let (given, offered) = begin(ada, bob, &payload).await;
    while !given.is_done_now().await {
        for (at, window) in windows.into_iter().enumerate() {
            most[at] = most[at].max(Weight::now(window).await);
        }
        assert!(begun.elapsed() < PATIENCE, "it is not done");
        // To look takes time that the transfer needs.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let time = begun.elapsed().as_secs_f64();
    offered.is_done_within(PATIENCE).await;
    println!("{} MiB in {time:.1} s", payload.size / MIB);
    let more = [0, 1].map(|at| most[at].above(before[at]));
    println!("Ada: up to {}; Bob: up to {}", more[0], more[1]);
    for more in more {
        assert!(more.script <= MOST_MEMORY && more.process <= MOST_MEMORY, "{more}");
    }
    offered.press("save").await;
    payload.arrives_in(couple.saved.path()).await;
    couple.part().await;
}

#[tokio::test]
async fn a_network_that_is_gone_for_ten_seconds_costs_no_chunk_twice() {
    let Some(mut scene) = Scene::set() else { return };
    let call = scene.call_with(Couple::NO_DIALOG).await;
    let [ada, bob] = &call.callers;
    let folder = tempfile::tempdir().unwrap();
    let payload = Payload::random(folder.path(), "cut.bin", 64 * MIB);
    bob.opens_the_panel().await;
    let (given, offered) = begin(ada, bob, &payload).await;
    offered.has_bytes(payload.size / 4).await;
    scene.lab.ada.cut();
    // What is proved is what this time costs.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let there = offered.bytes().await;
    scene.lab.ada.restore();
    assert!(there < payload.size * 3 / 4, "it was nearly over before the network was gone");
    given.is_done_within(PATIENCE).await;
    offered.is_done_within(PATIENCE).await;
    let sent = sent_bytes(&ada.window).await;
    println!("{sent} bytes sent for {}", payload.size);
    assert!(sent >= payload.size && sent <= with_heads(payload.size + WINDOW), "{sent} bytes were sent");
    call.close().await;
}

#[tokio::test]
async fn a_receiver_who_loads_the_page_anew_is_sent_only_what_is_missing() {
    let couple = meet().await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    let payload = couple.payload("again.bin", 64 * MIB);
    bob.opens_the_panel().await;
    let (given, offered) = begin(ada, bob, &payload).await;
    offered.has_bytes(payload.size / 2).await;
    let there = offered.bytes().await;
    bob.window.client.refresh().await.unwrap();
    bob.window.screen("call").await;
    given.says("Send it again.").await;
    goes_on(ada, bob, &given, &payload, there).await;
    offered.press("save").await;
    payload.arrives_in(couple.saved.path()).await;
    couple.part().await;
}

#[tokio::test]
async fn a_tab_that_is_closed_is_told_of_and_another_goes_on() {
    let couple = meet().await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    let payload = couple.payload("tab.bin", 64 * MIB);
    bob.opens_the_panel().await;
    let (given, offered) = begin(ada, bob, &payload).await;
    // Another tab keeps the browser open.
    let second = bob.window.client.new_window(true).await.unwrap().handle;
    offered.has_bytes(payload.size / 2).await;
    let there = offered.bytes().await;
    bob.window.client.close_window().await.unwrap();
    given.says("The call was over before the file had arrived. Send it again.").await;
    assert_eq!(given.buttons().await, serde_json::json!(["again"]));
    ada.window.until("document.querySelector('#status').textContent === 'Bob left the call.'").await;

    bob.window.client.switch_to_window(second).await.unwrap();
    bob.window.go(&couple.server.room("talk")).await;
    bob.window.screen("lobby").await;
    bob.window.run(Couple::NO_DIALOG).await;
    bob.enter("Bob").await;
    goes_on(ada, bob, &given, &payload, there).await;
    couple.part().await;
}

#[tokio::test]
async fn one_whose_sender_closes_the_tab_is_told_what_was_kept() {
    let couple = meet().await;
    let payload = couple.payload("gone.bin", 64 * MIB);
    couple.bob.opens_the_panel().await;
    let (_, offered) = begin(&couple.ada, &couple.bob, &payload).await;
    offered.has_bytes(payload.size / 4).await;
    couple.ada.close().await;
    offered.says("Ada has to send it again. What has arrived is kept, and will not be sent again.").await;
    assert_eq!(offered.buttons().await, serde_json::json!([]));
    couple.bob.close().await;
}

async fn meet() -> Couple {
    Couple::meet_with(Pair::new(Engine::Chromium, Engine::Chromium), Path::COLLECT).await
}

/// Ada sends the file again to Bob, who is back, and had so many bytes of it.
async fn goes_on(ada: &Caller, bob: &Caller, given: &FileRow, payload: &Payload, there: u64) {
    for caller in [ada, bob] {
        caller.sees("state", "connected").await;
    }
    bob.opens_the_panel().await;
    given.press("again").await;
    let offered = bob.has_file(&payload.name).await;
    offered.press("accept").await;
    given.is_done_within(PATIENCE).await;
    offered.is_done_within(PATIENCE).await;
    let sent = sent_bytes(&ada.window).await;
    println!("{there} of {} bytes were there; {sent} were sent then", payload.size);
    // The segment that was being written, and the one that was begun behind it, are not whole.
    let missing = payload.size - there + 2 * SEGMENT;
    assert!(sent <= with_heads(missing), "{sent} bytes were sent, and {missing} were missing");
}
