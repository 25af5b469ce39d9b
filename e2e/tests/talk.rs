//! Messages and files in the panel of the app, as the two people see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Browsers, Caller, Couple, Engine, Pair, Server, WindowOptions, for_each_pairing};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);
const FOCUSED: &str = "document.activeElement.id";

// The keys that have no letter, as WebDriver names them.
const ENTER: &str = "\u{e007}";
const SHIFT_ENTER: &str = "\u{e008}\u{e007}\u{e008}";
const ESCAPE: &str = "\u{e00c}";

for_each_pairing!(
    a_message_arrives_with_name_and_time_and_its_sender_learns_of_it,
    addresses_are_links_and_markup_is_text,
    the_chat_is_used_by_the_keyboard_alone,
    a_file_is_offered_accepted_and_saved_as_it_was,
);

fn two_chromiums() -> Pair {
    Pair::new(Engine::Chromium, Engine::Chromium)
}

async fn a_message_arrives_with_name_and_time_and_its_sender_learns_of_it(pair: Pair) {
    let couple = Couple::meet(pair).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    assert!(!bob.window.is_shown("#talk-badge").await);
    ada.opens_the_panel().await;
    ada.writes("Hello, Bob").await;
    ada.learns("Hello, Bob", "Delivered").await;
    bob.window.until("document.querySelector('#talk-badge').textContent === '1'").await;
    assert!(bob.window.is_shown("#talk-badge").await);
    ada.writes("Are you there?").await;
    bob.window.until("document.querySelector('#talk-open').ariaLabel === 'Chat, 2 unread'").await;

    bob.opens_the_panel().await;
    assert!(!bob.window.is_shown("#talk-badge").await, "what is seen is read");
    assert_eq!(bob.window.eval("document.querySelector('#talk-open').ariaLabel").await, "Chat");
    let row = bob.has_message("Hello, Bob").await;
    assert_eq!(bob.window.eval(&format!("{row}.querySelector('.who').textContent")).await, "Ada");
    let time = bob.window.eval(&format!("{row}.querySelector('time').textContent")).await;
    let now = "new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })";
    let before =
        "new Date(Date.now() - 60_000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })";
    let times = [bob.window.eval(now).await, bob.window.eval(before).await];
    assert!(times.contains(&time), "{time} is none of {times:?}");

    bob.writes("Yes").await;
    bob.learns("Yes", "Delivered").await;
    ada.has_message("Yes").await;
    assert!(!ada.window.is_shown("#talk-badge").await, "one who sees it does not have to be told");
    for caller in [ada, bob] {
        assert_eq!(caller.window.complaints().await, Vec::<String>::new());
    }
    couple.part().await;
}

/// Would run in a page that takes it for markup.
const MARKUP: &str = "<img src=x onerror=\"window.ran = 1\"><script>window.ran = 1</script><b>bold</b>";

async fn addresses_are_links_and_markup_is_text(pair: Pair) {
    const NAME: &str = "<img src=x onerror='window.ran = 1'>Eve";
    let couple = Couple::meet(pair).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    // Whoever likes may call themselves that.
    bob.window.press("#leave").await;
    bob.window.press("#to-lobby").await;
    bob.window.screen("lobby").await;
    bob.enter(NAME).await;
    for caller in [ada, bob] {
        caller.sees("state", "connected").await;
        caller.opens_the_panel().await;
    }
    bob.writes(MARKUP).await;
    let row = ada.has_message(MARKUP).await;
    assert_eq!(ada.window.eval(&format!("{row}.querySelector('.who').textContent")).await, NAME);
    bob.learns(MARKUP, "Delivered").await;

    let text = "(https://example.org/a?b=c&d=(e)#f), HTTP://example.org javascript:alert(1) data:text/html,x \
                file:///etc/passwd <a href=\"http://example.com/x\" onclick=\"ran=1\">y</a>";
    bob.writes(text).await;
    for (caller, whose) in [(ada, "theirs"), (bob, "ours")] {
        let row = caller.has_message(text).await;
        assert_eq!(caller.window.eval(&format!("{row}.dataset.whose")).await, whose);
        let links = format!(
            "[...{row}.querySelectorAll('.words *')].map(it => [it.localName, it.href, it.rel, it.target])"
        );
        let link = |address: &str| json!(["a", address, "noopener noreferrer", "_blank"]);
        assert_eq!(
            caller.window.eval(&links).await,
            json!([link("https://example.org/a?b=c&d=(e)#f"), link("http://example.com/x")])
        );
        let made = "document.querySelectorAll('#call :is(img, script, b), #talk-log [onclick]').length";
        assert_eq!(caller.window.eval(made).await, 0, "markup was taken for markup");
        assert_eq!(caller.window.eval("typeof window.ran").await, "undefined");
        assert_eq!(caller.window.complaints().await, Vec::<String>::new());
    }
    couple.part().await;
}

