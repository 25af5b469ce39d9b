//! What becomes of those who mean no good: pages of other people, names that lead here, and people in the room.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::{Duration, SystemTime};

use duologue_e2e::{Browsers, Caller, Couple, Engine, Frames, Pair, Server, Site, Window, WindowOptions};
use serde_json::{Value, json};

/// A call that has to be repaired stands still for longer; a computer that has much else to do may skip as long as this.
const GOES_ON: Duration = Duration::from_secs(2);
const SECOND: Duration = Duration::from_secs(1);

/// Opens a WebSocket, says `ping`, and gives what came of it: what was answered, or the word `closed`.
const KNOCK: &str = "const knock = url => new Promise(then => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send('{\"type\":\"ping\"}');
    socket.onmessage = ({ data }) => { then(data); socket.close(); };
    socket.onclose = () => then('closed');
});";

/// A window in whose world this name leads to this machine.
async fn window_where(browsers: &Browsers, name: &str) -> Window {
    browsers.open_with(WindowOptions { lead_here: vec![name.to_owned()], ..WindowOptions::default() }).await
}

/// A site of somebody else, with a page.
async fn foreign_site() -> (Site, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<!doctype html><title>Prizes</title><p>You have won")
        .unwrap();
    (Site::serve(folder.path()).await, folder)
}

/// The same place by another name than the address.
fn by_name(url: &str, name: &str) -> String {
    url.replace("127.0.0.1", name)
}

async fn knock(window: &Window, url: &str) -> Value {
    window.run(&format!("{KNOCK} return await knock({url:?});")).await
}

