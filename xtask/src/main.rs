//! What one does in this repository. `cargo xtask` alone lists it.

mod bench;
mod build;
mod fuzz;
mod mutate;
mod parts;
mod pins;
mod run;
mod serve;
mod size;
mod slim;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask serve [--port N] [-- SERVER FLAGS]   build the page and the server, and serve it (port 8080)
cargo xtask build                                build dist/ and duologue-server
cargo xtask test [STEP …]                        run every test there is, or these steps of them
cargo xtask mutate [WORDS]                       take rules of the engine away and see which test notices
cargo xtask fuzz-server [--frames N] [--seed N]  a million frames of anything but sense, and a call beside them
cargo xtask size                                 what the page weighs
cargo xtask bench connect                        how long from joining to the first picture
cargo xtask bench connect --pairs N              the same, with another number of measurements
cargo xtask bench resilience                     what faults do to a call (Linux, root)
cargo xtask bench server [--quick]               our signaling server and others under the same load (Linux, Node)";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome = std::env::set_current_dir(run::root())
        .map_err(|error| format!("the repository is not there: {error}"))
        .and_then(|()| match command.as_deref() {
            Some("serve") => serve::serve(&rest),
            Some("build") => build::all(),
            Some("test") => test::test(&rest),
            Some("mutate") => mutate::mutate(rest.first().map(String::as_str)),
            Some("fuzz-server") => fuzz::fuzz(&rest),
            Some("size") => build::client().and_then(|()| size::report()),
            Some("bench") => bench::bench(&rest),
            Some("help" | "--help" | "-h") | None => {
                println!("{HELP}");
                Ok(())
            }
            Some(other) => Err(format!("there is no command {other:?}\n\n{HELP}")),
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("error: {words}");
            ExitCode::FAILURE
        }
    }
}
