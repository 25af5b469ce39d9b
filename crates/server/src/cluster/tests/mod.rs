//! Nodes without sockets and without Redis, in paused time: what people at them can rely on, whatever happens. `world` is what
//! the nodes have between them, which can lose, repeat, delay and forget, and `bus` how each of them sees it; `people` are who is
//! connected to `nodes`.

mod as_one;
mod bus;
mod coming_back;
mod crowds;

mod deaths;
mod doors;
mod fencing;
mod leases;
mod nodes;
mod order;
mod people;
mod redis_away;
mod world;

use std::time::Duration;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}
