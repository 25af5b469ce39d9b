//! The page, as far as the app needs it.

use gloo_events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ClipboardEvent, DataTransfer, Document, DocumentFragment, DragEvent, File, FileList, HtmlButtonElement,
    HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlMediaElement, HtmlOptionElement, HtmlSelectElement,
    HtmlTemplateElement, HtmlTextAreaElement, KeyboardEvent, MediaStream, Storage, Url, Window,
};

/// A few frames.
const FOCUS_MILLIS: u32 = 60;

/// An element of the page. What it is asked to do and cannot, because it is of another kind, it does not do.
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
        let template = document()?.get_element_by_id(id)?.dyn_into::<HtmlTemplateElement>().ok()?;
        let copy = template.content().clone_node_with_deep(true).ok()?.dyn_into::<DocumentFragment>().ok()?;
        copy.first_element_child().map(Self)
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
        let _ = if visible { self.0.remove_attribute("hidden") } else { self.0.set_attribute("hidden", "") };
    }

    /// Allows or forbids pressing it.
    pub fn enable(&self, enabled: bool) {
        if let Some(button) = self.0.dyn_ref::<HtmlButtonElement>() {
            button.set_disabled(!enabled);
        }
    }

    /// Opens a dialog, over everything else.
    pub fn open_dialog(&self) {
        if let Some(dialog) = self.0.dyn_ref::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
            let _ = dialog.show_modal();
        }
    }

    /// Moves the keyboard here.
    pub fn focus(&self) {
        if let Some(element) = self.0.dyn_ref::<HtmlElement>() {
            let _ = element.focus();
        }
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

    /// What is written or chosen in it.
    #[must_use]
    pub fn value(&self) -> String {
        if let Some(input) = self.0.dyn_ref::<HtmlInputElement>() {
            input.value()
        } else if let Some(select) = self.0.dyn_ref::<HtmlSelectElement>() {
            select.value()
        } else if let Some(text) = self.0.dyn_ref::<HtmlTextAreaElement>() {
            text.value()
        } else {
            String::new()
        }
    }

    /// Writes into it.
    pub fn set_value(&self, value: &str) {
        if let Some(input) = self.0.dyn_ref::<HtmlInputElement>() {
            input.set_value(value);
        } else if let Some(select) = self.0.dyn_ref::<HtmlSelectElement>() {
            select.set_value(value);
        } else if let Some(text) = self.0.dyn_ref::<HtmlTextAreaElement>() {
            text.set_value(value);
        }
    }

    /// Marks all of its text, ready to be copied by hand.
    pub fn select_text(&self) {
        if let Some(input) = self.0.dyn_ref::<HtmlInputElement>() {
            input.select();
        }
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
        if let Some(element) = self.0.dyn_ref::<HtmlElement>() {
            element.click();
        }
    }

    /// The files that were chosen in a file field, which then is empty again.
    #[must_use]
    pub fn take_files(&self) -> Vec<File> {
        let Some(input) = self.0.dyn_ref::<HtmlInputElement>() else { return Vec::new() };
        let files = input.files().map(|files| listed(&files)).unwrap_or_default();
        input.set_value("");
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
        if let Some(media) = self.0.dyn_ref::<HtmlMediaElement>()
            && media.src_object().as_ref() != stream
        {
            media.set_src_object(stream);
        }
    }

    /// Plays what it shows; `false` if the browser wants a gesture of the person first.
    pub async fn play(&self) -> bool {
        let Some(Ok(playing)) = self.0.dyn_ref::<HtmlMediaElement>().map(HtmlMediaElement::play) else {
            return true;
        };
        match JsFuture::from(playing).await {
            Ok(_) => true,
            // Other failures (a stream replaced meanwhile) are no refusal.
            Err(error) => {
                error.dyn_ref::<web_sys::DomException>().is_none_or(|it| it.name() != "NotAllowedError")
            }
        }
    }

    /// Calls `then` on every event `name`, until the listener is dropped.
    pub fn on(&self, name: &'static str, then: impl Fn() + 'static) -> EventListener {
        EventListener::new(&self.0, name, move |_| then())
    }

    /// The same for a form: what the browser would do by itself is not done.
    pub fn on_submit(&self, then: impl Fn() + 'static) -> EventListener {
        let options = gloo_events::EventListenerOptions::enable_prevent_default();
        EventListener::new_with_options(&self.0, "submit", options, move |event| {
            event.prevent_default();
            then();
        })
    }
}