async fn the_chat_is_used_by_the_keyboard_alone(pair: Pair) {
    let couple = Couple::meet(pair).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    ada.window.keys("c").await;
    ada.window.until(&format!("{FOCUSED} === 'talk-text'")).await;
    // None of these is a command while one writes, and the one that opened is not in the text.
    ada.window.keys(&format!("comic{SHIFT_ENTER}{SHIFT_ENTER}vim")).await;
    ada.window.until("document.querySelector('#talk-text').value === 'comic\\n\\nvim'").await;
    assert_eq!(ada.window.eval("document.querySelectorAll('.message').length").await, 0);
    ada.window.keys(ENTER).await;
    bob.has_message("comic\n\nvim").await;
    ada.learns("comic\n\nvim", "Delivered").await;
    assert_eq!(ada.window.eval("document.querySelector('#talk-text').value").await, "");
    ada.window.keys(&format!("   {ENTER}")).await;
    assert_eq!(ada.window.eval(FOCUSED).await, "talk-text", "one goes on writing");
    ada.window.keys(ESCAPE).await;
    ada.window.until("document.querySelector('#talk').hidden").await;
    assert_eq!(ada.window.eval(FOCUSED).await, "talk-open", "the keyboard is where one can go on");
    ada.window.keys("c").await;
    ada.window.until(&format!("{FOCUSED} === 'talk-text'")).await;
    let said = "document.querySelectorAll('.message').length";
    assert_eq!(ada.window.eval(said).await, 1, "nothing is no message");
    for toggle in ["#mic", "#camera"] {
        let pressed = format!("document.querySelector('{toggle}').getAttribute('aria-pressed')");
        assert_eq!(ada.window.eval(&pressed).await, "true");
    }
    couple.part().await;
}

async fn a_file_is_offered_accepted_and_saved_as_it_was(pair: Pair) {
    let couple = Couple::meet(pair).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    let payload = couple.payload("Notes & plans (1).bin", 1_500_000);
    ada.gives(&payload.path).await;
    let (given, offered) = (ada.has_file(&payload.name).await, bob.has_file(&payload.name).await);
    given.says("Waiting for Bob to accept it").await;
    bob.window.until("!document.querySelector('#call-note').hidden").await;
    assert_eq!(bob.window.text("#call-note-words").await, "Ada offers you Notes & plans (1).bin.");
    bob.window.press("#call-note-action").await;
    bob.window.until("!document.querySelector('#talk').hidden").await;
    bob.window.until("document.querySelector('#call-note').hidden").await;
    offered.until("it.querySelector('.size').textContent === '1.5 MB'").await;
    assert_eq!(offered.buttons().await, json!(["accept", "decline"]));
    offered.press("accept").await;
    offered.is_done_within(MINUTE).await;
    given.is_done_within(MINUTE).await;
    given.says("Bob has all of it.").await;
    assert_eq!(given.buttons().await, json!([]));
    offered.press("save").await;
    payload.arrives_in(couple.saved.path()).await;
    offered.says("Saved").await;
    for caller in [ada, bob] {
        assert_eq!(caller.window.complaints().await, Vec::<String>::new());
    }
    couple.part().await;
}

#[tokio::test]
async fn what_is_sent_while_nobody_is_there_says_so_and_can_be_sent_again() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::join(&browsers, &server.room("talk"), "Ada").await;
    ada.opens_the_panel().await;
    ada.writes("Anybody?").await;
    ada.learns("Anybody?", "Nobody else is here to read it.").await;
    let folder = tempfile::tempdir().unwrap();
    let payload = duologue_e2e::Payload::random(folder.path(), "a.bin", 1000);
    ada.gives(&payload.path).await;
    let given = ada.has_file(&payload.name).await;
    given.says("Nobody else is here to take it.").await;

    let options = WindowOptions::before(Couple::NO_DIALOG);
    let bob = Caller::join_with(&browsers, &server.room("talk"), "Bob", options).await;
    ada.sees("state", "connected").await;
    ada.window.press(".message .again").await;
    bob.has_message("Anybody?").await;
    ada.learns("Anybody?", "Delivered").await;
    assert_eq!(ada.window.eval("document.querySelectorAll('.message').length").await, 1);
    given.press("again").await;
    bob.opens_the_panel().await;
    let offered = bob.has_file(&payload.name).await;
    offered.press("accept").await;
    offered.is_done_within(MINUTE).await;
    given.is_done_within(MINUTE).await;
    ada.close().await;
    bob.close().await;
}

