//! Reading much at once into little memory.
//!
//! What the system takes for a read is more than all that is done here for a message, so as much is read at once as there
//! may be. But a connection that keeps a buffer for that keeps it while it is idle, and most are. So this reads into
//! the stack, and keeps what the reader has no room for yet, until the reader has taken it.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As much is read at once: several messages, and half of the largest description that there may be.
const AT_ONCE: usize = 16 * 1024;

/// A socket that is read with few calls.
#[derive(Debug)]
pub(crate) struct Buffered<S> {
    socket: S,
    /// What was read and not yet taken, from `taken` on.
    rest: Box<[u8]>,
    taken: usize,
}

impl<S> Buffered<S> {
    /// Nothing is read yet.
    pub(crate) fn new(socket: S) -> Self {
        Self { socket, rest: Box::default(), taken: 0 }
    }

    /// Gives of what was read before as much as there is room for.
    fn take(&mut self, buffer: &mut ReadBuf<'_>) {
        let rest = self.rest.get(self.taken..).unwrap_or_default();
        let (now, later) = rest.split_at(rest.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.taken += now.len();
        if later.is_empty() {
            (self.rest, self.taken) = (Box::default(), 0);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Buffered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.rest.is_empty() {
            self.take(buffer);
            return Poll::Ready(Ok(()));
        }
        if buffer.remaining() >= AT_ONCE {
            return Pin::new(&mut self.socket).poll_read(cx, buffer);
        }
        let mut space = [MaybeUninit::uninit(); AT_ONCE];
        let mut wide = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut wide))?;
        let (now, later) = wide.filled().split_at(wide.filled().len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.rest = later.into();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Buffered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn whatever_is_read_at_once_arrives_in_pieces_of_any_size() {
        let sent: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        for size in [1000, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 60_000] {
            let (mut other, socket) = duplex(70_000);
            let (mut socket, mut heard) = (Buffered::new(socket), Vec::new());
            let writing = async {
                other.write_all(&sent).await.unwrap();
                other.shutdown().await.unwrap();
            };
            let reading = async {
                let mut piece = vec![0; size];
                loop {
                    match socket.read(&mut piece).await.unwrap() {
                        0 => break,
                        many => heard.extend_from_slice(&piece[..many]),
                    }
                }
            };
            tokio::join!(writing, reading);
            assert!(heard == sent, "in pieces of {size}");
            assert!(socket.rest.is_empty());
        }
    }

    #[tokio::test]
    async fn what_was_read_is_kept_only_until_it_is_taken() {
        let (mut other, socket) = duplex(100);
        let mut socket = Buffered::new(socket);
        other.write_all(b"two words").await.unwrap();
        let mut word = [0; 4];
        socket.read_exact(&mut word).await.unwrap();
        assert_eq!((&word, socket.rest.len() - socket.taken), (b"two ", 5));
        drop(other);
        let mut rest = String::new();
        socket.read_to_string(&mut rest).await.unwrap();
        assert_eq!((rest.as_str(), socket.rest.len()), ("words", 0));
    }
}
