//! What a page keeps: asked of Chromium, after it has thrown away whatever nobody needs.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::{Browsers, Window, WindowOptions};
use crate::{Caller, Server};

/// How long the browser may take to throw away what nobody needs. One collection frees what the next can take, and
/// media end on threads of their own.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many readings in a row must be the same to be believed.
const CALM: u32 = 4;
/// How many nodes more are none that were left behind: an element that is hidden has a text or none, by how far things
/// had come.
const TEXTS: u64 = 4;
/// One page of WebAssembly's memory.
const PAGE: u64 = 65_536;

/// What one page keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of JavaScript objects.
    pub script: u64,
    /// Pages of 64 KiB.
    pub wasm: u64,
    /// JavaScript objects that Rust holds. Strings are not counted: the name of an event is kept from its first use on.
    pub held: u64,
    /// Listeners for events: the page's, and the browser's own in what it draws.
    pub listeners: u64,
    /// Nodes, in the document or held by something.
    pub nodes: u64,
    /// How many `MediaStreamTrack`s are live.
    pub live_tracks: usize,
    /// Every `RTCPeerConnection` that was not collected, by its state.
    pub connections: Vec<String>,
    /// How many objects there are of each of [`KINDS`].
    pub objects: [usize; KINDS.len()],
}

/// What a call is made of.
pub const KINDS: [&str; 6] = [
    "RTCPeerConnection",
    "RTCDataChannel",
    "RTCRtpTransceiver",
    "MediaStream",
    "MediaStreamTrack",
    "WebSocket",
];

impl Footprint {
    /// What the page of this window keeps, once it changes no more.
    pub async fn of(window: &Window) -> Self {
        let (begin, mut last, mut calm) = (Instant::now(), Self::now(window).await, 0);
        while calm < CALM && begin.elapsed() < PATIENCE {
            let now = Self::now(window).await;
            calm = if now.counts() == last.counts() { calm + 1 } else { 0 };
            last = now;
        }
        last
    }

    /// The same, once it is as it should be; or what it is instead, if that does not come.
    pub async fn once(window: &Window, is_right: impl Fn(&Self) -> bool) -> Self {
        let begin = Instant::now();
        loop {
            let now = Self::now(window).await;
            if is_right(&now) || begin.elapsed() > PATIENCE {
                return now;
            }
        }
    }

    async fn now(window: &Window) -> Self {
        window.devtools("HeapProfiler.enable", json!({})).await;
        window.devtools("HeapProfiler.collectGarbage", json!({})).await;
        let mut found = Vec::new();
        for kind in KINDS {
            // Every question is a collection as well.
            found.push(each(window, kind, "it.connectionState ?? it.readyState ?? null").await);
        }
        let memory = each(window, "WebAssembly.Memory", "it.buffer.byteLength").await;
        let slabs = each(window, "Array", SLAB).await;
        let mut slabs = slabs.iter().filter_map(Value::as_u64);
        let held = slabs.next().expect("the array in which wasm-bindgen keeps what Rust holds");
        assert_eq!(slabs.next(), None, "there is one such array");
        let counters = window.devtools("Memory.getDOMCounters", json!({})).await;
        let heap = window.devtools("Runtime.getHeapUsage", json!({})).await;
        let states = |kind| {
            let index = KINDS.iter().position(|it| *it == kind).unwrap();
            found[index].iter().map(|state| state.as_str().unwrap_or_default().to_owned())
        };
        Self {
            script: heap["usedSize"].as_u64().unwrap(),
            wasm: memory.iter().filter_map(Value::as_u64).sum::<u64>() / PAGE,
            held,
            listeners: counters["jsEventListeners"].as_u64().unwrap(),
            nodes: counters["nodes"].as_u64().unwrap(),
            live_tracks: states("MediaStreamTrack").filter(|state| state == "live").count(),
            connections: states("RTCPeerConnection").collect(),
            objects: std::array::from_fn(|index| found[index].len()),
        }
    }

    /// Whether nothing is left of any call.
    pub fn is_bare(&self) -> bool {
        self.objects == [0; KINDS.len()]
    }

    /// Whether the page holds no more than it did.
    pub fn holds_no_more_than(&self, before: &Self) -> bool {
        self.held <= before.held && self.listeners <= before.listeners && self.nodes <= before.nodes + TEXTS
    }

    /// Whether the browser keeps no more of calls than it did, for the page or for itself.
    pub fn has_no_more_parts_than(&self, before: &Self) -> bool {
        self.objects.iter().zip(before.objects).all(|(now, then)| *now <= then)
    }

    fn counts(&self) -> (u64, u64, u64, [usize; KINDS.len()]) {
        (self.held, self.listeners, self.nodes, self.objects)
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { script, wasm, held, listeners, nodes, live_tracks, connections, objects } = self;
        let script = script / 1024;
        write!(
            formatter,
            "JavaScript {script} KiB, WebAssembly {wasm} pages, {held} objects held by Rust, "
        )?;
        write!(formatter, "{listeners} listeners, {nodes} nodes, {live_tracks} live tracks")?;
        KINDS.iter().zip(objects).try_for_each(|(kind, count)| write!(formatter, ", {count} {kind}"))?;
        // Most are in the same state.
        let mut states = connections.clone();
        states.dedup();
        if states.is_empty() { Ok(()) } else { write!(formatter, " ({})", states.join(", ")) }
    }
}

