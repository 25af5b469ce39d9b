//! `cargo xtask bench …`: measurements. They print ratios of one run and never fail a test.

use crate::build;
use crate::run::{Outcome, cargo, root, run, step};
use crate::tools::Tools;

/// Runs one of the benches.
pub fn bench(arguments: &[String]) -> Outcome {
    match arguments.split_first() {
        Some((name, rest)) if name == "server" => server(rest),
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
        _ => Err("it is `cargo xtask bench connect [--pairs N]`, `cargo xtask bench data [--rounds N]`, \
                 `cargo xtask bench resilience` or `cargo xtask bench server [--quick]`"
            .to_owned()),
    }
}

/// Needs neither browsers nor the page. What puts the load on is compiled as the server is: a slow one would measure itself.
fn server(arguments: &[String]) -> Outcome {
    step("compiling the server and the load", || {
        let mut command = cargo();
        command.args(["build", "--quiet", "--profile", "server"]);
        run(command.args(["--package", "duologue-server", "--package", "duologue-load"]))
    })?;
    let program =
        build::server_binary().with_file_name(format!("bench-server{}", std::env::consts::EXE_SUFFIX));
    let mut command = std::process::Command::new(program);
    command.arg("--folder").arg(root().join("target/bench-server")).args(arguments);
    run(command.env("DUOLOGUE_SERVER", build::server_binary()))
}
