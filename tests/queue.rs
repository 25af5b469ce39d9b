//! The queue between tasks of one page.

#![cfg(target_arch = "wasm32")]

use std::cell::Cell;
use std::rc::Rc;

use duologue::queue::queue;
use futures_util::{FutureExt, StreamExt};
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn everything_comes_out_in_the_order_in_which_it_went_in() {
    let (sender, receiver) = queue();
    let other = sender.clone();
    for number in 0..100 {
        assert!(if number % 3 == 0 { &other } else { &sender }.send(number));
    }
    drop((sender, other));
    assert_eq!(receiver.collect::<Vec<_>>().await, (0..100).collect::<Vec<_>>());
}

#[wasm_bindgen_test]
async fn whoever_waits_is_woken_by_the_next_thing_and_by_the_end() {
    let (sender, mut receiver) = queue();
    assert!(receiver.next().now_or_never().is_none(), "there is nothing in it");
    spawn_local(async move {
        assert!(sender.send("a thing"));
        gloo_timers::future::TimeoutFuture::new(1).await;
        drop(sender);
    });
    assert_eq!(receiver.next().await, Some("a thing"));
    assert_eq!(receiver.next().await, None, "every sender is gone");
}

#[wasm_bindgen_test]
fn what_nobody_will_take_out_is_refused_and_let_go() {
    struct Tells(Rc<Cell<u32>>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let gone = Rc::new(Cell::new(0));
    let (sender, receiver) = queue();
    assert!(sender.send(Tells(Rc::clone(&gone))));
    drop(receiver);
    assert_eq!(gone.get(), 1, "what waited went with the receiver");
    assert!(!sender.send(Tells(Rc::clone(&gone))));
    assert_eq!(gone.get(), 2);
}

#[wasm_bindgen_test]
async fn a_sender_can_tell_whether_all_was_taken_out() {
    let (sender, mut receiver) = queue();
    assert!(sender.is_empty());
    sender.send(1);
    assert!(!sender.is_empty());
    receiver.next().await;
    assert!(sender.is_empty());
}
