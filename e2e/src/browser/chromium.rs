//! What is Chromium's own: its flags, and the commands only its driver knows.

use std::path::{Path, PathBuf};

use fantoccini::Client;
use fantoccini::wd::Capabilities;
use serde_json::{Value, json};

use super::extension::issue;
use super::{Devices, Window, WindowOptions};
use crate::process::{self, Running};

pub fn driver(folder: &Path) -> (Running, u16) {
    process::driver("chromedriver", &["--port=0"], folder, |line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').trim().parse().ok()
    })
}

pub fn capabilities(options: &WindowOptions, program: Option<&(PathBuf, Vec<String>)>) -> Capabilities {
    let (width, height) = options.size;
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-background-networking".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--window-size={width},{height}"),
    ];
    if options.devices != Devices::None {
        arguments.push("--use-fake-device-for-media-stream".to_owned());
    }
    if options.devices == Devices::Allowed {
        arguments.push("--use-fake-ui-for-media-stream".to_owned());
    }
    if options.autoplay {
        arguments.push("--autoplay-policy=no-user-gesture-required".to_owned());
    }
    if options.dark {
        arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    if !options.lead_here.is_empty() {
        let rules: Vec<String> =
            options.lead_here.iter().map(|name| format!("MAP {name} 127.0.0.1")).collect();
        arguments.push(format!("--host-resolver-rules={}", rules.join(", ")));
    }
    let mut chrome = json!({});
    if let Some((program, flags)) = program {
        arguments.extend(flags.iter().cloned());
        chrome["binary"] = json!(program);
    }
    chrome["args"] = json!(arguments);
    if options.devices == Devices::Denied {
        // 2 blocks: the answer of someone who has said no.
        chrome["prefs"] = json!({
            "profile.default_content_setting_values.media_stream_camera": 2,
            "profile.default_content_setting_values.media_stream_mic": 2,
        });
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), chrome);
    capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
    capabilities
}

pub async fn prepare(client: Client, options: WindowOptions) -> Window {
    let (width, height) = options.size;
    // A window of Chromium's is at least 500 pixels wide; a phone is not.
    if width < 500 {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        devtools(&client, "Emulation.setDeviceMetricsOverride", metrics).await;
    }
    if let Some(script) = options.before {
        devtools(&client, "Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }
    if let Some(folder) = options.downloads {
        let behavior = json!({ "behavior": "allow", "downloadPath": folder });
        devtools(&client, "Browser.setDownloadBehavior", behavior).await;
    }
    Window { client, bidi: None }
}

/// What was written to the console as errors since the last time.
pub async fn errors(client: &Client) -> Vec<String> {
    let log = issue(client, "se/log", json!({ "type": "browser" })).await;
    let entries = log.as_array().cloned().unwrap_or_default();
    let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
    severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The first process of the browser.
pub fn process(capabilities: &Capabilities) -> u32 {
    let folder = capabilities["chrome"]["userDataDir"].as_str().expect("a profile of its own");
    let flag = format!("--user-data-dir={folder}");
    let own = process::list().into_iter().filter(|it| it.command.contains(&flag));
    // Some of its children have the same flag.
    own.map(|it| it.id).min().expect("the browser's process")
}

/// A command of the `DevTools` protocol, and what it gives.
pub async fn devtools(client: &Client, command: &str, parameters: Value) -> Value {
    issue(client, "goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
}