#[tokio::test]
async fn a_file_can_be_declined_paused_and_cancelled_from_either_side() {
    let couple = Couple::meet(two_chromiums()).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    bob.opens_the_panel().await;
    let payload = couple.payload("long.bin", 200_000_000);
    ada.gives(&payload.path).await;
    let (given, offered) = (ada.has_file(&payload.name).await, bob.has_file(&payload.name).await);
    offered.press("decline").await;
    offered.says("You declined it.").await;
    given.says("The other side declined it.").await;
    assert_eq!(offered.buttons().await, json!([]));

    given.press("again").await;
    offered.press("accept").await;
    offered.has_bytes(1_000_000).await;
    // Whoever pauses it can let it go on, and the other knows.
    for (own, other, name) in [(&given, &offered, "Ada"), (&offered, &given, "Bob")] {
        own.press("pause").await;
        own.says("paused").await;
        other.says(&format!("{name} has paused it")).await;
        own.until("it.querySelector('.pause').textContent === 'Resume'").await;
        // What was on its way arrives; then nothing does, for longer than it takes to be told of something.
        let still = "await (async () => {
            const bytes = () => it.querySelector('progress').value;
            const before = bytes();
            await new Promise(then => setTimeout(then, 1500));
            return bytes() === before;
        })()";
        offered.until_within(still, MINUTE).await;
        let before = offered.bytes().await;
        assert!(before < payload.size, "it was over before it was paused");
        own.press("pause").await;
        offered.has_bytes(before + 1).await;
        other.until("!it.querySelector('.state').textContent.includes('paused')").await;
    }

    offered.press("cancel").await;
    offered.says("You cancelled it.").await;
    given.says("The other side cancelled it.").await;
    given.press("again").await;
    offered.press("accept").await;
    offered.has_bytes(1_000_000).await;
    given.press("cancel").await;
    given.says("You cancelled it.").await;
    offered.says("The other side cancelled it.").await;
    // An offer can be taken back as well.
    ada.gives(&payload.path).await;
    offered.until("!it.querySelector('.accept').hidden").await;
    given.says("Waiting for Bob").await;
    given.press("cancel").await;
    offered.says("The other side cancelled it.").await;
    assert_eq!(offered.buttons().await, json!([]));
    couple.part().await;
}

#[tokio::test]
async fn a_name_that_deceives_is_made_safe_before_it_is_shown_or_saved() {
    let couple = Couple::meet(two_chromiums()).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    ada.window
        .run(
            "const given = new DataTransfer();
             given.items.add(new File(['x'], '../../etc/<b>a\\u202egpj.exe'));
             const input = document.querySelector('#talk-files');
             input.files = given.files;
             input.dispatchEvent(new Event('change'));",
        )
        .await;
    bob.opens_the_panel().await;
    let offered = bob.has_file("_b_agpj.exe").await;
    offered.press("accept").await;
    offered.is_done_within(MINUTE).await;
    offered.until("it.querySelector('.save').download === '_b_agpj.exe'").await;
    offered.press("save").await;
    let saved = couple.saved.path().join("_b_agpj.exe");
    while !saved.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    couple.part().await;
}

#[tokio::test]
async fn a_file_that_was_not_saved_is_still_there_when_the_call_is_over() {
    let couple = Couple::meet(two_chromiums()).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    let payload = couple.payload("late.bin", 700_000);
    bob.opens_the_panel().await;
    ada.gives(&payload.path).await;
    let offered = bob.has_file(&payload.name).await;
    offered.press("accept").await;
    offered.is_done_within(MINUTE).await;
    bob.window.press("#leave").await;
    bob.window.screen("ended").await;
    assert!(bob.window.is_shown("#ended-files").await);
    assert_eq!(bob.window.eval("document.querySelectorAll('#ended-files-list .file').length").await, 1);
    // Nor does the next call take it away.
    bob.window.press("#rejoin").await;
    bob.window.screen("call").await;
    bob.opens_the_panel().await;
    assert_eq!(bob.window.eval("document.querySelectorAll('#talk-log .file').length").await, 1);
    bob.window.press("#leave").await;
    bob.window.screen("ended").await;
    offered.press("save").await;
    payload.arrives_in(couple.saved.path()).await;

    ada.window.press("#leave").await;
    ada.window.screen("ended").await;
    assert!(!ada.window.is_shown("#ended-files").await, "what one has sent one has");
    couple.part().await;
}
