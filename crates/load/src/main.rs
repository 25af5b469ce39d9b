//! Ours and other signaling servers under the same load, in turns. It prints one table.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    duologue_load::command::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: what servers use is read from /proc, which is Linux's: run this there");
    ExitCode::FAILURE
}
