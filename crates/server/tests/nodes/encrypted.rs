//! A Redis that speaks TLS.

use std::path::{Path, PathBuf};

use duologue_protocol::Role;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{self, Client, PATIENCE, candidate, live_at, to};
use crate::redis::Redis;
use crate::{is_let_in, seconds};

/// Somebody who signs certificates.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Where their own is.
    file: PathBuf,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.join(name);
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// A certificate for localhost and its key, in files.
    fn sign(&self, folder: &Path) -> [PathBuf; 2] {
        let key = KeyPair::generate().unwrap();
        let cert =
            CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let files = ["redis.crt", "redis.key"].map(|name| folder.join(name));
        for (file, pem) in files.iter().zip([cert.pem(), key.serialize_pem()]) {
            std::fs::write(file, pem).unwrap();
        }
        files
    }
}

#[tokio::test]
async fn nodes_are_one_through_a_redis_that_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca.crt");
    let Some(redis) = Redis::over_tls(authority.sign(folder.path())).await else { return };
    let url = format!("rediss://localhost:{}", redis.port);
    let variables =
        [("DUOLOGUE_REDIS", url.as_str()), ("DUOLOGUE_REDIS_CA", authority.file.to_str().unwrap())];
    let nodes = [live_at(&[], &variables).await, live_at(&[], &variables).await];
    let mut people = Vec::new();
    for (_, address) in &nodes {
        let socket = TcpStream::connect(address).await.unwrap();
        let mut person = Client::over(socket, *address).await;
        person.send(common::join("r")).await;
        is_let_in(&mut person, "r").await;
        people.push(person);
    }
    let [ada, bob] = &mut people[..] else { unreachable!() };
    ada.readied(Role::Caller).await;
    let to_ada = to(&bob.readied(Role::Callee).await.peer.id);
    bob.send(candidate("through TLS", &to_ada)).await;
    assert_eq!(ada.candidate().await, "through TLS");
}

#[tokio::test]
async fn a_certificate_of_redis_that_nobody_known_has_signed_is_not_taken_and_the_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca.crt");
    let other = Authority::new(folder.path(), "other.crt");
    let Some(redis) = Redis::over_tls(authority.sign(folder.path())).await else { return };
    let url = format!("rediss://:secret@localhost:{}", redis.port);
    // Another authority, those of the system, and a name that the certificate is not for.
    let elsewhere = url.replace("localhost", "127.0.0.1");
    for (url, file) in [(&url, Some(&other.file)), (&url, None), (&elsewhere, Some(&authority.file))] {
        let mut variables = vec![("DUOLOGUE_REDIS", url.as_str())];
        variables.extend(file.map(|file| ("DUOLOGUE_REDIS_CA", file.to_str().unwrap())));
        let (mut child, address) = live_at(&[], &variables).await;
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let says = async {
            while let Some(line) = log.next_line().await.unwrap() {
                assert!(!line.contains("secret"), "{line}");
                if line.contains("cannot ask redis") && line.contains("invalid peer certificate") {
                    return;
                }
            }
            panic!("says nothing");
        };
        timeout(PATIENCE, says).await.expect("says so");
        let question = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        assert_eq!(common::http(address, &question).await.status(), 503);
    }
}

#[tokio::test]
async fn why_redis_is_not_to_be_had_is_in_the_log_once_and_without_its_password() {
    let Some(redis) = Redis::new().await else { return };
    redis.ask(&["CONFIG", "SET", "requirepass", "right"]).await;
    let wrong = format!("redis://:hunter2@127.0.0.1:{}", redis.port);
    let nowhere = "redis://:hunter2@127.0.0.1:1".to_owned();
    for (url, why) in [(wrong, "it does not let this server in"), (nowhere, "Connection refused")] {
        let (mut child, _) = live_at(&[], &[("DUOLOGUE_REDIS", url.as_str())]).await;
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut next = async || {
            loop {
                let line = log.next_line().await.unwrap().expect("it goes on");
                assert!(!line.contains("hunter2"), "{line}");
                if line.contains("cannot ask redis") {
                    return line;
                }
            }
        };
        while !timeout(PATIENCE, next()).await.expect("says so").contains(why) {}
        // Longer than it takes to try again a few times. On a slow machine it may be something else in between.
        let again = timeout(seconds(3), next()).await;
        assert!(!again.is_ok_and(|line| line.contains(why)), "twice");
    }
}

#[tokio::test]
async fn a_node_that_may_not_read_its_inbox_says_so_once_while_all_else_is_answered() {
    let Some(redis) = Redis::new().await else { return };
    redis.ask(&["ACL", "SETUSER", "default", "-xread"]).await;
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let (mut child, _) = live_at(&[], &[("DUOLOGUE_REDIS", url.as_str())]).await;
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut told = Vec::new();
    let _ = timeout(seconds(4), async {
        while let Some(line) = log.next_line().await.unwrap() {
            told.extend(line.contains("cannot read the inbox").then_some(line));
        }
    })
    .await;
    assert_eq!(told.iter().filter(|line| line.contains("NOPERM")).count(), 1, "{told:?}");
}

#[tokio::test]
async fn what_cannot_be_trusted_is_refused_with_a_way_on() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.crt");
    std::fs::write(&empty, "no certificate").unwrap();
    let garbage = folder.path().join("garbage.crt");
    std::fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let [empty, garbage, missing] =
        [empty, garbage, folder.path().join("missing")].map(|path| path.display().to_string());
    let url = "rediss://:secret@localhost";
    for (arguments, words) in [
        (vec!["--redis", "rediss://:secret@localhost/#insecure"], "--redis-ca"),
        (vec!["--redis", "redis://:secret@localhost", "--redis-ca", &empty], "rediss://HOST:PORT"),
        (vec!["--redis", url, "--redis-ca", &empty], "-----BEGIN CERTIFICATE-----"),
        (vec!["--redis", url, "--redis-ca", &missing], "cannot read"),
        (vec!["--redis", url, "--redis-ca", &garbage], "that can be used"),
        (vec!["--redis-ca", &empty], "--redis rediss://HOST:PORT"),
    ] {
        let output = common::outcome(&[&["--listen", "127.0.0.1:0"], &arguments[..]].concat()).await;
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(words) && !said.contains("secret"), "{said}");
    }
}
