//! One node: the program, with a wire of its own to Redis.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::common::{Client, PATIENCE, Response, address_of, http, program};
use crate::redis::Redis;
use crate::wire::Wire;

pub struct Node {
    child: Child,
    pub wire: Wire,
    pub address: SocketAddr,
}

impl Node {
    /// It writes its log into this file.
    pub async fn start(redis: &Redis, log: &Path, variables: &[(&str, &str)]) -> Self {
        let wire = Wire::new(redis.port).await;
        let mut child = program()
            .args(["--listen", "127.0.0.1:0", "--room-size", "8", "--redis-prefix", "test:"])
            // People here say more than people do.
            .args(["--message-rate", "1000", "--message-burst", "1000"])
            .args(["--candidate-rate", "1000", "--candidate-burst", "1000"])
            .env("DUOLOGUE_REDIS", format!("redis://127.0.0.1:{}/0", wire.port))
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(log).unwrap())
            .spawn()
            .unwrap();
        let address = address_of(&mut child).await;
        let node = Self { child, wire, address };
        let begin = Instant::now();
        while node.get("/readyz").await.status() != 200 {
            assert!(begin.elapsed() < PATIENCE, "it is never ready");
            sleep(Duration::from_millis(20)).await;
        }
        node
    }

    pub async fn get(&self, path: &str) -> Response {
        let host = self.address;
        http(host, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
    }

    /// As `kill -9` does.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().await.unwrap().success());
    }

    pub async fn connect(&self) -> Client {
        Client::over(TcpStream::connect(self.address).await.unwrap(), self.address).await
    }
}
