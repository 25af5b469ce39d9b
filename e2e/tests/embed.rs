//! The package in a site that already exists: `www/embed.html`, served by a server that knows nothing of Duologue.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_e2e::{Browsers, Caller, Server, Site, root};

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
    assert_eq!(window.eval("room.peers.map(peer => peer.name)").await, serde_json::json!(["Ada"]));
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
