//! What the page weighs, and what it may.

use std::fs;

use crate::build::{brotli, files, gzip};
use crate::parts::PREFIX;
use crate::run::{Outcome, root};

/// The most that everything a visitor downloads may weigh, gzipped, in bytes.
const MOST: usize = 150 * 1024;
/// What it aims at.
const AIM: usize = 120 * 1024;

/// Prints each file of `dist/`, and the sums: of what joining a call waits for, and of everything. Fails above the limit.
pub fn report() -> Outcome {
    let dist = root().join("dist");
    let (mut joining, mut all) = ([0; 3], [0; 3]);
    println!("{:<36}{:>10}{:>10}{:>10}", "file", "raw", "gzip", "brotli");
    for path in files(&dist)? {
        let plain = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let sizes = [plain.len(), gzip(&plain)?.len(), brotli(&plain)?.len()];
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        row(&name, sizes);
        add(&mut all, sizes);
        if !name.starts_with(PREFIX) {
            add(&mut joining, sizes);
        }
    }
    row("what joining a call waits for", joining);
    row("all", all);
    let [_, gzipped, _] = all;
    println!("the aim is {AIM} gzipped, the limit {MOST}");
    if gzipped > MOST {
        Err(format!("the page weighs {gzipped} bytes gzipped; the limit is {MOST}"))
    } else {
        Ok(())
    }
}

fn add(sum: &mut [usize; 3], sizes: [usize; 3]) {
    for (sum, size) in sum.iter_mut().zip(sizes) {
        *sum += size;
    }
}

fn row(name: &str, [raw, gzip, brotli]: [usize; 3]) {
    println!("{name:<36}{raw:>10}{gzip:>10}{brotli:>10}");
}
