//! A real server on a free port, and clients that talk to it over real sockets.

// Each test file is a program of its own and uses a part of this.
#![allow(dead_code)]
// Tests may fail loudly; clippy's own exception covers test functions but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::time::Duration;

use duologue_protocol::{
    ErrorCode, LeaveReason, Numbered, PairToken, PeerId, PeerInfo, Ready, Refusal, Resumed, Role,
    ServerMessage, SessionToken, Welcome,
};
use duologue_server::{Config, Limits, Rate, Rooms, Server};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes, so that what never comes fails the test instead of hanging it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. It ends when this is dropped.
pub struct Running {
    pub address: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub rooms: Rooms,
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A server for rooms of two.
pub async fn server() -> Running {
    server_with(2, |_| {}).await
}

/// A server for rooms of so many, with changes to its configuration.
pub async fn server_with(room_size: usize, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::new(room_size);
    config.listen = "127.0.0.1:0".parse().unwrap();
    change(&mut config);
    let server = Server::bind(config).await.unwrap();
    let (address, metrics, rooms) = (server.address(), server.metrics_address(), server.rooms());
    let stop = CancellationToken::new();
    let task = tokio::spawn(server.serve(stop.clone().cancelled_owned()));
    Running { address, metrics, rooms, stop, task }
}

/// Metrics at a free port.
pub fn with_metrics(config: &mut Config) {
    config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
}

/// No rate that a test could reach: for what is about queues.
pub fn without_rates(config: &mut Config) {
    let most = Rate { per_second: 1_000_000, burst: 1_000_000 };
    (config.limits.messages, config.limits.offers, config.limits.candidates) = (most, most, most);
}

/// A server whose metrics are read here, with changes to its limits.
pub async fn limited(room_size: usize, change: impl FnOnce(&mut Limits)) -> Running {
    server_with(room_size, |config| {
        with_metrics(config);
        change(&mut config.limits);
    })
    .await
}

/// How often this limit was broken.
pub async fn breaches(server: &Running, limit: &str) -> i64 {
    server.counted(&format!("duologue_breaches_total{{limit=\"{limit}\"}}")).await
}

/// The client is let go with this error and this close code.
pub async fn let_go(client: &mut Client, code: ErrorCode, close: u16) -> String {
    let refusal = client.refusal().await;
    assert_eq!((&refusal.code, refusal.fatal), (&code, true), "{}", refusal.message);
    assert_eq!(client.closed().await.0, close);
    refusal.message
}

impl Running {
    /// A client in the lobby.
    pub async fn connect(&self) -> Client {
        Client::over(TcpStream::connect(self.address).await.unwrap(), self.address).await
    }

    /// A client in a room, with its welcome.
    pub async fn join(&self, room: &str) -> (Client, Welcome) {
        let mut client = self.connect().await;
        let welcome = client.join(room).await;
        (client, welcome)
    }

    /// A client in a room that speaks this protocol, where those of [`Running::join`] are plain pages.
    pub async fn enter(&self, room: &str) -> (Client, Welcome) {
        self.enter_again(room, &[]).await
    }

    /// The same, with connections that are still there from an earlier stay.
    pub async fn enter_again(&self, room: &str, pairs: &[&PairToken]) -> (Client, Welcome) {
        let mut client = self.connect().await;
        let welcome = client.enter(room, pairs).await;
        (client, welcome)
    }

    /// Two who speak this protocol: Ada, who is the caller, and Bob; with what each was welcomed with, and the token of
    /// the pair.
    pub async fn couple(&self, room: &str) -> ([(Client, Welcome); 2], PairToken) {
        let (mut ada, a) = self.enter(room).await;
        let (mut bob, b) = self.enter(room).await;
        let (to_ada, to_bob) = (ada.readied(Role::Caller).await, bob.readied(Role::Callee).await);
        assert_eq!((&to_ada.peer.id, &to_bob.peer.id), (&b.id, &a.id));
        assert_eq!(to_ada.pair, to_bob.pair);
        ([(ada, a), (bob, b)], to_ada.pair.expect("both speak the protocol"))
    }

