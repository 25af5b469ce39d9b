//! Programs that are started for a test, and ended with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::lab::Namespace;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A child process, ended when dropped.
pub struct Running(Child);

impl Running {
    /// Starts `command` and waits for a line of its output from which `find` gets something.
    pub fn start<T: Send + 'static>(
        command: &mut Command,
        within: Duration,
        find: impl Fn(&str) -> Option<T> + Send + Clone + 'static,
    ) -> (Self, T) {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let (sender, found) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let (sender, find) = (sender.clone(), find.clone());
            // Reads to the end, so that the child never waits for someone to read.
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if std::env::var_os("E2E_VERBOSE").is_some() {
                        eprintln!("{line}");
                    }
                    if let Some(value) = find(&line) {
                        let _ = sender.send(value);
                    }
                }
            });
        }
        let this = Self(child);
        let value = found
            .recv_timeout(within)
            .unwrap_or_else(|_| panic!("{command:?} did not say what was expected within {within:?}"));
        (this, value)
    }
}

impl Drop for Running {
    /// Asks it to end, and only then makes it: a driver that is killed leaves its browsers behind.
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        if asked.is_ok_and(|status| status.success()) {
            for _ in 0..100 {
                if matches!(self.0.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program that must succeed, and gives what it printed.
pub fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// Runs a command that must succeed, with this to read.
pub fn feed(command: &mut Command, input: &str) -> Result<(), String> {
    let fail = |error: std::io::Error| error.to_string();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(fail)?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).map_err(fail)?;
    let output = child.wait_with_output().map_err(fail)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {errors}")) }
}

/// `duologue-server`, on a port of its own.
pub struct Server {
    _running: Running,
    /// Where the page is: `http://127.0.0.1:PORT/`.
    pub url: String,
}

impl Server {
    /// Serves `dist/` with two people to a room.
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(flags: &[&str]) -> Self {
        let mut command = Command::new(Self::binary());
        Self::launch(command.args(["--listen", "127.0.0.1:0"]).args(flags))
    }

    /// In another network than this machine's own.
    pub fn inside(namespace: &Namespace, listen: &str, flags: &[String]) -> Self {
        let mut command = namespace.command(Self::binary());
        Self::launch(command.args(["--listen", listen]).args(flags))
    }

    fn binary() -> PathBuf {
        std::env::var_os("DUOLOGUE_SERVER")
            .map_or_else(|| root().join("target/server/duologue-server"), PathBuf::from)
    }

    fn launch(command: &mut Command) -> Self {
        command.arg("--app").arg(root().join("dist"));
        let (running, url) = Running::start(command, Duration::from_secs(10), |line| {
            line.split_once("live at ").map(|(_, url)| url.trim().to_owned())
        });
        Self { _running: running, url }
    }

    /// The address with the room in it.
    pub fn room(&self, room: &str) -> String {
        format!("{}#{room}", self.url)
    }

    /// The signaling address.
    pub fn socket(&self) -> String {
        format!("{}ws", self.url.replace("http:", "ws:"))
    }

    pub fn port(&self) -> u16 {
        self.url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
    }
}

/// `trunk serve`, with nothing else running.
pub struct Trunk {
    _running: Running,
    _dist: tempfile::TempDir,
    pub url: String,
}

impl Trunk {
    pub fn serve() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("trunk");
        command.current_dir(root()).env_remove("NO_COLOR").args([
            "serve",
            "--offline",
            "--no-autoreload",
            "true",
        ]);
        let dist = tempfile::tempdir().unwrap();
        command.arg("--dist").arg(dist.path()).args(["--port", &port.to_string()]);
        let (running, ()) = Running::start(&mut command, Duration::from_secs(600), |line| {
            line.contains("server listening").then_some(())
        });
        Self { _running: running, _dist: dist, url: format!("http://127.0.0.1:{port}/") }
    }
}

/// A program that drives browsers.
pub fn driver(program: &str, flags: &[&str], find_port: fn(&str) -> Option<u16>) -> (Running, u16) {
    Running::start(Command::new(program).args(flags), Duration::from_secs(20), find_port)
}
