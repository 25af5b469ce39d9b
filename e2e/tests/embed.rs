//! The package in a site that already exists: `www/embed.html`, served by a server that knows nothing of Duologue.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Browsers, Caller, Server, Site, Window, root};
use serde_json::{Value, json};

#[tokio::test]
async fn twenty_lines_of_javascript_make_a_call() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let site = Site::serve(&root()).await;
    let mut windows = Vec::new();
    for _ in 0..2 {
        let window = browsers.open().await;
        window.go(&format!("{}www/embed.html?server={}", site.url, server.socket())).await;
        window.press("#call").await;
        window.until("!document.querySelector('#hang-up').disabled").await;
        windows.push(window);
    }
    for window in &windows {
        window.until("document.querySelector('#own').videoWidth > 0").await;
        window.until("document.querySelector('#other').videoWidth > 0").await;
        window.until("document.querySelector('#state').textContent === 'Guest: connected'").await;
        assert_eq!(window.complaints().await, Vec::<String>::new());
    }
    windows[0].press("#hang-up").await;
    windows[1].until("document.querySelector('#other').srcObject === null").await;
    for window in windows {
        window.close().await;
    }
}

#[tokio::test]
async fn the_package_calls_the_app_and_is_told_what_happens() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let site = Site::serve(&root()).await;
    let ada = Caller::join(&browsers, &server.room("example"), "Ada").await;
    let window = browsers.open().await;
    window.go(&format!("{}www/embed.html", site.url)).await;
    window
        .run(&format!(
            "const {{ default: init, Room }} = await import('../pkg/duologue.js');
             await init();
             window.seen = [];
             window.room = await Room.join({:?}, 'example', {{ name: 'Bob', media: {{ audio: true, video: true }} }});
             for (const name of ['peer', 'stream', 'state', 'media', 'peer-left', 'error'])
                 room.on(name, event => seen.push([name, event]));
             window.never = [];
             room.on('media', event => never.push(event))();",
            server.socket()
        ))
        .await;
    window.until("seen.some(([name, event]) => name === 'state' && event.state === 'connected')").await;
    assert_eq!(window.eval("seen[0][0] + ' ' + seen[0][1].peer.name").await, "peer Ada", "nothing is missed");
    assert_eq!(window.eval("room.peers.map(peer => peer.name)").await, json!(["Ada"]));
    window.until("seen.some(([name]) => name === 'stream')").await;
    assert_eq!(ada.window.text(".tile-name").await, "Bob");
    ada.window.press("#mic").await;
    window.until("seen.some(([name, event]) => name === 'media' && !event.audio && event.video)").await;
    assert_eq!(window.eval("never.length").await, 0, "a handler that was taken off hears nothing");
    window.run("await room.setMicrophone(false)").await;
    ada.sees("audio", "off").await;
    ada.window.press("#leave").await;
    window.until("seen.some(([name, event]) => name === 'peer-left' && event.reason === 'left')").await;
    assert_eq!(window.eval("room.peers.length").await, 0);
    ada.close().await;
    window.close().await;
}

#[tokio::test]
async fn the_package_says_what_is_wrong_with_what_it_is_given() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let site = Site::serve(&root()).await;
    let window = browsers.open().await;
    window.go(&format!("{}www/embed.html", site.url)).await;
    let attempt = |call: &str| {
        format!(
            "const {{ default: init, Room }} = await import('../pkg/duologue.js');
             await init();
             try {{ await ({call}); return 'no error'; }}
             catch (error) {{ return `${{error.name}} ${{error.code ?? ''}} ${{error.message}}`; }}"
        )
    };
    let socket = server.socket();
    for (call, expected) in [
        (format!("Room.join({socket:?}, '')"), "Error invalid-name"),
        (format!("Room.join({socket:?}, 'a', {{ name: 'x'.repeat(65) }})"), "Error invalid-name"),
        (format!("Room.join({socket:?}, 'a', {{ media: 5 }})"), "TypeError  options.media must be"),
        (
            format!("Room.join({socket:?}, 'a', {{ rtc: {{ iceServers: {{}} }} }})"),
            "TypeError  options.rtc.iceServers",
        ),
        (
            format!("Room.join({socket:?}, 'a').then(room => room.on('nothing', () => {{}}))"),
            "TypeError  there is no event",
        ),
        (
            "Room.join('ws://127.0.0.1:9/ws', 'a')".to_owned(),
            "Error unreachable The signaling server does not answer",
        ),
    ] {
        let said = window.run(&attempt(&call)).await;
        assert!(said.as_str().unwrap().starts_with(expected), "{call} said {said}");
    }
    window.close().await;
}

