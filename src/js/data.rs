//! Messages and files for JavaScript.

use std::cell::Cell;
use std::rc::Rc;

use crate::browser::{File, FileSystemFileHandle, spawn};
use futures_util::{FutureExt, StreamExt};
use js_sys::{ArrayBuffer, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::values::{self, exception, object};
use super::{JsRoom, Off, Peers, report_error, wrong};
use crate::{
    Body, Destination, Error, Mode, Peer, Progress, Receipt, Saved, Transfer, TransferError, TransferState,
};
use duologue_protocol::PeerId;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "string | ArrayBuffer | Uint8Array")]
    pub type Data;
    #[wasm_bindgen(typescript_type = "SendOptions")]
    pub type RawSendOptions;
    #[wasm_bindgen(typescript_type = "{ to?: string }")]
    pub type RawFileOptions;
    #[wasm_bindgen(typescript_type = "FileSystemFileHandle")]
    pub type RawSink;
    #[wasm_bindgen(typescript_type = "Peer")]
    pub type RawPeer;
    #[wasm_bindgen(typescript_type = "TransferStatus")]
    pub type RawStatus;
    #[wasm_bindgen(typescript_type = "keyof TransferEvents")]
    pub type TransferEventName;
    #[wasm_bindgen(typescript_type = "(event: any) => void")]
    pub type TransferHandler;

    type PeerObject;
    #[wasm_bindgen(method, setter, structural)]
    fn set_id(this: &PeerObject, id: &str);
    #[wasm_bindgen(method, setter, structural)]
    fn set_name(this: &PeerObject, name: &str);
    #[wasm_bindgen(method, setter)]
    fn set_speaks(this: &PeerObject, speaks: bool);

    type MessageObject;
    #[wasm_bindgen(method, setter, structural)]
    fn set_peer(this: &MessageObject, peer: &PeerObject);
    #[wasm_bindgen(method, setter, structural, js_name = data)]
    fn set_text(this: &MessageObject, data: &str);
    #[wasm_bindgen(method, setter, structural, js_name = data)]
    fn set_bytes(this: &MessageObject, data: &Uint8Array);
    #[wasm_bindgen(method, setter, structural)]
    fn set_reliable(this: &MessageObject, reliable: bool);
}

#[wasm_bindgen(js_class = Room)]
impl JsRoom {
    /// Sends a message to everyone in the room, or to the peer with the id `to`. The promise is kept when the channels
    /// have taken it, so that whoever awaits it never sends faster than the network can; it rejects with the reason if
    /// somebody will not get it. With `reliable: false` it goes at once or not at all, and may be lost or come late.
    #[wasm_bindgen(unchecked_return_type = "Promise<Receipt>")]
    pub fn send(&self, data: &Data, options: Option<RawSendOptions>) -> Result<Promise, JsValue> {
        let body = body(data)?;
        let options = options.map_or(JsValue::UNDEFINED, JsValue::from);
        let to = to(&options)?;
        let reliable = field(&options, "reliable");
        let mode = match reliable.as_bool() {
            Some(false) => Mode::Lossy,
            Some(true) => Mode::Reliable,
            None if reliable.is_undefined() => Mode::Reliable,
            None => return Err(wrong("reliable", "true or false", &reliable)),
        };
        let room = self.0.room.borrow();
        let room = room.as_ref().ok_or_else(|| exception(&Error::Left))?;
        let mut sent = Box::pin(room.send(body, to.as_ref(), mode));
        // Mostly the channel has it by now, and a task for each message would take longer than the message.
        match sent.as_mut().now_or_never() {
            Some(Ok(receipt)) => Ok(Promise::resolve(&JsValue::from(JsReceipt(Some(receipt))))),
            Some(Err(error)) => Ok(Promise::reject(&exception(&error))),
            None => Ok(future_to_promise(async move {
                match sent.await {
                    Ok(receipt) => Ok(JsReceipt(Some(receipt)).into()),
                    Err(error) => Err(exception(&error)),
                }
            })),
        }
    }

