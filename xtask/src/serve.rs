//! `cargo xtask serve`: from a fresh clone to a page one can open.

use std::process::Command;

use crate::build;
use crate::run::{Outcome, root, run};

/// Builds everything and runs the server until it is stopped.
pub fn serve(arguments: &[String]) -> Outcome {
    let (port, flags) = read(arguments)?;
    build::all()?;
    let server = build::server_binary();
    println!("→ {} --app dist", server.display());
    let mut command = Command::new(server);
    command.arg("--app").arg(root().join("dist"));
    if !flags.iter().any(|flag| flag == "--listen" || flag.starts_with("--listen=")) {
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
    }
    run(command.args(flags))
}

/// The port, and what goes to the server as it is.
fn read(arguments: &[String]) -> Outcome<(u16, &[String])> {
    let (mine, flags) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => arguments
            .split_at_checked(at)
            .map_or((arguments, &[][..]), |(mine, rest)| (mine, rest.get(1..).unwrap_or_default())),
        None => (arguments, &[][..]),
    };
    let port = match mine {
        [] => "8080",
        [flag, port] if flag == "--port" => port,
        [flag] => flag.strip_prefix("--port=").ok_or_else(|| unknown(mine))?,
        _ => return Err(unknown(mine)),
    };
    let port = port.parse().map_err(|_| format!("{port:?} is no port: give a number from 0 to 65535"))?;
    Ok((port, flags))
}

fn unknown(arguments: &[String]) -> String {
    format!("what is {:?}? It is `cargo xtask serve [--port N] [-- SERVER FLAGS]`", arguments.join(" "))
}
