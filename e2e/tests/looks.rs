//! The page at a phone's and a desk's width, light and dark: pictures of it go to `target/screenshots/`, and what can
//! be measured about them is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_e2e::{Browsers, Caller, Server, WindowOptions};

/// Nothing is cut off at the side, and what a finger must hit is large enough.
async fn is_usable(caller: &Caller, what: &str) {
    let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(caller.window.eval(overflow).await, 0, "{what}: something is wider than the page");
    let small = "[...document.querySelectorAll('button')].filter(it => it.checkVisibility())
        .filter(it => it.offsetHeight < 44 || it.offsetWidth < 44).map(it => it.id)";
    assert_eq!(
        caller.window.eval(small).await,
        serde_json::json!([]),
        "{what}: buttons too small for a finger"
    );
}

#[tokio::test]
async fn every_screen_fits_a_phone_and_a_desk_in_light_and_dark() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    for (width, height, dark) in [(390, 844, false), (390, 844, true), (1440, 900, false), (1440, 900, true)]
    {
        let mode = format!("{width}-{}", if dark { "dark" } else { "light" });
        let options = WindowOptions { dark, ..WindowOptions::size(width, height) };
        let room = server.room(&format!("look-{mode}"));
        let ada = Caller::in_lobby(&browsers, &room, options).await;
        ada.window.until("document.querySelector('#preview').videoWidth > 0").await;
        ada.window.fill("#name", "Ada Lovelace").await;
        is_usable(&ada, &format!("lobby {mode}")).await;
        ada.window.screenshot(&format!("lobby-{mode}")).await;
        ada.window.press("#check-open").await;
        ada.window.screenshot(&format!("checking-{mode}")).await;
        ada.window.until("document.querySelector('#check').dataset.state === 'done'").await;
        is_usable(&ada, &format!("check {mode}")).await;
        ada.window.screenshot(&format!("check-{mode}")).await;
        ada.window.keys("\u{e00c}").await; // Escape
        ada.window.until("!document.querySelector('#check').open").await;
        assert_eq!(
            ada.window.eval("document.activeElement.id").await,
            "check-open",
            "the keyboard is where it was"
        );
        ada.window.press("#join").await;
        ada.window.screen("call").await;
        is_usable(&ada, &format!("waiting {mode}")).await;
        ada.window.screenshot(&format!("waiting-{mode}")).await;
        let bob = Caller::join(&browsers, &room, "Bob").await;
        ada.sees("state", "connected").await;
        ada.window.until("document.querySelector('.tile video').videoWidth > 0").await;
        is_usable(&ada, &format!("call {mode}")).await;
        ada.window.screenshot(&format!("call-{mode}")).await;
        bob.window.press("#mic").await;
        bob.window.press("#camera").await;
        ada.sees("video", "off").await;
        ada.window.screenshot(&format!("camera-off-{mode}")).await;
        ada.window.press("#leave").await;
        ada.window.screen("ended").await;
        is_usable(&ada, &format!("ended {mode}")).await;
        ada.window.screenshot(&format!("ended-{mode}")).await;
        ada.close().await;
        bob.close().await;
    }
}

#[tokio::test]
async fn the_style_that_is_served_says_what_was_written() {
    let (server, browsers) = (Server::start(), Browsers::chromium());
    let ada = Caller::in_lobby(&browsers, &server.room("style"), WindowOptions::default()).await;
    let written = serde_json::to_string(include_str!("../../www/style.css")).unwrap();
    // Where a value holds a variable, the browser keeps the blanks as they were written.
    let script = format!(
        "const sheet = new CSSStyleSheet();
        sheet.replaceSync({written});
        const rules = (sheet) => [...sheet.cssRules].map(it => it.cssText.replaceAll(', ', ','));
        return [rules(sheet), rules(document.styleSheets[0])];"
    );
    let rules = ada.window.run(&script).await;
    assert!(rules[0].as_array().is_some_and(|rules| rules.len() > 100));
    assert_eq!(rules[0], rules[1]);
    ada.close().await;
}
