//! No bytes make decoding panic, and what decodes comes back the same from its own encoding.
//!
//! Run it in `crates/protocol`: `cargo +nightly fuzz run decode -- -dict=fuzz/decode.dict`.

#![no_main]

use duologue_protocol::write::Write;
use duologue_protocol::{ClientMessage, DecodeError, Numbered, limits, to_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    comes_back(text, ClientMessage::from_json);
    comes_back(text, Numbered::from_json);
});

fn comes_back<T>(text: &str, decode: impl Fn(&str) -> Result<T, DecodeError>)
where
    T: PartialEq + std::fmt::Debug + Write,
{
    match decode(text) {
        Ok(message) => {
            let again = to_json(&message);
            // What `welcome` leaves out is written out, so one of nearly the largest size may become larger.
            if again.len() <= limits::MESSAGE {
                assert_eq!(decode(&again).as_ref(), Ok(&message), "{again}");
            }
        }
        Err(problem) => assert!(problem.to_string().len() < 4096, "a long error: {problem}"),
    }
}
