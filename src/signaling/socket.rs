//! A signaling server, over a WebSocket.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::queue::{Receiver, Sender, queue};
use duologue_protocol::{ClientMessage, DecodeError, to_json};
use futures_core::Stream;
use futures_util::Sink;
use futures_util::future::poll_fn;
use gloo_net::websocket::State;
use gloo_net::websocket::{Message as Frame, futures::WebSocket};

use super::{Transport, TransportEvent, received};
use crate::browser::{Json, spawn};

/// Owns the queue to a task that owns the socket: when the queue ends, the task sends what is left and closes.
pub(super) struct Socket(Sender<String>);

impl Socket {
    pub(super) fn open(url: String, on_event: Rc<dyn Fn(TransportEvent)>) -> Self {
        let (sender, queue) = queue();
        spawn(async move {
            if let Ok(socket) = WebSocket::open(&url) {
                carry(socket, queue, &*on_event).await;
            }
            on_event(TransportEvent::Closed);
        });
        Self(sender)
    }
}

impl Transport for Socket {
    fn send(&self, message: &ClientMessage) {
        // Fails only after the socket has closed, which is reported.
        let _ = self.0.send(to_json(message));
    }
}

enum Step {
    Opened,
    Send(String),
    Arrived(Frame),
    Closed,
}

async fn carry(mut socket: WebSocket, mut queue: Receiver<String>, on_event: &dyn Fn(TransportEvent)) {
    let mut opened = false;
    loop {
        match poll_fn(|context| next_step(context, &mut socket, &mut queue, opened)).await {
            Step::Opened => {
                opened = true;
                on_event(TransportEvent::Opened);
            }
            Step::Send(text) => {
                if Pin::new(&mut socket).start_send(Frame::Text(text)).is_err() {
                    return;
                }
            }
            Step::Arrived(frame) => on_event(read(frame)),
            Step::Closed => return,
        }
    }
}

fn next_step(
    context: &mut Context<'_>,
    socket: &mut WebSocket,
    queue: &mut Receiver<String>,
    opened: bool,
) -> Poll<Step> {
    if !opened
        && Pin::new(&mut *socket).poll_ready(context).is_ready()
        && matches!(socket.state(), State::Open)
    {
        return Poll::Ready(Step::Opened);
    }
    match Pin::new(queue).poll_next(context) {
        Poll::Ready(Some(text)) => return Poll::Ready(Step::Send(text)),
        Poll::Ready(None) => return Poll::Ready(Step::Closed),
        Poll::Pending => {}
    }
    Pin::new(socket).poll_next(context).map(|frame| match frame {
        Some(Ok(frame)) => Step::Arrived(frame),
        Some(Err(_)) | None => Step::Closed,
    })
}

/// Servers send text; some relays turn it into binary frames on the way.
fn read(frame: Frame) -> TransportEvent {
    let text = match frame {
        Frame::Text(text) => Ok(text),
        Frame::Bytes(bytes) => String::from_utf8(bytes),
    };
    match text.map_err(|_| DecodeError::Json("it is not text".to_owned())).and_then(|text| Json::parse(&text))
    {
        Ok(message) => received(&message),
        Err(error) => TransportEvent::Malformed(error),
    }
}
