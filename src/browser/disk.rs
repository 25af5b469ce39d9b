//! Files that the page keeps for itself (WHATWG File System, "origin private file system"), and those that a person chose
//! to save to.

use js_sys::{Array, AsyncIterator, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemRemoveOptions, FileSystemWritableFileStream,
};

use super::bytes::done;
use super::words;

/// A folder of the page's own.
#[derive(Clone)]
pub(crate) struct Folder(FileSystemDirectoryHandle);

impl Folder {
    /// The page's own folder; with `path`, one inside it, which is made if it is not there.
    ///
    /// # Errors
    /// The browser's words: it has no such files, or not in private windows.
    pub(crate) async fn open(path: &str) -> Result<Self, String> {
        let storage =
            web_sys::window().map(|window| window.navigator().storage()).filter(|it| it.is_object());
        let storage = storage.ok_or("the browser keeps no files for pages")?;
        if !has(&storage, "getDirectory") {
            return Err("the browser keeps no files for pages".to_owned());
        }
        let root = done(storage.get_directory()).await?;
        Self(root.unchecked_into()).folder(path).await
    }

    /// A folder in this one, which is made if it is not there.
    ///
    /// # Errors
    /// The browser's words.
    pub(crate) async fn folder(&self, name: &str) -> Result<Self, String> {
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = done(self.0.get_directory_handle_with_options(name, &options)).await?;
        Ok(Self(folder.unchecked_into()))
    }

    /// The names of what is in it.
    ///
    /// # Errors
    /// The browser's words.
    pub(crate) async fn names(&self) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        let keys: AsyncIterator = self.0.keys();
        loop {
            let next = keys.next().map_err(|error| words(&error))?;
            let next = done(next).await?;
            let value = Reflect::get(&next, &JsValue::from_str("value")).ok().and_then(|it| it.as_string());
            match value {
                Some(name) => names.push(name),
                None => return Ok(names),
            }
        }
    }

    /// The content of a file in it; `None` if there is none.
    pub(crate) async fn file(&self, name: &str) -> Option<File> {
        let handle = done(self.0.get_file_handle(name)).await.ok()?;
        let file = done(handle.unchecked_into::<FileSystemFileHandle>().get_file()).await.ok()?;
        file.dyn_into().ok()
    }

    /// Opens a file in it to write, with what was in it before. Nothing is on the disk for good until
    /// [`Writable::close`].
    ///
    /// # Errors
    /// The browser's words.
    pub(crate) async fn write(&self, name: &str) -> Result<Writable, String> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = done(self.0.get_file_handle_with_options(name, &options)).await?;
        Writable::open(&handle.unchecked_into(), true).await
    }

    /// Removes a file or folder in it, with all that is in that.
    pub(crate) async fn remove(&self, name: &str) {
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        // What is not there, or in use by another tab, stays as it is.
        let _ = done(self.0.remove_entry_with_options(name, &options)).await;
    }
}

/// A file that is being written. What was not closed is not there.
pub(crate) struct Writable(FileSystemWritableFileStream);

impl Writable {
    /// Opens a file that a person chose, or one of the page's own.
    ///
    /// # Errors
    /// The browser's words: it may not be written, most likely.
    pub(crate) async fn open(handle: &FileSystemFileHandle, keep: bool) -> Result<Self, String> {
        if !has(handle, "createWritable") {
            return Err("the browser cannot write files from a page".to_owned());
        }
        let options = web_sys::FileSystemCreateWritableOptions::new();
        options.set_keep_existing_data(keep);
        let stream = done(handle.create_writable_with_options(&options)).await?;
        Ok(Self(stream.unchecked_into()))
    }

    /// Writes bytes at `position`.
    ///
    /// # Errors
    /// The browser's words: the disk is full, most likely.
    pub(crate) async fn write_at(&self, position: u64, bytes: &Uint8Array) -> Result<(), String> {
        let command = Object::new();
        for (name, value) in
            [("type", "write".into()), ("position", (position as f64).into()), ("data", bytes.into())]
        {
            let _ = Reflect::set(&command, &JsValue::from_str(name), &value);
        }
        let write = self.0.write_with_write_params(command.unchecked_ref()).map_err(|error| words(&error))?;
        done(write).await.map(drop)
    }

    /// Writes all of a blob where the last write ended.
    ///
    /// # Errors
    /// The browser's words.
    pub(crate) async fn append(&self, blob: &Blob) -> Result<(), String> {
        let write = self.0.write_with_blob(blob).map_err(|error| words(&error))?;
        done(write).await.map(drop)
    }

    /// What was written is there from now on.
    ///
    /// # Errors
    /// The browser's words.
    pub(crate) async fn close(&self) -> Result<(), String> {
        done(self.0.close()).await.map(drop)
    }

    /// What was written is thrown away.
    pub(crate) async fn abort(&self) {
        let _ = done(self.0.abort()).await;
    }
}

/// Lets a person choose where to save a file. `Ok(None)` where the browser has no such dialog.
///
/// # Errors
/// The person closed the dialog.
pub(crate) async fn choose_place(name: &str) -> Result<Option<FileSystemFileHandle>, ()> {
    let Some(window) = web_sys::window() else { return Ok(None) };
    let picker = Reflect::get(&window, &JsValue::from_str("showSaveFilePicker")).unwrap_or_default();
    let Ok(picker) = picker.dyn_into::<Function>() else { return Ok(None) };
    let options = Object::new();
    let _ = Reflect::set(&options, &JsValue::from_str("suggestedName"), &JsValue::from_str(name));
    let Ok(promise) = picker.call1(&window, &options) else { return Ok(None) };
    match wasm_bindgen_futures::JsFuture::from(promise.unchecked_into::<js_sys::Promise>()).await {
        Ok(handle) => Ok(handle.dyn_into().ok()),
        Err(error) => {
            let exception = error.dyn_ref::<web_sys::DomException>().map(web_sys::DomException::name);
            // Anything else means that there can be no dialog here: in a frame of another site, for example.
            if exception.as_deref() == Some("AbortError") { Err(()) } else { Ok(None) }
        }
    }
}

/// How many bytes the page may still keep; `None` where the browser does not say.
pub(crate) async fn room() -> Option<u64> {
    let storage = web_sys::window().map(|window| window.navigator().storage()).filter(|it| it.is_object())?;
    let estimate = done(storage.estimate().ok()?).await.ok()?;
    let number = |name: &str| Reflect::get(&estimate, &JsValue::from_str(name)).ok()?.as_f64();
    Some((number("quota")? - number("usage")?).max(0.0) as u64)
}

/// A file made of others, which are not copied for it.
pub(crate) fn joined(parts: &Array, name: &str, kind: &str) -> Result<File, String> {
    let options = web_sys::FilePropertyBag::new();
    options.set_type(kind);
    File::new_with_blob_sequence_and_options(parts, name, &options).map_err(|error| words(&error))
}

fn has(target: &JsValue, name: &str) -> bool {
    Reflect::has(target, &JsValue::from_str(name)).unwrap_or(false)
}
