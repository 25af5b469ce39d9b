//! How fast data goes from one browser to another: our messages and files, PeerJS and simple-peer, each as a share of what
//! one plain RTCDataChannel does at its best. All in one run, in turns, with the same two browsers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be made should say so loudly"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use duologue_e2e::{Browsers, Running, Server, Site, Window, root};

/// How much is sent by messages, and how large the file is.
const BYTES: usize = 48 * 1024 * 1024;
/// How much is sent before anything is measured.
const WARM: usize = 16 * 1024 * 1024;
const FILE_BYTES: usize = 128 * 1024 * 1024;
/// Small messages, and how many.
const SMALL: (usize, usize) = (100, 10_000);
/// Sizes of messages that the plain channel is tried with.
const SIZES: [usize; 5] = [16, 32, 64, 128, 256];
/// How long a measurement may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// What the others are installed as.
const LIBRARIES: [&str; 3] = ["peerjs@1.5.5", "simple-peer@9.11.1", "peer@1.0.2"];

struct Contender {
    kind: &'static str,
    /// The size of a message that suits it.
    size: usize,
}

/// Where everything is that a page needs.
struct Place {
    site: Site,
    server: Server,
    /// PeerJS has a server of its own.
    peer_server: Option<(Running, u16)>,
}

#[tokio::main]
async fn main() {
    let rounds = rounds();
    let libraries = root().join("target/bench-data");
    let others = install(&libraries);
    let place = Place {
        site: Site::serve(&root()).await,
        server: Server::start(),
        peer_server: others.then(|| peer_server(&libraries)),
    };
    let browsers = Browsers::chromium();
    let (sender, receiver) = (browsers.open().await, browsers.open().await);
    let mut number = 0;
    let mut connect = async |kind: &'static str| {
        number += 1;
        open(&place, &sender, &receiver, kind, number).await;
    };

    println!("one plain channel, by the size of its messages (MB/s)");
    let mut best = (0, 0.0);
    for size in SIZES {
        connect("raw").await;
        let rate =
            megabytes(BYTES / 2, measure(&sender, BYTES / 2 / (size * 1024), size * 1024, "bytes").await);
        println!("{size:>8} KiB{rate:>10.1}");
        if rate > best.1 {
            best = (size * 1024, rate);
        }
    }

    let mut contenders =
        vec![Contender { kind: "raw", size: best.0 }, Contender { kind: "duologue", size: best.0 }];
    if others {
        // Neither cuts a message that is too large for the channel in a way that suits it: these are what they take.
        contenders.push(Contender { kind: "peerjs", size: 1024 * 1024 });
        contenders.push(Contender { kind: "simple-peer", size: 64 * 1024 });
    }
    let file = file_on_disk();
    let mut by_message = vec![Vec::new(); contenders.len()];
    let mut small = vec![Vec::new(); contenders.len()];
    let mut by_file = Vec::new();
    for _ in 0..rounds {
        for (at, contender) in contenders.iter().enumerate() {
            connect(contender.kind).await;
            // A page that was just loaded is still being compiled, and each library otherwise: not what is measured.
            measure(&sender, WARM / contender.size, contender.size, "bytes").await;
            let count = BYTES / contender.size;
            let seconds = measure(&sender, count, contender.size, "bytes").await;
            by_message[at].push(megabytes(count * contender.size, seconds));
            let seconds = measure(&sender, SMALL.1, SMALL.0, "messages").await;
            small[at].push(SMALL.1 as f64 / seconds);
            if contender.kind == "duologue" {
                sender.choose_file("#file", file.path()).await;
                by_file.push(megabytes(FILE_BYTES, seconds_of(&sender, "measureFile()").await));
            }
        }
    }

    println!();
    println!("medians of {rounds} in turns (least to most); the share of the plain channel's median");
    println!("{:<26}{:>30}{:>8}{:>36}{:>8}", "", "MB/s", "share", "messages of 100 bytes a second", "share");
    let (raw, raw_small) = (median(&by_message[0]), median(&small[0]));
    for (at, contender) in contenders.iter().enumerate() {
        println!(
            "{:<26}{:>30}{:>8.2}{:>36}{:>8.2}",
            format!("{} ({} KiB)", contender.kind, contender.size / 1024),
            summary(&by_message[at], 1),
            median(&by_message[at]) / raw,
            summary(&small[at], 0),
            median(&small[at]) / raw_small,
        );
    }
    println!("{:<26}{:>30}{:>8.2}", "duologue, a file", summary(&by_file, 1), median(&by_file) / raw);
    sender.close().await;
    receiver.close().await;
}

/// Loads both pages and waits until they are joined.
async fn open(place: &Place, sender: &Window, receiver: &Window, kind: &str, number: u32) {
    let peer_server = place.peer_server.as_ref().map_or(0, |(_, port)| *port);
    for (role, window) in [(0, receiver), (1, sender)] {
        window.go("about:blank").await;
        window
            .go(&format!(
                "{}e2e/pages/data.html?kind={kind}&server={}&room=data-{number}&role={role}&peerserver=http://127.0.0.1:{peer_server}\
                 &libraries=/target/bench-data/node_modules",
                place.site.url,
                place.server.socket(),
            ))
            .await;
        if kind == "peerjs" && role == 0 {
            // Whoever is called has to be known before.
            window.until("window.registered").await;
        }
    }
    for window in [receiver, sender] {
        assert_eq!(window.until("window.ready || window.failed").await, true, "{kind} does not connect");
    }
}

async fn measure(sender: &Window, count: usize, size: usize, unit: &str) -> f64 {
    seconds_of(sender, &format!("measure({count}, {size}, {unit:?})")).await
}

async fn seconds_of(window: &Window, call: &str) -> f64 {
    window.run(&format!("window.outcome = null; {call}.then(it => window.outcome = it)")).await;
    window.until_within("window.outcome", PATIENCE).await.as_f64().unwrap()
}

fn megabytes(bytes: usize, seconds: f64) -> f64 {
    bytes as f64 / 1e6 / seconds
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn summary(figures: &[f64], digits: usize) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let most = figures.iter().copied().fold(0.0, f64::max);
    format!("{:.digits$} ({least:.digits$} to {most:.digits$})", median(figures))
}

/// Installs the others from npm, where it is there.
fn install(folder: &Path) -> bool {
    std::fs::create_dir_all(folder).unwrap();
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(folder).args(LIBRARIES);
    match npm.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => true,
        _ => {
            println!("PeerJS and simple-peer are not measured: they could not be installed with npm");
            false
        }
    }
}

fn peer_server(folder: &Path) -> (Running, u16) {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let mut command = Command::new(folder.join("node_modules/.bin/peerjs"));
    command.args(["--port", &port.to_string(), "--path", "/"]);
    let started = |line: &str| line.contains("Started").then_some(());
    let (running, ()) = Running::start(&mut command, Duration::from_secs(20), started);
    (running, port)
}

/// A file of random bytes, which goes when this is dropped.
fn file_on_disk() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let block: Vec<u8> = (0..1 << 20)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect();
    for _ in 0..FILE_BYTES >> 20 {
        file.write_all(&block).unwrap();
    }
    file.flush().unwrap();
    file
}

fn rounds() -> usize {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => 5,
        [flag, number] if flag == "--rounds" => number.parse().expect("a number of rounds"),
        _ => panic!("it is `bench-data [--rounds N]`"),
    }
}
