//! Time and chance.

use std::time::Duration;

use duologue_engine::Instant;

/// This moment, counted from when the page was opened.
pub(crate) fn now() -> Instant {
    let millis = web_sys::window().and_then(|window| window.performance()).map_or(0.0, |it| it.now());
    // Whole microseconds: nothing here needs more, and no float arithmetic comes along.
    Instant::from_origin(Duration::from_micros((millis * 1000.0) as u64))
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
