//! One's own camera and microphone: what is wanted, what there is, and the way between.
//!
//! A microphone that is off stays open and silent, so that it is back within the same word. A camera that is off is
//! given back, so that its light goes out.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use wasm_bindgen::{JsCast, JsValue};

use super::control::Sending;
use crate::browser::{self, Listener, MediaKind, MediaProblem, MediaStream, MediaStreamTrack};

/// One's own camera and microphone. Clones are the same; when the last is dropped, the devices are released.
#[derive(Clone)]
pub struct LocalMedia(Rc<Inner>);

struct Inner {
    /// The same object for as long as this lives; tracks come and go in it.
    stream: MediaStream,
    slots: RefCell<[Slot; 2]>,
    watchers: RefCell<Vec<Weak<dyn Fn()>>>,
}

struct Slot {
    /// What to ask the browser for; `None` where this kind is not offered, or its track is the application's own.
    constraints: Option<JsValue>,
    /// Whether the person wants it on.
    on: bool,
    asking: bool,
    /// Grows when another device is wanted, so that the answer to an older question is not taken.
    question: u32,
    problem: Option<MediaProblem>,
    track: Option<Track>,
}

struct Track {
    track: MediaStreamTrack,
    /// Captured by us, so ours to stop.
    ours: bool,
    _ended: Option<Listener>,
}

impl Drop for Track {
    fn drop(&mut self) {
        if self.ours {
            self.track.stop();
        }
    }
}

/// How one kind of media stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalState {
    /// Whether it is offered at all.
    pub offered: bool,
    /// Whether the person wants it on.
    pub on: bool,
    /// Whether the browser, or the person, is being asked.
    pub asking: bool,
    /// Whether there is a track, silent or not.
    pub live: bool,
    /// Why there is none.
    pub problem: Option<MediaProblem>,
}

