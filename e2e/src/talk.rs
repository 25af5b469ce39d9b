//! What a person does with the panel for messages and files, and what they see there.

use std::path::Path;
use std::time::Duration;

use crate::browser::{Browsers, Window, WindowOptions};
use crate::{Caller, Pair, Payload, Server};

/// Two people in a call, with a folder each for what they save.
pub struct Couple {
    pub ada: Caller,
    pub bob: Caller,
    /// What is to be sent.
    pub files: tempfile::TempDir,
    /// What Bob has saved.
    pub saved: tempfile::TempDir,
    pub server: Server,
    pair: Pair,
}

impl Couple {
    /// There is no dialog without a person: a page that knows of none keeps what arrives, and offers to save it.
    pub const NO_DIALOG: &str = "delete window.showSaveFilePicker;";

    /// Waits until both are connected.
    pub async fn meet(pair: Pair) -> Self {
        Self::meet_with(pair, "").await
    }

    /// The same; the script is run in both pages before their own.
    pub async fn meet_with(pair: Pair, before: &str) -> Self {
        let (server, saved) = (Server::start(), tempfile::tempdir().unwrap());
        let ada = Caller::join_with(&pair.first, &server.room("talk"), "Ada", Self::options(before)).await;
        let options = WindowOptions { downloads: Some(saved.path().to_owned()), ..Self::options(before) };
        let bob = Caller::join_with(&pair.second, &server.room("talk"), "Bob", options).await;
        for caller in [&ada, &bob] {
            caller.sees("state", "connected").await;
        }
        Self { ada, bob, files: tempfile::tempdir().unwrap(), saved, server, pair }
    }

    fn options(before: &str) -> WindowOptions {
        WindowOptions::before(&format!("{}\n{before}", Self::NO_DIALOG))
    }

    /// The browsers that Bob has windows of.
    pub fn bobs_browsers(&self) -> &Browsers {
        &self.pair.second
    }

    /// A file of so many random bytes.
    pub fn payload(&self, name: &str, size: u64) -> Payload {
        Payload::random(self.files.path(), name, size)
    }

    pub async fn part(self) {
        self.ada.close().await;
        self.bob.close().await;
    }
}

impl Caller {
    /// Opens the panel, by its button.
    pub async fn opens_the_panel(&self) {
        self.window.press("#talk-open").await;
        self.window.until("!document.querySelector('#talk').hidden").await;
    }

    /// Writes a message, and sends it by Enter.
    pub async fn writes(&self, text: &str) {
        self.window.fill("#talk-text", text).await;
        self.window.keys("\u{e007}").await; // Enter
    }

    /// Waits for the message, and gives the expression that finds its row.
    pub async fn has_message(&self, text: &str) -> String {
        let row = format!(
            "[...document.querySelectorAll('#talk-log .message')]
                .findLast(it => it.querySelector('.words').textContent === {text:?})"
        );
        self.window.until(&format!("!!{row}")).await;
        row
    }

    /// Waits until the page says this under a message of ours.
    pub async fn learns(&self, text: &str, fate: &str) {
        let row = self.has_message(text).await;
        self.window.until(&format!("{row}.querySelector('.state').textContent === {fate:?}")).await;
    }

    /// Chooses a file to send.
    pub async fn gives(&self, file: &Path) {
        let path = file.to_str().expect("a path that can be written");
        let input = fantoccini::Locator::Css("#talk-files");
        self.window.client.find(input).await.unwrap().send_keys(path).await.unwrap();
    }

    /// Waits until a file of this name is in the panel; the newest, if there are several.
    pub async fn has_file(&self, name: &str) -> FileRow {
        let row = FileRow { window: self.window.clone(), name: name.to_owned() };
        self.window.until(&format!("!!{}", row.find())).await;
        row
    }
}

/// A file, as the panel shows it.
pub struct FileRow {
    window: Window,
    name: String,
}

impl FileRow {
    /// The expression that finds it. After a call it is in the last screen.
    fn find(&self) -> String {
        format!(
            "[...document.querySelectorAll('.file')]
                .findLast(it => it.querySelector('.name').textContent === {:?})",
            self.name
        )
    }

    /// Waits for something to be true of `it`, the row.
    pub async fn until(&self, condition: &str) {
        self.until_within(condition, Duration::from_secs(20)).await;
    }

    pub async fn until_within(&self, condition: &str, within: Duration) {
        self.window.until_within(&format!("await (async it => {condition})({})", self.find()), within).await;
    }

    /// Waits until the row says this.
    pub async fn says(&self, words: &str) {
        self.until(&format!("it.querySelector('.state').textContent.includes({words:?})")).await;
    }

    /// Presses the button of this class, once it is there.
    pub async fn press(&self, button: &str) {
        self.until(&format!("!it.querySelector('.{button}').hidden")).await;
        // As a person would, which takes a selector: the row's place in its list is one.
        let place =
            self.window.eval(&format!("[...{0}.parentNode.children].indexOf({0}) + 1", self.find())).await;
        let list = self.window.eval(&format!("{}.parentNode.id", self.find())).await;
        let list = list.as_str().unwrap();
        self.window.press(&format!("#{list} > :nth-child({place}) .{button}")).await;
    }

    /// How many bytes are there, as far as the page says.
    pub async fn bytes(&self) -> u64 {
        let value = self.window.eval(&format!("{}.querySelector('progress').value", self.find())).await;
        value.as_f64().expect("a number") as u64
    }

    /// Waits until there are so many.
    pub async fn has_bytes(&self, bytes: u64) {
        let condition = format!("it.querySelector('progress').value >= {bytes}");
        self.until_within(&condition, Duration::from_secs(60)).await;
    }

    /// Waits until it is done.
    pub async fn is_done_within(&self, within: Duration) {
        self.until_within("it.dataset.state === 'done'", within).await;
    }

    pub async fn is_done_now(&self) -> bool {
        self.window.eval(&format!("{}.dataset.state === 'done'", self.find())).await == true
    }

    /// The buttons that are shown, by their classes.
    pub async fn buttons(&self) -> serde_json::Value {
        let shown =
            "[...it.querySelectorAll('.buttons > *')].filter(it => !it.hidden).map(it => it.classList[0])";
        self.window.eval(&format!("(it => {shown})({})", self.find())).await
    }
}
