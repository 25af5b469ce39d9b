//! wasm-bindgen's library and its tools must be of one version, and it is written down once.

use crate::build::read;
use crate::run::{Outcome, root};

/// The version of wasm-bindgen that `Cargo.toml` pins.
pub fn wasm_bindgen() -> Outcome<String> {
    let manifest = read(&root().join("Cargo.toml"))?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("wasm-bindgen = \"="));
    let version = line.and_then(|rest| rest.strip_suffix('"'));
    version.map(str::to_owned).ok_or_else(|| "Cargo.toml pins no version of wasm-bindgen".to_owned())
}

/// Holds `Cargo.lock` to the pin: the library and the tools as a library.
pub fn check() -> Outcome {
    let pinned = wasm_bindgen()?;
    let lock = read(&root().join("Cargo.lock"))?;
    for package in ["wasm-bindgen", "wasm-bindgen-cli-support"] {
        let entry = format!("name = \"{package}\"\nversion = \"{pinned}\"\n");
        if !lock.replace('\r', "").contains(&entry) {
            return Err(format!("Cargo.lock has another version of {package} than the pinned {pinned}"));
        }
    }
    Ok(())
}
