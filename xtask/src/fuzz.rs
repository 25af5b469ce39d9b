//! `cargo xtask fuzz-server`: says anything but what it should to the server, at length.

use crate::run::{Outcome, cargo, run};

const USAGE: &str = "it is `cargo xtask fuzz-server [--frames N] [--seed N]`, with numbers of frames from 1";

/// Runs what the server's tests run a little of (`crates/server/tests/fuzz`), with a million frames unless another number is
/// said, against a server as it is delivered.
pub fn fuzz(arguments: &[String]) -> Outcome {
    let (mut frames, mut seed) = (1_000_000, None);
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let number = rest.next().and_then(|number| number.parse::<u64>().ok());
        match (flag.as_str(), number) {
            ("--frames", Some(number)) if number > 0 => frames = number,
            ("--seed", Some(number)) => seed = Some(number),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let mut command = cargo();
    command.args([
        "test",
        "--quiet",
        "--profile",
        "server",
        "--package",
        "duologue-server",
        "--test",
        "fuzz",
    ]);
    command.env("DUOLOGUE_FUZZ_FRAMES", frames.to_string());
    if let Some(seed) = seed {
        command.env("DUOLOGUE_FUZZ_SEED", seed.to_string());
    }
    run(&mut command)
}
