//! Tasks: work that goes on by itself while the page does other things.

use std::pin::Pin;

/// Starts a task. It runs to its end, whoever started it; to be ended early, it has to look for a sign of that.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    spawn_boxed(Box::pin(task));
}

/// Not generic, so that it is compiled once: how a task takes its turns is more code than many a task.
#[inline(never)]
fn spawn_boxed(task: Pin<Box<dyn Future<Output = ()>>>) {
    wasm_bindgen_futures::spawn_local(task);
}
