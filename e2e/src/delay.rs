//! A TCP proxy that holds everything back for a while, in both directions, and can cut what goes through it. Before several
//! servers it is a load balancer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub struct SlowLink {
    pub port: u16,
    state: Arc<Mutex<State>>,
    /// Told of each connection that is let through.
    connected: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// A connection that is aborted is closed at both ends.
    connections: JoinSet<()>,
    /// Whether connections are closed as soon as they come.
    is_down: bool,
}

impl SlowLink {
    /// Stands before `port` of this machine and adds `delay` each way.
    pub async fn to(port: u16, delay: Duration) -> Self {
        Self::before(vec![port], delay).await
    }

    /// Stands before several ports: each connection goes to the first that takes it.
    pub async fn to_first_of(ports: Vec<u16>) -> Self {
        Self::before(ports, Duration::ZERO).await
    }

    async fn before(ports: Vec<u16>, delay: Duration) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let connected = Arc::new(Notify::new());
        let (shared, tell) = (Arc::clone(&state), Arc::clone(&connected));
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut state = shared.lock().unwrap();
                if !state.is_down {
                    state.connections.spawn(connect(near, ports.clone(), delay));
                    tell.notify_waiters();
                }
            }
        });
        Self { port: own, state, connected, task }
    }

    /// The same address as this one, by way of this link.
    pub fn reach(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).expect("an address");
        url.set_port(Some(self.port)).expect("an address with a port");
        url.to_string()
    }

    /// Closes every connection that there is. New ones are made as before; what is returned waits for the next.
    pub fn cut(&self) -> impl Future<Output = ()> {
        let connected = self.next_connection();
        self.state.lock().unwrap().connections.abort_all();
        connected
    }

    /// Waits for a connection that is made from now on.
    pub fn next_connection(&self) -> impl Future<Output = ()> + use<> {
        Arc::clone(&self.connected).notified_owned()
    }

    /// Closes every connection that there is, and those that are tried from now on.
    pub fn go_down(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_down = true;
        state.connections.abort_all();
    }

    /// The end of [`go_down`](Self::go_down).
    pub fn come_back(&self) {
        self.state.lock().unwrap().is_down = false;
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(near: TcpStream, ports: Vec<u16>, delay: Duration) {
    // The handshake itself takes a round trip.
    tokio::time::sleep(delay * 2).await;
    let addresses: Vec<SocketAddr> = ports.iter().map(|port| ([127, 0, 0, 1], *port).into()).collect();
    // To the first that takes it.
    let Ok(far) = TcpStream::connect(&addresses[..]).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::join!(carry(near_read, far_write, delay), carry(far_read, near_write, delay));
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Duration,
) {
    let (sender, mut queue) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if sender.send((Instant::now() + delay, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, bytes)) = queue.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}
