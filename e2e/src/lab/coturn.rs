//! A real STUN and TURN server.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use duologue_server::{IceConfig, Secret};

use super::Namespace;
use crate::process::Running;

/// What coturn and our server both know.
const SECRET: &str = "of the lab, and no secret at all";

pub struct Coturn {
    addresses: Vec<Ipv4Addr>,
    _running: Running,
    /// Its files; it would write among the system's.
    _folder: tempfile::TempDir,
}

impl Coturn {
    pub fn start(namespace: &Namespace, addresses: &[Ipv4Addr]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = namespace.command("turnserver");
        command.current_dir(folder.path());
        // No configuration file: the system's may say anything.
        command.args([
            "-n",
            "--no-cli",
            "--no-tls",
            "--no-dtls",
            "--no-multicast-peers",
            "--realm=duologue.example",
        ]);
        command.args(["--fingerprint", "--use-auth-secret", &format!("--static-auth-secret={SECRET}")]);
        for address in addresses {
            command.arg(format!("--listening-ip={address}"));
        }
        command.arg(format!("--relay-ip={}", addresses[0]));
        command.args(["--log-file=stdout", "--simple-log", "--verbose"]);
        for (flag, file) in [("--pidfile", "pid"), ("--userdb", "users")] {
            command.arg(format!("{flag}={}", folder.path().join(file).display()));
        }
        // It is ready once it listens on each address, by UDP and by TCP; some of that it says twice.
        let (mut opened, wanted) = (HashSet::new(), addresses.len() * 2);
        let (running, ()) = Running::start(&mut command, Duration::from_secs(10), |line| {
            let (protocol, address) = line.split_once(" listener opened on")?;
            let is_new = address.ends_with(":3478") && opened.insert(format!("{protocol}{address}"));
            (is_new && opened.len() == wanted).then_some(())
        });
        Self { addresses: addresses.to_vec(), _running: running, _folder: folder }
    }

    /// What our server needs to know about it.
    pub fn flags(&self) -> Vec<String> {
        let stun = self.stun_urls().into_iter().map(|url| ("--stun-url", url));
        let turn = self.turn_urls().into_iter().map(|url| ("--turn-url", url));
        let secret = ("--turn-secret", SECRET.to_owned());
        stun.chain(turn).chain([secret]).flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }

    /// The same, for a server that is run by the test, with credentials that last so long.
    pub fn config(&self, turn_ttl: Duration) -> IceConfig {
        let turn_secret = Some(Secret::from(SECRET.to_owned()));
        IceConfig { stun_urls: self.stun_urls(), turn_urls: self.turn_urls(), turn_secret, turn_ttl }
    }

    fn stun_urls(&self) -> Vec<String> {
        self.addresses.iter().map(|address| format!("stun:{address}:3478")).collect()
    }

    fn turn_urls(&self) -> Vec<String> {
        ["udp", "tcp"].map(|it| format!("turn:{}:3478?transport={it}", self.addresses[0])).to_vec()
    }
}
