//! The page, as far as the app needs it.

use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ClipboardEvent, Document, DragEvent, Event, EventTarget, File, FileList, HtmlDialogElement, HtmlElement,
    HtmlInputElement, HtmlMediaElement, HtmlOptionElement, HtmlTemplateElement, KeyboardEvent, MediaStream,
    Storage, Url, Window,
};

/// A few frames.
const FOCUS_MILLIS: u32 = 60;

/// An element of the page. What only some kinds of elements can do is asked of those only: of which kind each is stands in
/// `index.html`, and is not looked up again.
#[derive(Clone)]
pub struct Element(web_sys::Element);

impl Element {
    /// The element with this id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        document()?.get_element_by_id(id).map(Self)
    }

    /// The page's body.
    #[must_use]
    pub fn body() -> Option<Self> {
        Some(Self(document()?.body()?.into()))
    }

    /// A copy of what is in the `<template>` with this id.
    #[must_use]
    pub fn from_template(id: &str) -> Option<Self> {
        let template = document()?.get_element_by_id(id)?.unchecked_into::<HtmlTemplateElement>();
        let copy = template.content().first_element_child()?.clone_node_with_deep(true).ok()?;
        Some(Self(copy.unchecked_into()))
    }

    /// The first element inside that fits the CSS selector.
    #[must_use]
    pub fn find(&self, selector: &str) -> Option<Self> {
        self.0.query_selector(selector).ok().flatten().map(Self)
    }

    /// Shows `text` and nothing else. Never markup: names come from strangers.
    pub fn set_text(&self, text: &str) {
        // Setting the same text again would make a screen reader say it again.
        if self.0.text_content().as_deref() != Some(text) {
            self.0.set_text_content(Some(text));
        }
    }

    /// Shows `text` in the first element inside that fits the CSS selector.
    pub fn set_text_in(&self, selector: &str, text: &str) {
        if let Some(element) = self.find(selector) {
            element.set_text(text);
        }
    }

    /// Sets an attribute.
    pub fn set(&self, attribute: &str, value: &str) {
        let _ = self.0.set_attribute(attribute, value);
    }

    /// Takes an attribute away.
    pub fn unset(&self, attribute: &str) {
        let _ = self.0.remove_attribute(attribute);
    }

    /// Shows or hides it.
    pub fn show(&self, visible: bool) {
        self.mark("hidden", !visible);
    }

    /// Allows or forbids pressing it.
    pub fn enable(&self, enabled: bool) {
        self.mark("disabled", !enabled);
    }

    /// Gives it an attribute that says all by being there, or takes it away.
    pub fn mark(&self, attribute: &str, marked: bool) {
        let _ = if marked { self.0.set_attribute(attribute, "") } else { self.0.remove_attribute(attribute) };
    }

    /// Opens a dialog, over everything else.
    pub fn open_dialog(&self) {
        let dialog = self.0.unchecked_ref::<HtmlDialogElement>();
        if !dialog.open() {
            let _ = dialog.show_modal();
        }
    }

    /// Moves the keyboard here.
    pub fn focus(&self) {
        let _ = self.0.unchecked_ref::<HtmlElement>().focus();
    }

    /// Moves the keyboard here when the browser has drawn the page: to do it at once would make it lay the page out in
    /// the middle of something else.
    pub fn focus_soon(&self) {
        let element = self.clone();
        super::spawn(async move {
            gloo_timers::future::TimeoutFuture::new(FOCUS_MILLIS).await;
            element.focus();
        });
    }

    /// It, as something to write into or to choose from: `<select>` and `<textarea>` have all that is used here, too.
    fn input(&self) -> &HtmlInputElement {
        self.0.unchecked_ref()
    }

    /// What is written or chosen in it.
    #[must_use]
    pub fn value(&self) -> String {
        self.input().value()
    }

    /// Writes into it.
    pub fn set_value(&self, value: &str) {
        self.input().set_value(value);
    }

    /// Marks all of its text, ready to be copied by hand.
    pub fn select_text(&self) {
        self.input().select();
    }

    /// Replaces the choices of a `<select>` by these values and their labels.
    pub fn set_choices(&self, choices: &[(String, String)]) {
        self.0.set_text_content(None);
        for (value, label) in choices {
            if let Ok(option) = HtmlOptionElement::new_with_text_and_value(label, value) {
                let _ = self.0.append_child(&option);
            }
        }
    }

    /// Puts text behind what it shows.
    pub fn append_text(&self, text: &str) {
        if let Some(document) = document() {
            let _ = self.0.append_child(&document.create_text_node(text));
        }
    }

    /// Puts a link to `address` behind what it shows. The page there learns nothing of this one.
    pub fn append_link(&self, address: &str) {
        let link = document().and_then(|document| document.create_element("a").ok());
        if let Some(link) = link.map(Self) {
            link.set("href", address);
            link.set("target", "_blank");
            link.set("rel", "noopener noreferrer");
            link.set_text(address);
            self.append(&link);
        }
    }

    /// Whether it is shown, as [`show`](Self::show) says.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        !self.0.has_attribute("hidden")
    }

    /// Shows its last lines.
    pub fn scroll_to_end(&self) {
        self.0.set_scroll_top(self.0.scroll_height());
    }

    /// Presses it.
    pub fn click(&self) {
        self.0.unchecked_ref::<HtmlElement>().click();
    }

    /// The files that were chosen in a file field, which then is empty again.
    #[must_use]
    pub fn take_files(&self) -> Vec<File> {
        let files = listed(self.input().files());
        self.set_value("");
        files
    }

    /// Puts `child` inside, at the end.
    pub fn append(&self, child: &Self) {
        let _ = self.0.append_child(&child.0);
    }

    /// Takes it out of the page.
    pub fn remove(&self) {
        self.0.remove();
    }

    /// Shows a stream, or nothing.
    pub fn set_stream(&self, stream: Option<&MediaStream>) {
        let media = self.0.unchecked_ref::<HtmlMediaElement>();
        if media.src_object().as_ref() != stream {
            media.set_src_object(stream);
        }
    }

    /// Plays what it shows; `false` if the browser wants a gesture of the person first.
    pub async fn play(&self) -> bool {
        let Ok(playing) = self.0.unchecked_ref::<HtmlMediaElement>().play() else { return true };
        match JsFuture::from(playing).await {
            Ok(_) => true,
            // Other failures (a stream replaced meanwhile) are no refusal.
            Err(error) => {
                error.dyn_ref::<web_sys::DomException>().is_none_or(|it| it.name() != "NotAllowedError")
            }
        }
    }

    /// Calls `then` on every event `name`, until the listener is dropped. When a form is to be submitted, what the browser
    /// would do by itself is not done.
    pub fn on(&self, name: &'static str, then: impl Fn() + 'static) -> EventListener {
        let submits = name == "submit";
        listen(&self.0, name, move |event| {
            if submits {
                event.prevent_default();
            }
            then();
        })
    }

    /// Calls `then` when Enter is pressed in it, without Shift and not to choose a word of an input method.
    pub fn on_enter(&self, then: impl Fn() + 'static) -> EventListener {
        self.on_key("Enter", move |event| {
            let sends = !event.shift_key() && !event.is_composing();
            if sends {
                event.prevent_default();
                then();
            }
        })
    }

    /// Calls `then` when Escape is pressed in it.
    pub fn on_escape(&self, then: impl Fn() + 'static) -> EventListener {
        self.on_key("Escape", move |_| then())
    }

    fn on_key(&self, key: &'static str, then: impl Fn(&KeyboardEvent) + 'static) -> EventListener {
        listen(&self.0, "keydown", move |event| {
            if let Some(event) = event.dyn_ref::<KeyboardEvent>().filter(|event| event.key() == key) {
                then(event);
            }
        })
    }
}

