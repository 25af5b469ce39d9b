//! What of the machine is whose: CPUs, and how many files may be open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Outcome;

/// Files that are open besides connections.
const BESIDES: u64 = 256;

/// The CPU of the server and that of the load.
#[derive(Debug, Clone, Copy)]
pub struct Cpus {
    /// Where servers run, one at a time.
    pub server: usize,
    /// Where the load is made.
    pub load: usize,
}

/// Two CPUs that this process may use.
///
/// # Errors
/// There is only one.
pub fn cpus() -> Outcome<Cpus> {
    let set = sched_getaffinity(None).map_err(|error| format!("cannot see which CPUs there are: {error}"))?;
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu));
    match (cpus.next(), cpus.next()) {
        (Some(server), Some(load)) => Ok(Cpus { server, load }),
        _ => Err(
            "this needs two CPUs, one for the server and one for the load: run it where there are two, and \
                  see that `taskset -p $$` allows both"
                .to_owned(),
        ),
    }
}

/// Runs this thread on one CPU, and with it whatever it starts from now on.
///
/// # Errors
/// The system does not allow it.
pub fn pin(cpu: usize) -> Outcome {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).map_err(|error| format!("cannot run on CPU {cpu} alone: {error}"))
}

/// Sees that so many connections can be open, in this process and in those it starts.
///
/// # Errors
/// The system does not allow that many.
pub fn allow_connections(connections: u32) -> Outcome {
    let needed = u64::from(connections) + BESIDES;
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if enough(limit.current) {
        return Ok(());
    }
    // Up to the hard limit anybody may go, beyond it only root.
    let raised = if enough(limit.maximum) {
        Rlimit { current: limit.maximum, maximum: limit.maximum }
    } else {
        Rlimit { current: Some(needed), maximum: Some(needed) }
    };
    setrlimit(Resource::Nofile, raised).map_err(|_| {
        let most = limit.maximum.unwrap_or(needed);
        format!(
            "{connections} connections need {needed} open files, and this user may have {most}: allow more with \
             `ulimit -n {needed}` as root, or measure fewer with --connections {}",
            most.saturating_sub(BESIDES)
        )
    })
}
