//! A client that says anything but what it should, to the program, over many connections; and a call beside it that must not
//! notice.
//!
//! `cargo xtask fuzz-server` runs it at length. Every run prints its seed; the same seed sends the same, but for what the server
//! has a part in: ids, sessions, and which connection is quicker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

mod call;
mod ear;
mod frames;
mod messages;
mod process;
mod random;
mod requests;
mod stranger;

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use common::{Client, PATIENCE};
use ear::Abandoned;
use process::Process;
use random::Random;
use stranger::{Numbers, Stranger, visit};

/// How many are connected at the same time.
const AT_ONCE: usize = 64;

/// Words that no line of the log has in it: a fault, or what somebody said.
const NEVER_LOGGED: &[&str] =
    &["panicked", messages::MARK, "a room of their own", "candidate:", "192.0.2.", "ERROR"];

/// What is the same for all connections.
pub struct World {
    /// Where the server is.
    pub address: SocketAddr,
    /// What everything follows from.
    pub seed: u64,
    /// How many frames were sent.
    pub frames: AtomicU64,
    /// Sessions that anybody may take up, the oldest first.
    pub abandoned: Mutex<VecDeque<Abandoned>>,
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, and not {text:?}")))
}

/// Not by `println`, which the test harness keeps to itself while all is well.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// So many frames of the strangers that begin at this number.
async fn storm(world: &Arc<World>, numbers: &Arc<Numbers>, frames: u64) {
    let end = world.frames.load(Ordering::Relaxed) + frames;
    let strangers = (0..AT_ONCE).map(|_| {
        let (world, numbers) = (world.clone(), numbers.clone());
        tokio::spawn(async move {
            while world.frames.load(Ordering::Relaxed) < end {
                visit(&world, numbers.next()).await;
            }
        })
    });
    for stranger in join_all(strangers).await {
        stranger.expect("nothing that a stranger heard is wrong");
    }
}

/// Takes up what was left behind, and leaves: nobody has to wait until the server gives up on it.
async fn leave_all(world: &World) {
    loop {
        let next = world.abandoned.lock().unwrap().pop_front();
        let Some(abandoned) = next else { return };
        if abandoned.at.elapsed() > Duration::from_secs(31) {
            continue;
        }
        let mut random = Random::of(abandoned.seq, world.seed);
        let Some(mut stranger) = Stranger::connect(world, &mut random, true).await else { continue };
        stranger.say(&mut random, &abandoned.resume());
        stranger.say(&mut random, r#"{"type":"leave"}"#);
        stranger.barrier(world, &mut random).await;
    }
}

async fn client(address: SocketAddr) -> Client {
    Client::over(TcpStream::connect(address).await.unwrap(), address).await
}

/// Waits until nobody is left, and gives how long that took.
async fn empties(server: &Process) -> Duration {
    let begin = Instant::now();
    for series in ["duologue_rooms", "duologue_members", "duologue_connections_open"] {
        loop {
            let left = server.counted(series).await;
            if left == 0 {
                break;
            }
            // Longer than a seat is kept.
            assert!(begin.elapsed() < 2 * PATIENCE, "{series} {left}, though everybody is gone");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_said_to_the_server_it_stays_well_and_a_call_beside_it_notices_nothing() {
    let frames = setting("DUOLOGUE_FUZZ_FRAMES").unwrap_or(20_000);
    let seed = setting("DUOLOGUE_FUZZ_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        now.unwrap().as_nanos() as u64
    });
    say(&format!(
        "\n{frames} frames with the seed {seed} (DUOLOGUE_FUZZ_FRAMES={frames} DUOLOGUE_FUZZ_SEED={seed})"
    ));

    let mut server = Process::start(NEVER_LOGGED).await;
    let address = server.address;
    let world =
        Arc::new(World { address, seed, frames: AtomicU64::new(0), abandoned: Mutex::new(VecDeque::new()) });
    let numbers = Arc::new(Numbers::default());
    let cold = server.memory();
    // What the server and its allocator take once and keep for the next: after that, memory does not grow.
    storm(&world, &numbers, (frames / 10).max(15_000)).await;
    leave_all(&world).await;
    empties(&server).await;
    let before = server.memory();

    let end = CancellationToken::new();
    // On a thread of its own: it is to wait for the server, and for nobody here.
    let ended = end.clone();
    let call = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { call::go_on(client(address).await, client(address).await, ended).await })
    });
    let begin = Instant::now();
    storm(&world, &numbers, frames).await;
    let lasted = begin.elapsed();
    end.cancel();
    let went = call.join().expect("the call has lost nothing");

    leave_all(&world).await;
    let emptied = empties(&server).await;
    let after = server.memory();
    let metrics = server.metrics().await;
    let (lines, bad) = server.log();
    let megabytes =
        |bytes: Option<u64>| bytes.map_or("?".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6));
    say(&format!(
        "{} frames over {} connections, {frames} of them in {:.1} s beside a call\n\
         the call: {} messages, none lost; a round of 22 in {:?} (median), {:?} (99 %), {:?} (longest)\n\
         memory in MB: {} at the start, {} after a first storm, {} at the end; empty after {emptied:?}; \
         {lines} lines of log",
        world.frames.load(Ordering::Relaxed),
        numbers.next(),
        lasted.as_secs_f64(),
        went.messages(),
        went.within(50),
        went.within(99),
        went.within(100),
        megabytes(cold),
        megabytes(before),
        megabytes(after),
    ));
    for family in ["refusals", "connections_ended", "messages_relayed", "breaches", "strangers"] {
        let series =
            metrics.lines().filter_map(|line| line.strip_prefix(&format!("duologue_{family}_total{{")));
        let told: Vec<_> = series.filter(|series| !series.ends_with(" 0")).collect();
        say(&format!("{family}: {}", told.join(", ").replace('}', "")));
    }

    assert!(server.is_running(), "the server has ended");
    assert_eq!(bad, Vec::<String>::new(), "in the log");
    // All that can go wrong has gone wrong.
    for code in [
        "bad-json",
        "unknown-type",
        "bad-message",
        "message-too-large",
        "sdp-too-large",
        "candidate-too-large",
        "unsupported-protocol",
        "not-joined",
        "already-joined",
        "room-full",
        "ambiguous-recipient",
        "no-recipient",
        "session-unknown",
        "too-deep",
    ] {
        let series = format!("duologue_refusals_total{{code=\"{code}\"}} 0");
        assert!(!metrics.lines().any(|line| line == series), "nobody was ever told {code}");
    }
    for how in ["closed", "aborted", "broken", "message-too-large", "not-websocket", "not-utf8", "replaced"] {
        let series = format!("duologue_connections_ended_total{{how=\"{how}\"}} 0");
        assert!(!metrics.lines().any(|line| line == series), "no connection ever ended {how}");
    }
    if let (Some(before), Some(after)) = (before, after) {
        assert!(after <= before + before / 5, "the memory has grown from {before} to {after} bytes");
    }
}