/// What a page weighs at one moment, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// JavaScript objects, and the memory behind their buffers, that of WebAssembly among them; 0 in Firefox, which does not
    /// say.
    pub script: u64,
    /// The memory of the processes that run the page, as the system counts it: all of the above, and the browser's own.
    pub process: u64,
}

impl Weight {
    /// What the page of this window holds. The browser throws away before what nobody needs, which it puts off otherwise
    /// until there are some sixty megabytes of it.
    pub async fn held(window: &Window) -> Self {
        window.collect_garbage().await;
        Self::now(window).await
    }

    /// What it weighs now. In Chromium that is with whatever nobody needs and was not thrown away yet: it collects when it
    /// likes to. Firefox puts it off longer, until there are more than a hundred megabytes of buffers that came over a
    /// channel, by any page; it is told to begin before it is asked.
    pub async fn now(window: &Window) -> Self {
        let process = window.anonymous_memory();
        if !window.is_chromium() {
            window.collect_garbage().await;
            return Self { script: 0, process };
        }
        let heap = window.devtools("Runtime.getHeapUsage", json!({})).await;
        let bytes = |field: &str| heap[field].as_f64().unwrap_or_default() as u64;
        Self { script: bytes("usedSize") + bytes("backingStorageSize"), process }
    }

    /// The greater of each.
    pub fn max(self, other: Self) -> Self {
        Self { script: self.script.max(other.script), process: self.process.max(other.process) }
    }

    /// How much more it is than at an earlier moment.
    pub fn above(self, before: Self) -> Self {
        Self {
            script: self.script.saturating_sub(before.script),
            process: self.process.saturating_sub(before.process),
        }
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [script, process] = [self.script, self.process].map(|bytes| bytes.div_ceil(1024 * 1024));
        write!(formatter, "{script} MiB in JavaScript and WebAssembly, {process} MiB in the process")
    }
}

/// wasm-bindgen keeps what Rust holds in an array, from the place 1028 on; a free place has the number of the next.
const SLAB: &str = "it.length >= 1028 && it[1024] === undefined && it[1025] === null && it[1026] === true && it[1027] === false
    ? it.slice(1028).filter(value => typeof value !== 'number' && typeof value !== 'string').length
    : null";

/// The value of an expression for `it`, each object of that class that is left after all others were collected.
async fn each(window: &Window, class: &str, expression: &str) -> Vec<Value> {
    const GROUP: &str = "footprint";
    let prototype = json!({ "expression": format!("{class}.prototype"), "objectGroup": GROUP });
    let prototype = window.devtools("Runtime.evaluate", prototype).await;
    let query = json!({ "prototypeObjectId": prototype["result"]["objectId"], "objectGroup": GROUP });
    let found = window.devtools("Runtime.queryObjects", query).await;
    let call = json!({
        "objectId": found["objects"]["objectId"],
        "functionDeclaration": format!("function () {{ return this.map(it => {expression}); }}"),
        "returnByValue": true,
    });
    let values = window.devtools("Runtime.callFunctionOn", call).await;
    // Or the answer would be what keeps them.
    window.devtools("Runtime.releaseObjectGroup", json!({ "objectGroup": GROUP })).await;
    values["result"]["value"].as_array().unwrap_or_else(|| panic!("{class}: {values}")).clone()
}

/// What came of it when Bob came and went, while Ada stayed.
#[derive(Clone, Debug)]
pub struct Cycles {
    /// Ada, alone in the call, after the first few, and after all.
    pub ada: [Footprint; 2],
    /// Bob, at the end of the call.
    pub bob: [Footprint; 2],
    /// How many times Ada's page showed someone come, and go.
    pub seen: [u64; 2],
    /// How long one coming and going took.
    pub each: Duration,
}

/// When Bob leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// He has seen Ada.
    WhenConnected,
    /// The connection is still on its way.
    WhileConnecting,
}