    /// A client that takes up a session.
    pub async fn resume(&self, session: &SessionToken, seq: u64) -> Client {
        let mut client = self.connect().await;
        client.send(resume(session, seq)).await;
        assert_eq!(client.next().await, ServerMessage::Resumed(Resumed::default()));
        client.seq = seq;
        client
    }

    /// Two clients in a room: the caller, then the callee.
    pub async fn pair(&self, room: &str) -> (Client, Client) {
        let (mut caller, a) = self.join(room).await;
        let (mut callee, b) = self.join(room).await;
        assert_eq!(caller.ready(Role::Caller).await.id, b.id);
        assert_eq!(callee.ready(Role::Callee).await.id, a.id);
        (caller, callee)
    }

    /// Sends a request and reads the response to its end.
    pub async fn http(&self, request: &str) -> Response {
        http(self.address, request).await
    }

    /// What a counter or gauge is at, by its name and label as they are written. The server must serve metrics, see
    /// [`with_metrics`].
    pub async fn counted(&self, series: &str) -> i64 {
        let text = self.metrics().await;
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
    }

    pub async fn metrics(&self) -> String {
        let address = self.metrics.expect("metrics are served");
        let response =
            http(address, "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
        assert_eq!(response.status(), 200, "{}", response.head);
        response.text().to_owned()
    }

    /// Waits until a counter or gauge is at this number.
    pub async fn counts(&self, series: &str, number: i64) {
        let begin = tokio::time::Instant::now();
        loop {
            let is = self.counted(series).await;
            if is == number {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{series} is {is} and never {number}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// `GET`, with more header lines, each ended by `\r\n`.
    pub async fn get(&self, path: &str, headers: &str) -> Response {
        self.request("GET", path, headers).await
    }

    pub async fn request(&self, method: &str, path: &str, headers: &str) -> Response {
        let host = self.address;
        self.http(&format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"))
            .await
    }

    /// The response to a WebSocket handshake with more header lines, each ended by `\r\n`; the connection is dropped after
    /// it.
    pub async fn upgraded(&self, headers: &str) -> Response {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(upgrade(&self.address.to_string(), headers).as_bytes()).await.unwrap();
        let head = read_head(&mut socket).await;
        let mut response = Response { head, body: Vec::new() };
        if let Some(length) = response.header("content-length") {
            response.body.resize(length.parse().unwrap(), 0);
            socket.read_exact(&mut response.body).await.unwrap();
        }
        response
    }

    /// The answer to a WebSocket handshake that says this as its `Origin`; the connection is dropped after it.
    pub async fn handshake(&self, host: &str, origin: &str) -> u16 {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(upgrade(host, &format!("Origin: {origin}\r\n")).as_bytes()).await.unwrap();
        let head = read_head(&mut socket).await;
        status(&head)
    }
}

/// Sends a request and reads the response to its end.
pub async fn http(address: SocketAddr, request: &str) -> Response {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("the server ends").unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Response { head, body: bytes[end + 4..].to_vec() }
}

/// A handshake request.
pub fn upgrade(host: &str, headers: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

/// Reads up to the empty line and nothing after it.
pub async fn read_head(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, socket.read_u8()).await.expect("a head").unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

pub struct Response {
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn status(&self) -> u16 {
        status(&self.head)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub struct Client<S = TcpStream> {
    pub socket: WebSocketStream<S>,
    /// The number of the last message that had one.
    pub seq: u64,
}

impl Client {
    pub async fn over(socket: TcpStream, address: SocketAddr) -> Self {
        // As browsers do: small messages do not wait for each other.
        socket.set_nodelay(true).unwrap();
        Self::over_any(socket, &format!("ws://{address}/ws")).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// A client over a connection of any kind.
    pub async fn over_any(socket: S, url: &str) -> Self {
        let (socket, _) = tokio_tungstenite::client_async(url, socket).await.unwrap();
        Self { socket, seq: 0 }
    }

    pub async fn send(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    pub async fn join(&mut self, room: &str) -> Welcome {
        self.send(join(room)).await;
        self.welcomed().await
    }

    pub async fn welcomed(&mut self) -> Welcome {
        match self.next().await {
            ServerMessage::Welcome(welcome) => welcome,
            other => panic!("not a welcome: {other:?}"),
        }
    }

    /// Joins as one who speaks this protocol.
    pub async fn enter(&mut self, room: &str, pairs: &[&PairToken]) -> Welcome {
        let pairs: Vec<String> = pairs.iter().map(|pair| format!("\"{pair}\"")).collect();
        let pairs = pairs.join(",");
        self.send(format!(r#"{{"type":"join","room":"{room}","protocol":1,"pairs":[{pairs}]}}"#)).await;
        self.welcomed().await
    }

    /// The next message. Pings are not messages. What happens in the room is numbered without a gap, and nothing else
    /// has a number.
    pub async fn next(&mut self) -> ServerMessage {
        let Numbered { message, seq } = match self.frame().await {
            Some(Ok(Message::Text(text))) => Numbered::from_json(&text).unwrap(),
            other => panic!("not a message: {other:?}"),
        };
        match &message {
            ServerMessage::Ready(_)
            | ServerMessage::Offer(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Candidate(_)
            | ServerMessage::PeerAway(_)
            | ServerMessage::PeerBack(_)
            | ServerMessage::PeerLeft(_)
            | ServerMessage::Knock(_)
            | ServerMessage::KnockOver(_)
            | ServerMessage::Locked(_) => {
                self.seq += 1;
                assert_eq!(seq, Some(self.seq), "{message:?}");
            }
            ServerMessage::Welcome(_)
            | ServerMessage::Resumed(_)
            | ServerMessage::IceServers(_)
            | ServerMessage::Error(_)
            | ServerMessage::GoingAway(_)
            | ServerMessage::Pong
            | ServerMessage::Waiting => assert_eq!(seq, None, "{message:?}"),
        }
        if matches!(message, ServerMessage::Welcome(_)) {
            self.seq = 0;
        }
        message
    }

    pub async fn frame(&mut self) -> Option<Result<Message, Error>> {
        let next = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => return other,
                }
            }
        };
        timeout(PATIENCE, next).await.expect("something comes")
    }

    pub async fn ready(&mut self, role: Role) -> PeerInfo {
        self.readied(role).await.peer
    }

    pub async fn readied(&mut self, role: Role) -> Ready {
        match self.next().await {
            ServerMessage::Ready(ready) => {
                assert_eq!(ready.role, role);
                ready
            }
            other => panic!("not ready: {other:?}"),
        }
    }

    pub async fn refusal(&mut self) -> Refusal {
        match self.next().await {
            ServerMessage::Error(refusal) => refusal,
            other => panic!("not an error: {other:?}"),
        }
    }

    /// Sends what must be refused, and sees that the connection stays usable.
    pub async fn refused(&mut self, text: impl Into<String>, code: ErrorCode) -> String {
        self.send(text).await;
        let refusal = self.refusal().await;
        assert_eq!(refusal.code, code, "{}", refusal.message);
        assert!(!refusal.fatal);
        self.is_usable().await;
        refusal.message
    }

    /// Sends what must be refused, and nothing else.
    pub async fn refused_alone(&mut self, text: &str, code: ErrorCode) {
        self.send(text).await;
        let refusal = self.refusal().await;
        assert_eq!((refusal.code, refusal.fatal), (code, false), "{}", refusal.message);
    }

    /// A ping is answered, and nothing came before the answer.
    pub async fn is_usable(&mut self) {
        self.send(r#"{"type":"ping"}"#).await;
        assert_eq!(self.next().await, ServerMessage::Pong);
    }

    pub async fn away(&mut self) -> PeerId {
        match self.next().await {
            ServerMessage::PeerAway(moved) => moved.peer,
            other => panic!("nobody is away: {other:?}"),
        }
    }

    pub async fn back(&mut self) -> PeerId {
        match self.next().await {
            ServerMessage::PeerBack(moved) => moved.peer,
            other => panic!("nobody is back: {other:?}"),
        }
    }

    /// The next message is a candidate; gives its line.
    pub async fn candidate(&mut self) -> String {
        match self.next().await {
            ServerMessage::Candidate(trickle) => trickle.candidate.candidate,
            other => panic!("not a candidate: {other:?}"),
        }
    }

    pub async fn left(&mut self) -> (PeerId, LeaveReason) {
        match self.next().await {
            ServerMessage::PeerLeft(left) => (left.peer, left.reason),
            other => panic!("nobody left: {other:?}"),
        }
    }

    /// The server ends: it says in how many seconds to come back, and closes, with this code and reason.
    pub async fn sent_away(&mut self) -> (u32, (u16, String)) {
        match self.next().await {
            ServerMessage::GoingAway(hint) => (hint.retry_after, self.closed().await),
            other => panic!("not sent away: {other:?}"),
        }
    }

    /// The server closes, with this code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.frame().await {
            Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => (code.into(), reason.to_string()),
            other => panic!("not closed: {other:?}"),
        }
    }
}

pub fn join(room: &str) -> String {
    format!(r#"{{"type":"join","room":"{room}"}}"#)
}

pub fn resume(session: &SessionToken, seq: u64) -> String {
    format!(r#"{{"type":"resume","session":"{session}","seq":{seq}}}"#)
}

/// An offer with this text in place of SDP, and more fields, each begun by a comma.
pub fn offer(sdp: &str, fields: &str) -> String {
    format!(r#"{{"type":"offer","offer":{{"type":"offer","sdp":"{sdp}"}}{fields}}}"#)
}

pub fn answer(sdp: &str, fields: &str) -> String {
    format!(r#"{{"type":"answer","answer":{{"type":"answer","sdp":"{sdp}"}}{fields}}}"#)
}

pub fn candidate(line: &str, fields: &str) -> String {
    format!(r#"{{"type":"candidate","candidate":{{"candidate":"{line}","sdpMid":"0"}}{fields}}}"#)
}

pub fn to(peer: &PeerId) -> String {
    format!(r#","to":"{peer}""#)
}

/// Waits for something that has no event of its own.
pub async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let begin = tokio::time::Instant::now();
    while !is() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A key for tokens. Made by `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout`; it opens nothing but these tests.
pub const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIG5I5nQR4QIqzr3EkwFjmQ9RWhrzVGfTIjg1prUt2J4M
-----END PRIVATE KEY-----
";
/// The public half of it.
pub const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAZsglMCwELj9yxTlLWowe8LoDyk5sRls4VsJ8Sb/8Cds=
-----END PUBLIC KEY-----
";

/// The program itself.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duologue-server"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DUOLOGUE_")) {
        command.env_remove(name);
    }
    command.kill_on_drop(true);
    command
}

/// The program on a free port, with these flags and variables of the environment, and a client of it.
pub async fn live(arguments: &[&str], variables: &[(&str, &str)]) -> (Child, Client) {
    let (child, address) = live_at(arguments, variables).await;
    (child, Client::over(TcpStream::connect(address).await.unwrap(), address).await)
}

/// The program on a free port, with these flags and variables of the environment, and where it is.
pub async fn live_at(arguments: &[&str], variables: &[(&str, &str)]) -> (Child, SocketAddr) {
    let mut child = program()
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let address = address_of(&mut child).await;
    (child, address)
}

/// Where the program that was just started is.
pub async fn address_of(child: &mut Child) -> SocketAddr {
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    timeout(PATIENCE, stdout.read_line(&mut line)).await.unwrap().unwrap();
    let url = line.strip_prefix("duologue-server is live at http://").expect("it is live");
    url.strip_suffix("/\n").unwrap().parse().unwrap()
}

/// Runs the program to its end.
pub async fn outcome(arguments: &[&str]) -> Output {
    timeout(PATIENCE, program().args(arguments).output()).await.expect("it ends").unwrap()
}
