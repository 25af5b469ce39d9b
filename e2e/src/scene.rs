//! A call between two homes with a router each, and what can be done to it. Each thing that is done gives figures: how
//! long the picture stood still at either end, and how soon it went on.

use std::time::{Duration, SystemTime};

use crate::{Browsers, Caller, Frames, Kind, Lab, Path, Server, WindowOptions};

/// How long anything may take that is no measurement.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long frames are watched after all is well again.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Two homes and the server, with no call yet.
pub struct Scene {
    pub lab: Lab,
    pub server: Server,
    browsers: [Browsers; 2],
    calls: u32,
}

/// A call that is up, its frames watched at both ends.
pub struct Call {
    pub callers: [Caller; 2],
    pub frames: [Frames; 2],
}

/// What came of something that was done to a call.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// The longest time without a new frame, as Ada and as Bob saw it.
    pub gaps: [Duration; 2],
    /// From the end of what was done to the first frame at both ends.
    pub back: Duration,
    /// Whether both still have the connection that they began with.
    pub same_connection: bool,
}

/// How one learned of the other's going.
#[derive(Debug, Clone, Copy)]
pub struct Parting {
    /// When the page first said so, in whatever words.
    pub noticed: Duration,
    /// When the other was off the page.
    pub gone: Duration,
}

impl Scene {
    /// Builds it; `None` where the lab cannot be built.
    pub fn set() -> Option<Self> {
        let lab = Lab::start()?;
        let server = lab.serve(&[]);
        let browsers = [&lab.ada, &lab.bob].map(|home| {
            home.put_behind(Kind::PortRestricted);
            home.chromium(&server.url)
        });
        Some(Self { lab, server, browsers, calls: 0 })
    }

    /// A new call. Close it before the next.
    pub async fn call(&mut self) -> Call {
        self.call_with("").await
    }

    /// The same; the script is run in both pages before their own.
    pub async fn call_with(&mut self, before: &str) -> Call {
        self.calls += 1;
        let room = self.server.room(&format!("call {}", self.calls));
        let options = WindowOptions::before(&[Path::COLLECT, before].join("\n"));
        let ada = Caller::join_with(&self.browsers[0], &room, "Ada", options.clone()).await;
        let bob = Caller::join_with(&self.browsers[1], &room, "Bob", options).await;
        for caller in [&ada, &bob] {
            caller.sees_moving_picture().await;
            caller.sees("state", "connected").await;
        }
        let frames = [Frames::watch(&ada.window).await, Frames::watch(&bob.window).await];
        let call = Call { callers: [ada, bob], frames };
        call.goes_on().await;
        call
    }

    /// Nothing is done: how still the picture stands by itself.
    pub async fn do_nothing(&mut self, call: &Call, time: Duration) -> Figures {
        let begin = SystemTime::now();
        tokio::time::sleep(time).await;
        call.figures(begin, SystemTime::now()).await
    }

    /// The server is killed and started again; both come back to it.
    pub async fn kill_the_server(&mut self, call: &Call) -> Figures {
        let begin = SystemTime::now();
        self.server.kill9();
        for caller in &call.callers {
            caller.window.until("!document.querySelector('#call-note').hidden").await;
        }
        self.server.start_again();
        let end = SystemTime::now();
        for caller in &call.callers {
            caller.window.until("document.querySelector('#call-note').hidden").await;
        }
        call.figures(begin, end).await
    }

    /// Ada's way to the server is cut until her page says so; the call's own packets pass.
    pub async fn cut_the_signaling(&mut self, call: &Call) -> Figures {
        let begin = SystemTime::now();
        self.lab.ada.cut_tcp();
        // The page would ask of itself only after a while of silence.
        call.callers[0].window.run("window.dispatchEvent(new Event('online'))").await;
        call.callers[0].window.until("!document.querySelector('#call-note').hidden").await;
        self.lab.ada.restore();
        let end = SystemTime::now();
        call.callers[0].window.until_within("document.querySelector('#call-note').hidden", PATIENCE).await;
        call.figures(begin, end).await
    }

