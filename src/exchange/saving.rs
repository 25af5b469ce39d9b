//! Where a file goes while it arrives, and when it has.
//!
//! Where the browser keeps files for pages, chunks go there, in *segments* of sixteen: a segment begins with the hashes of
//! its chunks (zeros for those it lacks), then come the chunks, each at its place. A segment that was closed survives the
//! page, so that a file can go on after it was loaded anew. At the end the file is made of the segments without copying
//! them, and copied only to where a person chose to have it. Where the browser keeps no files, chunks stay in its memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use duologue_engine::Table;
use duologue_engine::transfer::{CHUNK, FileInfo, Hash};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;

use super::transfer::Saved;
use crate::browser::{self, Blob, FileSystemFileHandle, Folder, Lock, Writable};

/// The most bytes of a file that is received in a browser that keeps no files for pages (256 MiB).
pub const MOST_IN_MEMORY: u64 = 256 * 1024 * 1024;

/// Where a person wants a file.
#[derive(Debug, Clone, Default)]
pub enum Destination {
    /// With the page, which gives it to them in the end: [`Saved::file`].
    #[default]
    Page,
    /// In the file they chose (`showSaveFilePicker`).
    Chosen(FileSystemFileHandle),
}

impl Destination {
    /// Lets the person choose a file to save to, where the browser has a dialog for it; elsewhere it is
    /// [`Page`](Self::Page). To be called while a click is dealt with. `None` if they closed the dialog.
    pub async fn choose(name: &str) -> Option<Self> {
        browser::choose_place(name).await.ok().map(|place| place.map_or(Self::Page, Self::Chosen))
    }
}

/// What is there of a file from an earlier try.
pub(crate) type Held = Vec<(u32, Hash)>;

/// The folder that everything is kept in.
const FOLDER: &str = "duologue-files";
/// The name of the file that says that a file is whole.
const WHOLE: &str = "whole";
/// What was not finished is kept for a week.
const KEPT_MILLIS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Chunks in a segment, and the bytes before them.
const CHUNKS: u32 = 16;
const HEAD: u64 = 32 * CHUNKS as u64;

/// Takes the chunks of one file.
pub(crate) enum Sink {
    /// To the page's own files, and from there to the chosen one.
    Disk(Rc<Stash>, Option<FileSystemFileHandle>),
    /// To the chosen file at once: the page may not keep as much.
    Chosen(Writable),
    /// To the browser's memory.
    Memory(RefCell<Table<Uint8Array>>),
}

impl Sink {
    /// Gets ready to save `file`, and says what is there of it.
    pub(crate) async fn open(file: &FileInfo, destination: Destination) -> Result<(Self, Held), String> {
        let chosen = match destination {
            Destination::Page => None,
            Destination::Chosen(handle) => Some(handle),
        };
        let fits = browser::disk_room().await.is_none_or(|room| room > file.size + file.size / 8);
        let no_room = || "there is no room for a file of that size".to_owned();
        match Stash::open(file).await {
            Ok((stash, held)) if fits || !held.is_empty() => Ok((Self::Disk(Rc::new(stash), chosen), held)),
            stash => match chosen {
                Some(handle) => Ok((Self::Chosen(Writable::open(&handle, false).await?), Vec::new())),
                None if stash.is_ok() => Err(no_room()),
                None if file.size > MOST_IN_MEMORY => {
                    Err("this browser can hold no more than 256 MB; use another one for larger files"
                        .to_owned())
                }
                None => Ok((Self::Memory(RefCell::default()), Vec::new())),
            },
        }
    }

