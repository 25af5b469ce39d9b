//! HTTPS: certificates from files and of the server's own making.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use common::*;
use duologue_server::{Config, Server, StartError, TlsConfig, TlsError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Writes a new certificate for `call.example` and its key into the folder.
fn renew(folder: &Path) -> TlsConfig {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["call.example".to_owned()]).unwrap();
    let config = TlsConfig::Files { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    config
}

async fn with_files() -> (Running, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let tls = renew(folder.path());
    let server = server_with(2, |config| {
        config.tls = Some(tls);
        config.timing.renewal = Duration::from_millis(10);
    })
    .await;
    (server, folder)
}

/// Connects as one who trusts the certificate in this file and no other; `None` if it is not the one.
async fn trusting(cert: PathBuf, name: &str, address: SocketAddr) -> Option<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(cert).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, socket);
    timeout(PATIENCE, connecting).await.expect("an answer").ok()
}

async fn get(mut stream: TlsStream<TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: call.example\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("it ends").unwrap();
    text
}

#[tokio::test]
async fn two_meet_over_https_and_a_shutdown_says_goodbye() {
    let (mut server, folder) = with_files().await;
    let cert = folder.path().join("cert.pem");
    let mut both = Vec::new();
    for _ in 0..2 {
        let stream = trusting(cert.clone(), "call.example", server.address).await.unwrap();
        let mut client = Client::over_any(stream, "ws://call.example/ws").await;
        client.join("r").await;
        both.push(client);
    }
    for (client, role) in
        both.iter_mut().zip([duologue_protocol::Role::Caller, duologue_protocol::Role::Callee])
    {
        client.ready(role).await;
    }
    server.stop.cancel();
    for client in &mut both {
        assert_eq!(client.sent_away().await.1.0, 1001);
    }
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn a_certificate_that_is_vouched_for_is_asked_for_from_then_on() {
    let (server, folder) = with_files().await;
    for path in ["/", "/healthz", "/nothing"] {
        let stream = trusting(folder.path().join("cert.pem"), "call.example", server.address).await.unwrap();
        let text = get(stream, path).await.to_ascii_lowercase();
        assert!(text.contains("strict-transport-security: max-age="), "{text}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let (server, folder) = with_files().await;
    let cert = folder.path().join("cert.pem");
    let mut before = trusting(cert.clone(), "call.example", server.address).await.unwrap();
    renew(folder.path());
    let begin = Instant::now();
    while trusting(cert.clone(), "call.example", server.address).await.is_none() {
        assert!(begin.elapsed() < PATIENCE, "never taken");
    }
    // Whoever was connected still is.
    before.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    before.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("ok"), "{text}");
}

#[tokio::test]
async fn its_own_certificate_is_for_this_machine_and_no_browser_is_bound_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(2);
    config.listen = "0.0.0.0:0".parse().unwrap();
    config.tls = Some(TlsConfig::SelfSigned { folder: folder.path().to_owned() });
    let server = Server::bind(config).await.unwrap();
    let port = server.address().port();
    assert_eq!(server.url(), format!("https://127.0.0.1:{port}/"));
    for url in server.urls() {
        assert!(url.starts_with("https://") && url.ends_with(&format!(":{port}/")), "{url}");
        assert!(!url.contains("localhost") && !url.contains("//127."), "{url} is of no use elsewhere");
    }
    let (urls, fingerprint) = (server.urls(), server.fingerprint().unwrap());
    let stop = tokio_util::sync::CancellationToken::new();
    tokio::spawn(server.serve(stop.clone().cancelled_owned()));
    let cert = folder.path().join("duologue-self-signed.cert.pem");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let names = urls.iter().map(|url| &url["https://".len()..url.rfind(':').unwrap()]);
    for name in names.chain(["localhost", "127.0.0.1", "::1"]) {
        let stream = trusting(cert.clone(), name.trim_matches(['[', ']']), address).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        assert_eq!(hex(&shown), fingerprint);
        let text = get(stream, "/healthz").await.to_ascii_lowercase();
        assert!(text.ends_with("ok") && !text.contains("strict-transport-security"), "{text}");
    }
    assert!(trusting(cert, "call.example", address).await.is_none());
    stop.cancel();
}

fn hex(certificate: &CertificateDer<'_>) -> String {
    use sha2::Digest;
    let pairs: Vec<String> =
        sha2::Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[tokio::test]
async fn what_the_certificate_is_for_is_a_name_of_the_server() {
    let (server, folder) = with_files().await;
    let open = async |host: &str, origin: &str| {
        let cert = folder.path().join("cert.pem");
        let mut stream = trusting(cert, "call.example", server.address).await.unwrap();
        let request = upgrade(host, &format!("Origin: {origin}\r\n"));
        stream.write_all(request.as_bytes()).await.unwrap();
        read_head(&mut stream).await.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(open("call.example", "https://call.example").await, "101");
    assert_eq!(open("rebind.example", "https://rebind.example").await, "421");
    // A page that did not come by HTTPS may have been made by anybody on the way.
    assert_eq!(open("call.example", "http://call.example").await, "403");
}

#[tokio::test]
async fn plain_http_on_the_port_for_https_is_told_so() {
    let (server, _folder) = with_files().await;
    let answer = server.get("/room?x=1", "").await;
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.text(), format!("This port speaks HTTPS: https://{}/room?x=1\n", server.address));
    let strange = server.http("GET / HTTP/1.1\r\nHost: <b>\r\nConnection: close\r\n\r\n").await;
    assert!(strange.text().contains("https://") && !strange.text().contains("<b>"), "{}", strange.text());
    // Not even a WebSocket gets around it.
    let socket = server.http(&upgrade("call.example", "")).await;
    assert_eq!(socket.status(), 400);
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_is_let_go_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let tls = renew(folder.path());
    let server = server_with(2, |config| {
        config.tls = Some(tls);
        config.timing.handshake = Duration::from_millis(300);
    })
    .await;
    let begin = Instant::now();
    let mut stalled = Vec::new();
    for first in [&b""[..], &[22], &[22, 3, 1, 0, 200, 1]] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(first).await.unwrap();
        stalled.push(socket);
    }
    let cert = folder.path().join("cert.pem");
    assert!(trusting(cert, "call.example", server.address).await.is_some());
    assert!(begin.elapsed() < Duration::from_millis(300), "it waited for the others");
    for mut socket in stalled {
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, socket.read_to_end(&mut rest)).await.expect("the server lets go");
    }
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_handshakes() {
    let (mut server, _folder) = with_files().await;
    let mut halfway = TcpStream::connect(server.address).await.unwrap();
    halfway.write_all(&[22, 3, 1]).await.unwrap();
    let begin = Instant::now();
    server.stop.cancel();
    timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn what_is_wrong_with_the_files_is_said_with_what_to_do() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    renew(a.path());
    renew(b.path());
    let (cert, key) = (a.path().join("cert.pem"), a.path().join("key.pem"));
    for (cert, key, word) in [
        (cert.clone(), b.path().join("key.pem"), "made together"),
        (key.clone(), key.clone(), "no certificate"),
        (cert.clone(), cert.clone(), "no private key"),
        (a.path().join("nothing"), key.clone(), "cannot read"),
    ] {
        let mut config = Config::new(2);
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.tls = Some(TlsConfig::Files { cert, key });
        let error = Server::bind(config).await.unwrap_err();
        assert!(matches!(error, StartError::Tls(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let file = a.path().join("key.pem");
    let mut config = Config::new(2);
    config.tls = Some(TlsConfig::SelfSigned { folder: file });
    let error = Server::bind(config).await.unwrap_err();
    assert!(matches!(&error, StartError::Tls(TlsError::Keep(..))), "{error}");

    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    for (arguments, word) in [
        (vec!["--tls-cert", cert], "--tls-key"),
        (vec!["--tls-key", key], "--tls-cert"),
        (vec!["--tls-cert", cert, "--tls-key", key, "--tls-self-signed", "tls"], "not both"),
    ] {
        let output = outcome(&arguments).await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), words.lines().count()), (Some(1), 1), "{words}");
        assert!(words.contains(word), "{words}");
    }
}

#[tokio::test]
async fn the_program_says_where_to_go_and_what_to_compare() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program()
        .args(["--listen", "0.0.0.0:0", "--tls-self-signed"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    loop {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("more").unwrap().expect("more");
        let is_last = line.starts_with("SHA-256 fingerprint: ");
        said.push(line);
        if is_last {
            break;
        }
    }
    assert!(said[0].starts_with("duologue-server is live at https://127.0.0.1:"), "{said:?}");
    assert_eq!(said.last().unwrap().split(':').count(), 33);
    assert!(said[1..said.len() - 1].iter().all(|line| line.starts_with("https://")), "{said:?}");
}

#[tokio::test]
async fn over_https_too_a_trusted_proxy_says_whose_connection_it_is_and_metrics_count_in_plain_http() {
    let folder = tempfile::tempdir().unwrap();
    let tls = renew(folder.path());
    let server = server_with(2, |config| {
        with_metrics(config);
        config.tls = Some(tls);
        config.limits.lobby_per_address = 1;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let mut open = Vec::new();
    let mut heads = Vec::new();
    for client in ["192.0.2.1", "192.0.2.2", "192.0.2.1"] {
        let cert = folder.path().join("cert.pem");
        let mut stream = trusting(cert, "call.example", server.address).await.unwrap();
        let request = upgrade("call.example", &format!("X-Forwarded-For: {client}\r\n"));
        stream.write_all(request.as_bytes()).await.unwrap();
        heads.push(read_head(&mut stream).await);
        open.push(stream);
    }
    let statuses: Vec<_> = heads.iter().map(|head| head.split(' ').nth(1).unwrap()).collect();
    assert_eq!(statuses, ["101", "101", "429"]);
    assert_eq!(breaches(&server, "lobby_per_address").await, 1);
    assert_eq!(server.counted("duologue_connections_open").await, 2);
}

#[tokio::test]
async fn over_https_too_who_finds_no_place_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let tls = renew(folder.path());
    let server = server_with(2, |config| {
        config.tls = Some(tls);
        config.limits.connections = 1;
    })
    .await;
    let cert = folder.path().join("cert.pem");
    let mut first = trusting(cert.clone(), "call.example", server.address).await.unwrap();
    let second = trusting(cert.clone(), "call.example", server.address).await.unwrap();
    assert!(get(second, "/healthz").await.starts_with("HTTP/1.1 503 "));
    // Not a word of HTTP has been said over it: it has had its place since it came.
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    first.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    let begin = Instant::now();
    while !get(trusting(cert.clone(), "call.example", server.address).await.unwrap(), "/healthz")
        .await
        .ends_with("ok")
    {
        assert!(begin.elapsed() < PATIENCE, "the place is never free again");
    }
}