#[tokio::test]
async fn a_page_of_somebody_else_cannot_connect_unless_it_is_listed() {
    let browsers = Browsers::chromium();
    let (site, _folder) = foreign_site().await;
    let page = by_name(&site.url, "evil.example");
    let origin = page.trim_end_matches('/');
    let window = window_where(&browsers, "evil.example").await;
    window.go(&page).await;

    let server = Server::start();
    assert_eq!(knock(&window, &server.socket()).await, "closed");
    let read = format!("return await fetch({:?}).then(it => it.text(), String);", server.url);
    assert_eq!(window.run(&read).await, "TypeError: Failed to fetch", "it cannot read the page either");

    // It was the server that said no: one that knows the page lets it in, and still does not show it anything else.
    let friend = Server::with(&["--allow-origin", origin]);
    assert_eq!(knock(&window, &friend.socket()).await, r#"{"type":"pong"}"#);
    // And one that knows another page does not.
    let other = Server::with(&["--allow-origin", "http://app.example"]);
    assert_eq!(knock(&window, &other.socket()).await, "closed");
    window.close().await;
}

#[tokio::test]
async fn a_page_whose_name_comes_to_lead_here_finds_nothing() {
    let browsers = Browsers::chromium();
    let (site, _folder) = foreign_site().await;
    let page = by_name(&site.url, "rebind.example");
    let window = window_where(&browsers, "rebind.example").await;
    window.go(&page).await;
    window.until("document.body.textContent === 'You have won'").await;

    // From here on the name leads to the server, and to the browser the page is the server's own.
    let server = Server::at(&site.end().await);
    let ask =
        "return await fetch('/', { cache: 'no-store' }).then(async it => [it.status, await it.text()]);";
    let words =
        "This server does not go by that name. If it should, start it with --allow-host rebind.example\n";
    assert_eq!(window.run(ask).await, json!([421, words]));
    let socket = by_name(&server.socket(), "rebind.example");
    assert_eq!(knock(&window, &socket).await, "closed");
    // One who opens the name sees those words.
    window.go(&format!("{page}?again")).await;
    assert_eq!(window.text("body").await, words.trim());

    // It was the name: a server that goes by it is there.
    let address = server.url.clone();
    drop(server);
    let _named = Server::at_with(&address, &["--allow-host", "rebind.example"]);
    assert_eq!(knock(&window, &socket).await, r#"{"type":"pong"}"#);
    window.go(&format!("{page}?and-again")).await;
    window.screen("lobby").await;
    window.close().await;
}

/// Asks a server for whatever might list its rooms, and gives all that it says.
const LOOK_FOR_ROOMS: &str = "
    const answers = [];
    for (const path of ['/rooms', '/room', '/api/rooms', '/peers', '/metrics', '/status', '/stats', '/debug', '/ws/rooms',
                        '/quiet%20harbour', '/?room=quiet+harbour', '/healthz', '/readyz']) {
        const answer = await fetch(path);
        answers.push([path, answer.status, path.startsWith('/?') ? '' : await answer.text()]);
    }
    const questions = ['list', 'rooms', 'list-rooms', 'peers', 'who', 'subscribe', 'stats', 'ice-servers', 'leave', 'offer',
                       'candidate', 'resume', 'join'].map(type => ({ type }));
    questions.push({ type: 'join', room: '*' }, { type: 'join', room: '' }, { type: 'join', room: ['quiet harbour'] },
        { type: 'resume', session: 'quiet harbour', seq: 0 }, { type: 'rooms', room: 'quiet harbour' },
        { type: 'candidate', candidate: null, to: 'quiet harbour' }, { type: 'offer', offer: { type: 'offer', sdp: 'v=0' } });
    const socket = new WebSocket(`ws://${location.host}/ws`);
    await new Promise(then => { socket.onopen = then; });
    for (const question of questions) {
        socket.send(JSON.stringify(question));
        const { type, code, message } = JSON.parse((await new Promise(then => { socket.onmessage = then; })).data);
        answers.push([JSON.stringify(question), type, code ?? '', message ?? '']);
        if (type === 'welcome') {
            socket.send('{\"type\":\"leave\"}');
        }
    }
    socket.close();
    return answers;";

#[tokio::test]
async fn rooms_cannot_be_listed_and_where_people_are_a_guesser_hears_what_is_heard_where_nobody_is() {
    let browsers = Browsers::chromium();
    let (busy, empty) = (Server::start(), Server::start());
    let ada = Caller::join(&browsers, &busy.room("quiet harbour"), "Ada").await;
    let bob = Caller::join(&browsers, &busy.room("quiet harbour"), "Bob").await;
    ada.sees("state", "connected").await;

    let window = browsers.open().await;
    let mut heard = Vec::new();
    for server in [&busy, &empty] {
        window.go(&server.url).await;
        window.screen("lobby").await;
        heard.push(window.run(LOOK_FOR_ROOMS).await);
    }
    assert_eq!(heard[0], heard[1]);
    let everything = heard[0].as_array().unwrap();
    assert_eq!(everything.len(), 13 + 20);
    for answer in everything {
        let said: Vec<_> = answer.as_array().unwrap()[1..].iter().map(Value::to_string).collect();
        assert!(!said.join(" ").contains("harbour"), "{answer}");
        assert!(!said.join(" ").contains("Ada"), "{answer}");
    }
    window.close().await;
    ada.close().await;
    bob.close().await;
}

/// Joins the room of this page as the plainest of pages, and sends candidates to whoever is there first, as many as it can,
/// until it is let go. Gives the error, the close code, and how many it sent.
const FLOOD: &str = "
    const socket = new WebSocket(`ws://${location.host}/ws`);
    const said = type => new Promise(then => {
        socket.addEventListener('message', ({ data }) => { const it = JSON.parse(data); if (it.type === type) then(it); });
    });
    const [ready, refused] = [said('ready'), said('error')];
    const closed = new Promise(then => { socket.onclose = ({ code }) => then(code); });
    await new Promise(then => { socket.onopen = then; });
    socket.send(JSON.stringify({ type: 'join', room: 'flood' }));
    const { peer } = await ready;
    const candidate = { candidate: 'candidate:1 1 udp 2122260223 192.0.2.14 51472 typ host', sdpMid: '0' };
    let sent = 0;
    const pour = () => {
        if (socket.readyState !== WebSocket.OPEN) return;
        for (; socket.bufferedAmount < 1e6; sent += 1) {
            socket.send(JSON.stringify({ type: 'candidate', candidate, to: peer.id }));
        }
        setTimeout(pour, 10);
    };
    pour();
    const code = await closed;
    return [(await refused).code, code, sent];";

/// Counts those of them that arrive at a page.
const COUNT: &str = "window.flooded = 0;
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', ({ data }) => { window.flooded += data.includes('192.0.2.14 51472'); });
        }
    };";