impl Cycles {
    /// Bob joins and leaves, `few` times and then until it was `all` times, without loading his page again.
    pub async fn run(few: u32, all: u32, leaving: Leaving) -> Self {
        let (server, browsers) = (Server::start(), Browsers::chromium());
        let (room, options) = (server.room("cycles"), WindowOptions::before(WITHOUT_TABLES));
        let ada = Caller::join_with(&browsers, &room, "Ada", options.clone()).await;
        let bob = Caller::in_lobby(&browsers, &room, options).await;
        ada.window.run(COUNT).await;
        bob.window.fill("#name", "Bob").await;

        let mut time = come_and_go(&ada, &bob, few, leaving).await;
        // Chromium never collects some of the connections that are closed while they gather or negotiate, and so it is
        // with a page of five lines that holds none of them.
        let whole = leaving == Leaving::WhenConnected;
        if whole {
            // It is slow to let go of streams whose tracks have ended, and does in the end.
            Footprint::once(&bob.window, Footprint::is_bare).await;
        }
        let (first_of_ada, first_of_bob) =
            (Footprint::of(&ada.window).await, Footprint::of(&bob.window).await);
        time += come_and_go(&ada, &bob, all - few, leaving).await;
        let is_right = |now: &Footprint, before| {
            now.holds_no_more_than(before) && (!whole || now.has_no_more_parts_than(before))
        };
        let last_of_ada = Footprint::once(&ada.window, |now| is_right(now, &first_of_ada)).await;
        let last_of_bob = Footprint::once(&bob.window, |now| is_right(now, &first_of_bob)).await;

        let seen = ada.window.eval("seen").await;
        let seen = [0, 1].map(|which| seen[which].as_u64().unwrap());
        ada.close().await;
        bob.close().await;
        let (ada, bob) = ([first_of_ada, last_of_ada], [first_of_bob, last_of_bob]);
        Self { ada, bob, seen, each: time / all }
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ada, bob, seen: [came, went], each } = self;
        writeln!(formatter, "Ada before: {}\nAda after:  {}", ada[0], ada[1])?;
        writeln!(formatter, "Bob before: {}\nBob after:  {}", bob[0], bob[1])?;
        write!(formatter, "{came} came and {went} went, {} ms each", each.as_millis())
    }
}

/// How long it took.
async fn come_and_go(ada: &Caller, bob: &Caller, times: u32, leaving: Leaving) -> Duration {
    let (begin, mut left) = (Instant::now(), times);
    let early = leaving == Leaving::WhileConnecting;
    while left > 0 {
        let done = bob.window.run(&format!("const [times, early] = [{left}, {early}];\n{CYCLES}")).await;
        left -= u32::try_from(done.as_u64().unwrap()).unwrap();
    }
    ada.is_alone_within(Duration::from_secs(5)).await;
    begin.elapsed()
}

/// Takes tables out of what a program exports. The table of its functions is there for the parts that come later, which
/// nobody asks for here, and Chromium's `Runtime.queryObjects` crashes in a page that has any `WebAssembly.Table`.
const WITHOUT_TABLES: &str = "
    const EXPORTS = 7, TABLE = 1;
    WebAssembly.instantiateStreaming = async (source, imports) => {
        const bytes = new Uint8Array(await (await source).arrayBuffer());
        let at = 8;
        const number = () => {
            for (let value = 0, shift = 0; ; shift += 7) {
                const byte = bytes[at++];
                value |= (byte & 127) << shift;
                if (byte < 128) return value;
            }
        };
        const written = value => value < 128 ? [value] : [value & 127 | 128, ...written(value >>> 7)];
        const program = [...bytes.slice(0, at)];
        while (at < bytes.length) {
            const begin = at, section = bytes[at++], size = number(), end = at + size;
            if (section === EXPORTS) {
                const kept = [];
                for (let left = number(); left > 0; left--) {
                    const first = at;
                    const length = number();
                    at += length;
                    const kind = bytes[at++];
                    number();
                    if (kind !== TABLE) kept.push([...bytes.slice(first, at)]);
                }
                const content = [...written(kept.length), ...kept.flat()];
                program.push(section, ...written(content.length), ...content);
            } else {
                for (const byte of bytes.subarray(begin, end)) program.push(byte);
            }
            at = end;
        }
        return WebAssembly.instantiate(new Uint8Array(program), imports);
    };";

/// Counts who comes to the stage, and goes.
const COUNT: &str = "
    window.seen = [0, 0];
    new MutationObserver(records => records.forEach(({ addedNodes, removedNodes }) => {
        seen[0] += addedNodes.length;
        seen[1] += removedNodes.length;
    })).observe(document.querySelector('#stage'), { childList: true });";

/// Presses what a person would, and looks whenever the page has changed. Gives how many times it was done: a script may
/// not run for too long.
const CYCLES: &str = "
    const find = selector => document.querySelector(selector);
    const within = (what, start) => new Promise((then, fail) => {
        const late = () => fail(Error(`${what}: not within 20 s, at the ${time + 1}th time; ${document.body.innerText}`));
        const timer = setTimeout(late, 20_000);
        start(() => { clearTimeout(timer); then(); });
    });
    const until = (what, test) => within(what, then => {
        const look = () => {
            if (!test()) return;
            observer.disconnect();
            then();
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, attributes: true });
        look();
    });
    const screen = name => until(name, () => document.body.dataset.screen === name);
    const begin = performance.now();
    let time = 0;
    while (time < times && performance.now() - begin < 30_000) {
        find(document.body.dataset.screen === 'lobby' ? '#join' : '#rejoin').click();
        await screen('call');
        if (early) {
            await until('someone', () => find('.tile'));
        } else {
            await until('connected', () => find('.tile')?.dataset.state === 'connected');
            await within('a frame', then => find('.tile video').requestVideoFrameCallback(then));
        }
        find('#leave').click();
        await screen('ended');
        time += 1;
    }
    return time;";