/// Two pages that use the package are in one room, and remember in `heard` what it tells them. In either of them `other`
/// is the peer.
async fn two_pages(server: &Server, site: &Site, browsers: &Browsers) -> [Window; 2] {
    let mut windows = Vec::new();
    for name in ["Ada", "Bob"] {
        let window = browsers.open().await;
        window.go(&format!("{}www/embed.html", site.url)).await;
        let join = format!(
            "const {{ default: init, Room }} = await import('../pkg/duologue.js');
             await init();
             window.room = await Room.join({:?}, 'data', {{ name: {name:?} }});
             window.heard = {{ message: [], file: [], state: [] }};
             for (const name in heard) room.on(name, event => heard[name].push(event));",
            server.socket()
        );
        window.run(&join).await;
        windows.push(window);
    }
    for window in &windows {
        window.until("heard.state.some(({ state }) => state === 'connected')").await;
    }
    windows.try_into().unwrap_or_else(|_| panic!("there are two"))
}

#[tokio::test]
async fn the_package_sends_messages_and_files() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let site = Site::serve(&root()).await;
    let [ada, bob] = two_pages(&server, &site, &browsers).await;
    let receipt = "const receipt = await room.send('Hello'); const to = receipt.peers.map(peer => peer.name);
        await receipt.delivered(); return to;";
    assert_eq!(ada.run(receipt).await, json!(["Bob"]));
    ada.run("await room.send(new Uint8Array([1, 2, 3]), { to: room.peers[0].id, reliable: false })").await;
    bob.until("heard.message.length === 2").await;
    let messages = "heard.message.map(({ peer, data, reliable }) => [peer.name, typeof data === 'string' ? data : [...data], reliable])";
    assert_eq!(bob.eval(messages).await, json!([["Ada", "Hello", true], ["Ada", [1, 2, 3], false]]));

    // A file that arrives: each side hears how far it is, and that it is done.
    let offer = "const random = () => crypto.getRandomValues(new Uint8Array(65_536));
        window.file = new File(Array.from({ length: 320 }, random), 'a.bin', { type: 'application/x-own' });
        window.offer = async () => {
            const transfer = await room.sendFile(file);
            const heard = [];
            for (const name of ['progress', 'done', 'failed']) transfer.on(name, () => heard.push(name));
            return window.sent = { transfer, heard };
        };
        await offer();";
    ada.run(offer).await;
    bob.until("heard.file.length === 1").await;
    let told = "(({ incoming, name, type, size, status, peer }) => [incoming, name, type, size, status.state, peer.name])";
    let described = json!([true, "a.bin", "application/x-own", 320 * 65_536, "offered", "Ada"]);
    assert_eq!(bob.eval(&format!("{told}(heard.file[0].transfer)")).await, described);
    let digest = "const digest = async file => new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())).join();";
    let received = bob
        .run(&format!("{digest} const {{ transfer }} = heard.file[0]; transfer.accept(); return digest(await transfer.finished());"))
        .await;
    assert_eq!(ada.run(&format!("{digest} return digest(file);")).await, received);
    assert_eq!(ada.run("return sent.transfer.finished();").await, Value::Null);
    ada.until("sent.heard.at(-1) === 'done' && sent.heard[0] === 'progress'").await;
    assert_eq!(ada.eval("sent.transfer.status.state").await, "done");

    // One that is declined, and one that is cancelled by its sender.
    let outcome = |transfer: &str| {
        format!(
            "return {transfer}.finished().then(() => 'done', ({{ code, message }}) => `${{code}}: ${{message}}`);"
        )
    };
    ada.run("await offer()").await;
    bob.until("heard.file.length === 2").await;
    bob.run("heard.file[1].transfer.decline('Not today.')").await;
    assert_eq!(ada.run(&outcome("sent.transfer")).await, "declined: The other side declined it: Not today.");
    assert_eq!(ada.eval("sent.heard").await, json!(["failed"]));
    ada.run("await offer()").await;
    bob.until("heard.file.length === 3").await;
    ada.run("sent.transfer.cancel()").await;
    assert_eq!(bob.run(&outcome("heard.file[2].transfer")).await, "cancelled: The other side cancelled it.");
    assert_eq!(ada.run(&outcome("sent.transfer")).await, "cancelled: You cancelled it.");
    for window in [ada, bob] {
        assert_eq!(window.complaints().await, Vec::<String>::new());
        window.close().await;
    }
}

