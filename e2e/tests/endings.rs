//! The two ways in which a call ends that nobody in it asked for, as the two people see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Browsers, Caller, Hosted, Path, Window, WindowOptions};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

const TWO_SECONDS: Duration = Duration::from_secs(2);

/// Overhears what the server says to the page, keeps the close code of its socket, and what devices it was given.
const OVERHEAR: &str = "window.heard = { last: 0 };
    window.WebSocket = new Proxy(WebSocket, {
        construct(target, given) {
            const socket = new target(...given);
            socket.addEventListener('message', ({ data }) => {
                const message = JSON.parse(data);
                if (message.type === 'welcome') heard.welcome = message;
                heard.last = message.seq ?? heard.last;
            });
            socket.addEventListener('close', ({ code }) => { heard.code = code; });
            return socket;
        },
    });
    window.tracks = [];
    const open = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = async function (...wanted) {
        const stream = await open.apply(this, wanted);
        tracks.push(...stream.getTracks());
        return stream;
    };";

/// Two people in a call.
async fn couple(server: &Hosted, browsers: &Browsers) -> (Caller, Caller) {
    let options = WindowOptions::before(&[OVERHEAR, Path::COLLECT].join("\n"));
    let ada = Caller::join_with(browsers, &server.room("end"), "Ada", options).await;
    let bob = Caller::join(browsers, &server.room("end"), "Bob").await;
    for caller in [&ada, &bob] {
        caller.sees_moving_picture().await;
        caller.sees("state", "connected").await;
    }
    (ada, bob)
}

/// Waits for the last screen, and holds the page to what it says there.
async fn has_ended(window: &Window, title: &str, words: &str, code: u16) {
    window.screen("ended").await;
    assert_eq!(window.text("#ended-title").await, title);
    assert_eq!(window.text("#ended-words").await, words);
    window.until(&format!("heard.code === {code}")).await;
    assert_eq!(window.eval("tracks.length > 0 && tracks.every(it => it.readyState === 'ended')").await, true);
    assert_eq!(window.eval("connections.every(it => it.connectionState === 'closed')").await, true);
    assert_eq!(window.eval("document.activeElement.id").await, "ended-title");
    assert_eq!(window.complaints().await, Vec::<String>::new());
}

/// Whoever has ended in this way can come back, and is met as anyone.
async fn comes_back(ada: &Caller, bob: &Caller) {
    ada.window.press("#rejoin").await;
    ada.window.screen("call").await;
    for caller in [ada, bob] {
        caller.sees_moving_picture().await;
        caller.sees("state", "connected").await;
        assert_eq!(caller.window.eval("document.querySelectorAll('.tile').length").await, 1);
    }
}

#[tokio::test]
async fn one_who_is_removed_is_told_and_gone_for_the_other() {
    let (server, browsers) = (Hosted::start(), Browsers::chromium());
    let (ada, bob) = couple(&server, &browsers).await;
    let id = ada.window.eval("heard.welcome.id").await;
    let id = id.as_str().unwrap().to_owned().try_into().unwrap();
    assert!(server.rooms.remove(&"end".to_owned().try_into().unwrap(), &id).await);
    let words = "Someone took you out of the room. Your camera and microphone are off.";
    has_ended(&ada.window, "You were removed from the call", words, 4010).await;
    ada.window.screenshot("removed").await;
    bob.is_alone_within(TWO_SECONDS).await;
    // The server's word or the end of the connection, whichever comes first.
    let told = bob.window.text("#status").await;
    assert!(["Ada was removed from the call.", "Ada left the call."].contains(&told.as_str()), "{told}");
    bob.window.screenshot("removed-other").await;
    comes_back(&ada, &bob).await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn one_whose_session_is_taken_up_elsewhere_is_told_and_leaves_no_ghost() {
    let (server, browsers) = (Hosted::start(), Browsers::chromium());
    let (ada, bob) = couple(&server, &browsers).await;
    // The page keeps its session to itself, so no second tab has it. Here another client has overheard it.
    let heard = ada.window.eval("heard").await;
    let (mut elsewhere, _) = connect_async(server.socket()).await.expect("a socket");
    let resume = json!({ "type": "resume", "session": heard["welcome"]["session"], "seq": heard["last"] });
    elsewhere.send(Message::text(resume.to_string())).await.unwrap();
    let words = "It was taken up over another connection. Your camera and microphone are off here.";
    has_ended(&ada.window, "The call goes on elsewhere", words, 4009).await;
    ada.window.screenshot("replaced").await;
    let resumed = elsewhere.next().await.expect("an answer").unwrap();
    let resumed: Value = serde_json::from_str(resumed.to_text().unwrap()).unwrap();
    assert_eq!(resumed["type"], "resumed", "{resumed}");
    // The connection that Bob had was the page's, and is closed in good order.
    bob.is_alone_within(TWO_SECONDS).await;
    assert_eq!(bob.window.text("#status").await, "Ada left the call.");
    bob.window.screenshot("replaced-other").await;

    // Its place is taken as long as the other client has it.
    ada.window.press("#rejoin").await;
    ada.window.screen("lobby").await;
    ada.window.until("!document.querySelector('#lobby-error').hidden").await;
    elsewhere.send(Message::text(json!({ "type": "leave" }).to_string())).await.unwrap();
    elsewhere.close(None).await.unwrap();
    bob.window.until("!document.querySelector('.tile')").await;
    ada.enter("Ada").await;
    for caller in [&ada, &bob] {
        caller.sees_moving_picture().await;
        caller.sees("state", "connected").await;
        assert_eq!(caller.window.eval("document.querySelectorAll('.tile').length").await, 1);
    }
    ada.close().await;
    bob.close().await;
}
