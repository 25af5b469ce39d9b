//! The server that all of this is thrown at: the program, as it is run.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::common::{PATIENCE, http, program};

pub struct Process {
    child: Child,
    pub address: SocketAddr,
    metrics: SocketAddr,
    /// Lines of the log that should not be there, and how many there are in all.
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    lines: u64,
    bad: Vec<String>,
}

/// Rates so high that they hold nobody up: what is limited is tested elsewhere, and here as much as can be is to be read.
const FAST: &str = "1000000";

impl Process {
    /// Starts it. Lines of its log with one of these words in them are complained of.
    pub async fn start(bad: &'static [&'static str]) -> Self {
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--room-size", "4"]);
        command.args(["--trusted-proxy", "127.0.0.1", "--log", "debug"]);
        for rate in [
            "message-rate",
            "message-burst",
            "offer-rate",
            "offer-burst",
            "candidate-rate",
            "candidate-burst",
        ] {
            command.arg(format!("--{rate}={FAST}"));
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(Log::default()));
        let (tell_address, address) = oneshot::channel();
        let (tell_metrics, metrics) = oneshot::channel();
        let noted = log.clone();
        tokio::spawn(read(stderr, "metrics are at http://", tell_metrics, move |line| {
            let mut log = noted.lock().unwrap();
            log.lines += 1;
            if bad.iter().any(|word| line.contains(word)) {
                log.bad.push(line.to_owned());
            }
        }));
        tokio::spawn(read(stdout, "live at http://", tell_address, |_| {}));
        let [address, metrics] = [address, metrics].map(|told| async {
            timeout(PATIENCE, told).await.expect("the server starts").expect("the server starts")
        });
        let (address, metrics) = tokio::join!(address, metrics);
        Self { child, address, metrics, log }
    }

    /// Its memory that is in use, in bytes (`VmRSS`). None where the system does not tell in the way of Linux.
    pub fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    }

    /// All that is counted, as lines.
    pub async fn metrics(&self) -> String {
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        http(self.metrics, request).await.text().to_owned()
    }

    pub async fn counted(&self, series: &str) -> i64 {
        let text = self.metrics().await;
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
    }

    /// How many lines it has logged, and those that should not be there.
    pub fn log(&self) -> (u64, Vec<String>) {
        let log = self.log.lock().unwrap();
        (log.lines, log.bad.clone())
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

/// Reads lines to the end, and tells the address in the first that has these words before it.
async fn read(
    output: impl AsyncRead + Unpin,
    words: &str,
    tell: oneshot::Sender<SocketAddr>,
    mut note: impl FnMut(&str),
) {
    let (mut lines, mut tell) = (BufReader::new(output).lines(), Some(tell));
    while let Ok(Some(line)) = lines.next_line().await {
        note(&line);
        let address = line.split_once(words).and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
        if let Some((address, tell)) = address.zip(tell.take_if(|_| address.is_some())) {
            let _ = tell.send(address);
        }
    }
}
