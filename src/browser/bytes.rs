//! Bytes that stay the browser's: read from a file, hashed, put together and sent without a way through the program's
//! memory.

use js_sys::{ArrayBuffer, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamByobReader};

use super::words;

/// Reads `length` bytes of a file from `from` on, into `space` if it is as long as that: a browser that gives each chunk in a
/// buffer of its own collects those when it likes to, and 60 MB may wait for it.
///
/// # Errors
/// The browser's words: the file was changed, moved or deleted since it was chosen, most likely.
pub(crate) async fn read(
    blob: &Blob,
    from: u64,
    length: u32,
    space: Option<Uint8Array>,
) -> Result<Uint8Array, String> {
    // Whole numbers below 2^53 are exact; the sizes of files are.
    let (start, end) = (from as f64, (from + u64::from(length)) as f64);
    let slice = blob.slice_with_f64_and_f64(start, end).map_err(|error| words(&error))?;
    if let Ok(reader) = ReadableStreamByobReader::new(&slice.stream()) {
        let space = space.filter(|space| space.length() == length);
        return fill(&reader, space.unwrap_or_else(|| Uint8Array::new_with_length(length))).await;
    }
    // Browsers whose files are not read like this.
    let buffer = done(slice.array_buffer()).await?.dyn_into::<ArrayBuffer>();
    let buffer = buffer.map_err(|_| "the browser gave no bytes".to_owned())?;
    let bytes = Uint8Array::new(&buffer);
    if bytes.length() == length { Ok(bytes) } else { Err(shorter()) }
}

/// Each read takes the buffer away, and gives it back as another (WHATWG Streams, section 4.5.3).
async fn fill(reader: &ReadableStreamByobReader, mut bytes: Uint8Array) -> Result<Uint8Array, String> {
    let (mut filled, length) = (0, bytes.length());
    while filled < length {
        let result = done(reader.read_with_array_buffer_view(&bytes.subarray(filled, length))).await?;
        let read = Reflect::get(&result, &JsValue::from_str("value")).ok();
        let read = read.and_then(|value| value.dyn_into::<Uint8Array>().ok());
        let read = read.filter(|read| read.length() > 0).ok_or_else(shorter)?;
        filled += read.length();
        bytes = Uint8Array::new_with_byte_offset_and_length(&read.buffer(), 0, length);
    }
    Ok(bytes)
}

fn shorter() -> String {
    "the file has become shorter".to_owned()
}

/// The SHA-256 of bytes (W3C WebCrypto, section 14.3.5).
///
/// # Errors
/// In pages that did not come over https or from this computer, where browsers have no WebCrypto.
pub(crate) async fn sha256(bytes: &Uint8Array) -> Result<[u8; 32], String> {
    let crypto = web_sys::window().and_then(|window| window.crypto().ok()).map(|crypto| crypto.subtle());
    let subtle = crypto.filter(|it| it.is_object()).ok_or("files need a page that came over https")?;
    let digest = subtle.digest_with_str_and_js_u8_array("SHA-256", bytes).map_err(|error| words(&error))?;
    let buffer = done(digest).await?.dyn_into::<ArrayBuffer>();
    let mut hash = [0; 32];
    let bytes = buffer.ok().map(|buffer| Uint8Array::new(&buffer)).filter(|it| it.length() == 32);
    bytes.ok_or("the browser gave no hash")?.copy_to(&mut hash);
    Ok(hash)
}

/// `head`, and the bytes of `body` from `from` to before `to`, as one. They are in `space`, which is made larger where it
/// must be: until that is used again, which may be as soon as a channel has them (W3C webrtc-pc, section 6.2, `send()`).
pub(crate) fn frame(
    space: &mut Uint8Array,
    head: &[u8],
    body: &Uint8Array,
    from: u32,
    to: u32,
) -> Uint8Array {
    let behind_head = u32::try_from(head.len()).unwrap_or_default();
    let length = behind_head + to.saturating_sub(from);
    if space.length() < length {
        *space = Uint8Array::new_with_length(length);
    }
    space.subarray(0, behind_head).copy_from(head);
    space.set(&body.subarray(from, to), behind_head);
    space.subarray(0, length)
}

/// What comes of a promise.
///
/// # Errors
/// The browser's words.
pub(crate) async fn done(promise: Promise) -> Result<JsValue, String> {
    JsFuture::from(promise).await.map_err(|error| words(&error))
}
