//! A server as a child process, and what it uses.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;

use crate::Outcome;
use crate::contender::Contender;
use crate::machine::{Cpus, pin};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(20);

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// What it is.
    pub contender: Arc<dyn Contender>,
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

/// Memory, in bytes.
pub type Bytes = u64;

impl Running {
    /// Starts a server on its CPU and waits until it accepts connections.
    ///
    /// # Errors
    /// It does not start, or ends at once, or does not listen.
    pub fn start(contender: Arc<dyn Contender>, cpus: Cpus) -> Outcome<Self> {
        let name = contender.name();
        let address = free_address()?;
        let mut command = contender.command(address.port());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A child inherits where its parent runs, with every thread that it will have.
        pin(cpus.server)?;
        let child = command.spawn();
        pin(cpus.load)?;
        let child = child.map_err(|error| format!("{name} does not start: {error}"))?;
        let mut this = Self { contender, address, child };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = this.child.try_wait() {
                return Err(format!("{name} ended before it listened ({status})"));
            }
            if begin.elapsed() > START {
                return Err(format!("{name} does not listen on {address} after {START:?}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(this)
    }

    /// Memory that it has in RAM (`VmRSS`).
    ///
    /// # Errors
    /// It has ended.
    pub fn memory(&self) -> Outcome<Bytes> {
        let status = self.read("status")?;
        resident(&status).ok_or_else(|| self.ended())
    }

    /// CPU time that it has used, in its own code and in the system's for it (`utime` and `stime`).
    ///
    /// # Errors
    /// It has ended.
    pub fn cpu(&self) -> Outcome<Duration> {
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).ok_or_else(|| self.ended())?;
        Ok(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
    }

    fn read(&self, file: &str) -> Outcome<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).map_err(|_| self.ended())
    }

    fn ended(&self) -> String {
        format!("{} has ended in the middle of a measurement", self.contender.name())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine at which nobody listens.
fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map_err(|error| format!("no port is free: {error}"))
}

/// Bytes of `VmRSS` in `/proc/PID/status` (proc_pid_status(5)).
fn resident(status: &str) -> Option<Bytes> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<Bytes>().ok()? * 1024)
}

/// Fields 14 and 15 of `/proc/PID/stat`, together (proc_pid_stat(5)).
fn ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_read_as_linux_writes_it() {
        let status = "Name:\tnode\nVmHWM:\t   61000 kB\nVmRSS:\t   50512 kB\nThreads:\t11\n";
        assert_eq!(resident(status), Some(50_512 * 1024));
        assert_eq!(resident("Name:\tnode\n"), None, "a process that has ended has no memory");
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 250 120 8 8 20 0 11 0 100 1 1";
        assert_eq!(ticks(stat), Some(370));
    }
}
