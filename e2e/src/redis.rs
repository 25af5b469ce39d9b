//! A Redis of one's own: on a port of its own, in a folder of its own, and ended with the test.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use crate::process::Running;

pub struct Redis {
    /// None between [`stop`](Self::stop) and [`start_again`](Self::start_again).
    running: Option<Running>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Redis {
    /// Where it is not installed, a line says so; on CI that is a failure.
    pub fn start() -> Option<Self> {
        let output = Command::new("redis-server").arg("--version").output();
        if !output.is_ok_and(|output| output.status.success()) {
            let reason = "redis-server is not on the PATH: apt-get install redis-server";
            assert!(std::env::var_os("CI").is_none(), "several nodes cannot be tested: {reason}");
            // Not by `eprintln`, which the test harness keeps to itself while all is well.
            let _ = writeln!(std::io::stderr(), "\nNOT RUN: several nodes; {reason}");
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { running: None, folder: tempfile::tempdir().unwrap(), port };
        redis.start_again();
        Some(redis)
    }

    /// Starts it with nothing of what it knew: it writes nothing down.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "it still runs");
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &self.port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.arg("--dir").arg(self.folder.path());
        let (running, ()) = Running::start(&mut command, Duration::from_secs(10), |line| {
            line.contains("Ready to accept connections").then_some(())
        });
        self.running = Some(running);
    }

    /// Ends it at once.
    pub fn stop(&mut self) {
        self.running.take().expect("one that runs").kill9();
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
