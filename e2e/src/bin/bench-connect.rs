//! How long it takes from the second person's press on Join to the first frame of the other's picture: our page and a
//! plain page written by hand, in turns, in the same two browsers; then the same with a slow way to the server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be made should say so loudly"
)]

use std::time::Duration;

use duologue_e2e::{Browsers, Server, Site, SlowLink, Window, root};

/// What a page is called, where it is, and what on it shows the other's picture.
struct Contender {
    name: &'static str,
    picture: &'static str,
    /// True once the page is ready to join.
    ready: &'static str,
}

const OURS: Contender = Contender {
    name: "duologue",
    picture: ".tile video",
    ready: "document.body.dataset.screen === 'lobby' && document.querySelector('#preview').videoWidth > 0
            && document.querySelector('#signal-note').hidden",
};

const PLAIN: Contender =
    Contender { name: "plain page", picture: "#remote", ready: "!document.querySelector('#join').disabled" };

impl Contender {
    async fn open(&self, window: &Window, url: &str) {
        // A page of its own each time: one that differs in the fragment only would not be loaded again.
        window.go("about:blank").await;
        window.go(url).await;
        window.until(self.ready).await;
    }

    /// Milliseconds from the press to the first frame.
    async fn measure(&self, window: &Window) -> f64 {
        let body = format!(
            "const find = () => document.querySelector({:?});
             const shown = new Promise(then => {{
               const look = () => {{
                 const video = find();
                 if (video) video.requestVideoFrameCallback(now => then(now));
                 return Boolean(video);
               }};
               if (look()) return;
               const observer = new MutationObserver(() => look() && observer.disconnect());
               observer.observe(document.body, {{ childList: true, subtree: true }});
             }});
             const begin = performance.now();
             document.querySelector('#join').click();
             return await shown - begin;",
            self.picture
        );
        window.run(&body).await.as_f64().unwrap()
    }
}

struct Track {
    /// The port through which both pages reach the signaling server.
    port: u16,
    label: String,
}

#[tokio::main]
async fn main() {
    let pairs = pairs();
    let server = Server::start();
    let site = Site::serve(&root().join("e2e/pages")).await;
    let browsers = Browsers::chromium();
    let (first, second) = (browsers.open().await, browsers.open().await);
    let slow = SlowLink::to(server.port(), Duration::from_millis(50)).await;
    println!(
        "from the second join to the first remote frame, {pairs} pairs in turns, medians (least to most), ms"
    );
    for track in [
        Track { port: server.port(), label: "loopback".to_owned() },
        Track { port: slow.port, label: "signaling 50 ms away".to_owned() },
    ] {
        let mut times = [Vec::new(), Vec::new()];
        for pair in 0..pairs {
            for (contender, times) in [&OURS, &PLAIN].into_iter().zip(&mut times) {
                let room = format!("bench-{pair}-{}", track.port);
                let url = match contender.name {
                    "duologue" => format!("http://127.0.0.1:{}/#{room}", track.port),
                    _ => format!(
                        "{}plain.html?ws=ws://127.0.0.1:{}/ws&room=plain-{room}",
                        site.url, track.port
                    ),
                };
                contender.open(&first, &url).await;
                contender.open(&second, &url).await;
                first.press("#join").await;
                first.until("document.body.dataset.screen !== 'lobby' && (typeof socket === 'undefined' || socket.readyState === 1)").await;
                // The plain page does not learn that it has joined; give its message the time to arrive.
                tokio::time::sleep(Duration::from_millis(300)).await;
                times.push(contender.measure(&second).await);
            }
        }
        let [ours, plain] = times.map(Summary::of);
        println!("{:<22}{:<12}{ours}", track.label, OURS.name);
        println!("{:<22}{:<12}{plain}", "", PLAIN.name);
        println!("{:<22}{:<12}{:.2}", "", "ratio", ours.median / plain.median);
    }
    first.close().await;
    second.close().await;
}

fn pairs() -> usize {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => 9,
        [flag, number] if flag == "--pairs" => number.parse().expect("a number of pairs"),
        _ => panic!("it is `bench-connect [--pairs N]`"),
    }
}

struct Summary {
    median: f64,
    least: f64,
    most: f64,
}

impl Summary {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self { median: times[times.len() / 2], least: times[0], most: times[times.len() - 1] }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6.0}  ({:.0} to {:.0})", self.median, self.least, self.most)
    }
}
