//! A queue between tasks of one page. Those of the futures crates are made for threads, and their code for each kind of
//! thing in a queue weighs twice as much.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

/// A queue. It ends when every [`Sender`] is dropped.
#[must_use]
pub fn queue<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared { items: Cell::default(), end: End::default() });
    (Sender(Rc::clone(&shared)), Receiver(shared))
}

/// Puts things into a queue. Clones put them into the same one.
pub struct Sender<T>(Rc<Shared<T>>);

/// Takes things out of a queue, in the order in which they were put in.
pub struct Receiver<T>(Rc<Shared<T>>);

struct Shared<T> {
    /// Boxed, so that a queue of pointers is compiled once.
    items: Cell<VecDeque<Box<T>>>,
    end: End,
}

/// The end of the receiver. Apart from the items, so that it is compiled once.
#[derive(Default)]
struct End {
    waiting: Cell<Option<Waker>>,
    dropped: Cell<bool>,
}

impl End {
    fn wake(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    fn wait(&self, context: &Context<'_>) {
        self.waiting.set(Some(context.waker().clone()));
    }
}

impl<T> Sender<T> {
    /// Puts `item` into the queue. `false` if the receiver is gone; then the item is as well.
    pub fn send(&self, item: T) -> bool {
        let taken = !self.0.end.dropped.get();
        if taken {
            let mut items = self.0.items.take();
            items.push_back(Box::new(item));
            self.0.items.set(items);
            self.0.end.wake();
        }
        taken
    }
}

impl<T> Sender<T> {
    /// Whether the receiver has taken out everything that was put in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let items = self.0.items.take();
        let empty = items.is_empty();
        self.0.items.set(items);
        empty
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // This one and the receiver: it was the last.
        if Rc::strong_count(&self.0) == 2 {
            self.0.end.wake();
        }
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut items = self.0.items.take();
        let first = items.pop_front();
        self.0.items.set(items);
        if first.is_some() || Rc::strong_count(&self.0) == 1 {
            return Poll::Ready(first.map(|first| *first));
        }
        self.0.end.wait(context);
        Poll::Pending
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.end.dropped.set(true);
        drop(self.0.end.waiting.take());
        drop(self.0.items.take());
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}
