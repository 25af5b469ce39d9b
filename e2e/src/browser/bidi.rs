//! As much of WebDriver BiDi as is needed: commands, and what pages write to their console as errors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub struct Bidi {
    sending: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    heard: Arc<Mutex<Heard>>,
    reading: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    last: u64,
    /// Who waits for the answer to which command.
    waiting: HashMap<u64, oneshot::Sender<Value>>,
    errors: Vec<String>,
}

impl Bidi {
    pub async fn connect(url: &str) -> Self {
        let (socket, _) = connect_async(url).await.expect("the browser's BiDi socket");
        let (sending, mut messages) = socket.split();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let hearing = Arc::clone(&heard);
        let reading = tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let Message::Text(text) = message else { continue };
                hearing.lock().unwrap().take(serde_json::from_str(&text).expect("JSON"));
            }
            // Whoever still waits is told so.
            hearing.lock().unwrap().waiting.clear();
        });
        let this = Self { sending: tokio::sync::Mutex::new(sending), heard, reading };
        this.call("session.subscribe", json!({ "events": ["log.entryAdded"] })).await;
        this
    }

    pub async fn call(&self, method: &str, parameters: Value) -> Value {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut heard = self.heard.lock().unwrap();
            heard.last += 1;
            let id = heard.last;
            heard.waiting.insert(id, answer);
            id
        };
        let command = json!({ "id": id, "method": method, "params": parameters }).to_string();
        self.sending.lock().await.send(Message::text(command)).await.expect("the BiDi socket");
        let answer = answered.await.expect("an answer");
        assert_eq!(answer["type"], "success", "{method}: {answer}");
        answer["result"].clone()
    }

    /// What was written to consoles as errors since the last time.
    pub fn errors(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().errors)
    }
}

impl Heard {
    fn take(&mut self, message: Value) {
        if let Some(waiting) = message["id"].as_u64().and_then(|id| self.waiting.remove(&id)) {
            let _ = waiting.send(message);
        } else if message["method"] == "log.entryAdded" && message["params"]["level"] == "error" {
            self.errors.push(message["params"]["text"].as_str().unwrap_or_default().to_owned());
        }
    }
}

impl Drop for Bidi {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