/// Calls back as long as it is kept.
pub struct Watch(#[allow(dead_code, reason = "keeping it is its use")] Rc<dyn Fn()>);

impl LocalMedia {
    /// Camera and microphone to be asked for with these constraints (`MediaTrackConstraints`, or `true`); `None` for
    /// one that is not to be offered. Nothing is opened before [`open`](Self::open).
    ///
    /// # Errors
    /// [`MediaProblem::Unsupported`] where the browser has no media streams.
    pub fn new(audio: Option<JsValue>, video: Option<JsValue>) -> Result<Self, MediaProblem> {
        let stream = MediaStream::new().map_err(|_| MediaProblem::Unsupported)?;
        let slots = [Slot::new(audio), Slot::new(video)];
        Ok(Self::of(stream, slots))
    }

    /// The tracks of a stream that the application has made. They remain the application's to stop.
    ///
    /// # Errors
    /// [`MediaProblem::Unsupported`] where the browser has no media streams.
    pub fn from_stream(stream: &MediaStream) -> Result<Self, MediaProblem> {
        let media = Self::new(None, None)?;
        for track in stream.get_tracks() {
            let track = track.unchecked_into::<MediaStreamTrack>();
            let kind = if track.kind() == "audio" { MediaKind::Audio } else { MediaKind::Video };
            media.0.stream.add_track(&track);
            media.slot(kind, |slot| {
                slot.on = track.enabled();
                slot.track = Some(Track { track, ours: false, _ended: None });
            });
        }
        Ok(media)
    }

    fn of(stream: MediaStream, slots: [Slot; 2]) -> Self {
        Self(Rc::new(Inner { stream, slots: RefCell::new(slots), watchers: RefCell::new(Vec::new()) }))
    }

    /// The stream to show to oneself. It stays the same object.
    #[must_use]
    pub fn stream(&self) -> MediaStream {
        Clone::clone(&self.0.stream)
    }

    /// How one kind stands.
    #[must_use]
    pub fn state(&self, kind: MediaKind) -> LocalState {
        self.slot(kind, |slot| LocalState {
            offered: slot.constraints.is_some() || slot.track.is_some(),
            on: slot.on,
            asking: slot.asking,
            live: slot.track.is_some(),
            problem: slot.problem.clone(),
        })
    }

    /// What others get at the moment.
    #[must_use]
    pub fn sending(&self) -> Sending {
        let gets = |kind| {
            let state = self.state(kind);
            state.on && state.live
        };
        Sending { audio: gets(MediaKind::Audio), video: gets(MediaKind::Video) }
    }

    /// Calls `then` after every change, for as long as the watch is kept.
    #[must_use]
    pub fn watch(&self, then: impl Fn() + 'static) -> Watch {
        let then: Rc<dyn Fn()> = Rc::new(then);
        self.0.watchers.borrow_mut().push(Rc::downgrade(&then));
        Watch(then)
    }

    /// Opens what is wanted and not open: both in one question if both are. What cannot be had is noted in its
    /// [`state`](Self::state), and the other is had all the same.
    pub async fn open(&self) {
        let missing: Vec<MediaKind> =
            MediaKind::ALL.into_iter().filter(|kind| self.is_missing(*kind)).collect();
        if let [audio, video] = missing[..] {
            let questions = [self.ask(audio), self.ask(video)];
            let wanted: Vec<(MediaKind, &JsValue)> =
                missing.iter().copied().zip(questions.iter().map(|question| &question.constraints)).collect();
            match browser::capture_all(&wanted).await {
                Ok(tracks) => {
                    for ((kind, question), track) in missing.iter().zip(&questions).zip(tracks) {
                        self.answer(*kind, question.number, Ok(track));
                    }
                    self.changed();
                    return;
                }
                // One no is enough: nobody wants to be asked twice for what they have just refused.
                Err(
                    problem @ (MediaProblem::Denied
                    | MediaProblem::InsecureOrigin
                    | MediaProblem::Unsupported),
                ) => {
                    for (kind, question) in missing.iter().zip(&questions) {
                        self.answer(*kind, question.number, Err(problem.clone()));
                    }
                    self.changed();
                    return;
                }
                // One of the two is missing or taken; which, only separate questions can tell.
                Err(_) => {
                    for (kind, question) in missing.iter().zip(&questions) {
                        self.take_back(*kind, question.number);
                    }
                    self.changed();
                }
            }
        }
        for kind in missing {
            // What was turned off while the browser asked is not wanted any more.
            if self.is_missing(kind) {
                self.open_one(kind).await;
            }
        }
    }

    async fn open_one(&self, kind: MediaKind) {
        let question = self.ask(kind);
        let answer = browser::capture(kind, &question.constraints).await;
        self.answer(kind, question.number, answer);
        self.changed();
    }

    /// Turns one kind on or off. Turning on what is not open opens it.
    pub async fn set(&self, kind: MediaKind, on: bool) {
        let stream = &self.0.stream;
        self.slot(kind, |slot| {
            slot.on = on;
            match &slot.track {
                Some(held) if held.ours && kind == MediaKind::Video && !on => {
                    stream.remove_track(&held.track);
                    slot.track = None;
                }
                Some(held) => held.track.set_enabled(on),
                None => {}
            }
        });
        self.changed();
        if on && self.is_missing(kind) {
            self.open_one(kind).await;
        }
    }

    /// Turns to another device, by its id from [`crate::browser::list_devices`].
    pub async fn use_device(&self, kind: MediaKind, device: &str) {
        let stream = &self.0.stream;
        self.slot(kind, |slot| {
            slot.constraints = Some(browser::exactly(device));
            slot.question = slot.question.wrapping_add(1);
            slot.asking = false;
            if let Some(held) = slot.track.take() {
                stream.remove_track(&held.track);
            }
        });
        self.changed();
        if self.is_missing(kind) {
            self.open_one(kind).await;
        }
    }

    /// The id of the device in use, as in [`crate::browser::list_devices`].
    #[must_use]
    pub fn device(&self, kind: MediaKind) -> Option<String> {
        let settings = self.track(kind)?.get_settings();
        js_sys::Reflect::get(&settings, &JsValue::from_str("deviceId")).ok()?.as_string()
    }

    /// The track of one kind, if there is one.
    pub(crate) fn track(&self, kind: MediaKind) -> Option<MediaStreamTrack> {
        self.slot(kind, |slot| slot.track.as_ref().map(|held| Clone::clone(&held.track)))
    }

    /// Whether a track of this kind is there or may come: whether to offer to send it.
    pub(crate) fn may_send(&self, kind: MediaKind) -> bool {
        self.slot(kind, |slot| slot.track.is_some() || (slot.constraints.is_some() && slot.problem.is_none()))
    }

    fn is_missing(&self, kind: MediaKind) -> bool {
        self.slot(kind, |slot| slot.on && slot.track.is_none() && slot.constraints.is_some() && !slot.asking)
    }

    fn ask(&self, kind: MediaKind) -> Question {
        let question = self.slot(kind, |slot| {
            slot.asking = true;
            slot.problem = None;
            slot.question = slot.question.wrapping_add(1);
            Question { number: slot.question, constraints: slot.constraints.clone().unwrap_or(JsValue::TRUE) }
        });
        self.changed();
        question
    }

    /// The question had no answer for this kind, good or bad.
    fn take_back(&self, kind: MediaKind, question: u32) {
        self.slot(kind, |slot| {
            if slot.question == question {
                slot.asking = false;
            }
        });
    }

    fn answer(&self, kind: MediaKind, question: u32, answer: Result<MediaStreamTrack, MediaProblem>) {
        let this = Rc::downgrade(&self.0);
        let stream = &self.0.stream;
        let answer = answer.map(|track| {
            let ended = Listener::new(&track, "ended", move |_| {
                if let Some(inner) = this.upgrade() {
                    Self(inner).ended(kind);
                }
            });
            Track { track, ours: true, _ended: Some(ended) }
        });
        self.slot(kind, |slot| {
            // Overtaken by another question: what came is dropped, and with it released.
            if slot.question != question {
                return;
            }
            slot.asking = false;
            match answer {
                Ok(held) if slot.on || kind == MediaKind::Audio => {
                    held.track.set_enabled(slot.on);
                    stream.add_track(&held.track);
                    slot.track = Some(held);
                }
                Ok(_) => {}
                Err(problem) => slot.problem = Some(problem),
            }
        });
    }

    /// The device was unplugged, or the person took the permission back.
    fn ended(&self, kind: MediaKind) {
        let stream = &self.0.stream;
        // The listener that calls this belongs to the track: it is dropped after its own turn, not during it.
        let held = self.slot(kind, |slot| {
            slot.problem = Some(MediaProblem::NotFound);
            slot.track.take().inspect(|held| stream.remove_track(&held.track))
        });
        browser::spawn(async move { drop(held) });
        self.changed();
    }

    fn slot<T>(&self, kind: MediaKind, with: impl FnOnce(&mut Slot) -> T) -> T {
        let mut slots = self.0.slots.borrow_mut();
        let [audio, video] = &mut *slots;
        with(match kind {
            MediaKind::Audio => audio,
            MediaKind::Video => video,
        })
    }

    fn changed(&self) {
        let watchers: Vec<Rc<dyn Fn()>> = {
            let mut watchers = self.0.watchers.borrow_mut();
            watchers.retain(|watcher| watcher.strong_count() > 0);
            watchers.iter().filter_map(Weak::upgrade).collect()
        };
        for watcher in watchers {
            watcher();
        }
    }
}

struct Question {
    number: u32,
    constraints: JsValue,
}

impl Slot {
    fn new(constraints: Option<JsValue>) -> Self {
        let on = constraints.is_some();
        Self { constraints, on, asking: false, question: 0, problem: None, track: None }
    }
}
