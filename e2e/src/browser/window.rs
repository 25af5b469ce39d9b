//! What can be done with a window, whichever browser it belongs to.

use std::sync::Arc;
use std::time::Duration;

use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::bidi::Bidi;
use super::{chromium, firefox};
use crate::process::{self, root};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A window, or several of one browser. Close it at the end of a test.
#[derive(Clone)]
pub struct Window {
    pub client: Client,
    /// Chromium has a way of its own for what WebDriver lacks; Firefox has `WebDriver` BiDi.
    pub(super) bidi: Option<Arc<Bidi>>,
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

    /// Chooses a file of this computer in a file field.
    pub async fn choose_file(&self, selector: &str, path: &std::path::Path) {
        let field = self.client.find(Locator::Css(selector)).await.expect(selector);
        field.send_keys(path.to_str().expect("a path of letters")).await.unwrap();
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

    /// Nothing is cut off at the side, and what a finger must hit is large enough.
    pub async fn is_usable(&self, what: &str) {
        let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(self.eval(overflow).await, 0, "{what}: something is wider than the page");
        let small = "[...document.querySelectorAll('button')].filter(it => it.checkVisibility())
            .filter(it => it.offsetHeight < 44 || it.offsetWidth < 44).map(it => it.outerHTML)";
        assert_eq!(self.eval(small).await, json!([]), "{what}: buttons too small for a finger");
    }

    /// A picture of the window, into `target/screenshots/`.
    pub async fn screenshot(&self, name: &str) {
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), self.client.screenshot().await.unwrap()).unwrap();
    }

    /// What was written to the page's console as errors since the last time. Chromium counts in what could not be
    /// loaded; Firefox has only what scripts wrote and threw.
    pub async fn complaints(&self) -> Vec<String> {
        match &self.bidi {
            Some(bidi) => bidi.errors(),
            None => chromium::errors(&self.client).await,
        }
    }

    /// Has the browser throw away what nobody needs.
    pub async fn collect_garbage(&self) {
        match &self.bidi {
            Some(_) => firefox::collect_garbage(&self.client).await,
            None => drop(chromium::devtools(&self.client, "HeapProfiler.collectGarbage", json!({})).await),
        }
    }

    /// A command of the `DevTools` protocol, and what it gives. Only Chromium speaks it.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        chromium::devtools(&self.client, command, parameters).await
    }

    /// Ends the browser at once, as when a machine loses its power: neither it nor its page has time for anything.
    pub async fn kill9(self) {
        process::kill9_tree(self.process());
    }

    /// The first process of the browser.
    fn process(&self) -> u32 {
        let capabilities = self.client.capabilities().expect("what the driver said of the browser");
        match &self.bidi {
            Some(_) => firefox::process(capabilities),
            None => chromium::process(capabilities),
        }
    }

    /// Whether it is Chromium's, which can be asked more.
    pub fn is_chromium(&self) -> bool {
        self.bidi.is_none()
    }

    /// How many bytes of memory the processes that run pages of this browser have for themselves, as the system counts:
    /// what is not a file's (`Anonymous` in `smaps_rollup`).
    pub fn anonymous_memory(&self) -> u64 {
        // Chromium's and Firefox's own words for such a process. Chromium writes its words anew, with spaces between them.
        let runs_pages = |it: &process::Process| {
            let words = it.command.join(" ");
            words.contains("--type=renderer")
                || words.contains("-contentproc") && words.trim_end().ends_with(" tab")
        };
        process::tree(self.process())
            .iter()
            .filter(|it| runs_pages(it))
            .map(process::Process::anonymous_memory)
            .sum()
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
}