    /// Whether the bytes of a chunk that was written are still needed.
    pub(crate) fn keeps_bytes(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    /// Writes a chunk.
    pub(crate) async fn write(&self, chunk: u32, hash: Hash, bytes: &Uint8Array) -> Result<(), String> {
        match self {
            Self::Disk(stash, _) => stash.write(chunk, hash, bytes).await,
            Self::Chosen(file) => file.write_at(u64::from(chunk) * u64::from(CHUNK), bytes).await,
            Self::Memory(chunks) => {
                chunks.borrow_mut().insert(chunk, bytes.clone());
                Ok(())
            }
        }
    }

    /// Everything is written: makes the file of it.
    pub(crate) async fn finish(&self, file: &FileInfo) -> Result<Saved, String> {
        match self {
            Self::Disk(stash, chosen) => {
                let parts = stash.finish().await?;
                if let Some(handle) = chosen {
                    let to = Writable::open(handle, false).await?;
                    for part in parts.iter() {
                        to.append(&Blob::from(part)).await?;
                    }
                    to.close().await?;
                    return Ok(Saved { file: None, _disk: None });
                }
                let file = browser::joined(&parts, &file.name, &file.kind)?;
                let disk: Rc<dyn Any> = Rc::<Stash>::clone(stash);
                Ok(Saved { file: Some(file), _disk: Some(disk) })
            }
            Self::Chosen(to) => {
                to.close().await?;
                Ok(Saved { file: None, _disk: None })
            }
            Self::Memory(chunks) => {
                let parts: Array = chunks.take().into_values().map(JsValue::from).collect();
                let file = browser::joined(&parts, &file.name, &file.kind)?;
                Ok(Saved { file: Some(file), _disk: None })
            }
        }
    }

    /// The file will not be whole this time. What there is may be kept for another.
    pub(crate) async fn abandon(&self, keep: bool) {
        match self {
            Self::Disk(stash, _) => {
                if keep {
                    stash.close_all().await;
                    stash.keep.set(true);
                }
            }
            Self::Chosen(file) => file.abort().await,
            Self::Memory(_) => {}
        }
    }
}

/// The page's own files that hold a file. Dropping it removes them, unless they are to be kept.
pub(crate) struct Stash {
    all: Folder,
    folder: Folder,
    name: String,
    size: u64,
    segments: RefCell<Table<Rc<Segment>>>,
    keep: Cell<bool>,
    /// Held while this page uses the folder, so that no other tab takes or removes it.
    _lock: Option<Lock>,
}

/// A part of a file that chunks are written to.
struct Segment {
    hashes: RefCell<Vec<u8>>,
    /// One writes at a time: the file is opened by the first.
    file: futures_util::lock::Mutex<Option<Writable>>,
}

impl Stash {
    async fn open(file: &FileInfo) -> Result<(Self, Held), String> {
        let all = Folder::open(FOLDER).await?;
        sweep(&all).await;
        let identity = format!("{}\0{}\0{}", file.name, file.size, file.modified);
        let identity = browser::sha256(&Uint8Array::from(identity.as_bytes())).await?;
        let mut name: String = identity.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let lock = match Lock::take(&lock_name(&name)).await {
            Some(lock) => lock,
            None => {
                // The same file is being received already. This one does not share its chunks.
                name.push('-');
                name.push_str(&browser::random_token::<8>());
                Lock::take(&lock_name(&name)).await.flatten()
            }
        };
        let folder = all.folder(&name).await?;
        folder.remove(WHOLE).await;
        let stash = Self {
            all,
            folder,
            name,
            size: file.size,
            segments: RefCell::default(),
            keep: Cell::new(false),
            _lock: lock,
        };
        let held = stash.held().await?;
        Ok((stash, held))
    }

    /// How many bytes of the file are in a segment.
    fn length(&self, segment: u32) -> u64 {
        let most = u64::from(CHUNK) * u64::from(CHUNKS);
        self.size.saturating_sub(u64::from(segment) * most).min(most)
    }

    /// What is there.
    async fn held(&self) -> Result<Held, String> {
        let mut held = Vec::new();
        for name in self.folder.names().await? {
            let Ok(number) = name.parse::<u32>() else { continue };
            let Some(file) = self.folder.file(&name).await else { continue };
            let written = (file.size() as u64).saturating_sub(HEAD);
            let Ok(head) = browser::read(&file, 0, HEAD as u32, None).await else { continue };
            let head = head.to_vec();
            let (hashes, _) = head.as_chunks::<32>();
            for (place, hash) in (0..).zip(hashes) {
                let end = (u64::from(place + 1) * u64::from(CHUNK)).min(self.length(number));
                let Some(chunk) = number.checked_mul(CHUNKS).and_then(|first| first.checked_add(place))
                else {
                    continue;
                };
                if *hash != [0; 32] && written >= end {
                    held.push((chunk, *hash));
                }
            }
            let segment = Segment { hashes: RefCell::new(head), file: futures_util::lock::Mutex::new(None) };
            self.segments.borrow_mut().insert(number, Rc::new(segment));
        }
        Ok(held)
    }

