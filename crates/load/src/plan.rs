//! How much of everything is measured.

use std::time::Duration;

/// The sizes of one run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Clients that come, are idle, are cut, come back and leave.
    pub connections: u32,
    /// How many of them are to come in a second.
    pub arrivals: u32,
    /// How long those who came are idle before memory is read.
    pub idle: Duration,
    /// How long after they have left it is read again. Allocators that give back at all do so within ten seconds.
    pub settle: Duration,
    /// How long all may take to come in, to come back, or to leave. What takes longer is not waited for.
    pub patience: Duration,
    /// Pairs that call each other.
    pub pairs: u32,
    /// Messages a second, from one step to the next.
    pub rates: Vec<u32>,
    /// How long a step is.
    pub step: Duration,
    /// How often the common rate is measured, in turns.
    pub rounds: u32,
    /// How long each of these takes.
    pub round: Duration,
    /// How long some readers are stalled.
    pub stall: Duration,
}

impl Plan {
    /// Under ten minutes, with four servers.
    #[must_use]
    pub fn full(connections: u32) -> Self {
        Self {
            connections,
            arrivals: 2000,
            idle: Duration::from_secs(8),
            settle: Duration::from_secs(14),
            patience: Duration::from_secs(20),
            pairs: 50,
            rates: vec![2, 4, 6, 8, 12, 16, 24, 32, 40, 48, 56, 64, 80]
                .into_iter()
                .map(|k| k * 1000)
                .collect(),
            step: Duration::from_secs(3),
            rounds: 3,
            round: Duration::from_secs(4),
            stall: Duration::from_secs(12),
        }
    }

    /// Under two minutes: to see that everything works, and roughly how it compares.
    #[must_use]
    pub fn quick(connections: u32) -> Self {
        Self {
            connections,
            idle: Duration::from_secs(1),
            settle: Duration::from_secs(11),
            patience: Duration::from_secs(10),
            rates: vec![4000, 16_000, 32_000],
            step: Duration::from_secs(1),
            rounds: 1,
            round: Duration::from_secs(2),
            stall: Duration::from_secs(3),
            ..Self::full(connections)
        }
    }
}
