//! Web Locks, as a sign of life: a tab holds a lock as long as it exists, and the browser releases it even when the tab
//! crashes. Where the browser has none, the sign is missing and nothing else.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;

use super::bindings::LockManager;
use super::task::spawn;

/// Waits for a lock, or holds it. Dropping it gives up either.
pub(crate) struct Lock {
    /// Ends the promise that the browser waits for before it passes the lock on.
    release: Rc<RefCell<Option<Function>>>,
    abort: Option<JsValue>,
    _granted: Closure<dyn FnMut(JsValue) -> Promise>,
}

impl Lock {
    /// Asks for the lock `name` and calls `on_granted` once it is ours.
    #[cfg(feature = "tabs")]
    pub(crate) fn request(name: &str, on_granted: impl Fn() + 'static) -> Option<Self> {
        Self::ask(name, false, move |_| on_granted())
    }

    /// Takes the lock `name`; `None` if another tab has it. Where the browser has no locks, every lock is free.
    pub(crate) async fn take(name: &str) -> Option<Option<Self>> {
        let (tell, told) = futures_channel::oneshot::channel();
        let tell = RefCell::new(Some(tell));
        let lock = Self::ask(name, true, move |granted| {
            if let Some(tell) = tell.take() {
                // Fails only if nobody waits any more.
                let _ = tell.send(granted);
            }
        });
        let Some(lock) = lock else { return Some(None) };
        told.await.unwrap_or(false).then_some(Some(lock))
    }

    fn ask(name: &str, only_if_free: bool, on_answer: impl Fn(bool) + 'static) -> Option<Self> {
        let navigator = web_sys::window()?.navigator();
        let locks = Reflect::get(&navigator, &JsValue::from_str("locks")).ok().filter(JsValue::is_object)?;
        let release = Rc::new(RefCell::new(None));
        let granted = {
            let release = Rc::clone(&release);
            Closure::<dyn FnMut(JsValue) -> Promise>::new(move |lock: JsValue| {
                let granted = lock.is_object();
                on_answer(granted);
                if !granted {
                    return Promise::resolve(&JsValue::UNDEFINED);
                }
                Promise::new(&mut |resolve, _| {
                    release.replace(Some(resolve));
                })
            })
        };
        let options = Object::new();
        if only_if_free {
            Reflect::set(&options, &JsValue::from_str("ifAvailable"), &JsValue::TRUE).ok()?;
        }
        // The two do not go together (W3C Web Locks, section 3.2.1).
        let abort = if only_if_free { None } else { abort_controller() };
        if let Some(signal) =
            abort.as_ref().and_then(|it| Reflect::get(it, &JsValue::from_str("signal")).ok())
        {
            Reflect::set(&options, &JsValue::from_str("signal"), &signal).ok()?;
        }
        let function = granted.as_ref().unchecked_ref();
        let held = locks.unchecked_into::<LockManager>().request(name, &options, function).ok()?;
        // The promise fails when the request is given up, as we do ourselves below: nothing to report.
        spawn(async move {
            let _ = wasm_bindgen_futures::JsFuture::from(held).await;
        });
        Some(Self { release, abort, _granted: granted })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        } else if let Some(abort) = &self.abort
            && let Ok(function) = Reflect::get(abort, &JsValue::from_str("abort"))
            && let Some(function) = function.dyn_ref::<Function>()
        {
            let _ = function.call0(abort);
        }
    }
}

fn abort_controller() -> Option<JsValue> {
    let constructor = Reflect::get(&js_sys::global(), &JsValue::from_str("AbortController")).ok()?;
    Reflect::construct(constructor.dyn_ref::<Function>()?, &js_sys::Array::new()).ok()
}
