//! How many random schedules are run, and which. Without a word the same ones each time, so that whoever changes something
//! sees what the change has done; `SCHEDULES` in the environment asks for so many new ones, `SHRINKING` says how long to look
//! for a shorter one that fails.

use proptest::test_runner::{Config, RngSeed};

pub fn schedules() -> Config {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let wanted = number("SCHEDULES");
    Config {
        cases: wanted.unwrap_or(10_000),
        max_shrink_iters: number("SHRINKING").unwrap_or(300_000),
        rng_seed: if wanted.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) },
        failure_persistence: None,
        ..Config::default()
    }
}
