//! What the page weighs, and what it may.

use std::fs;

use crate::build::{brotli, files, gzip, paths};
use crate::parts::PREFIX;
use crate::run::{Outcome, root};

/// The most that joining a call may wait for, gzipped, in bytes.
const MOST_JOINING: usize = 120 * 1024;
/// The most that everything a visitor downloads may weigh.
const MOST: usize = 150 * 1024;

/// Prints each file of `dist/`, and the sums: of what joining a call waits for, and of everything. Fails above the limit,
/// and where a file tells where it was built.
pub fn report() -> Outcome {
    let dist = root().join("dist");
    let (mut joining, mut all) = ([0; 3], [0; 3]);
    let places: Vec<String> = paths()?.into_iter().map(|path| path.display().to_string()).collect();
    println!("{:<36}{:>10}{:>10}{:>10}", "file", "raw", "gzip", "brotli");
    for path in files(&dist)? {
        let plain = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let sizes = [plain.len(), gzip(&plain)?.len(), brotli(&plain)?.len()];
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(place) = places.iter().find(|place| contains(&plain, place.as_bytes())) {
            return Err(format!("{name} tells where it was built: {place}"));
        }
        row(&name, sizes);
        add(&mut all, sizes);
        if !name.starts_with(PREFIX) {
            add(&mut joining, sizes);
        }
    }
    row("what joining a call waits for", joining);
    row("all", all);
    let ([_, joining, _], [_, all, _]) = (joining, all);
    println!("gzipped: joining may wait for {MOST_JOINING}, everything may weigh {MOST}");
    match () {
        () if joining > MOST_JOINING => Err(format!("joining a call waits for {joining} bytes gzipped")),
        () if all > MOST => Err(format!("the page weighs {all} bytes gzipped")),
        () => Ok(()),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn add(sum: &mut [usize; 3], sizes: [usize; 3]) {
    for (sum, size) in sum.iter_mut().zip(sizes) {
        *sum += size;
    }
}

fn row(name: &str, [raw, gzip, brotli]: [usize; 3]) {
    println!("{name:<36}{raw:>10}{gzip:>10}{brotli:>10}");
}