/// Calls `then` on every event `name`, until the listener is dropped. It may prevent what the browser would do by itself.
fn listen(target: &EventTarget, name: &'static str, then: impl Fn(&Event) + 'static) -> EventListener {
    listen_boxed(target, name, Box::new(then))
}

/// Not generic, so that it is compiled once.
fn listen_boxed(target: &EventTarget, name: &'static str, then: Box<dyn Fn(&Event)>) -> EventListener {
    EventListener::new_with_options(target, name, EventListenerOptions::enable_prevent_default(), then)
}

/// Calls `then` with the files that a person drops on `target`, or pastes anywhere, until the listeners are dropped. While
/// files are held over it, it has `data-drop`.
#[must_use]
pub fn on_files(target: &Element, then: impl Fn(Vec<File>) + 'static) -> Vec<EventListener> {
    let then: Rc<dyn Fn(Vec<File>)> = Rc::new(then);
    let listeners = ["dragover", "dragleave", "drop"].map(|name| {
        let (element, then) = (target.clone(), Rc::clone(&then));
        listen(&target.0, name, move |event| {
            let event = event.unchecked_ref::<DragEvent>();
            let Some(transfer) = event.data_transfer() else { return };
            if !transfer.types().includes(&JsValue::from_str("Files"), 0) {
                return;
            }
            if name == "dragleave" {
                // Leaving a part of it is not leaving it.
                if event.related_target().is_none() {
                    element.unset("data-drop");
                }
                return;
            }
            event.prevent_default();
            element.mark("data-drop", name == "dragover");
            if name == "drop" {
                then(listed(transfer.files()));
            }
        })
    });
    let mut listeners = Vec::from(listeners);
    listeners.extend(document().map(|document| {
        listen(&document, "paste", move |event| {
            let pasted = event.unchecked_ref::<ClipboardEvent>().clipboard_data();
            let files = listed(pasted.and_then(|it| it.files()));
            if !files.is_empty() {
                then(files);
            }
        })
    }));
    listeners
}

fn listed(files: Option<FileList>) -> Vec<File> {
    let mut listed = Vec::new();
    if let Some(files) = files {
        listed.extend((0..files.length()).filter_map(|at| files.get(at)));
    }
    listed
}

