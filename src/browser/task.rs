//! Tasks: work that goes on by itself while the page does other things.

use std::pin::Pin;

#[cfg(feature = "js")]
use web_sys::AbortSignal;

/// Starts a task. It runs to its end, whoever started it; to be ended early, it has to look for a sign of that.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    spawn_boxed(Box::pin(task));
}

/// Not generic, so that it is compiled once: how a task takes its turns is more code than many a task.
#[inline(never)]
fn spawn_boxed(task: Pin<Box<dyn Future<Output = ()>>>) {
    wasm_bindgen_futures::spawn_local(task);
}

/// Waits until somebody says to stop (DOM, section 3.2).
#[cfg(feature = "js")]
pub(crate) async fn until_aborted(signal: &AbortSignal) {
    if signal.aborted() {
        return;
    }
    let (sender, aborted) = futures_channel::oneshot::channel();
    let _listener = gloo_events::EventListener::once(signal, "abort", move |_| {
        // Whoever waits may have stopped.
        let _ = sender.send(());
    });
    let _ = aborted.await;
}
