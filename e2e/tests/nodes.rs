//! A call between people at different nodes of one server, and what becomes of it when a node or their Redis fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::{Duration, SystemTime};

use duologue_e2e::{Browsers, Caller, Frames, Path, Redis, Server, SlowLink, WindowOptions};

/// What nobody notices.
const UNNOTICED: Duration = Duration::from_millis(500);
/// Within this all is well again after Redis is back.
const HEALED: Duration = Duration::from_secs(10);
/// How long the longest of the others may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// Three nodes; Ada and Bob, who are in a call, each at one of their own. Their load balancers lead them to another node when
/// theirs is gone.
struct Scene {
    redis: Redis,
    nodes: Vec<Server>,
    browsers: Browsers,
    ways: [SlowLink; 2],
    callers: [Caller; 2],
    frames: [Frames; 2],
    begin: SystemTime,
}

impl Scene {
    /// `None` where there is no Redis, which a line says.
    async fn set() -> Option<Self> {
        let redis = Redis::start()?;
        let nodes: Vec<Server> =
            (0..3).map(|_| Server::with(&["--redis", &redis.url(), "--room-size", "3"])).collect();
        let browsers = Browsers::chromium();
        let ways = [Self::way(&nodes, 0).await, Self::way(&nodes, 1).await];
        let options = WindowOptions::before(Path::COLLECT);
        let join = async |at: usize, name| {
            let url = ways[at].reach(&nodes[at].room("harbour"));
            Caller::join_with(&browsers, &url, name, options.clone()).await
        };
        let callers = [join(0, "Ada").await, join(1, "Bob").await];
        for caller in &callers {
            caller.sees_moving_picture().await;
            caller.sees("state", "connected").await;
        }
        let frames = [Frames::watch(&callers[0].window).await, Frames::watch(&callers[1].window).await];
        let begin = SystemTime::now();
        Some(Self { redis, nodes, browsers, ways, callers, frames, begin })
    }

    /// To this node, and to the others when it is gone.
    async fn way(nodes: &[Server], first: usize) -> SlowLink {
        let mut ports: Vec<u16> = nodes.iter().map(Server::port).collect();
        ports.rotate_left(first);
        SlowLink::to_first_of(ports).await
    }

    /// Kills the node of one of the two, and waits until they are at another.
    async fn kill_the_node_of(&mut self, person: usize) {
        let back = self.ways[person].next_connection();
        self.nodes[person].kill9();
        back.await;
        self.callers[person].window.until("document.querySelector('#call-note').hidden").await;
    }

    /// Cleo, in the lobby, with a phone, by way of the node where nobody is.
    async fn cleo(&self) -> Caller {
        let phone = WindowOptions::size(390, 844);
        Caller::in_lobby(&self.browsers, &self.nodes[2].room("harbour"), phone).await
    }

    /// The picture has not stood still so far, at neither end, and comes over the connection that they began with.
    async fn the_call_went_on(&self) {
        for frames in &self.frames {
            frames.next_after(SystemTime::now(), PATIENCE).await;
            let gap = frames.longest_gap(self.begin).await;
            assert!(gap < UNNOTICED, "the picture stood still for {gap:?}");
        }
        self.it_is_the_same_call().await;
    }

    /// Nobody made a connection anew.
    async fn it_is_the_same_call(&self) {
        for caller in &self.callers {
            let anew = "connections.length - document.querySelectorAll('.tile').length";
            assert_eq!(caller.window.eval(anew).await, 0, "a connection was made anew");
        }
    }

    /// The nodes bring people together: Cleo comes in, and hears and is heard by both.
    async fn cleo_comes_in(&self, cleo: &Caller) {
        cleo.enter("Cleo").await;
        self.all_are_connected(cleo).await;
    }

    async fn all_are_connected(&self, cleo: &Caller) {
        let both = "document.querySelectorAll('.tile[data-state=connected]').length === 2";
        for caller in [cleo, &self.callers[0], &self.callers[1]] {
            caller.window.until_within(both, PATIENCE).await;
        }
    }

    async fn close(self, cleo: Caller) {
        cleo.close().await;
        for caller in self.callers {
            caller.close().await;
        }
    }
}

/// A scene, or none where a line says why.
macro_rules! scene {
    () => {
        match Scene::set().await {
            Some(scene) => scene,
            None => return,
        }
    };
}

#[tokio::test]
async fn a_call_goes_on_whichever_node_is_killed() {
    let mut scene = scene!();
    // Bob's is a guest of the room's owner, which is Ada's.
    scene.kill_the_node_of(1).await;
    scene.kill_the_node_of(0).await;
    scene.the_call_went_on().await;
    let cleo = scene.cleo().await;
    scene.cleo_comes_in(&cleo).await;
    scene.close(cleo).await;
}

#[tokio::test]
async fn without_redis_the_call_goes_on_and_who_wants_in_waits_until_it_is_back() {
    let mut scene = scene!();
    let cleo = scene.cleo().await;
    scene.redis.stop();
    cleo.window.until("(await fetch('/readyz')).status === 503").await;
    assert_eq!(cleo.window.run("return (await fetch('/healthz')).status").await, 200);
    cleo.window.fill("#name", "Cleo").await;
    cleo.window.press("#join").await;
    cleo.window.until("document.querySelector('#join').innerText === 'Stop waiting'").await;
    assert!(cleo.window.text("#signal-note").await.contains("cannot let you in at the moment"));
    cleo.window.is_usable("the lobby, waiting for the servers").await;
    cleo.window.screenshot("waiting-for-the-servers").await;
    scene.the_call_went_on().await;
    scene.redis.start_again();
    cleo.window.until_within("document.body.dataset.screen === 'call'", HEALED).await;
    scene.all_are_connected(&cleo).await;
    scene.it_is_the_same_call().await;
    scene.close(cleo).await;
}

#[tokio::test]
async fn who_waits_for_the_servers_may_stop_waiting() {
    let mut scene = scene!();
    let cleo = scene.cleo().await;
    scene.redis.stop();
    cleo.window.fill("#name", "Cleo").await;
    cleo.window.press("#join").await;
    cleo.window.until("document.querySelector('#join').innerText === 'Stop waiting'").await;
    cleo.window.press("#join").await;
    cleo.window.until("document.querySelector('#join').innerText === 'Join'").await;
    scene.redis.start_again();
    // And come in later, when they press Join again.
    cleo.window.until("(await fetch('/readyz')).status === 200").await;
    assert_eq!(cleo.window.text("#join").await, "Join");
    scene.cleo_comes_in(&cleo).await;
    scene.close(cleo).await;
}

#[tokio::test]
async fn a_node_that_stands_still_for_longer_than_its_lease_is_not_noticed_in_the_call() {
    let scene = scene!();
    scene.nodes[0].stand_still(Duration::from_secs(8)).await;
    scene.the_call_went_on().await;
    let cleo = scene.cleo().await;
    scene.cleo_comes_in(&cleo).await;
    scene.close(cleo).await;
}