    /// Offers a file to the peer with the id `to`, which may be left out while there is only one.
    #[wasm_bindgen(js_name = sendFile, unchecked_return_type = "Promise<FileTransfer>")]
    pub fn send_file(&self, file: &JsValue, options: Option<RawFileOptions>) -> Result<Promise, JsValue> {
        let Some(file) = file.dyn_ref::<File>().cloned() else {
            return Err(wrong("file", "a File", file));
        };
        let to = to(&options.map_or(JsValue::UNDEFINED, JsValue::from))?;
        let room = self.0.room.borrow();
        let room = room.as_ref().ok_or_else(|| exception(&Error::Left))?;
        let offered = room.send_file(&file, to.as_ref());
        Ok(future_to_promise(async move {
            match offered.await {
                Ok(transfer) => Ok(JsTransfer(transfer).into()),
                Err(error) => Err(exception(&error)),
            }
        }))
    }
}

/// A message that was sent.
#[wasm_bindgen(js_name = Receipt)]
pub struct JsReceipt(Option<Receipt>);

#[wasm_bindgen(js_class = Receipt)]
impl JsReceipt {
    /// Whom it was sent to.
    #[wasm_bindgen(getter)]
    pub fn peers(&self) -> Peers {
        let peers: js_sys::Array = self.0.iter().flat_map(Receipt::peers).map(values::peer).collect();
        peers.unchecked_into()
    }

    /// Resolves when everyone it was sent to has it; rejects if a connection ended before they said so. Once only.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn delivered(&mut self) -> Promise {
        let receipt = self.0.take();
        future_to_promise(async move {
            match receipt {
                Some(receipt) => {
                    receipt.delivered().await.map(|()| JsValue::UNDEFINED).map_err(|error| exception(&error))
                }
                None => Err(js_sys::TypeError::new("delivered() was called before").into()),
            }
        })
    }
}

/// A file on its way, or offered.
#[wasm_bindgen(js_name = FileTransfer)]
pub struct JsTransfer(pub(super) Transfer);

#[wasm_bindgen(js_class = FileTransfer)]
impl JsTransfer {
    /// The other one.
    #[wasm_bindgen(getter)]
    pub fn peer(&self) -> RawPeer {
        values::peer(self.0.peer()).unchecked_into()
    }

    /// Whether the file comes to us.
    #[wasm_bindgen(getter)]
    pub fn incoming(&self) -> bool {
        self.0.is_incoming()
    }

    /// The file's name; one that a peer told is made safe to show and to save as it is.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.0.name().to_owned()
    }

    /// Its media type, as the sender's browser guessed it; may be empty.
    #[wasm_bindgen(getter, js_name = type)]
    pub fn kind(&self) -> String {
        self.0.kind().to_owned()
    }

    /// Its size in bytes.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> f64 {
        self.0.size() as f64
    }

    /// Where it stands.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> RawStatus {
        status(&self.0.state(), self.0.size()).unchecked_into()
    }

    /// Takes the file. Without a `sink` it is kept by the page, and given by `finished()` in the end; with a
    /// `FileSystemFileHandle` (of `showSaveFilePicker`) it is written there.
    pub fn accept(&self, sink: Option<RawSink>) -> Result<(), JsValue> {
        let destination = match sink.map(JsValue::from) {
            None => Destination::Page,
            Some(sink) => match sink.dyn_into::<FileSystemFileHandle>() {
                Ok(handle) => Destination::Chosen(handle),
                Err(sink) => return Err(wrong("sink", "a FileSystemFileHandle", &sink)),
            },
        };
        self.0.accept(destination);
        Ok(())
    }

    /// Refuses the file. `reason` is shown to the other side.
    pub fn decline(&self, reason: Option<String>) {
        self.0.decline(&reason.unwrap_or_default());
    }

    /// Ends it, whoever sends. The other side is told.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Holds it up. Both sides can.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Goes on.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Resolves when the receiver has all of the file, unaltered: with the file, where it was kept by this page, else with
    /// null. Rejects with the reason if that will not be.
    #[wasm_bindgen(unchecked_return_type = "Promise<File | null>")]
    pub fn finished(&self) -> Promise {
        let mut states = self.0.states();
        future_to_promise(async move {
            while let Some(state) = states.next().await {
                match state {
                    TransferState::Done(saved) => return Ok(file(saved.as_ref())),
                    TransferState::Failed(error) => return Err(failure(&error)),
                    _ => {}
                }
            }
            Ok(JsValue::NULL)
        })
    }

    /// Calls `handler` with every event of this name; gives a function that ends this.
    #[wasm_bindgen(unchecked_return_type = "() => void")]
    pub fn on(&self, event: &TransferEventName, handler: &TransferHandler) -> Result<Off, JsValue> {
        let name = event.as_string().unwrap_or_default();
        if !["progress", "done", "failed"].contains(&name.as_str()) {
            let words = format!("there is no event {name:?}; there are progress, done, failed");
            return Err(js_sys::TypeError::new(&words).into());
        }
        let Some(handler) = handler.dyn_ref::<Function>().cloned() else {
            return Err(js_sys::TypeError::new("the handler must be a function").into());
        };
        let heard = Rc::new(Cell::new(true));
        let (listens, mut states, size) = (Rc::clone(&heard), self.0.states(), self.0.size());
        spawn(async move {
            while let Some(state) = states.next().await {
                let event = match &state {
                    TransferState::Active(_) => "progress",
                    TransferState::Done(_) => "done",
                    TransferState::Failed(_) => "failed",
                    TransferState::Offered => continue,
                };
                if !listens.get() {
                    return;
                }
                if event == name
                    && let Err(error) = handler.call1(&JsValue::UNDEFINED, &status(&state, size))
                {
                    report_error(&error);
                }
            }
        });
        Ok(Closure::<dyn Fn()>::new(move || heard.set(false)).into_js_value().unchecked_into())
    }
}