impl Element {
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
        let options = gloo_events::EventListenerOptions::enable_prevent_default();
        EventListener::new_with_options(&self.0, "keydown", options, move |event| {
            if let Some(event) = event.dyn_ref::<KeyboardEvent>().filter(|event| event.key() == key) {
                then(event);
            }
        })
    }
}

/// Calls `then` with the files that a person drops on `target`, or pastes anywhere, until the listeners are dropped. While
/// files are held over it, it has `data-drop`.
#[must_use]
pub fn on_files(target: &Element, then: impl Fn(Vec<File>) + Clone + 'static) -> Vec<EventListener> {
    let options = gloo_events::EventListenerOptions::enable_prevent_default();
    let listen = |name: &'static str, deal: Box<dyn Fn(&DragEvent)>| {
        EventListener::new_with_options(&target.0, name, options, move |event| {
            if let Some(event) = event.dyn_ref::<DragEvent>().filter(|event| has_files(event.data_transfer()))
            {
                deal(event);
            }
        })
    };
    let (over, out, end) = (target.clone(), target.clone(), target.clone());
    let dropped = then.clone();
    let mut listeners = vec![
        listen(
            "dragover",
            Box::new(move |event| {
                event.prevent_default();
                over.set("data-drop", "");
            }),
        ),
        listen(
            "dragleave",
            Box::new(move |event| {
                // Leaving a part of it is not leaving it.
                if event.related_target().is_none() {
                    out.unset("data-drop");
                }
            }),
        ),
        listen(
            "drop",
            Box::new(move |event| {
                event.prevent_default();
                end.unset("data-drop");
                dropped(
                    event.data_transfer().and_then(|it| it.files()).map(|it| listed(&it)).unwrap_or_default(),
                );
            }),
        ),
    ];
    listeners.extend(document().map(|document| {
        EventListener::new(document.as_ref(), "paste", move |event| {
            let pasted = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
            let files = pasted.and_then(|it| it.files()).map(|it| listed(&it)).unwrap_or_default();
            if !files.is_empty() {
                then(files);
            }
        })
    }));
    listeners
}

fn has_files(transfer: Option<DataTransfer>) -> bool {
    transfer.is_some_and(|it| it.types().includes(&JsValue::from_str("Files"), 0))
}

fn listed(files: &FileList) -> Vec<File> {
    (0..files.length()).filter_map(|at| files.get(at)).collect()
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
    let options = gloo_events::EventListenerOptions::enable_prevent_default();
    Some(EventListener::new_with_options(document()?.as_ref(), "keydown", options, move |event| {
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

/// The address of the page.
#[must_use]
pub fn address() -> String {
    window().and_then(|it| it.location().href().ok()).unwrap_or_default()
}

/// Whether the person has just reloaded the page, rather than come to it.
#[must_use]
pub fn is_reload() -> bool {
    let entries = window().and_then(|it| it.performance()).map(|it| {
        js_sys::Reflect::get(&it, &JsValue::from_str("getEntriesByType"))
            .ok()
            .and_then(|function| function.dyn_into::<js_sys::Function>().ok())
            .and_then(|function| function.call1(&it, &JsValue::from_str("navigation")).ok())
    });
    let entry = entries.flatten().and_then(|list| js_sys::Reflect::get_u32(&list, 0).ok());
    let kind = entry.and_then(|entry| js_sys::Reflect::get(&entry, &JsValue::from_str("type")).ok());
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