/// An address under which the browser gives a file. Dropping it takes it back.
pub struct ObjectUrl(String);

impl ObjectUrl {
    /// The address of a file.
    #[must_use]
    pub fn of(file: &File) -> Option<Self> {
        Url::create_object_url_with_blob(file).ok().map(Self)
    }

    /// It as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// The time of day, as it is written here.
#[must_use]
pub fn time_of_day() -> String {
    let options = js_sys::Object::new();
    for name in ["hour", "minute"] {
        let _ = js_sys::Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str("2-digit"));
    }
    js_sys::Date::new_0().to_locale_time_string_with_options("default", &options).into()
}

/// Calls `then` with each key that is pressed by itself and not into a field, until the listener is dropped.
#[must_use]
pub fn on_key(then: impl Fn(&str) -> bool + 'static) -> Option<EventListener> {
    Some(listen(document()?.as_ref(), "keydown", move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        let modified = event.ctrl_key() || event.alt_key() || event.meta_key() || event.repeat();
        let target = event.target().and_then(|it| it.dyn_into::<web_sys::Element>().ok());
        let typing =
            target.is_some_and(|it| matches!(it.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"));
        if !modified && !typing && then(&event.key()) {
            // It would be written into a field that has the focus by then.
            event.prevent_default();
        }
    }))
}

/// Calls `then` when the part of the address behind `#` changes, until the listener is dropped.
#[must_use]
pub fn on_fragment(then: impl Fn() + 'static) -> Option<EventListener> {
    super::on_window("hashchange", then)
}

/// Calls `then` when the page goes: closed, reloaded, or kept aside in case the person comes back.
#[must_use]
pub fn on_page_hidden(then: impl Fn() + 'static) -> Option<EventListener> {
    super::on_window("pagehide", then)
}

/// Calls `then` when the page comes: loaded, or taken out again after it was kept aside.
#[must_use]
pub fn on_page_shown(then: impl Fn() + 'static) -> Option<EventListener> {
    super::on_window("pageshow", then)
}

/// The part of the address behind `#`, decoded.
#[must_use]
pub fn fragment() -> String {
    let hash = window().and_then(|it| it.location().hash().ok()).unwrap_or_default();
    let encoded = hash.strip_prefix('#').unwrap_or(&hash);
    js_sys::decode_uri_component(encoded).map_or_else(|_| encoded.to_owned(), String::from)
}

/// Sets the part of the address behind `#`.
pub fn set_fragment(text: &str) {
    if let Some(window) = window() {
        let _ = window.location().set_hash(&String::from(js_sys::encode_uri_component(text)));
    }
}

/// The same, in the place of what was there before: nothing leads back to that.
pub fn replace_fragment(text: &str) {
    if let Some(window) = window() {
        let _ = window.location().replace(&["#", &String::from(js_sys::encode_uri_component(text))].concat());
    }
}

/// The address of the page.
#[must_use]
pub fn address() -> String {
    window().and_then(|it| it.location().href().ok()).unwrap_or_default()
}

/// Whether the person has just reloaded the page, rather than come to it.
#[must_use]
pub fn is_reload() -> bool {
    let entries = window().and_then(|it| it.performance()).map(|it| it.get_entries_by_type("navigation"));
    let kind = entries.and_then(|it| js_sys::Reflect::get(&it.get(0), &JsValue::from_str("type")).ok());
    kind.and_then(|kind| kind.as_string()).as_deref() == Some("reload")
}

/// Sets the title of the page.
pub fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// Puts `text` on the clipboard; `false` if the browser would not.
pub async fn copy(text: &str) -> bool {
    let Some(window) = window() else { return false };
    let navigator = window.navigator();
    // Absent on insecure origins.
    let there =
        js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard")).is_ok_and(|it| it.is_object());
    there && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// What was remembered under `key`, in this tab or in this browser.
#[must_use]
pub fn recall(memory: Memory, key: &str) -> Option<String> {
    memory.storage()?.get_item(key).ok().flatten()
}

/// Remembers `value` under `key`; a browser that remembers nothing is no mistake.
pub fn remember(memory: Memory, key: &str, value: &str) {
    if let Some(storage) = memory.storage() {
        let _ = storage.set_item(key, value);
    }
}

/// How long to remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// While the tab exists, reloads included.
    Tab,
    /// From visit to visit.
    Browser,
}

impl Memory {
    fn storage(self) -> Option<Storage> {
        let window = window()?;
        match self {
            Self::Tab => window.session_storage().ok().flatten(),
            Self::Browser => window.local_storage().ok().flatten(),
        }
    }
}

/// A name for a room that nobody will guess, easy to read out.
#[must_use]
pub fn unguessable_room() -> String {
    let token = super::random_token::<12>();
    let (first, rest) = token.split_at_checked(4).unwrap_or((&token, ""));
    let (second, third) = rest.split_at_checked(4).unwrap_or((rest, ""));
    [first, second, third].join("-")
}

fn window() -> Option<Window> {
    web_sys::window()
}

fn document() -> Option<Document> {
    window()?.document()
}