/// The event that tells of a message. There may be thousands in a second, so the names of its fields are not made anew for
/// each, as `object` would.
pub(super) fn message(peer: &Peer, body: &Body, mode: Mode) -> JsValue {
    let from: PeerObject = js_sys::Object::new().unchecked_into();
    from.set_id(peer.id.as_str());
    from.set_name(&peer.name);
    from.set_speaks(peer.speaks);
    let event: MessageObject = js_sys::Object::new().unchecked_into();
    event.set_peer(&from);
    match body {
        Body::Text(text) => event.set_text(text),
        Body::Bytes(bytes) => event.set_bytes(&Uint8Array::from(bytes.as_slice())),
    }
    event.set_reliable(mode == Mode::Reliable);
    event.into()
}

fn body(data: &JsValue) -> Result<Body, JsValue> {
    if let Some(text) = data.as_string() {
        return Ok(Body::Text(text));
    }
    if let Some(bytes) = data.dyn_ref::<Uint8Array>() {
        return Ok(Body::Bytes(bytes.to_vec()));
    }
    match data.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => Ok(Body::Bytes(Uint8Array::new(buffer).to_vec())),
        None => Err(wrong("data", "a string, an ArrayBuffer or a Uint8Array", data)),
    }
}

fn field(options: &JsValue, name: &str) -> JsValue {
    if options.is_object() {
        Reflect::get(options, &JsValue::from_str(name)).unwrap_or_default()
    } else {
        JsValue::UNDEFINED
    }
}

fn to(options: &JsValue) -> Result<Option<PeerId>, JsValue> {
    if !options.is_undefined() && !options.is_object() {
        return Err(wrong("options", "an object", options));
    }
    let to = field(options, "to");
    if to.is_undefined() {
        return Ok(None);
    }
    let id = to.as_string().ok_or_else(|| wrong("to", "the id of a peer", &to))?;
    PeerId::new(id).map(Some).map_err(|_| exception(&Error::NoSuchPeer))
}

fn status(state: &TransferState, size: u64) -> JsValue {
    let number = |number: u64| JsValue::from_f64(number as f64);
    let mut fields = vec![("size", number(size))];
    match state {
        TransferState::Offered => fields.push(("state", "offered".into())),
        TransferState::Active(Progress { bytes, rate, left, paused_here, paused_there }) => {
            fields.push(("state", "active".into()));
            fields.push(("bytes", number(*bytes)));
            fields.push(("rate", rate.map_or(JsValue::NULL, number)));
            fields.push(("left", left.map_or(JsValue::NULL, |left| number(left.as_millis() as u64))));
            fields.push(("pausedHere", (*paused_here).into()));
            fields.push(("pausedThere", (*paused_there).into()));
        }
        TransferState::Done(saved) => {
            fields.push(("state", "done".into()));
            fields.push(("file", file(saved.as_ref())));
        }
        TransferState::Failed(error) => {
            fields.push(("state", "failed".into()));
            fields.push(("error", failure(error)));
        }
    }
    object(&fields)
}

fn file(saved: Option<&Saved>) -> JsValue {
    saved.and_then(|saved| saved.file.clone()).map_or(JsValue::NULL, JsValue::from)
}

fn failure(error: &TransferError) -> JsValue {
    let exception = js_sys::Error::new(&error.to_string());
    let _ = Reflect::set(&exception, &JsValue::from_str("code"), &JsValue::from_str(error.code()));
    exception.into()
}
