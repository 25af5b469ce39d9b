//! Rooms that are opened by invitations: coming in by a link, knocking, locking, listening and being taken out, as the
//! people on both sides of the door see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_e2e::{Browsers, Caller, Server, Window, WindowOptions};

const SECRET: &str = "only those who are invited may come in here";
const NOTE: &str = "document.querySelector('#call-note').checkVisibility() && document.querySelector('#call-note-words').innerText";

/// A server that asks for invitations, and those who come.
struct House {
    server: Server,
    browsers: Browsers,
}

impl House {
    fn new() -> Self {
        let server = Server::with(&["--token-secret", SECRET, "--room-size", "3"]);
        Self { server, browsers: Browsers::chromium() }
    }

    /// A link to the room, as the server's own command makes it.
    fn link(&self, flags: &[&str]) -> String {
        let common = ["invite", "board", "--token-secret", SECRET, "--url", &self.server.url];
        self.server.ask(&[&common, flags].concat()).trim_end().to_owned()
    }

    async fn lobby(&self, link: &str, size: (u32, u32)) -> Window {
        let window = self.browsers.open_with(WindowOptions::size(size.0, size.1)).await;
        window.go(link).await;
        window.screen("lobby").await;
        window
    }

    /// Ada, who may decide, in the room.
    async fn ada(&self) -> Caller {
        let window = self.lobby(&self.link(&["--may", "join,speak,admin"]), DESK).await;
        let ada = Caller::at(&window);
        ada.enter("Ada").await;
        ada
    }

    /// Somebody at the door, with this invitation.
    async fn guest(&self, name: &str, flags: &[&str]) -> Caller {
        let window = self.lobby(&self.link(flags), PHONE).await;
        window.fill("#name", name).await;
        window.press("#join").await;
        Caller::at(&window)
    }
}

const DESK: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (390, 844);

/// Waits until the note in the call says so.
async fn is_asked(window: &Window, words: &str) {
    window.until(&format!("({NOTE}) === {words:?}")).await;
}

async fn has_no_note(window: &Window) {
    window.until("!document.querySelector('#call-note').checkVisibility()").await;
}

/// Waits until the lobby says so.
async fn is_told(window: &Window, words: &str) {
    window.until(&format!("document.querySelector('#lobby').innerText.includes({words:?})")).await;
}

#[tokio::test]
async fn a_link_opens_the_room_and_leaves_no_key_in_the_address() {
    let house = House::new();
    let ada = house.ada().await;
    // Her address opens the door to nobody, so she is not asked to send it.
    assert_eq!(ada.window.text("#waiting-words").await, "Nobody else is here yet.");
    assert!(!ada.window.is_shown("#link").await && !ada.window.is_shown("#copy").await);
    let link = house.link(&["--name", "Bob the guest"]);
    let bob = Caller::at(&house.lobby(&link, PHONE).await);
    assert_eq!(bob.window.eval("location.hash").await, "#board");
    assert_eq!(bob.window.eval("history.length").await, ada.window.eval("history.length").await);
    bob.enter("Robert").await;
    for caller in [&ada, &bob] {
        caller.sees_moving_picture().await;
    }
    // What the invitation calls somebody is what the others see.
    assert_eq!(ada.window.text(".tile-name").await, "Bob the guest");
    assert!(ada.window.is_shown(".tile-remove").await && ada.window.is_shown("#lock").await);
    assert!(!bob.window.is_shown(".tile-remove").await && !bob.window.is_shown("#lock").await);
    // Who loads the page again has the key still.
    bob.window.go(&format!("{}?again#board", house.server.url)).await;
    bob.window.screen("lobby").await;
    bob.enter("Robert").await;
    bob.sees_moving_picture().await;
    bob.close().await;
    ada.close().await;
}

#[tokio::test]
async fn without_an_invitation_one_is_told_whom_to_ask() {
    let house = House::new();
    let window = house.lobby(&house.server.room("board"), PHONE).await;
    window.press("#join").await;
    is_told(&window, "Rooms here are opened by an invitation").await;
    window.is_usable("door-no-invitation").await;
    window.screenshot("door-no-invitation").await;
    // One to another room is none to this.
    window.go(&house.link(&[]).replace("#board", "#attic")).await;
    window.go("about:blank").await;
    window.go(&house.link(&[]).replace("#board", "#attic")).await;
    window.screen("lobby").await;
    window.press("#join").await;
    is_told(&window, "Rooms here are opened by an invitation").await;
    window.close().await;
}

/// Joins rooms of these names with each of these tokens, and gives what the server says to each, without its words for people.
const GUESS: &str = "
    const answers = [];
    for (const room of rooms) {
        const heard = [];
        for (const token of tokens) {
            const socket = new WebSocket(`ws://${location.host}/ws`);
            await new Promise(then => { socket.onopen = then; });
            socket.send(JSON.stringify({ type: 'join', room, protocol: 1, ...(token === null ? {} : { token }) }));
            heard.push(JSON.parse((await new Promise(then => { socket.onmessage = then; })).data));
            socket.close();
        }
        answers.push(heard);
    }
    return answers;";

