//! What is Firefox's own: its preferences, and WebDriver BiDi for what its driver does not offer.

use std::path::Path;
use std::sync::Arc;

use fantoccini::Client;
use fantoccini::wd::Capabilities;
use serde_json::json;

use super::bidi::Bidi;
use super::extension::issue;
use super::{Devices, Window, WindowOptions};
use crate::process::{self, Running};

pub fn driver(folder: &Path) -> (Running, u16) {
    // The port for BiDi would be the same for every Firefox.
    let flags = ["--port=0", "--websocket-port=0", "--allow-system-access"];
    process::driver("geckodriver", &flags, folder, |line| {
        line.split_once("Listening on 127.0.0.1:")?.1.trim().parse().ok()
    })
}

pub fn capabilities(options: &WindowOptions) -> Capabilities {
    // 1 allows, 2 blocks: the answer of someone who has said no.
    let answer = if options.devices == Devices::Denied { 2 } else { 1 };
    assert!(options.lead_here.is_empty(), "only Chromium can be told where names lead");
    let mut preferences = json!({
        "media.navigator.streams.fake": options.devices != Devices::None,
        "permissions.default.camera": answer,
        "permissions.default.microphone": answer,
        // 0 allows, 1 blocks what is heard.
        "media.autoplay.default": if options.autoplay { 0 } else { 1 },
        // Where there is no other network than this machine's own.
        "media.peerconnection.ice.loopback": true,
        "media.peerconnection.ice.obfuscate_host_addresses": false,
        // Pages see 0 as dark, 1 as light.
        "layout.css.prefers-color-scheme.content-override": if options.dark { 0 } else { 1 },
    });
    if let Some(folder) = &options.downloads {
        // 2: the folder that is named, not the desktop or the usual one.
        preferences["browser.download.folderList"] = json!(2);
        preferences["browser.download.dir"] = json!(folder);
        preferences["browser.download.always_ask_before_handling_new_types"] = json!(false);
    }
    let firefox = json!({ "args": ["-headless"], "prefs": preferences });
    let mut capabilities = Capabilities::new();
    capabilities.insert("moz:firefoxOptions".to_owned(), firefox);
    capabilities.insert("webSocketUrl".to_owned(), json!(true));
    capabilities
}

pub async fn prepare(client: Client, options: WindowOptions) -> Window {
    let socket = client.capabilities().and_then(|it| it["webSocketUrl"].as_str()).expect("BiDi").to_owned();
    let bidi = Bidi::connect(&socket).await;
    let (width, height) = options.size;
    client.set_window_size(width, height).await.unwrap();
    // A window of Firefox's is at least 450 pixels wide; a phone is not.
    if width < 500 {
        let tree = bidi.call("browsingContext.getTree", json!({ "maxDepth": 0 })).await;
        let viewport = json!({
            "context": tree["contexts"][0]["context"],
            "viewport": { "width": width, "height": height },
        });
        bidi.call("browsingContext.setViewport", viewport).await;
    }
    if let Some(script) = options.before {
        let function = format!("() => {{ {script} }}");
        bidi.call("script.addPreloadScript", json!({ "functionDeclaration": function })).await;
    }
    Window { client, bidi: Some(Arc::new(bidi)) }
}

/// The first process of the browser.
pub fn process(capabilities: &Capabilities) -> u32 {
    let id = capabilities["moz:processID"].as_u64().expect("the browser's process");
    u32::try_from(id).unwrap()
}

/// Has the processes that run pages throw away what nobody needs. It begins at once, and is not waited for.
pub async fn collect_garbage(client: &Client) {
    issue(client, "moz/context", json!({ "context": "chrome" })).await;
    let script = "Services.obs.notifyObservers(null, 'child-gc-request');";
    client.execute(script, Vec::new()).await.expect("to ask for it");
    issue(client, "moz/context", json!({ "context": "content" })).await;
}