#[tokio::test]
async fn a_message_beside_two_files_is_answered_within_a_quarter_of_a_second() {
    const SAMPLES: usize = 31;
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let site = Site::serve(&root()).await;
    let [ada, bob] = two_pages(&server, &site, &browsers).await;
    bob.run("room.on('message', ({ data }) => room.send(data)); room.on('file', ({ transfer }) => transfer.accept());").await;
    // Large enough to outlast what is measured.
    ada.run(
        "const block = new Blob([crypto.getRandomValues(new Uint8Array(65_536))]);
         const megabyte = new Blob(Array(16).fill(block));
         window.sent = [];
         for (const name of ['one', 'two']) sent.push(await room.sendFile(new File(Array(1024).fill(megabyte), name)));",
    )
    .await;
    let flows = "sent.every(({ status }) => status.state === 'active' && status.bytes > 4_000_000)";
    ada.until_within(flows, Duration::from_secs(40)).await;
    let times = ada
        .run(&format!(
            "const times = [];
             for (let number = 0; number < {SAMPLES}; number += 1) {{
                 const answered = new Promise(then => {{
                     const off = room.on('message', ({{ data }}) => {{ if (data === `${{number}}`) {{ off(); then(); }} }});
                 }});
                 const begin = performance.now();
                 await room.send(`${{number}}`);
                 await answered;
                 times.push(performance.now() - begin);
             }}
             return times.sort((a, b) => a - b);"
        ))
        .await;
    let still = ada.eval("sent.map(({ status }) => [status.state, status.bytes])").await;
    let median = times[SAMPLES / 2].as_f64().unwrap();
    println!(
        "median {median:.1} ms, longest {:.1} ms; the files: {still}",
        times[SAMPLES - 1].as_f64().unwrap()
    );
    assert!(
        still.as_array().unwrap().iter().all(|it| it[0] == "active"),
        "the files were over before: {still}"
    );
    assert!(median < 250.0, "{times}");
    ada.close().await;
    bob.close().await;
}

const SECRET: &str = "only those who are invited may come in here";

#[tokio::test]
async fn the_package_decides_who_comes_in() {
    let server = Server::with(&["--token-secret", SECRET]);
    let (site, browsers) = (Site::serve(&root()).await, Browsers::chromium());
    let token = |flags: &[&str]| {
        let link = server.ask(&[&["invite", "board", "--token-secret", SECRET], flags].concat());
        link.trim_end().rsplit('=').next().unwrap().to_owned()
    };
    let mut windows = Vec::new();
    for (name, token) in [("Ada", token(&["--may", "join,speak,admin"])), ("Bob", token(&[]))] {
        let window = browsers.open().await;
        window.go(&format!("{}www/embed.html", site.url)).await;
        let begin = format!(
            "const {{ default: init, Room }} = await import('../pkg/duologue.js');
             await init();
             window.heard = {{}};
             window.waited = 0;
             window.enter = async more => {{
                 window.room = await Room.join({:?}, 'board',
                     {{ name: {name:?}, token: {token:?}, onWaiting: () => {{ waited += 1; }}, ...more }});
                 for (const name of ['joined', 'peer', 'peer-left', 'locked', 'knock', 'knock-over', 'ended', 'error']) {{
                     heard[name] = [];
                     room.on(name, event => heard[name].push(event));
                 }}
             }};",
            server.socket()
        );
        window.run(&begin).await;
        windows.push(window);
    }
    let [ada, bob] = <[Window; 2]>::try_from(windows).unwrap_or_else(|_| panic!("there are two"));
    ada.run("await enter()").await;
    ada.until("heard.joined.length === 1").await;
    assert_eq!(ada.eval("heard.joined[0].rights").await, json!(["join", "speak", "admin"]));
    ada.run("room.lock(true)").await;
    ada.until("heard.locked[0]?.locked").await;

    // Who stops waiting leaves no trace.
    bob.run(
        "const control = new AbortController();
         window.outcome = null;
         window.stop = () => control.abort(new Error('changed my mind'));
         enter({ signal: control.signal }).catch(error => { outcome = error.message; });",
    )
    .await;
    ada.until("heard.knock.length === 1 && heard.knock[0].peer.name === 'Bob'").await;
    bob.until("waited === 1").await;
    bob.run("stop()").await;
    bob.until("outcome === 'changed my mind'").await;
    ada.until("heard['knock-over'].length === 1").await;

    bob.run("enter().catch(error => { outcome = error.code; });").await;
    ada.until("heard.knock.length === 2").await;
    ada.run("room.deny(heard.knock[1].peer.id)").await;
    bob.until("outcome === 'denied'").await;

    bob.run("enter().catch(error => { outcome = error.code; });").await;
    ada.until("heard.knock.length === 3").await;
    ada.run("room.admit(heard.knock[2].peer.id)").await;
    ada.until("heard.peer.length === 1 && heard.peer[0].peer.speaks").await;
    bob.until("heard.joined?.length === 1").await;

    // Bob is no admin.
    bob.run("room.lock(false)").await;
    bob.until("heard.error.some(({ error }) => error.code === 'not-allowed')").await;
    ada.run("room.remove(heard.peer[0].peer.id)").await;
    bob.until("heard.ended[0]?.error.code === 'removed'").await;
    ada.until("heard['peer-left'].length === 1").await;
    let said = ada.run("try { room.remove(''); return 'taken'; } catch (error) { return error.name; }").await;
    assert_eq!(said, "TypeError");
    ada.close().await;
    bob.close().await;
}
