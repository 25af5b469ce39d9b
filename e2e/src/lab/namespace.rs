//! Network namespaces.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::{feed, output};

/// A network namespace, removed when dropped.
pub struct Namespace {
    name: String,
}

/// What all names begin with; the number of the process follows.
const PREFIX: &str = "duologue-";

/// How many were made by this process.
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Namespace {
    pub fn new(role: &str) -> Self {
        Self::try_new(role).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn try_new(role: &str) -> Result<Self, String> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{role}", std::process::id());
        output("ip", &["netns", "add", &name])?;
        let this = Self { name };
        this.ip("link set lo up");
        Ok(this)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file by which it is entered.
    pub fn file(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    /// What to put before a command so that it runs in here.
    pub fn prefix(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let [ip, arguments @ ..] = self.prefix();
        let mut command = Command::new(ip);
        command.args(arguments).arg(program);
        command
    }

    /// `ip …` in here.
    pub fn ip(&self, arguments: &str) {
        let mut all = vec!["-n", &self.name];
        all.extend(arguments.split(' '));
        output("ip", &all).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Hands rules to nftables.
    pub fn nft(&self, rules: &str) {
        feed(self.command("nft").args(["-f", "-"]), rules).unwrap_or_else(|error| panic!("{error}\n{rules}"));
    }

    pub fn sysctl(&self, name: &str, value: u32) {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        feed(self.command("tee").arg(path), &value.to_string()).unwrap_or_else(|error| panic!("{error}"));
    }

    /// A cable between this one and another; both ends are up.
    pub fn connect(&self, own: &str, other: &Self, others: &str) {
        self.ip(&format!("link add {own} type veth peer name {others} netns {}", other.name));
        self.ip(&format!("link set {own} up"));
        other.ip(&format!("link set {others} up"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Removes what runs of these tests left behind that were killed.
pub fn remove_leftovers() {
    let Ok(list) = output("ip", &["netns", "list"]) else { return };
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let Some((pid, _)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else {
            continue;
        };
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            remove(name);
        }
    }
}

/// Ends what still runs in a namespace, which would keep it alive, and removes its name.
fn remove(name: &str) {
    for pid in output("ip", &["netns", "pids", name]).unwrap_or_default().split_whitespace() {
        let _ = output("kill", &["-KILL", pid]);
    }
    let _ = output("ip", &["netns", "delete", name]);
}
