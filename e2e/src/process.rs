//! Programs that are started for a test, and ended with it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::lab::Namespace;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A child process, ended when dropped.
pub struct Running(Child);

impl Running {
    /// Starts `command` and waits for a line of its output from which `find` gets something.
    pub fn start<T>(
        command: &mut Command,
        within: Duration,
        find: impl FnMut(&str) -> Option<T>,
    ) -> (Self, T) {
        Self::try_start(command, within, find).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same, or what it said instead.
    fn try_start<T>(
        command: &mut Command,
        within: Duration,
        mut find: impl FnMut(&str) -> Option<T>,
    ) -> Result<(Self, T), String> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        let this = Self(child);
        let (sender, lines) = mpsc::channel();
        for output in outputs {
            let sender = sender.clone();
            // Reads to the end, so that the child never waits for someone to read.
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if std::env::var_os("E2E_VERBOSE").is_some() {
                        eprintln!("{line}");
                    }
                    let _ = sender.send(line);
                }
            });
        }
        // The readers have the others: once it has ended, nothing is waited for.
        drop(sender);
        let (until, mut said) = (Instant::now() + within, String::new());
        let what = loop {
            match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => match find(&line) {
                    Some(value) => return Ok((this, value)),
                    None => said = said + &line + "\n",
                },
                Err(RecvTimeoutError::Timeout) => {
                    break format!("did not say what was expected within {within:?}");
                }
                Err(RecvTimeoutError::Disconnected) => break "ended".to_owned(),
            }
        };
        Err(format!("{command:?} {what}; it said:\n{said}"))
    }
}

impl Running {
    /// Ends it without asking.
    pub fn kill9(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends it a signal, by its name.
    fn signal(&self, name: &str) -> bool {
        let status = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Running {
    /// Asks it to end, and only then makes it: a driver that is killed leaves its browsers behind.
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        if self.signal("TERM") {
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
    /// None between [`kill9`](Self::kill9) and [`start_again`](Self::start_again).
    running: Option<Running>,
    /// The program and its flags, but for where it listens.
    command: Vec<OsString>,
    /// Where the page is: `http://127.0.0.1:PORT/`.
    pub url: String,
}

impl Server {
    /// Serves `dist/` with two people to a room.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Where something else was served before, by its address.
    pub fn at(url: &str) -> Self {
        Self::at_with(url, &[])
    }

    pub fn at_with(url: &str, flags: &[&str]) -> Self {
        Self::launch(&[], listen(url), flags)
    }

    pub fn with(flags: &[&str]) -> Self {
        Self::launch(&[], "127.0.0.1:0", flags)
    }

    /// In another network than this machine's own.
    pub fn inside(namespace: &Namespace, listen: &str, flags: &[&str]) -> Self {
        Self::launch(&namespace.prefix(), listen, flags)
    }

    fn launch(prefix: &[&str], listen: &str, flags: &[&str]) -> Self {
        let mut command: Vec<OsString> = prefix.iter().map(OsString::from).collect();
        command.extend([binary(), "--app".into(), root().join("dist").into()]);
        command.extend(flags.iter().map(OsString::from));
        let (running, url) = Self::run(&command, listen);
        Self { running: Some(running), command, url }
    }

    fn run(command: &[OsString], listen: &str) -> (Running, String) {
        let mut program = Command::new(&command[0]);
        program.args(&command[1..]).args(["--listen", listen]);
        Running::start(&mut program, Duration::from_secs(10), |line| {
            line.split_once("live at ").map(|(_, url)| url.trim().to_owned())
        })
    }

    /// Ends it at once: it has no time to say anything to anyone.
    pub fn kill9(&mut self) {
        self.running.take().expect("a server that runs").kill9();
    }

    /// Takes the processor from it for so long, as a machine does that is short of one.
    pub async fn stand_still(&self, time: Duration) {
        let running = self.running.as_ref().expect("a server that runs");
        assert!(running.signal("STOP"));
        tokio::time::sleep(time).await;
        assert!(running.signal("CONT"));
    }

    /// Starts it again at the same address, with nothing of what it knew.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "it still runs");
        let (running, _) = Self::run(&self.command, listen(&self.url));
        self.running = Some(running);
    }

    /// What another run of the program prints, which must succeed.
    pub fn ask(&self, arguments: &[&str]) -> String {
        output(binary().to_str().expect("a path of letters"), arguments).unwrap()
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

/// The program.
fn binary() -> OsString {
    std::env::var_os("DUOLOGUE_SERVER").unwrap_or_else(|| root().join("target/server/duologue-server").into())
}

/// Where to listen, to be found at this address.
fn listen(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches('/')
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

/// A program that drives browsers, which put what they write meanwhile into a folder of their own: a browser that is killed
/// leaves it all behind.
pub fn driver(
    program: &str,
    flags: &[&str],
    folder: &Path,
    find_port: fn(&str) -> Option<u16>,
) -> (Running, u16) {
    let mut command = Command::new(program);
    command.args(flags).env("TMPDIR", folder);
    for _ in 0..10 {
        match Running::try_start(&mut command, Duration::from_secs(60), find_port) {
            Ok(started) => return started,
            // ChromeDriver takes a port that is free for IPv6, and ends if another program has it for IPv4.
            Err(why) if why.contains("port not available") => {}
            Err(why) => panic!("{why}"),
        }
    }
    panic!("{program} met a port that was taken ten times")
}

/// A process of this machine.
pub struct Process {
    pub id: u32,
    parent: u32,
    pub command: Vec<String>,
}

impl Process {
    /// Bytes of memory that are no file's, those that are shared not counted fully; 0 if it has ended.
    pub fn anonymous_memory(&self) -> u64 {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.id)).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss_Anon:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        kibibytes.unwrap_or_default() * 1024
    }
}

/// All of them, as Linux lists them.
pub fn list() -> Vec<Process> {
    let folders = std::fs::read_dir("/proc").expect("/proc, which is Linux's").flatten();
    let read = |folder: PathBuf| {
        let id = folder.file_name()?.to_str()?.parse().ok()?;
        // After the name, which may hold anything, come the state and the parent.
        let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        let command = String::from_utf8_lossy(&std::fs::read(folder.join("cmdline")).ok()?).into_owned();
        Some(Process { id, parent, command: command.split('\0').map(str::to_owned).collect() })
    };
    folders.filter_map(|it| read(it.path())).collect()
}

/// A process and all that it has started.
pub fn tree(root: u32) -> Vec<Process> {
    let (mut rest, mut tree) = (list(), Vec::new());
    let mut parents = vec![root];
    tree.extend(rest.extract_if(.., |it| it.id == root));
    while !parents.is_empty() {
        let children: Vec<_> = rest.extract_if(.., |it| parents.contains(&it.parent)).collect();
        parents = children.iter().map(|it| it.id).collect();
        tree.extend(children);
    }
    tree
}

/// Ends a process and all that it has started, without asking.
pub fn kill9_tree(root: u32) {
    let ids: Vec<String> = tree(root).iter().map(|it| it.id.to_string()).collect();
    // All in one go, so that none can tell of another's end. Some may be gone already.
    let _ = Command::new("kill").arg("-KILL").args(ids).status();
}
