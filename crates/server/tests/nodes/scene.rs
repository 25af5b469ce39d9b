//! Nodes, their Redis, and the people at them; and what can be done to them, which the ledger hears of.

use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::ledger::{Count, Ledger};
use crate::node::Node;
use crate::person::{Habit, Person, Shared};
use crate::redis::Redis;
use crate::wire::Passes;

/// The room that everyone is in.
pub const ROOM: &str = "quiet harbour 41";

/// Lets as much wait as is said here, so that nothing is refused: no error can be taken for one about something that was lost.
pub const PATIENT: [(&str, &str); 2] =
    [("DUOLOGUE_QUEUE_MESSAGES", "5000"), ("DUOLOGUE_QUEUE_BYTES", "5000000")];

/// A gap of so long between two short waits means that the machine had no time for this, and most likely none for the nodes.
const STARVED: Duration = Duration::from_millis(700);
/// What was under way has arrived by then: as long as everything may take to work again after a fault.
const ARRIVES: Duration = Duration::from_secs(10);

pub struct Scene {
    pub redis: Redis,
    pub nodes: Vec<Node>,
    shared: Shared,
    people: Vec<(String, JoinHandle<()>)>,
    watch: JoinHandle<()>,
    /// Where the nodes' logs are.
    folder: TempDir,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.watch.abort();
        self.people.iter().for_each(|(_, task)| task.abort());
        if std::thread::panicking() {
            for at in 0..self.nodes.len() {
                let log = std::fs::read_to_string(self.folder.path().join(at.to_string()));
                println!("--- the log of node {at}:\n{}", log.unwrap_or_default());
            }
            let _ = std::io::stdout().flush();
        }
    }
}

impl Scene {
    /// So many nodes, and nobody at them; `None` without a Redis to test with.
    pub async fn set(count: usize) -> Option<Self> {
        Self::set_with(count, &[]).await
    }

    /// As above, with variables of the environment for the nodes.
    pub async fn set_with(count: usize, variables: &[(&str, &str)]) -> Option<Self> {
        let redis = Redis::new().await?;
        let folder = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        for at in 0..count {
            nodes.push(Node::start(&redis, &folder.path().join(at.to_string()), variables).await);
        }
        let shared = Shared {
            ledger: Ledger::default(),
            nodes: Arc::new(Mutex::new(nodes.iter().map(|node| node.address).collect())),
            quiet: Arc::default(),
            stop: CancellationToken::new(),
            sees: Arc::new(Mutex::new(HashMap::new())),
        };
        let watch = tokio::spawn(watch(shared.ledger.clone()));
        Some(Self { redis, nodes, shared, people: Vec::new(), watch, folder })
    }

    /// Somebody comes in at this node.
    pub async fn enter(&mut self, at: usize) {
        self.enter_as(Habit::Usual, at).await;
    }

    pub async fn enter_as(&mut self, habit: Habit, at: usize) {
        let word = match habit {
            Habit::Usual => "p",
            Habit::Keyless => "keyless",
            Habit::Restless => "restless",
            Habit::Silent => "silent",
        };
        let name = format!("{word}{}", self.people.len());
        self.shared.sees.lock().unwrap().insert(name.clone(), Vec::new());
        let person = Person::new(&name, habit, at, self.shared.clone());
        self.people.push((name, tokio::spawn(person.live())));
        // One after the other, so that the first one's node is the owner.
        sleep(Duration::from_millis(300)).await;
    }

    /// Waits until everyone sees everyone, each once.
    pub async fn all_together(&self, within: Duration) {
        let begin = Instant::now();
        let mut all: Vec<_> = self.people.iter().map(|(name, _)| name.clone()).collect();
        all.sort();
        loop {
            let sees = self.shared.sees.lock().unwrap().clone();
            let sees_all = |(name, others): (&String, &Vec<String>)| {
                let mut seen = [&others[..], std::slice::from_ref(name)].concat();
                seen.sort();
                seen == all
            };
            if sees.iter().all(sees_all) {
                return;
            }
            if begin.elapsed() > within {
                let faults = self.shared.ledger.check().err().unwrap_or_default();
                panic!("not together after {within:?}: {sees:#?}\n{faults}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn quiet(&self, is: bool) {
        self.shared.quiet.store(is, Ordering::Relaxed);
    }

    /// Kills a node, as `kill -9` does.
    pub async fn kill(&mut self, at: usize) {
        self.shared.ledger.fault_begins();
        self.nodes[at].kill().await;
        self.shared.ledger.faults_end();
    }

    /// Stops a node for so long, which knows nothing of it.
    pub async fn stop(&self, at: usize, time: Duration) {
        self.shared.ledger.fault_begins();
        self.nodes[at].signal("STOP").await;
        sleep(time).await;
        self.nodes[at].signal("CONT").await;
        self.shared.ledger.faults_end();
    }

    /// From now on only this passes between a node and Redis.
    pub fn cut(&self, at: usize, passes: Passes) {
        self.shared.ledger.fault_begins();
        self.nodes[at].wire.pass(passes);
    }

    /// Everything passes again.
    pub fn mend(&self, at: usize) {
        self.nodes[at].wire.pass(Passes::Everything);
        self.shared.ledger.faults_end();
    }

    pub async fn stop_redis(&mut self) {
        self.shared.ledger.fault_begins();
        self.redis.stop().await;
    }

    /// It has forgotten everything.
    pub async fn start_redis(&mut self) {
        self.redis.start().await;
        self.shared.ledger.faults_end();
    }

    /// Nobody says more; when what is under way has had its time, all is counted.
    pub async fn end(self) -> Count {
        self.quiet(true);
        let begin = Instant::now();
        while self.shared.ledger.open() > 0 && begin.elapsed() < ARRIVES {
            sleep(Duration::from_millis(100)).await;
        }
        // For what would arrive twice.
        sleep(Duration::from_millis(1500)).await;
        for (name, task) in &self.people {
            assert!(!task.is_finished(), "{name} has stopped, see above");
        }
        self.shared.stop.cancel();
        match self.shared.ledger.check() {
            Ok(count) => count,
            Err(faults) => panic!("{faults}"),
        }
    }
}

/// Other things may run on the machine. When it has no time for this, a fault happens that nobody meant.
async fn watch(ledger: Ledger) {
    loop {
        let begin = Instant::now();
        sleep(Duration::from_millis(50)).await;
        if begin.elapsed() > STARVED {
            println!("the machine had no time for {:?}", begin.elapsed());
            ledger.starved(begin);
        }
    }
}
