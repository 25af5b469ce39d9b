//! Time and chance.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use duologue_engine::Instant;
use gloo_timers::callback::Timeout;

use super::bindings::performance_now;

/// This moment, counted from when the page was opened.
pub(crate) fn now() -> Instant {
    let millis = performance_now();
    // Whole microseconds: nothing here needs more, and no float arithmetic comes along.
    Instant::from_origin(Duration::from_micros((millis * 1000.0) as u64))
}

/// Wakes somebody at a moment, or a little before: whoever is woken looks at the clock.
pub(crate) struct Alarm {
    /// The moment that a timer is set for, until it has rung.
    at: Rc<Cell<Option<Instant>>>,
    timer: Option<Timeout>,
    ring: Rc<dyn Fn()>,
}

impl Alarm {
    /// One that is not set. It calls `ring`.
    pub(crate) fn new(ring: impl Fn() + 'static) -> Self {
        Self { at: Rc::default(), timer: None, ring: Rc::new(ring) }
    }

    /// Sets it to `deadline`. To be called whenever that may have changed, and after it has rung. A timer that rings no
    /// later stays as it is: to set one costs the browser more than to ring once for nothing.
    pub(crate) fn set(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if self.at.get().is_some_and(|at| at <= deadline) {
            return;
        }
        self.at.set(Some(deadline));
        let millis = deadline.millis_since(now());
        let (at, ring) = (Rc::clone(&self.at), Rc::clone(&self.ring));
        // One more, because what is left of the last millisecond would only ask again.
        self.timer = Some(Timeout::new(millis.saturating_add(1), move || {
            at.set(None);
            ring();
        }));
    }
}

/// Milliseconds since 1970, by the computer's clock.
pub(crate) fn wall_clock_millis() -> u64 {
    js_sys::Date::now() as u64
}

/// A random number from the browser's secure source.
pub(crate) fn random() -> u32 {
    u32::from_ne_bytes(random_bytes::<4>())
}

/// `LENGTH` characters that nobody can guess, of 32 that cannot be mistaken for each other.
pub(crate) fn random_token<const LENGTH: usize>() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let letter = |byte: u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('a', char::from);
    random_bytes::<LENGTH>().into_iter().map(letter).collect()
}

fn random_bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let filled = web_sys::window()
        .and_then(|window| window.crypto().ok())
        .is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).is_ok());
    if !filled {
        for byte in &mut bytes {
            *byte = (js_sys::Math::random() * 256.0) as u8;
        }
    }
    bytes
}
