//! Waiting for promises of something that may go before it answers.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::task::spawn;

/// Everything that waits for an answer. A connection that is closed leaves its promises open for ever (W3C webrtc-pc,
/// section 4.4.1.2, "chain an asynchronous operation"), and what waits for such a promise is never let go, nor is what
/// it holds. So it waits for the answer or for the end of this, whichever comes first.
#[derive(Default)]
pub(super) struct Answers(Rc<RefCell<Vec<Weak<Function>>>>);

impl Answers {
    /// Calls `then` with what comes of `promise`, unless this is dropped before.
    pub(super) fn wait(&self, promise: &Promise, then: impl FnOnce(Result<JsValue, JsValue>) + 'static) {
        self.wait_boxed(promise, Box::new(then));
    }

    /// Not generic, so that it is compiled once.
    fn wait_boxed(&self, promise: &Promise, then: Box<dyn FnOnce(Result<JsValue, JsValue>)>) {
        let mut end = None;
        let ended = Promise::new(&mut |resolve, _| end = Some(Rc::new(resolve)));
        let first = Promise::race(&Array::of2(promise, &ended));
        let mut waiting = self.0.borrow_mut();
        waiting.retain(|end| end.strong_count() > 0);
        waiting.extend(end.as_ref().map(Rc::downgrade));
        let waiting = Rc::downgrade(&self.0);
        spawn(async move {
            let answer = JsFuture::from(first).await;
            drop(end);
            if waiting.strong_count() > 0 {
                then(answer);
            }
        });
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        for end in self.0.take().iter().filter_map(Weak::upgrade) {
            let _ = end.call0(&JsValue::UNDEFINED);
        }
    }
}