#[tokio::test]
async fn who_guesses_the_name_of_a_room_hears_the_same_as_of_any_other() {
    let house = House::new();
    let ada = house.ada().await;
    let mallory = house.lobby(&house.server.url, DESK).await;
    let link = house.link(&[]).replace("#board", "#attic");
    let of_another_room = house.server.ask(&["invite", "attic", "--token-secret", SECRET]);
    let of_another_key =
        house.server.ask(&["invite", "board", "--token-secret", &SECRET.replace("may", "can")]);
    let token = |link: &str| link.trim_end().rsplit('=').next().unwrap().to_owned();
    let tokens = serde_json::json!([null, "", "x", token(&of_another_room), token(&of_another_key), link]);
    let script = format!("const rooms = ['board', 'cellar', 'board '], tokens = {tokens};{GUESS}");
    let answers = mallory.run(&script).await;
    for heard in answers.as_array().unwrap() {
        assert_eq!(heard, &answers[0]);
        for answer in heard.as_array().unwrap() {
            assert_eq!(answer["code"], "token-invalid", "{answer}");
        }
    }
    assert!(!ada.window.is_shown("#call-note").await, "nobody inside hears of it");
    mallory.close().await;
    ada.close().await;
}

#[tokio::test]
async fn in_a_locked_room_one_knocks_and_somebody_decides() {
    let house = House::new();
    let ada = house.ada().await;
    ada.window.press("#lock").await;
    ada.window.until("document.querySelector('#lock').getAttribute('aria-pressed') === 'true'").await;
    assert!(ada.window.is_shown("#room-lock").await);

    let bob = house.guest("Bob", &[]).await;
    is_told(&bob.window, "Somebody inside has to let you in").await;
    assert_eq!(bob.window.text("#join").await, "Stop waiting");
    bob.window.is_usable("door-waiting").await;
    bob.window.screenshot("door-waiting").await;
    is_asked(&ada.window, "Bob wants to come in.").await;
    ada.window.is_usable("door-knock").await;
    ada.window.screenshot("door-knock").await;

    // Whoever thinks better of it is asked about no more.
    bob.window.press("#join").await;
    has_no_note(&ada.window).await;
    assert_eq!(bob.window.text("#join").await, "Join");

    bob.window.press("#join").await;
    is_asked(&ada.window, "Bob wants to come in.").await;
    ada.window.press("#call-note-other").await;
    is_told(&bob.window, "You were not let in").await;
    has_no_note(&ada.window).await;

    // Two at the door: one after the other.
    bob.window.press("#join").await;
    is_asked(&ada.window, "Bob wants to come in.").await;
    let eve = house.guest("Eve", &[]).await;
    is_told(&eve.window, "Somebody inside has to let you in").await;
    ada.window.press("#call-note-action").await;
    is_asked(&ada.window, "Eve wants to come in.").await;
    bob.sees_moving_picture().await;
    ada.window.press("#call-note-other").await;
    is_told(&eve.window, "You were not let in").await;

    ada.window.press("#lock").await;
    ada.window.until("document.querySelector('#lock').getAttribute('aria-pressed') === 'false'").await;
    eve.window.press("#join").await;
    eve.window.screen("call").await;
    for caller in [eve, bob, ada] {
        caller.close().await;
    }
}

#[tokio::test]
async fn one_is_taken_out_only_when_the_admin_has_said_so_twice() {
    let house = House::new();
    let ada = house.ada().await;
    let bob = house.guest("Bob", &[]).await;
    bob.sees_moving_picture().await;
    ada.sees("state", "connected").await;
    ada.window.press(".tile-remove").await;
    is_asked(&ada.window, "Bob will be taken out of the call.").await;
    ada.window.is_usable("door-remove").await;
    ada.window.screenshot("door-remove").await;
    // It was the wrong button.
    ada.window.press("#call-note-other").await;
    has_no_note(&ada.window).await;
    ada.sees_moving_picture().await;
    ada.window.press(".tile-remove").await;
    ada.window.press("#call-note-action").await;
    bob.window.screen("ended").await;
    assert_eq!(bob.window.text("#ended-title").await, "You were removed from the call");
    ada.window.until("!document.querySelector('.tile')").await;
    bob.close().await;
    ada.close().await;
}

#[tokio::test]
async fn one_who_was_invited_to_listen_hears_and_is_not_heard() {
    let house = House::new();
    let ada = house.ada().await;
    let bob = house.guest("Bob", &["--may", "join"]).await;
    bob.window.screen("call").await;
    is_asked(&bob.window, "You were invited to watch and listen: your camera and microphone stay off.").await;
    bob.sees_moving_picture().await;
    bob.window.is_usable("door-listener").await;
    bob.window.screenshot("door-listener").await;
    for selector in ["#mic", "#camera", "#self"] {
        assert!(!bob.window.is_shown(selector).await, "{selector}");
    }
    ada.sees("state", "connected").await;
    assert_eq!(
        ada.window.eval("document.querySelector('.tile video').srcObject").await,
        serde_json::Value::Null
    );
    // They read what is written, and write nothing.
    ada.window.press("#talk-open").await;
    ada.window.fill("#talk-text", "Welcome").await;
    ada.window.keys("\u{e007}").await; // Enter
    bob.window.press("#talk-open").await;
    bob.window.until("document.querySelector('#talk-log').innerText.includes('Welcome')").await;
    assert!(!bob.window.is_shown("#talk-text").await);
    bob.close().await;
    ada.close().await;
}
