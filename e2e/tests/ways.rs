//! Every way to give a file, and every place that it can go to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_e2e::{Caller, Couple, Engine, Pair, Window, for_each_pairing};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);

for_each_pairing!(files_are_given_by_dropping_and_by_pasting_them);

/// Does in the page what a person does who drags or copies files: `held` is the `DataTransfer` of it.
async fn does(window: &Window, name: &str, content: &str, events: &str) {
    let script = format!(
        "const held = new DataTransfer();
        held.items.add(new File([{content:?}], {name:?}, {{ type: 'text/plain' }}));
        const call = document.querySelector('#call');
        const drag = (name, more) =>
            call.dispatchEvent(new DragEvent(name, {{ dataTransfer: held, bubbles: true, cancelable: true, ...more }}));
        {events}"
    );
    window.run(&script).await;
}

/// Bob accepts the file and saves it, and it is what was given.
async fn arrives(couple: &Couple, name: &str, content: &str) {
    let offered = couple.bob.has_file(name).await;
    offered.press("accept").await;
    offered.is_done_within(MINUTE).await;
    offered.press("save").await;
    let path = couple.saved.path().join(name);
    let end = std::time::Instant::now() + MINUTE;
    while std::fs::read_to_string(&path).unwrap_or_default() != content {
        assert!(std::time::Instant::now() < end, "{name} was not saved as it was given");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn files_are_given_by_dropping_and_by_pasting_them(pair: Pair) {
    let couple = Couple::meet(pair).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    bob.opens_the_panel().await;
    let marked = "document.querySelector('#call').hasAttribute('data-drop')";

    does(&ada.window, "plan.txt", "äöü €", "drag('dragover');").await;
    assert_eq!(ada.window.eval(marked).await, true, "it is shown that files may be dropped here");
    does(
        &ada.window,
        "plan.txt",
        "äöü €",
        "drag('dragleave', { relatedTarget: document.querySelector('#talk') });",
    )
    .await;
    assert_eq!(ada.window.eval(marked).await, true, "the pointer is still over a part of it");
    does(&ada.window, "plan.txt", "äöü €", "drag('dragleave');").await;
    assert_eq!(ada.window.eval(marked).await, false);

    // Text that is dropped is none of our business: the browser does with it what it always does.
    let text = "const text = new DataTransfer();
        text.setData('text/plain', 'words');
        return call.dispatchEvent(new DragEvent('drop', { dataTransfer: text, bubbles: true, cancelable: true }));";
    let script = format!("const call = document.querySelector('#call'); {text}");
    assert_eq!(ada.window.run(&script).await, true, "the browser may go on");

    does(&ada.window, "plan.txt", "äöü €", "drag('dragover'); drag('drop');").await;
    assert_eq!(ada.window.eval(marked).await, false);
    ada.has_file("plan.txt").await;
    arrives(&couple, "plan.txt", "äöü €").await;

    // Firefox takes no files for an event that a script makes.
    let paste = "const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
        Object.defineProperty(event, 'clipboardData', { value: held });
        document.querySelector('#talk-text').dispatchEvent(event);";
    does(&ada.window, "copied.txt", "from elsewhere", paste).await;
    ada.has_file("copied.txt").await;
    arrives(&couple, "copied.txt", "from elsewhere").await;
    for caller in [ada, bob] {
        assert_eq!(caller.window.complaints().await, Vec::<String>::new());
    }
    couple.part().await;
}

/// The browser's dialog, with somebody who closes it once and then chooses a file.
const DIALOG: &str = "window.asked = [];
    window.showSaveFilePicker = async options => {
        asked.push(options.suggestedName);
        if (asked.length === 1) throw new DOMException('The user aborted a request.', 'AbortError');
        const folder = await navigator.storage.getDirectory();
        return await folder.getFileHandle('chosen', { create: true });
    };";

#[tokio::test]
async fn a_file_goes_where_its_receiver_chose_and_a_closed_dialog_is_no_answer() {
    let couple = Couple::meet_with(Pair::new(Engine::Chromium, Engine::Chromium), DIALOG).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    bob.opens_the_panel().await;
    let payload = couple.payload("chosen.bin", 3_000_000);
    ada.gives(&payload.path).await;
    let (given, offered) = (ada.has_file(&payload.name).await, bob.has_file(&payload.name).await);
    offered.press("accept").await;
    bob.window.until("asked.length === 1").await;
    assert_eq!(offered.buttons().await, json!(["accept", "decline"]), "it can be answered still");
    // The page hears of the closed dialog a moment after the dialog does: until then a press means the first one.
    while bob.window.eval("asked.length").await == 1 {
        offered.press("accept").await;
    }
    offered.is_done_within(MINUTE).await;
    given.is_done_within(MINUTE).await;
    offered.says("Saved.").await;
    assert_eq!(offered.buttons().await, json!([]), "there is nothing left to do");
    assert_eq!(bob.window.eval("asked").await, json!(["chosen.bin", "chosen.bin"]));
    let hash = "const folder = await navigator.storage.getDirectory();
        const file = await (await folder.getFileHandle('chosen')).getFile();
        const hash = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
        return Array.from(new Uint8Array(hash));";
    assert_eq!(bob.window.run(hash).await, json!(payload.hash()));
    couple.part().await;
}

/// The names of what Bob's page keeps of files.
async fn kept(bob: &Caller) -> Vec<String> {
    let script = "const all = await (await navigator.storage.getDirectory())
            .getDirectoryHandle('duologue-files', { create: true });
        const names = [];
        for await (const name of all.keys()) if (name.startsWith('of-')) names.push(name);
        return names.sort();";
    serde_json::from_value(bob.window.run(script).await).unwrap()
}

#[tokio::test]
async fn what_no_page_will_use_any_more_makes_way_in_chromium() {
    what_no_page_will_use_any_more_makes_way(Engine::Chromium).await;
}

#[tokio::test]
async fn what_no_page_will_use_any_more_makes_way_in_firefox() {
    what_no_page_will_use_any_more_makes_way(Engine::Firefox).await;
}

async fn what_no_page_will_use_any_more_makes_way(engine: Engine) {
    let clock =
        "const now = Date.now; Date.now = () => now() + Number(document.documentElement.dataset.later ?? 0);";
    let couple = Couple::meet_with(Pair::new(Engine::Chromium, engine), clock).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    bob.opens_the_panel().await;
    let script = "const all = await (await navigator.storage.getDirectory())
            .getDirectoryHandle('duologue-files', { create: true });
        for (const [name, file] of [['of-a-whole-file', 'whole'], ['of-half-a-file', '0'], ['of-another-tab', '0']]) {
            const folder = await all.getDirectoryHandle(name, { create: true });
            const writable = await (await folder.getFileHandle(file, { create: true })).createWritable();
            await writable.write(new Uint8Array(1000));
            await writable.close();
        }
        // As a tab does that is receiving.
        navigator.locks.request('duologue-files-of-another-tab', () => new Promise(() => {}));";
    bob.window.run(script).await;

    does(&ada.window, "one.txt", "1", "drag('drop');").await;
    arrives(&couple, "one.txt", "1").await;
    assert_eq!(kept(bob).await, ["of-another-tab", "of-half-a-file"]);

    bob.window.run("document.documentElement.dataset.later = 8 * 24 * 60 * 60 * 1000;").await;
    does(&ada.window, "two.txt", "2", "drag('drop');").await;
    arrives(&couple, "two.txt", "2").await;
    assert_eq!(kept(bob).await, ["of-another-tab"]);
    couple.part().await;
}
