//! Real browsers, through WebDriver.

mod bidi;
mod chromium;
mod extension;
mod firefox;
mod window;

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::process::Running;
pub use window::Window;

/// Whose browser it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Chromium,
    Firefox,
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
        })
    }
}

/// Browsers of one kind: each window is a browser of its own unless it says otherwise.
pub struct Browsers {
    engine: Engine,
    /// What to run instead of the browser that the driver finds, and flags it needs.
    program: Option<(PathBuf, Vec<String>)>,
    /// One for all Chromiums, and one for each Firefox: geckodriver drives no more than one.
    drivers: Mutex<Vec<Driver>>,
}

/// A program that drives browsers.
struct Driver {
    port: u16,
    /// Every session that was begun.
    sessions: Vec<String>,
    _running: Running,
    /// What browsers write; removed after they have ended.
    _folder: tempfile::TempDir,
}

impl Drop for Driver {
    /// Ends the browsers of a test that failed before it could close them: the driver would leave them running.
    fn drop(&mut self) {
        for session in std::mem::take(&mut self.sessions) {
            let _ = self.delete(&session);
        }
    }
}

impl Driver {
    fn new(start: fn(&Path) -> (Running, u16)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (running, port) = start(folder.path());
        Self { port, sessions: Vec::new(), _running: running, _folder: folder }
    }

    fn delete(&self, session: &str) -> std::io::Result<()> {
        let mut driver = TcpStream::connect(("127.0.0.1", self.port))?;
        driver.set_read_timeout(Some(Duration::from_secs(5)))?;
        let host = format!("127.0.0.1:{}", self.port);
        write!(driver, "DELETE /session/{session} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        // It answers when the browser has ended, and keeps the connection open.
        driver.read(&mut [0; 256]).map(|_| ())
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
    /// Names that lead to this machine, whoever has them elsewhere.
    pub lead_here: Vec<String>,
    /// Run in every page before its own scripts.
    pub before: Option<String>,
    /// Where the browser puts what is downloaded, without asking.
    pub downloads: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    Allowed,
    Denied,
    None,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self {
            size: (1280, 800),
            devices: Devices::Allowed,
            autoplay: true,
            dark: false,
            lead_here: Vec::new(),
            before: None,
            downloads: None,
        }
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
        Self {
            engine: Engine::Chromium,
            program: None,
            drivers: Mutex::new(vec![Driver::new(chromium::driver)]),
        }
    }

    pub fn firefox() -> Self {
        Self { engine: Engine::Firefox, program: None, drivers: Mutex::new(Vec::new()) }
    }

    pub fn of(engine: Engine) -> Self {
        match engine {
            Engine::Chromium => Self::chromium(),
            Engine::Firefox => Self::firefox(),
        }
    }

    /// Runs this for the browser, with these flags besides the usual.
    pub fn run_by(self, program: PathBuf, flags: Vec<String>) -> Self {
        assert_eq!(self.engine, Engine::Chromium, "Firefox's driver has to be where Firefox is");
        Self { program: Some((program, flags)), ..self }
    }

    pub async fn open(&self) -> Window {
        self.open_with(WindowOptions::default()).await
    }

    pub async fn open_with(&self, options: WindowOptions) -> Window {
        match self.engine {
            Engine::Chromium => {
                let client = self.begin(chromium::capabilities(&options, self.program.as_ref())).await;
                chromium::prepare(client, options).await
            }
            Engine::Firefox => {
                self.drivers.lock().unwrap().push(Driver::new(firefox::driver));
                let client = self.begin(firefox::capabilities(&options)).await;
                firefox::prepare(client, options).await
            }
        }
    }

    /// Starts a browser by the newest driver.
    async fn begin(&self, mut capabilities: Capabilities) -> Client {
        capabilities.insert("timeouts".to_owned(), json!({ "script": 120_000 }));
        let port = self.drivers.lock().unwrap().last().expect("a driver").port;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser");
        let session = client.session_id().await.unwrap();
        let mut drivers = self.drivers.lock().unwrap();
        drivers
            .iter_mut()
            .filter(|driver| driver.port == port)
            .for_each(|it| it.sessions.extend(session.clone()));
        client
    }
}