#[tokio::test]
async fn who_floods_a_room_is_slowed_and_let_go_and_the_call_in_it_goes_on() {
    let server = Server::with(&["--room-size", "3", "--flood-time", "4"]);
    let browsers = Browsers::chromium();
    let options = WindowOptions::before(COUNT);
    let ada = Caller::join_with(&browsers, &server.room("flood"), "Ada", options).await;
    let bob = Caller::join(&browsers, &server.room("flood"), "Bob").await;
    for caller in [&ada, &bob] {
        caller.sees_moving_picture().await;
    }
    let frames = [Frames::watch(&ada.window).await, Frames::watch(&bob.window).await];
    let flooder = browsers.open().await;
    flooder.go(&server.url).await;
    flooder.screen("lobby").await;
    for frames in &frames {
        frames.next_after(SystemTime::now(), SECOND).await;
    }

    let begin = SystemTime::now();
    let outcome = flooder.run(FLOOD).await;
    let lasted = begin.elapsed().unwrap();
    assert_eq!(outcome.as_array().unwrap()[..2], [json!("too-fast"), json!(4011)], "{outcome}");
    assert!(outcome[2].as_u64().unwrap() > 1000, "that is no flood: {outcome}");
    // It was slowed before that: what arrived are the burst of a room for three and 20 in each second.
    assert!(lasted >= 4 * SECOND, "{lasted:?}");
    let arrived = ada.window.eval("window.flooded").await.as_f64().unwrap();
    let most = 80.0 + 20.0 * (lasted.as_secs_f64() + 1.0);
    assert!((80.0..most).contains(&arrived), "{arrived} of {outcome} in {lasted:?}");
    for frames in &frames {
        let gap = frames.longest_gap(begin).await;
        assert!(gap < GOES_ON, "{gap:?}");
        frames.next_after(SystemTime::now(), SECOND).await;
    }
    // The flooder is gone, and what the two say to the server goes on to arrive.
    for caller in [&ada, &bob] {
        caller.window.until("document.querySelectorAll('.tile').length === 1").await;
        caller.sees("state", "connected").await;
    }
    bob.window.press("#leave").await;
    ada.is_alone_within(2 * SECOND).await;
    flooder.close().await;
    ada.close().await;
    bob.close().await;
}

/// Each of these runs where it is taken for markup, in one place of a page or another.
const MARKUP: [&str; 4] = [
    "<img src=x onerror='window.ran = 1'>",
    "\"><svg onload=\"window.ran = 1\">",
    "</p><script>window.ran = 1</script>",
    "<a href=\"javascript:window.ran = 1\">me</a>",
];

/// Nothing of it was taken for markup, and nothing even asked to run.
async fn is_text(caller: &Caller) {
    let made = "[...document.querySelectorAll('#call *, #talk *')].filter(it =>
        it.localName === 'script' || it.getAttributeNames().some(name => name.startsWith('on'))
        || it.getAttribute('src') === 'x' || (it.href ?? '').toString().startsWith('javascript')).length";
    assert_eq!(caller.window.eval(made).await, 0);
    assert_eq!(caller.window.eval("typeof window.ran").await, "undefined");
    assert_eq!(caller.window.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_name_full_of_html_is_shown_as_text() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::join(&browsers, &server.room("<img src=x onerror='window.ran=1'>"), "Ada").await;
    for name in MARKUP {
        let bob = Caller::join(&browsers, &server.room("<img src=x onerror='window.ran=1'>"), name).await;
        ada.sees("state", "connected").await;
        assert_eq!(ada.window.eval("document.querySelector('.tile-name').textContent").await, name);
        for caller in [&ada, &bob] {
            is_text(caller).await;
        }
        bob.close().await;
        ada.is_alone_within(2 * SECOND).await;
    }
    ada.close().await;
}

#[tokio::test]
async fn a_chat_message_full_of_html_is_shown_as_text() {
    let both = || Browsers::of(Engine::Chromium);
    let couple = Couple::meet(Pair { first: both(), second: both() }).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    for caller in [ada, bob] {
        caller.opens_the_panel().await;
    }
    for text in MARKUP {
        bob.writes(text).await;
        for caller in [ada, bob] {
            let row = caller.has_message(text).await;
            let inside = format!("{row}.querySelector('.words').childElementCount");
            assert_eq!(caller.window.eval(&inside).await, 0, "{text}");
        }
        bob.learns(text, "Delivered").await;
    }
    for caller in [ada, bob] {
        is_text(caller).await;
    }
    couple.part().await;
}
