//! How long the recovery waits for what.

use std::time::Duration;

use duologue_protocol::Role;

/// The waits of a [`super::Recovery`]. The defaults suit people who talk to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// For a new connection to come up before ICE is restarted. Browsers give up by themselves after 15 to 30 s.
    pub connect: Duration,
    /// Between two looks at the bytes of a connection that is in doubt.
    pub measure: Duration,
    /// How long nothing may arrive before people are told.
    pub notice: Duration,
    /// How long nothing may arrive before ICE is restarted.
    pub repair: Duration,
    /// How much longer the callee waits with that than the caller.
    pub callee_waits: Duration,
    /// For the server to show that it can be reached, before ICE is restarted anyway. Longer than the session gives it.
    pub confirm: Duration,
    /// For the first restart to succeed before the next.
    pub restart: Duration,
    /// How much longer the wait is for each restart after that.
    pub restart_grows: Duration,
    /// Between a restart that failed and the next.
    pub between: Duration,
    /// How many restarts in a row.
    pub tries: u32,
    /// How many restarts in a row, where the browser says that the connection is up and nothing arrives.
    pub silent_restarts: u32,
    /// How long a broken connection waits for a way to the peer before it has failed.
    pub hopeless: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(12),
            measure: Duration::from_millis(250),
            notice: Duration::from_secs(1),
            repair: Duration::from_secs(2),
            callee_waits: Duration::from_millis(1500),
            confirm: Duration::from_millis(2500),
            restart: Duration::from_secs(8),
            restart_grows: Duration::from_secs(4),
            between: Duration::from_secs(2),
            tries: 5,
            silent_restarts: 3,
            hopeless: Duration::from_secs(60),
        }
    }
}

impl Timing {
    /// How long nothing may arrive before ICE is restarted. The callee leaves the first try to the caller.
    pub(super) fn repair_after(&self, role: Role) -> Duration {
        match role {
            Role::Caller => self.repair,
            Role::Callee => self.repair + self.callee_waits,
        }
    }

    /// How long to wait for what try number `tries` (from 1) brings.
    pub(super) fn patience(&self, tries: u32) -> Duration {
        self.restart.saturating_add(self.restart_grows.saturating_mul(tries.saturating_sub(1)))
    }
}