    /// Nothing gets in or out of Ada's home for so long.
    pub async fn cut_the_network(&mut self, call: &Call, time: Duration) -> Figures {
        let begin = SystemTime::now();
        self.lab.ada.cut();
        // What is measured is what this time does.
        tokio::time::sleep(time).await;
        self.lab.ada.restore();
        call.figures(begin, SystemTime::now()).await
    }

    /// Ada's computer gets another address in her home, some seconds into the call: a call that has only just begun has no
    /// steady flow yet that could be seen to stop.
    pub async fn move_ada(&mut self, call: &Call) -> Figures {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let before = call.callers[0].window.run(PAIR).await;
        let begin = SystemTime::now();
        self.lab.ada.change_address();
        let end = SystemTime::now();
        let another = format!("await (async () => {{ {PAIR} }})().then(pair => pair && pair !== {before})");
        call.callers[0].window.until_within(&another, PATIENCE).await;
        call.figures(begin, end).await
    }

    /// Bob's browser is killed: it says no goodbye.
    pub async fn kill_bobs_browser(&mut self, call: Call) -> Parting {
        let [ada, bob] = call.callers;
        let begin = SystemTime::now();
        bob.window.kill9().await;
        let parting = parting(&ada, begin).await;
        ada.close().await;
        parting
    }

    /// Bob's network is gone for good.
    pub async fn lose_bobs_network(&mut self, call: Call) -> Parting {
        let [ada, bob] = call.callers;
        let begin = SystemTime::now();
        self.lab.bob.cut();
        let parting = parting(&ada, begin).await;
        self.lab.bob.restore();
        ada.close().await;
        bob.close().await;
        parting
    }

    /// Bob presses Leave.
    pub async fn let_bob_leave(&mut self, call: Call) -> Parting {
        let [ada, bob] = call.callers;
        let begin = SystemTime::now();
        bob.window.press("#leave").await;
        let parting = parting(&ada, begin).await;
        ada.close().await;
        bob.close().await;
        parting
    }

    /// Bob closes the tab.
    pub async fn close_bobs_tab(&mut self, call: Call) -> Parting {
        let [ada, bob] = call.callers;
        let begin = SystemTime::now();
        bob.close().await;
        let parting = parting(&ada, begin).await;
        ada.close().await;
        parting
    }
}

async fn parting(ada: &Caller, begin: SystemTime) -> Parting {
    let since = || begin.elapsed().unwrap_or_default();
    let within = Duration::from_secs(70);
    ada.window.until_within("document.querySelector('.tile')?.dataset.state !== 'connected'", within).await;
    let noticed = since();
    ada.is_alone_within(within).await;
    Parting { noticed, gone: since() }
}

impl Call {
    /// Waits until frames come at both ends.
    pub async fn goes_on(&self) {
        for frames in &self.frames {
            frames.next_after(SystemTime::now(), PATIENCE).await;
        }
    }

    async fn figures(&self, begin: SystemTime, end: SystemTime) -> Figures {
        let mut back = Duration::ZERO;
        for frames in &self.frames {
            back = back.max(frames.next_after(end, PATIENCE).await);
        }
        for caller in &self.callers {
            caller
                .window
                .until_within("document.querySelector('.tile')?.dataset.state === 'connected'", PATIENCE)
                .await;
        }
        // What was mended must hold: a gap that comes late counts as well.
        tokio::time::sleep(AFTERWARDS).await;
        self.goes_on().await;
        let gaps = [self.frames[0].longest_gap(begin).await, self.frames[1].longest_gap(begin).await];
        let mut same_connection = true;
        for caller in &self.callers {
            same_connection &= caller.window.eval("connections.length === 1").await == true;
        }
        Figures { gaps, back, same_connection }
    }

    pub async fn close(self) {
        for caller in self.callers {
            caller.close().await;
        }
    }
}

/// The pair of candidates in use.
const PAIR: &str = "
    const connection = connections.findLast(it => it.connectionState !== 'closed');
    const stats = [...(await connection.getStats()).values()];
    const transport = stats.find(it => it.type === 'transport');
    return connection.connectionState === 'connected' ? transport.selectedCandidatePairId : null;";