    fn segment(&self, number: u32) -> Rc<Segment> {
        let mut segments = self.segments.borrow_mut();
        if let Some(segment) = segments.get(number) {
            return Rc::clone(segment);
        }
        let hashes = RefCell::new(vec![0; HEAD as usize]);
        let segment = Rc::new(Segment { hashes, file: futures_util::lock::Mutex::new(None) });
        segments.insert(number, Rc::clone(&segment));
        segment
    }

    async fn write(&self, chunk: u32, hash: Hash, bytes: &Uint8Array) -> Result<(), String> {
        let (number, place) = (chunk / CHUNKS, chunk % CHUNKS);
        let segment = self.segment(number);
        let mut file = segment.file.lock().await;
        if file.is_none() {
            *file = Some(self.folder.write(&number.to_string()).await?);
        }
        if let Some(file) = &*file {
            file.write_at(HEAD + u64::from(place) * u64::from(CHUNK), bytes).await?;
        }
        let whole = {
            let mut hashes = segment.hashes.borrow_mut();
            let (all, _) = hashes.as_chunks_mut::<32>();
            if let Some(there) = all.get_mut(place as usize) {
                *there = hash;
            }
            let needed = self.length(number).div_ceil(u64::from(CHUNK));
            (0..needed).zip(all).all(|(_, hash)| *hash != [0; 32])
        };
        if whole {
            segment.close(&mut file).await?;
        }
        Ok(())
    }

    async fn close_all(&self) {
        let segments: Vec<Rc<Segment>> = self.segments.borrow().values().cloned().collect();
        for segment in segments {
            // What cannot be closed is not kept: it will be sent again.
            let _ = segment.close(&mut *segment.file.lock().await).await;
        }
    }

    /// The parts that the file is made of, in their order.
    async fn finish(&self) -> Result<Array, String> {
        self.close_all().await;
        let parts = Array::new();
        let count = self.size.div_ceil(u64::from(CHUNK) * u64::from(CHUNKS));
        for number in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            let gone = || "a part of it is no longer on the disk".to_owned();
            let file = self.folder.file(&number.to_string()).await.ok_or_else(gone)?;
            let end = HEAD + self.length(number);
            if (file.size() as u64) < end {
                return Err(gone());
            }
            let part = file.slice_with_f64_and_f64(HEAD as f64, end as f64);
            let part = part.map_err(|error| browser::words(&error))?;
            parts.push(&part);
        }
        // From now on it is of no use to another try.
        if let Ok(mark) = self.folder.write(WHOLE).await {
            let _ = mark.close().await;
        }
        Ok(parts)
    }
}

impl Segment {
    async fn close(&self, file: &mut Option<Writable>) -> Result<(), String> {
        let Some(open) = file.take() else { return Ok(()) };
        let hashes = Uint8Array::from(self.hashes.borrow().as_slice());
        open.write_at(0, &hashes).await?;
        open.close().await
    }
}

impl Drop for Stash {
    fn drop(&mut self) {
        if self.keep.get() {
            return;
        }
        let (all, name, lock) = (self.all.clone(), std::mem::take(&mut self.name), self._lock.take());
        let segments = self.segments.take();
        browser::spawn(async move {
            for segment in segments.into_values() {
                if let Some(file) = segment.file.lock().await.take() {
                    file.abort().await;
                }
            }
            all.remove(&name).await;
            drop(lock);
        });
    }
}

fn lock_name(folder: &str) -> String {
    [FOLDER, "-", folder].concat()
}

/// Removes what no page uses: files that were whole when their page was closed, and old parts.
async fn sweep(all: &Folder) {
    for name in all.names().await.unwrap_or_default() {
        let Some(_lock) = Lock::take(&lock_name(&name)).await else { continue };
        let Ok(folder) = all.folder(&name).await else { continue };
        let mut newest = 0;
        let mut whole = false;
        for name in folder.names().await.unwrap_or_default() {
            whole |= name == WHOLE;
            if let Some(file) = folder.file(&name).await {
                newest = newest.max(file.last_modified() as u64);
            }
        }
        if whole || browser::wall_clock_millis().saturating_sub(newest) > KEPT_MILLIS {
            all.remove(&name).await;
        }
    }
}
