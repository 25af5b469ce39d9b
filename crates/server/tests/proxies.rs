//! The server behind the proxies of `deploy/`, with the very files that are there: only addresses and paths are others.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::str::FromStr;
use std::sync::Arc;

use common::*;
use duologue_protocol::{Role, ServerMessage};
use futures_util::StreamExt;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, Request};

const NAME: &str = "call.example.org";

/// A proxy that runs, and the folder with all it reads and writes.
struct Proxy {
    _child: Child,
    folder: TempDir,
    address: SocketAddr,
}

/// Whether the program is there. Where it is not, a line says so; on CI that is a failure.
async fn is_there(program: &str, version: &str) -> bool {
    let output = Command::new(program).arg(version).output().await;
    if output.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let reason = format!(
        "{program} is not on the PATH: apt-get install {}",
        if program == "nginx" { "nginx-light" } else { program }
    );
    assert!(std::env::var_os("CI").is_none(), "the proxies cannot be tested: {reason}");
    // Not by `eprintln`, which the test harness keeps to itself while all is well.
    let _ = writeln!(std::io::stderr(), "\nNOT RUN: the server behind {program}; {reason}");
    false
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// The file of that name in `deploy/`, with each of these replaced. All of them have to be in it.
fn deployed(name: &str, others: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in others {
        assert!(text.contains(from), "there is no {from} in {name}");
        text = text.replace(from, to);
    }
    text
}

fn certificate(folder: &Path) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([NAME.to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
}

impl Proxy {
    async fn nginx(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display();
        certificate(folder.path());
        let (http, https) = (free_port().await, free_port().await);
        let site = deployed(
            "nginx.conf",
            &[
                ("127.0.0.1:8080", server.to_string()),
                ("listen 80;", format!("listen 127.0.0.1:{http};")),
                ("listen [::]:80;", String::new()),
                ("listen 443 ssl;", format!("listen 127.0.0.1:{https} ssl;")),
                ("listen [::]:443 ssl;", String::new()),
                ("/etc/letsencrypt/live/call.example.org/fullchain.pem", format!("{place}/cert.pem")),
                ("/etc/letsencrypt/live/call.example.org/privkey.pem", format!("{place}/key.pem")),
            ],
        );
        // What /etc/nginx/nginx.conf is around it.
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
            .collect();
        let whole = format!(
            "daemon off; pid {place}/pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off;\n{temporary}{site}}}\n"
        );
        fs::write(folder.path().join("nginx.conf"), whole).unwrap();
        let mut command = Command::new("nginx");
        command
            .arg("-e")
            .arg("stderr")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"));
        Self::start(command, folder, https).await
    }

    async fn caddy(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display();
        certificate(folder.path());
        let https = free_port().await;
        let site = deployed(
            "Caddyfile",
            &[
                ("127.0.0.1:8080", server.to_string()),
                // The name gets no certificate here, so it gets one of the test's own.
                (
                    "call.example.org {",
                    format!(
                        "https://{NAME}:{https} {{\n\tbind 127.0.0.1\n\ttls {place}/cert.pem {place}/key.pem"
                    ),
                ),
            ],
        );
        let whole = format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}");
        fs::write(folder.path().join("Caddyfile"), whole).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.path().join("Caddyfile"));
        // It keeps things in the home of whoever starts it.
        command
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path());
        Self::start(command, folder, https).await
    }

    async fn start(mut command: Command, folder: TempDir, port: u16) -> Self {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let proxy = Self { _child: child, folder, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let begin = Instant::now();
        while TcpStream::connect(proxy.address).await.is_err() {
            assert!(begin.elapsed() < PATIENCE, "it does not start: {}", proxy.log());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        proxy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A connection from this address.
    async fn stream(&self, from: Ipv4Addr) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.path().join("cert.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let socket = socket.connect(self.address).await.unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, socket);
        timeout(PATIENCE, connecting).await.expect("an answer").unwrap()
    }

    /// A WebSocket as the page of this host opens it, or as one of another does; gives what the handshake came to.
    async fn open(&self, origin: &str) -> Result<Client<TlsStream<TcpStream>>, String> {
        self.ask(self.request(origin), Ipv4Addr::LOCALHOST).await
    }

    /// The origin of the page that comes through it.
    fn own(&self) -> String {
        format!("https://{NAME}:{}", self.address.port())
    }

    fn request(&self, origin: &str) -> Request<()> {
        let mut request = format!("ws://{NAME}:{}/ws", self.address.port()).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
    }

    async fn ask(
        &self,
        request: Request<()>,
        from: Ipv4Addr,
    ) -> Result<Client<TlsStream<TcpStream>>, String> {
        let opening = tokio_tungstenite::client_async(request, self.stream(from).await);
        let opened = timeout(PATIENCE, opening).await.expect("an answer");
        let (socket, _) = opened.map_err(|error| error.to_string())?;
        Ok(Client { socket, seq: 0 })
    }

    /// It says whose connection it is, in spite of what that one says: each of these has one place, and nobody another.
    async fn says_who_is_connected(&self) {
        let mut open = Vec::new();
        // Where both headers are passed on, the server can believe neither, and these have one place between them.
        let made_up = ["X-Forwarded-For: 127.0.0.2", "Forwarded: for=192.0.2.1", "Forwarded: for=192.0.2.2"];
        for (client, header) in (2..).zip(["Accept: */*"].into_iter().chain(made_up)) {
            let from = Ipv4Addr::new(127, 0, 0, client);
            let mut request = self.request(&self.own());
            let (name, value) = header.split_once(": ").unwrap();
            request.headers_mut().insert(HeaderName::from_str(name).unwrap(), value.parse().unwrap());
            let first = self.ask(request.clone(), from).await;
            open.push(first.unwrap_or_else(|error| panic!("{header}: {error}, {}", self.log())));
            let second = self.ask(request, from).await.err().expect("it is refused");
            assert!(second.contains("429"), "{header}: {second}");
        }
    }

    /// Two people meet through it, and it passes on that the server ends.
    async fn carries_a_call(&self, mut server: Running) {
        let own = self.own();
        let mut ada = self.open(&own).await.unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        let mut bob = self.open(&own).await.unwrap();
        ada.join("r").await;
        bob.join("r").await;
        ada.ready(Role::Caller).await;
        bob.ready(Role::Callee).await;
        let sdp = "s".repeat(30_000);
        ada.send(offer(&sdp, "")).await;
        let ServerMessage::Offer(offer) = bob.next().await else { panic!("no offer") };
        assert_eq!(offer.offer.sdp, sdp);
        bob.socket.close(None).await.unwrap();
        while bob.socket.next().await.is_some() {}
        ada.left().await;
        // The host is passed on, and so is what the server thinks of other pages.
        let refused = self.open("https://evil.example").await.err().expect("it is refused");
        assert!(refused.contains("403"), "{refused}");
        server.stop.cancel();
        assert_eq!(ada.sent_away().await.1.0, 1001);
        timeout(PATIENCE, &mut server.task).await.expect("the server ends").unwrap();
    }
}

#[tokio::test]
async fn a_call_is_signaled_through_nginx_as_it_is_set_up_in_deploy() {
    if is_there("nginx", "-v").await {
        let server = named().await;
        Proxy::nginx(server.address).await.carries_a_call(server).await;
    }
}

#[tokio::test]
async fn a_call_is_signaled_through_caddy_as_it_is_set_up_in_deploy() {
    if is_there("caddy", "version").await {
        let server = named().await;
        Proxy::caddy(server.address).await.carries_a_call(server).await;
    }
}

/// A server as `deploy/` says that it is to be started for a proxy.
async fn named() -> Running {
    server_with(2, |config| config.allowed_hosts = vec![NAME.parse().unwrap()]).await
}

/// There is a proxy on this machine, and whoever it speaks for has one place in the lobby.
async fn one_place_each() -> Running {
    server_with(2, |config| {
        config.allowed_hosts = vec![NAME.parse().unwrap()];
        config.trusted_proxies = vec![IpAddr::from(Ipv4Addr::LOCALHOST).into()];
        config.limits.lobby_per_address = 1;
    })
    .await
}

// All of 127.0.0.0/8 is this machine only on Linux.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn nginx_as_in_deploy_says_whose_connection_it_is_and_nobody_else_can() {
    if is_there("nginx", "-v").await {
        let server = one_place_each().await;
        Proxy::nginx(server.address).await.says_who_is_connected().await;
    }
}

// All of 127.0.0.0/8 is this machine only on Linux.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn caddy_as_in_deploy_says_whose_connection_it_is_and_nobody_else_can() {
    if is_there("caddy", "version").await {
        let server = one_place_each().await;
        Proxy::caddy(server.address).await.says_who_is_connected().await;
    }
}
