//! Running commands, with a line on the terminal for each step.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What went wrong, for a person.
pub type Outcome<T = ()> = Result<T, String>;

/// The repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs this.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Says what is being done, does it, and says how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    println!("→ {what}");
    let begin = Instant::now();
    let result = work().map_err(|error| format!("{what}: {error}"))?;
    println!("  done in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(result)
}

/// Runs a command, its output on the terminal.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", display(command))) }
}

/// Runs a command and gives what it printed, which is not shown.
pub fn output(command: &mut Command) -> Outcome<String> {
    let output = command.stderr(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("`{}` failed ({})", display(command), output.status))
    }
}

/// Runs a command and hands each line it prints, both outputs together, to `line`, besides showing it.
pub fn lines(command: &mut Command, mut line: impl FnMut(&str)) -> Outcome<bool> {
    // One pipe for both, so that the lines stay in their order.
    let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    let errors = writer.try_clone().map_err(|error| error.to_string())?;
    let mut child = command
        .stdout(writer)
        .stderr(errors)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("a command did not start: {error}"))?;
    // The command keeps the pipe's ends to itself; without this, reading would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for text in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        line(&text);
    }
    Ok(child.wait().map_err(|error| error.to_string())?.success())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` did not start: {error}", display(command))
}

fn display(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
