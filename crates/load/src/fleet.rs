//! Many clients of one server.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::{sleep_until, timeout_at};

use crate::Outcome;
use crate::client::{News, Order, Role, Shared, live, lock};
use crate::contender::Contender;
use crate::payload;
use crate::schedule::Due;
use crate::tally::{Figures, Tally, histogram, micros};

/// After so many messages clients have their turn, however late the schedule is.
const TURN: usize = 16;

/// For what is late nobody waits longer than this.
const LONGEST: Duration = Duration::from_secs(30);

/// Clients. They are cut when this is dropped.
#[derive(Debug)]
pub struct Fleet {
    contender: Arc<dyn Contender>,
    address: SocketAddr,
    /// The first of them.
    first: u32,
    clients: Vec<(UnboundedSender<Order>, AbortHandle)>,
    tally: Shared,
    news: UnboundedReceiver<News>,
    tell: UnboundedSender<News>,
    /// The number of the next message.
    next: u64,
    /// Whose partner does not read.
    stalled: fn(u32) -> bool,
    /// Whom the server has let go.
    gone: BTreeSet<u32>,
}

/// How clients came in.
#[derive(Debug, Clone)]
pub struct Arrivals {
    /// From when each was to come to when it was in, in microseconds.
    pub latency: Histogram<u64>,
    /// How many are in.
    pub arrived: u32,
    /// How many tries to connect failed.
    pub failed: u64,
    /// Until the last of them was in.
    pub took: Duration,
}

impl Fleet {
    /// Clients from `first` on, which must be even, of a server. Nobody is there yet. `stalled` says which of them stop
    /// reading once they are in.
    #[must_use]
    pub fn new(
        contender: Arc<dyn Contender>,
        address: SocketAddr,
        first: u32,
        stalled: fn(u32) -> bool,
    ) -> Self {
        let (tell, news) = unbounded_channel();
        Self {
            contender,
            address,
            first,
            clients: Vec::new(),
            tally: Shared::default(),
            news,
            tell,
            next: 0,
            stalled,
            gone: BTreeSet::new(),
        }
    }

    /// So many come, `rate` of them a second. Waits until they are in, but not longer than `patience` after the last was to
    /// come.
    ///
    /// # Errors
    /// There is no memory for the measurement.
    pub async fn come(&mut self, many: u32, rate: u32, patience: Duration) -> Outcome<Arrivals> {
        let begin = Instant::now();
        let due = |n: u32| begin + Duration::from_secs_f64(f64::from(n) / f64::from(rate));
        for n in 0..many {
            sleep_until(due(n).into()).await;
            self.add();
        }
        // They came in the order in which they were to come, and are in in about that order.
        self.arrivals(begin, many, due, due(many) + patience).await
    }

    fn add(&mut self) {
        let number = u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        let (sender, orders) = unbounded_channel();
        let role = Role {
            contender: self.contender.clone(),
            address: self.address,
            id: self.first + number,
            first: self.first,
            stalled: (self.stalled)(number),
            tally: self.tally.clone(),
            news: self.tell.clone(),
        };
        let task = tokio::spawn(live(role, orders));
        self.clients.push((sender, task.abort_handle()));
    }

