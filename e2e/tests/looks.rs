//! The page at a phone's and a desk's width, light and dark: pictures of it go to `target/screenshots/`, and what can
//! be measured about them is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use duologue_e2e::{Browsers, Caller, Couple, Engine, Pair, Server, WindowOptions};
use serde_json::json;

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
        ada.window.is_usable(&format!("lobby {mode}")).await;
        ada.window.screenshot(&format!("lobby-{mode}")).await;
        ada.window.press("#check-open").await;
        ada.window.screenshot(&format!("checking-{mode}")).await;
        ada.window.until("document.querySelector('#check').dataset.state === 'done'").await;
        ada.window.is_usable(&format!("check {mode}")).await;
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
        ada.window.is_usable(&format!("waiting {mode}")).await;
        ada.window.screenshot(&format!("waiting-{mode}")).await;
        let bob = Caller::join(&browsers, &room, "Bob").await;
        ada.sees("state", "connected").await;
        ada.window.until("document.querySelector('.tile video').videoWidth > 0").await;
        ada.window.is_usable(&format!("call {mode}")).await;
        ada.window.screenshot(&format!("call-{mode}")).await;
        bob.window.press("#mic").await;
        bob.window.press("#camera").await;
        ada.sees("video", "off").await;
        ada.window.screenshot(&format!("camera-off-{mode}")).await;
        ada.window.press("#leave").await;
        ada.window.screen("ended").await;
        ada.window.is_usable(&format!("ended {mode}")).await;
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

/// The panel, with what can stand in it.
#[tokio::test]
async fn the_panel_fits_a_phone_and_a_desk_in_light_and_dark() {
    const MIB: u64 = 1024 * 1024;
    let couple = Couple::meet(Pair::new(Engine::Chromium, Engine::Chromium)).await;
    let (ada, bob) = (&couple.ada, &couple.bob);
    for caller in [ada, bob] {
        caller.opens_the_panel().await;
    }
    for text in [
        "Good morning! The minutes are at https://example.org/minutes/2026/a-rather-long-address?page=12.",
        "Thank you.",
    ] {
        ada.writes(text).await;
        ada.learns(text, "Delivered").await;
    }
    bob.writes("Here they are, with the pictures.").await;
    bob.learns("Here they are, with the pictures.", "Delivered").await;
    let names = [
        "Declined.txt",
        "Arrived with a rather long name that has to be broken somewhere.pdf",
        "Under way.iso",
        "Waiting.zip",
    ];
    let payloads = [(0, 12_345), (1, MIB), (2, 300 * MIB), (3, 5 * MIB)]
        .map(|(name, size)| couple.payload(names[name], size));
    // One way and the other, so that both panels have all of it.
    for (from, to) in [(ada, bob), (bob, ada)] {
        let mut rows = Vec::new();
        for payload in &payloads {
            from.gives(&payload.path).await;
            rows.push((from.has_file(&payload.name).await, to.has_file(&payload.name).await));
        }
        rows[0].1.press("decline").await;
        rows[0].0.says("declined").await;
        rows[1].1.press("accept").await;
        rows[1].1.until("!it.querySelector('.save').hidden").await;
        rows[2].1.press("accept").await;
        rows[2].1.has_bytes(MIB).await;
    }
    let window = &bob.window;
    for (width, height) in [(390, 844), (1280, 800)] {
        for scheme in ["light", "dark"] {
            let mode = format!("{width}-{scheme}");
            let metrics =
                json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            window.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
            let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            window.devtools("Emulation.setEmulatedMedia", features).await;
            window
                .until(&format!(
                    "innerWidth === {width} && matchMedia('(prefers-color-scheme: {scheme})').matches"
                ))
                .await;
            bob.window.is_usable(&format!("panel {mode}")).await;
            let clipped = "[...document.querySelectorAll('#talk *')].filter(it => it.checkVisibility())
                .filter(it => it.scrollWidth > it.clientWidth + 1 && it.clientWidth && it.localName !== 'svg').map(it => it.outerHTML)";
            assert_eq!(window.eval(clipped).await, json!([]), "panel {mode}: something is cut off");
            for (place, top) in [("begin", "0"), ("end", "1e6")] {
                window.run(&format!("document.querySelector('#talk-log').scrollTop = {top}")).await;
                window.screenshot(&format!("panel-{place}-{mode}")).await;
            }
        }
    }
    bob.window.press("#leave").await;
    bob.window.screen("ended").await;
    bob.window.is_usable("ended with a file").await;
    bob.window.screenshot("panel-ended").await;
    couple.part().await;
}
