//! `cargo xtask bench …`: measurements. They print ratios of one run and never fail a test.

use crate::build;
use crate::run::{Outcome, run};
use crate::tools::Tools;

/// Runs one of the benches.
pub fn bench(arguments: &[String]) -> Outcome {
    match arguments.split_first() {
        Some((name, rest)) if ["connect", "data", "resilience"].contains(&name.as_str()) => {
            let tools = Tools::for_end_to_end()?;
            build::all()?;
            if name == "data" {
                run(tools.command("wasm-pack")?.args(["build", "--quiet", "--target", "web"]))?;
            }
            let mut command = tools.command("cargo")?;
            let program = format!("bench-{name}");
            command.args(["run", "--quiet", "--package", "duologue-e2e", "--bin", &program, "--"]).args(rest);
            run(command.env("DUOLOGUE_SERVER", build::server_binary()))
        }
        _ => Err("it is `cargo xtask bench connect [--pairs N]`, `cargo xtask bench data [--rounds N]` or \
                 `cargo xtask bench resilience`"
            .to_owned()),
    }
}
