//! The way of one node to Redis, which can be cut while both of them go on.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    Everything,
    /// What the node asks, and no answer.
    Questions,
    /// Nothing, and nobody is told: as where packets are dropped. What was held up comes when it is over.
    Nothing,
    /// Connections are closed, and no new one is taken.
    NoConnection,
}

/// The way of one node. It ends when this is dropped.
pub struct Wire {
    pub port: u16,
    passes: watch::Sender<Passes>,
    task: JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    /// To the Redis at this port.
    pub async fn new(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (passes, watched) = watch::channel(Passes::Everything);
        let redis = SocketAddr::from(([127, 0, 0, 1], redis));
        let task = tokio::spawn(async move {
            loop {
                if let Ok((near, _)) = listener.accept().await {
                    tokio::spawn(carry(near, redis, watched.clone()));
                }
            }
        });
        Self { port, passes, task }
    }

    pub fn pass(&self, what: Passes) {
        self.passes.send_replace(what);
    }
}

/// One connection, until an end closes it or it is cut.
async fn carry(near: TcpStream, redis: SocketAddr, passes: watch::Receiver<Passes>) {
    let mut cut = passes.clone();
    let both = async {
        until(&passes, |it| it != Passes::Nothing).await;
        let Ok(far) = TcpStream::connect(redis).await else { return };
        let ((near_out, near_in), (far_out, far_in)) = (near.into_split(), far.into_split());
        tokio::select! {
            () = pump(near_out, far_in, &passes, |it| matches!(it, Passes::Everything | Passes::Questions)) => {}
            () = pump(far_out, near_in, &passes, |it| it == Passes::Everything) => {}
        }
    };
    tokio::select! {
        _ = cut.wait_for(|it| *it == Passes::NoConnection) => {}
        () = both => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    passes: &watch::Receiver<Passes>,
    may: fn(Passes) -> bool,
) {
    let mut bytes = vec![0; 65536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        until(passes, may).await;
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// Waits until what passes is such.
async fn until(passes: &watch::Receiver<Passes>, is: impl Fn(Passes) -> bool) {
    // An error means that the wire is gone, and with it the test.
    let _ = passes.clone().wait_for(|it| is(*it)).await;
}
