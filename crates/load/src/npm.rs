//! The servers that are compared with ours, from npm.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is installed. All of them take the same `ws`.
pub const PACKAGES: [&str; 3] = ["peer@1.0.2", "y-webrtc@10.3.0", "ws@8.23.0"];

/// What the relay of a few lines is, and what keeps a server to the loopback address.
const FILES: [(&str, &str); 2] = [
    ("relay.mjs", include_str!("../node/relay.mjs")),
    ("loopback.mjs", include_str!("../node/loopback.mjs")),
];

/// Installs the others into a folder, where there are npm and Node; otherwise says why they are not measured.
///
/// # Errors
/// What is missing, and what to do.
pub fn install(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    for (name, content) in FILES {
        let file = folder.join(name);
        fs::write(&file, content).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Err("Node does not start: install Node 20 or newer, and npm".to_owned());
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(folder).args(PACKAGES);
    match npm.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("npm could not install {}: see what `npm ping` says", PACKAGES.join(", "))),
    }
}
