//! When frames of the other's picture came: what a person would call a call that runs, or one that hangs.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::browser::Window;

/// Notes the time of each frame that the page shows of someone else. It is forgotten with the page.
pub struct Frames {
    window: Window,
}

impl Frames {
    /// Starts to watch. Where the browser tells of no frame that it has shown, those that it has decoded are counted;
    /// this takes a page that was opened with [`Path::COLLECT`](crate::Path::COLLECT).
    pub async fn watch(window: &Window) -> Self {
        window.run(WATCH).await;
        Self { window: window.clone() }
    }

    /// The longest time without a new frame since then, up to now.
    pub async fn longest_gap(&self, since: SystemTime) -> Duration {
        let script = "const ends = [since, ...frameClock.since(since), frameClock.now()];
            return Math.max(...ends.slice(1).map((end, index) => end - ends[index]));";
        self.ask(since, script).await
    }

    /// How long ago the last frame came; since watching began, if there was none.
    pub async fn last_frame_age(&self) -> Duration {
        self.ask(SystemTime::UNIX_EPOCH, "return frameClock.now() - frameClock.last();").await
    }

    pub async fn frames_since(&self, since: SystemTime) -> usize {
        let script = format!("return frameClock.since({}).length;", millis(since));
        usize::try_from(self.window.run(&script).await.as_u64().unwrap()).unwrap()
    }

    /// Waits for a frame that comes after that moment, and gives the time from then to the frame.
    pub async fn next_after(&self, moment: SystemTime, within: Duration) -> Duration {
        let (moment, first) = (millis(moment), format!("frameClock.since({})[0]", millis(moment)));
        let at = self.window.until_within(&first, within).await;
        duration(&at) - Duration::from_secs_f64(moment / 1000.0)
    }

    /// Waits until no frame has come for this long.
    pub async fn stop_for(&self, long: Duration) {
        let condition = format!("frameClock.now() - frameClock.last() >= {}", long.as_millis());
        self.window.until_within(&condition, long + Duration::from_secs(20)).await;
    }

    async fn ask(&self, since: SystemTime, script: &str) -> Duration {
        duration(&self.window.run(&format!("const since = {};\n{script}", millis(since))).await)
    }
}

/// As pages count time: all clocks here are the same machine's.
fn millis(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0
}

fn duration(millis: &Value) -> Duration {
    // Clocks of two processes may differ by less than anyone sees.
    Duration::from_secs_f64(millis.as_f64().unwrap().max(0.0) / 1000.0)
}

const WATCH: &str = "
    if (window.frameClock) return;
    const now = () => performance.timeOrigin + performance.now();
    const [shown, decoded, begun] = [[], [], now()];
    const times = () => shown.length ? shown : decoded;
    window.frameClock = {
        now,
        last: () => times().at(-1) ?? begun,
        since: moment => times().filter(time => time >= moment),
    };

    // Whichever element shows the other: it may be another after a while.
    let video;
    const look = () => {
        const current = document.querySelector('.tile video');
        if (current === video) return;
        video = current;
        const note = () => {
            if (current !== video) return;
            shown.push(now());
            current.requestVideoFrameCallback(note);
        };
        current?.requestVideoFrameCallback?.(note);
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    look();

    // A callback that the browser has lost is no frame that it has lost: what it says it has shown counts as well.
    let total = 0;
    setInterval(() => {
        const { totalVideoFrames } = video?.getVideoPlaybackQuality?.() ?? {};
        if (totalVideoFrames > total && now() - (shown.at(-1) ?? begun) > 100) shown.push(now());
        total = totalVideoFrames ?? 0;
    }, 20);

    let count = 0;
    const ask = async () => {
        if (shown.length) return;
        let sum = 0;
        for (const connection of window.connections ?? []) {
            const stats = await connection.getStats();
            stats.forEach(it => { if (it.type === 'inbound-rtp') sum += it.framesDecoded ?? 0; });
        }
        if (sum > count) decoded.push(now());
        count = sum;
        setTimeout(ask, 20);
    };
    ask();
";
