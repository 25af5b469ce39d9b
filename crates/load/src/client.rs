//! One client: a connection that says what it is told to, and hears.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::contender::{Contender, Session};
use crate::payload;
use crate::tally::Tally;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long to wait before trying again.
const AGAIN: Duration = Duration::from_millis(100);
/// What a client that does not read holds at most: as little as there can be, in segments as they come over the internet. Of
/// the loopback device's own, the kernel would hold megabytes, and no server would ever notice.
const NARROW: (usize, u32) = (4096, 1400);

/// What a client is told to do.
#[derive(Debug)]
pub enum Order {
    /// To say this, which is the message of that number.
    Say(u64, String),
    /// To cut its connection without a word.
    Cut,
    /// To come back after that.
    Return,
    /// To say goodbye and end.
    Leave,
}

/// What became of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It is where its partner finds it.
    In(Instant),
    /// It has cut its connection.
    Cut,
    /// It has left.
    Left,
    /// It could not connect, and tries again.
    Failed,
    /// The server has let go of it.
    LetGo {
        /// Which client it was, counted from the first of its fleet.
        client: u32,
    },
}

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct Role {
    /// Whose protocol it speaks.
    pub contender: Arc<dyn Contender>,
    /// Where.
    pub address: SocketAddr,
    /// Which client the server knows it as.
    pub id: u32,
    /// The first client of its fleet: the tally counts from there.
    pub first: u32,
    /// Whether it stops reading once it is in.
    pub stalled: bool,
    /// What is being counted at the moment.
    pub tally: Shared,
    /// Where it says what became of it.
    pub news: UnboundedSender<News>,
}

/// The tally of the measurement that is going on, if any.
pub type Shared = Arc<Mutex<Option<Tally>>>;

/// Locks a tally.
pub fn lock(tally: &Shared) -> MutexGuard<'_, Option<Tally>> {
    // What counts leaves nothing half changed.
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

type Socket = WebSocketStream<TcpStream>;

enum Ending {
    Cut,
    Leave,
    LetGo,
}

/// Lives until it is told to leave, or the server lets go of it.
pub async fn live(role: Role, mut orders: UnboundedReceiver<Order>) {
    let mut session = Session::default();
    let mut hello = role.contender.hello(role.id);
    loop {
        let (mut sink, mut stream) = connect(&role).await.split();
        let ending = tokio::select! {
            ending = listen(&mut stream, &role, &mut session) => ending,
            ending = speak(&mut sink, &role, &hello, &mut orders) => ending,
        };
        let Ok(mut socket) = stream.reunite(sink) else { return };
        match ending {
            Ending::Cut => {
                // A reset, as when somebody pulls the plug: nothing lingers that would be in the way afterwards.
                let _ = SockRef::from(socket.get_ref()).set_linger(Some(Duration::ZERO));
                drop(socket);
                role.tell(News::Cut);
                if !matches!(orders.recv().await, Some(Order::Return)) {
                    return;
                }
                hello = role.contender.again(role.id, &session);
            }
            Ending::Leave => {
                let goodbye = async {
                    let _ = socket.close(None).await;
                    while let Some(Ok(_)) = socket.next().await {}
                };
                let _ = timeout(GOODBYE, goodbye).await;
                return role.tell(News::Left);
            }
            Ending::LetGo => return role.tell(News::LetGo { client: role.number() }),
        }
    }
}

impl Role {
    /// Which client of its fleet it is.
    fn number(&self) -> u32 {
        self.id - self.first
    }

    fn tell(&self, news: News) {
        // Whoever wanted to know may have lost interest.
        let _ = self.news.send(news);
    }
}

async fn connect(role: &Role) -> Socket {
    loop {
        if let Ok(socket) = try_to_connect(role).await {
            return socket;
        }
        role.tell(News::Failed);
        sleep(AGAIN).await;
    }
}

async fn try_to_connect(role: &Role) -> io::Result<Socket> {
    let socket = TcpSocket::new_v4()?;
    if role.stalled {
        let (window, segment) = NARROW;
        let socket = SockRef::from(&socket);
        socket.set_recv_buffer_size(window)?;
        socket.set_tcp_mss(segment)?;
    }
    let socket = socket.connect(role.address).await?;
    socket.set_nodelay(true)?;
    let url = format!("ws://{}{}", role.address, role.contender.path(role.id));
    let buffers = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
    let upgraded = client_async_with_config(url, socket, Some(buffers)).await;
    upgraded.map(|(socket, _)| socket).map_err(io::Error::other)
}

async fn listen(stream: &mut SplitStream<Socket>, role: &Role, session: &mut Session) -> Ending {
    let mut inside = false;
    loop {
        let text = match stream.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Ending::LetGo,
            Some(Ok(_)) => continue,
        };
        let now = Instant::now();
        let is_in = role.contender.is_in(&text, session);
        if let Some(number) = payload::number(&text) {
            if let Some(tally) = &mut *lock(&role.tally) {
                tally.heard(number, role.number(), now);
            }
        } else if role.contender.is_report(&text)
            && let Some(tally) = &mut *lock(&role.tally)
        {
            tally.told(role.number());
        }
        if is_in && !std::mem::replace(&mut inside, true) {
            role.tell(News::In(now));
            if role.stalled {
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn speak(
    sink: &mut SplitSink<Socket, Message>,
    role: &Role,
    hello: &[String],
    orders: &mut UnboundedReceiver<Order>,
) -> Ending {
    for text in hello {
        if sink.send(Message::text(text.clone())).await.is_err() {
            return Ending::LetGo;
        }
    }
    loop {
        match orders.recv().await {
            Some(Order::Say(number, text)) => {
                if let Some(tally) = &mut *lock(&role.tally) {
                    tally.sent(number, Instant::now());
                }
                if sink.send(Message::text(text)).await.is_err() {
                    return Ending::LetGo;
                }
            }
            Some(Order::Cut) => return Ending::Cut,
            Some(Order::Return) => {}
            Some(Order::Leave) => return Ending::Leave,
            // Whoever gave orders has lost interest.
            None => return Ending::Cut,
        }
    }
}
