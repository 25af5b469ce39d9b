//! Windows of real browsers, through WebDriver.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::process::{Running, driver, root};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A driver, and the browsers it starts: each window is a browser of its own unless it says otherwise.
pub struct Browsers {
    port: u16,
    /// Every session that was begun.
    sessions: Mutex<Vec<String>>,
    _driver: Running,
}

impl Drop for Browsers {
    /// Ends the browsers of a test that failed before it could close them: the driver would leave them running.
    fn drop(&mut self) {
        for session in std::mem::take(self.sessions.get_mut().unwrap()) {
            let _ = self.delete(&session);
        }
    }
}

/// How a window differs from the usual: 1280 × 800, fake camera and microphone, both allowed.
#[derive(Clone)]
pub struct WindowOptions {
    pub size: (u32, u32),
    pub devices: Devices,
    /// Whether sound may play before anyone has touched the page.
    pub autoplay: bool,
    pub dark: bool,
    /// Run in every page before its own scripts.
    pub before: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    Allowed,
    Denied,
    None,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self { size: (1280, 800), devices: Devices::Allowed, autoplay: true, dark: false, before: None }
    }
}

impl WindowOptions {
    pub fn size(width: u32, height: u32) -> Self {
        Self { size: (width, height), ..Self::default() }
    }

    pub fn denied() -> Self {
        Self { devices: Devices::Denied, ..Self::default() }
    }

    pub fn no_devices() -> Self {
        Self { devices: Devices::None, ..Self::default() }
    }

    pub fn before(script: &str) -> Self {
        Self { before: Some(script.to_owned()), ..Self::default() }
    }
}

impl Browsers {
    pub fn chromium() -> Self {
        let (driver, port) = driver("chromedriver", |line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').trim().parse().ok()
        });
        Self { port, sessions: Mutex::new(Vec::new()), _driver: driver }
    }

    fn delete(&self, session: &str) -> std::io::Result<()> {
        let mut driver = TcpStream::connect(("127.0.0.1", self.port))?;
        driver.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(driver, "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        // It answers when the browser has ended, and keeps the connection open.
        driver.read(&mut [0; 256]).map(|_| ())
    }

    pub async fn open(&self) -> Window {
        self.open_with(WindowOptions::default()).await
    }

    pub async fn open_with(&self, options: WindowOptions) -> Window {
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
        // 2 blocks: the answer of someone who has said no.
        let answer = if options.devices == Devices::Denied { 2 } else { 0 };
        let preferences = json!({
            "profile.default_content_setting_values.media_stream_camera": answer,
            "profile.default_content_setting_values.media_stream_mic": answer,
        });
        let mut capabilities = Capabilities::new();
        let mut chrome = json!({ "args": arguments });
        if answer != 0 {
            chrome["prefs"] = preferences;
        }
        capabilities.insert("goog:chromeOptions".to_owned(), chrome);
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        capabilities.insert("timeouts".to_owned(), json!({ "script": 120_000 }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("a browser");
        let session = client.session_id().await.unwrap();
        self.sessions.lock().unwrap().extend(session);
        let window = Window { client };
        // A window of Chromium's is at least 500 pixels wide; a phone is not.
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        if width < 500 {
            window.issue("goog/cdp/execute", command).await;
        }
        if let Some(script) = options.before {
            let command =
                json!({ "cmd": "Page.addScriptToEvaluateOnNewDocument", "params": { "source": script } });
            window.issue("goog/cdp/execute", command).await;
        }
        window
    }
}

/// A window, or several of one browser. Close it at the end of a test.
#[derive(Clone)]
pub struct Window {
    pub client: Client,
}

impl Window {
    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.expect("the page");
    }

    /// The value of a JavaScript expression.
    pub async fn eval(&self, expression: &str) -> Value {
        self.client
            .execute(&format!("return ({expression})"), Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Runs an asynchronous function body; `return` gives the value.
    pub async fn run(&self, body: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then(value => done({{ value: value ?? null }}), error => done({{ error: String(error) }}));"
        );
        let outcome = self.client.execute_async(&script, Vec::new()).await.expect("a script");
        assert!(outcome["error"].is_null(), "{body}\n{}", outcome["error"]);
        outcome["value"].clone()
    }

    /// Waits until the expression is true, and gives its value. The page looks again at each change and each frame.
    pub async fn until(&self, expression: &str) -> Value {
        self.until_within(expression, PATIENCE).await
    }

    pub async fn until_within(&self, expression: &str, within: Duration) -> Value {
        let millis = within.as_millis();
        let body = format!(
            "const end = performance.now() + {millis};
             for (;;) {{
               const value = await (async () => ({expression}))();
               if (value) return value;
               if (performance.now() > end) return null;
               await new Promise(then => setTimeout(then, 20));
             }}"
        );
        let value = self.run(&body).await;
        if value.is_null() {
            let page = self.describe().await;
            panic!("not true within {within:?}: {expression}\n{page}");
        }
        value
    }

    /// Presses what the selector finds, as a person would.
    pub async fn press(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.expect(selector).click().await.expect(selector);
    }

    /// Replaces what is in a field.
    pub async fn fill(&self, selector: &str, text: &str) {
        let field = self.client.find(Locator::Css(selector)).await.expect(selector);
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Sends keys to whatever has the focus.
    pub async fn keys(&self, keys: &str) {
        self.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// The text a person sees.
    pub async fn text(&self, selector: &str) -> String {
        self.client.find(Locator::Css(selector)).await.expect(selector).text().await.unwrap()
    }

    pub async fn is_shown(&self, selector: &str) -> bool {
        self.client.find(Locator::Css(selector)).await.expect(selector).is_displayed().await.unwrap()
    }

    /// Waits until the page shows this screen.
    pub async fn screen(&self, name: &str) {
        self.until(&format!("document.body.dataset.screen === {name:?}")).await;
    }

    /// A picture of the window, into `target/screenshots/`.
    pub async fn screenshot(&self, name: &str) {
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), self.client.screenshot().await.unwrap()).unwrap();
    }

    /// What the page wrote to its console as errors since the last time.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.issue("se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
    }

    async fn describe(&self) -> String {
        let shown =
            self.eval("document.body.innerText + '\\n(' + document.body.outerHTML.slice(0, 80) + '…)'").await;
        format!(
            "the page says: {}\nits console: {:?}",
            shown.as_str().unwrap_or_default(),
            self.complaints().await
        )
    }

    /// A command of this driver's own.
    async fn issue(&self, path: &'static str, body: Value) -> Value {
        self.client
            .issue_cmd(Extension { path, body })
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl fantoccini::wd::WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
