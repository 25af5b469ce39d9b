//! Many connections that say little: how much memory they take, how fast they come, come back after all were cut at once,
//! and what is left of them when they have gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::Outcome;
use crate::contender::Contender;
use crate::fleet::{Arrivals, Fleet};
use crate::machine::Cpus;
use crate::plan::Plan;
use crate::process::{Bytes, Running};
use crate::schedule::schedule;

/// Clients that come, talk and leave before anything is measured: what a server only needs once, it has then.
const FORERUNNERS: u32 = 200;
/// What they say in a second.
const FORERUNNERS_SAY: u32 = 2000;
/// The first client of the crowd, and not one of the forerunners.
const FIRST: u32 = 1_000_000;

/// What a crowd takes of a server.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// Memory before they come.
    pub start: Bytes,
    /// Memory when all are there and idle.
    pub idle: Bytes,
    /// How they came in.
    pub came: Arrivals,
    /// How they came back.
    pub back: Arrivals,
    /// How many could say goodbye.
    pub left: u32,
    /// Memory after all have left.
    pub end: Bytes,
}

impl Crowd {
    /// Bytes for each connection that is idle.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.idle.saturating_sub(self.start) as f64 / f64::from(self.came.arrived.max(1))
    }

    /// What is left of them: memory at the end as a share of that at the start.
    #[must_use]
    pub fn remains(&self) -> f64 {
        self.end as f64 / self.start.max(1) as f64
    }
}

/// Measures a server that is started for this.
///
/// # Errors
/// The server does not start, or ends.
pub async fn measure(contender: &Arc<dyn Contender>, cpus: Cpus, plan: &Plan) -> Outcome<Crowd> {
    let server = Running::start(contender.clone(), cpus)?;
    let fleet = |first| Fleet::new(contender.clone(), server.address, first, |_| false);

    let mut forerunners = fleet(0);
    forerunners.come(FORERUNNERS, plan.arrivals, plan.patience).await?;
    let talk = schedule(FORERUNNERS / 2, FORERUNNERS_SAY, Duration::from_secs(1), 0);
    forerunners.relay(&talk, Duration::from_secs(1)).await?;
    forerunners.leave(plan.patience).await;
    sleep(Duration::from_secs(1)).await;
    let start = server.memory()?;

    let mut crowd = fleet(FIRST);
    let came = crowd.come(plan.connections, plan.arrivals, plan.patience).await?;
    sleep(plan.idle).await;
    let idle = server.memory()?;
    let back = crowd.storm(plan.patience).await?;
    let left = crowd.leave(plan.patience).await;
    sleep(plan.settle).await;
    let end = server.memory()?;
    Ok(Crowd { start, idle, came, back, left, end })
}
