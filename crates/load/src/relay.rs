//! Few connections that say much: pairs that call each other, ever faster, and then all servers at a rate that each of
//! them can take; and the same while some do not read.

use std::sync::Arc;
use std::time::Duration;

use crate::Outcome;
use crate::contender::Contender;
use crate::counts::Counts;
use crate::fleet::Fleet;
use crate::machine::Cpus;
use crate::plan::Plan;
use crate::process::{Bytes, Running};
use crate::schedule::schedule;
use crate::tally::{Figures, micros};

/// How long what is under way may take to arrive.
const DRAIN: Duration = Duration::from_secs(3);
/// A rate is sustained if all arrive, and all but one of a hundred within this time. A server that cannot keep up falls
/// behind further with every second; one that only had to wait for its CPU does not.
const SUSTAINED: Duration = Duration::from_millis(250);
/// If the load itself is later than this, what comes of it says nothing about the server.
const PUNCTUAL: Duration = Duration::from_millis(100);

/// A server with pairs that call each other.
#[derive(Debug)]
pub struct Bench {
    server: Running,
    fleet: Fleet,
    /// The first client that the server has not met.
    fresh: u32,
}

/// A rate, and what came of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Messages a second.
    pub rate: u32,
    /// The messages.
    pub figures: Figures,
    /// CPU time of the server.
    pub cpu: Duration,
}

/// What came of readers that do not read.
#[derive(Debug, Clone)]
pub struct Stalled {
    /// The messages of pairs in which both read.
    pub figures: Figures,
    /// How many did not read.
    pub readers: u32,
    /// How many of them the server had let go of at the end, and how many of the others.
    pub let_go: (u32, u32),
    /// Memory before, and at the end.
    pub memory: (Bytes, Bytes),
}

/// How a server did while the rate rose.
#[derive(Debug, Clone, Default)]
pub struct Climb {
    /// The highest rate that it sustained.
    pub best: Option<Step>,
    /// Whether it was the load that gave up, and the server may be able to do more.
    pub load_gave_up: bool,
    /// All messages.
    pub counts: Counts,
}

impl Step {
    /// Adds another of the same rate.
    ///
    /// # Errors
    /// The times cannot be put together.
    pub fn add(&mut self, other: &Self) -> Outcome {
        self.cpu += other.cpu;
        self.figures.add(&other.figures)
    }

    /// Whether the load was on time.
    #[must_use]
    pub fn is_punctual(&self) -> bool {
        self.figures.lateness.value_at_quantile(0.99) <= micros(PUNCTUAL)
    }

    /// Whether the server can go on like this.
    #[must_use]
    pub fn is_sustained(&self) -> bool {
        let Figures { counts, latency, .. } = &self.figures;
        counts.delivered == counts.due && latency.value_at_quantile(0.99) <= micros(SUSTAINED)
    }

    /// Messages relayed for each second of the server's CPU time.
    #[must_use]
    pub fn per_cpu_second(&self) -> f64 {
        self.figures.counts.delivered as f64 / self.cpu.as_secs_f64().max(0.001)
    }
}

impl Bench {
    /// Starts a server, and the pairs come.
    ///
    /// # Errors
    /// The server does not start, or not all can come in.
    pub async fn start(contender: Arc<dyn Contender>, cpus: Cpus, plan: &Plan) -> Outcome<Self> {
        let server = Running::start(contender.clone(), cpus)?;
        let fleet = Fleet::new(contender, server.address, 0, nobody);
        let mut this = Self { server, fleet, fresh: 0 };
        this.renew(plan, nobody).await?;
        Ok(this)
    }

    /// The server.
    #[must_use]
    pub fn contender(&self) -> &Arc<dyn Contender> {
        &self.server.contender
    }

    /// The pairs go, and others come.
    async fn renew(&mut self, plan: &Plan, stalled: fn(u32) -> bool) -> Outcome {
        let many = 2 * plan.pairs;
        self.fleet = Fleet::new(self.contender().clone(), self.server.address, self.fresh, stalled);
        self.fresh += many;
        let arrivals = self.fleet.come(many, plan.arrivals, plan.patience).await?;
        if arrivals.arrived == many {
            return Ok(());
        }
        Err(format!("{}: only {} of {many} clients came in", self.contender().name(), arrivals.arrived))
    }

    /// So many messages a second for so long.
    ///
    /// # Errors
    /// The server has ended.
    pub async fn step(&mut self, plan: &Plan, rate: u32, length: Duration, seed: u64) -> Outcome<Step> {
        let due = schedule(plan.pairs, rate, length, seed);
        let before = self.server.cpu()?;
        let figures = self.fleet.relay(&due, DRAIN).await?;
        let cpu = self.server.cpu()?.saturating_sub(before);
        Ok(Step { rate, figures, cpu })
    }

    /// The rate of one step of the climb. Gives whether there may be another.
    ///
    /// # Errors
    /// The server has ended.
    pub async fn climb(&mut self, plan: &Plan, rate: u32, climb: &mut Climb) -> Outcome<bool> {
        // Something else on the machine may have been in the way of the first try.
        for seed in [1, 2] {
            let step = self.step(plan, rate, plan.step, seed).await?;
            climb.counts.add(step.figures.counts);
            if step.is_sustained() {
                climb.best = Some(step);
                return Ok(true);
            }
            climb.load_gave_up = !step.is_punctual();
            // Some may have been let go.
            self.renew(plan, nobody).await?;
        }
        Ok(false)
    }

    /// The same load, while one of ten readers does not read.
    ///
    /// # Errors
    /// The server has ended.
    pub async fn stall(&mut self, plan: &Plan, rate: u32) -> Outcome<Stalled> {
        self.renew(plan, each_tenth).await?;
        let before = self.server.memory()?;
        let due = schedule(plan.pairs, rate, plan.stall, 7);
        let figures = self.fleet.relay(&due, Duration::from_millis(500)).await?;
        let memory = (before, self.server.memory()?);
        let let_go = self.fleet.let_go();
        let readers = (0..2 * plan.pairs).filter(|client| each_tenth(*client)).count();
        self.renew(plan, nobody).await?;
        Ok(Stalled { figures, readers: u32::try_from(readers).unwrap_or(u32::MAX), let_go, memory })
    }
}

fn nobody(_client: u32) -> bool {
    false
}

fn each_tenth(client: u32) -> bool {
    client % 10 == 1
}
