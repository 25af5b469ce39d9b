//! What is written to a client, over sockets that count, and that take as much as they are told.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::io::{DuplexStream, ReadBuf, duplex};

use super::*;
use crate::config::QueueLimits;

const QUEUE: QueueLimits = QueueLimits { messages: 64, bytes: 64 * 1024 };
const NEVER: Duration = Duration::from_secs(3600);

/// The server's end of a connection, which counts how often it is written to.
struct Counting {
    socket: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// Both ends of a connection that holds so many bytes: the server's, and the client's; and how often was written.
async fn connection(
    holds: usize,
) -> (SplitSink<WebSocketStream<Counting>, Message>, WebSocketStream<DuplexStream>, Arc<AtomicUsize>) {
    let (client, socket) = duplex(holds);
    let writes = Arc::<AtomicUsize>::default();
    let server = Counting { socket, writes: writes.clone() };
    let (sink, _) = WebSocketStream::from_raw_socket(server, Role::Server, Some(buffers())).await.split();
    (sink, WebSocketStream::from_raw_socket(client, Role::Client, None).await, writes)
}

#[tokio::test]
async fn what_waits_is_written_at_once_in_its_order_and_every_byte_of_it_is_counted() {
    let metrics = Metrics::new();
    let (mut sink, mut client, writes) = connection(64 * 1024).await;
    let (outbox, mut outgoing) = outbox(QUEUE, metrics.clone());
    let mut bytes = 0;
    for n in 0..64 {
        bytes += n.to_string().len();
        outbox.push(n.to_string().into(), None).unwrap();
    }
    let hears = async {
        for n in 0..64 {
            let Some(Ok(Message::Text(text))) = client.next().await else {
                panic!("nothing is heard of {n}")
            };
            assert_eq!(text, n.to_string());
        }
    };
    tokio::select! {
        ending = speak(&mut sink, &mut outgoing, NEVER, &metrics) => panic!("{ending:?}"),
        () = hears => {}
    }
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    let counted = metrics.render(0);
    assert!(counted.contains(&format!("duologue_sent_bytes_total {bytes}\n")), "{bytes} bytes: {counted}");
}

#[tokio::test]
async fn what_waits_for_a_client_that_does_not_read_waits_where_it_counts_until_there_is_too_much_of_it() {
    const SIZE: usize = 1000;
    const HOLDS: usize = 2000;
    let metrics = Metrics::new();
    let (mut sink, client, _) = connection(HOLDS).await;
    let (outbox, mut outgoing) = outbox(QUEUE, metrics.clone());
    let say = || outbox.push("x".repeat(SIZE).into(), None);
    let mut taken = QUEUE.messages;
    for _ in 0..taken {
        say().unwrap();
    }
    {
        let mut speaking = pin!(speak(&mut sink, &mut outgoing, NEVER, &metrics));
        assert!((&mut speaking).now_or_never().is_none());
        while say().is_ok() {
            taken += 1;
            assert!((&mut speaking).now_or_never().is_none());
            assert!(taken < 1000, "it is let go");
        }
    }
    assert_eq!(outbox.dismissed().now_or_never(), Some(crate::dismissal::Dismissal::Slow));
    let mut waits = 0;
    while outgoing.try_next().is_some() {
        waits += 1;
    }
    assert_eq!(waits, QUEUE.messages);
    // What the connection holds, what is being written, and a message that did not fit.
    let most = (HOLDS + WRITTEN_TOGETHER) / SIZE + 1;
    assert!((1..=most).contains(&(taken - waits)), "{} were taken out, and {most} may be", taken - waits);
    drop(client);
}

#[tokio::test]
async fn a_message_larger_than_what_is_written_together_is_written_with_those_around_it() {
    let metrics = Metrics::new();
    let (mut sink, mut client, _) = connection(3000).await;
    let (outbox, mut outgoing) = outbox(QUEUE, metrics.clone());
    let texts =
        [1, WRITTEN_TOGETHER - 1, 3 * WRITTEN_TOGETHER, 2, WRITTEN_TOGETHER].map(|size| "x".repeat(size));
    for text in &texts {
        outbox.push(text.as_str().into(), None).unwrap();
    }
    let hears = async {
        for text in &texts {
            assert_eq!(client.next().await.unwrap().unwrap(), Message::text(text.as_str()));
        }
    };
    tokio::select! {
        ending = speak(&mut sink, &mut outgoing, NEVER, &metrics) => panic!("{ending:?}"),
        () = hears => {}
    }
}