    async fn arrivals(
        &mut self,
        begin: Instant,
        many: u32,
        due: impl Fn(u32) -> Instant,
        deadline: Instant,
    ) -> Outcome<Arrivals> {
        let mut arrivals = Arrivals { latency: histogram()?, arrived: 0, failed: 0, took: deadline - begin };
        while arrivals.arrived < many {
            match timeout_at(deadline.into(), self.news.recv()).await {
                Ok(Some(News::In(at))) => {
                    let late = at.saturating_duration_since(due(arrivals.arrived));
                    arrivals.latency.saturating_record(micros(late));
                    arrivals.arrived += 1;
                    arrivals.took = at - begin;
                }
                Ok(Some(News::Failed)) => arrivals.failed += 1,
                Ok(Some(News::LetGo { client })) => drop(self.gone.insert(client)),
                Ok(Some(News::Cut | News::Left)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        Ok(arrivals)
    }

    /// Everybody's connection is cut, and when all are, everybody comes back at once.
    ///
    /// # Errors
    /// There is no memory for the measurement.
    pub async fn storm(&mut self, patience: Duration) -> Outcome<Arrivals> {
        let many = self.tell_all(|| Order::Cut);
        self.wait_for(News::Cut, many, patience).await;
        let begin = Instant::now();
        self.tell_all(|| Order::Return);
        self.arrivals(begin, many, |_| begin, begin + patience).await
    }

    /// Everybody says goodbye. Gives how many could.
    pub async fn leave(mut self, patience: Duration) -> u32 {
        let many = self.tell_all(|| Order::Leave);
        self.wait_for(News::Left, many, patience).await
    }

    /// How many the server has let go: of those that do not read, and of the others.
    pub fn let_go(&mut self) -> (u32, u32) {
        self.learn_who_is_gone();
        let slow = self.gone.iter().filter(|client| (self.stalled)(**client)).count();
        let many = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (many(slow), many(self.gone.len() - slow))
    }

    fn learn_who_is_gone(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            if let News::LetGo { client } = news {
                self.gone.insert(client);
            }
        }
    }

    /// Sends the messages when they are due, and waits for what is under way, until for so long as `drain` nothing has
    /// come, and [`LONGEST`] at most. Pairs in which somebody does not read are not counted.
    ///
    /// # Errors
    /// There is no memory for the measurement.
    pub async fn relay(&mut self, schedule: &[Due], drain: Duration) -> Outcome<Figures> {
        // A little later, so that nothing is late before it begins.
        let begin = Instant::now() + Duration::from_millis(20);
        let stalled = self.stalled;
        let counts = |client: u32| !stalled(client) && !stalled(client ^ 1);
        *lock(&self.tally) = Some(Tally::new(begin, self.next, schedule, counts)?);
        for (n, due) in schedule.iter().enumerate() {
            wait_until(begin + due.at).await;
            if n % TURN == 0 {
                tokio::task::yield_now().await;
            }
            let body = payload::json(due.kind, self.next);
            let text = self.contender.relay(self.first + due.from, due.kind, &body);
            if let Some((client, _)) = self.clients.get(due.from as usize) {
                // One that was let go says nothing any more, and what it was to say is not sent.
                let _ = client.send(Order::Say(self.next, text));
            }
            self.next += 1;
        }
        self.wait_until_quiet(drain).await;
        self.learn_who_is_gone();
        let tally = lock(&self.tally).take();
        tally.map(|tally| tally.figures(&self.gone)).ok_or_else(|| "two measurements at once".to_owned())
    }

    async fn wait_until_quiet(&self, drain: Duration) {
        let end = Instant::now();
        let (mut settled, mut since) = (0, end);
        while since.elapsed() < drain && end.elapsed() < LONGEST {
            match &*lock(&self.tally) {
                Some(tally) if !tally.is_complete() => {
                    if std::mem::replace(&mut settled, tally.settled()) != tally.settled() {
                        since = Instant::now();
                    }
                }
                _ => return,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn tell_all(&self, order: impl Fn() -> Order) -> u32 {
        let heard = self.clients.iter().filter(|(client, _)| client.send(order()).is_ok()).count();
        u32::try_from(heard).unwrap_or(u32::MAX)
    }

    async fn wait_for(&mut self, wanted: News, many: u32, patience: Duration) -> u32 {
        let deadline = tokio::time::Instant::now() + patience;
        let mut so_far = 0;
        while so_far < many {
            match timeout_at(deadline, self.news.recv()).await {
                Ok(Some(news)) => so_far += u32::from(news == wanted),
                Ok(None) | Err(_) => break,
            }
        }
        so_far
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.clients.iter().for_each(|(_, task)| task.abort());
    }
}

/// Waits until then, to the microsecond: timers are late by a millisecond, which is longer than most messages take.
async fn wait_until(then: Instant) {
    const COARSE: Duration = Duration::from_millis(3);
    if let Some(early) = then.checked_sub(COARSE).filter(|early| *early > Instant::now()) {
        sleep_until(early.into()).await;
    }
    while Instant::now() < then {
        tokio::task::yield_now().await;
    }
}
