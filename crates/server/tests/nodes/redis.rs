//! A Redis of one's own: on a port of its own, in a folder of its own, and ended with the test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::common::PATIENCE;

pub struct Redis {
    child: Option<Child>,
    folder: TempDir,
    pub port: u16,
    /// The certificate and the key, if it speaks TLS.
    identity: Option<[PathBuf; 2]>,
}

impl Redis {
    /// Where it is not installed, a line says so; on CI that is a failure.
    pub async fn new() -> Option<Self> {
        Self::with(None).await
    }

    /// One that speaks nothing but TLS, with the certificate and the key in these files.
    pub async fn over_tls(identity: [PathBuf; 2]) -> Option<Self> {
        Self::with(Some(identity)).await
    }

    async fn with(identity: Option<[PathBuf; 2]>) -> Option<Self> {
        let output = Command::new("redis-server").arg("--version").output().await;
        if !output.is_ok_and(|output| output.status.success()) {
            let reason = "redis-server is not on the PATH: apt-get install redis-server";
            assert!(std::env::var_os("CI").is_none(), "several nodes cannot be tested: {reason}");
            // Not by `eprintln`, which the test harness keeps to itself while all is well.
            let _ = writeln!(std::io::stderr(), "\nNOT RUN: several nodes; {reason}");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let mut redis = Self { child: None, folder: tempfile::tempdir().unwrap(), port, identity };
        redis.start().await;
        Some(redis)
    }

    /// It writes nothing down, so that it begins with nothing.
    pub async fn start(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        match &self.identity {
            None => command.args(["--port", &port]),
            Some([cert, key]) => command
                .args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"])
                .args([Path::new("--tls-cert-file"), cert, Path::new("--tls-key-file"), key]),
        };
        let child = command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let up = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, up).await.expect("redis starts");
    }

    pub async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// Asks it something, and gives the answer as it comes.
    pub async fn ask(&self, words: &[&str]) -> String {
        self.ask_bytes(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>()).await
    }

    /// As above, with words that need not be text.
    pub async fn ask_bytes(&self, words: &[&[u8]]) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut question = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            question.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            question.extend_from_slice(word);
            question.extend_from_slice(b"\r\n");
        }
        question.extend_from_slice(b"*1\r\n$4\r\nQUIT\r\n");
        socket.write_all(&question).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, socket.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer.trim_end().trim_end_matches("+OK").replace('\r', "")
    }

    /// The keys of the inboxes of all nodes.
    pub async fn inboxes(&self) -> Vec<String> {
        let keys = self.ask(&["KEYS", "test:inbox:*"]).await;
        keys.lines().filter(|line| line.starts_with("test:")).map(str::to_owned).collect()
    }
}
