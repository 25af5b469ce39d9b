//! The settings as they are, as a file for `--config`.

use std::fmt::Write;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::{Kind, example, is_list, kind, settings};

/// How wide explanations are, in characters.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Settings for duologue-server --config FILE.
#
# What begins with # is an explanation, or a setting that is left at its default. Each of them is a flag as well
# (--room-size 4) and a variable of the environment (DUOLOGUE_ROOM_SIZE=4); both go before this file.
";

/// Writes them, each with its explanation. What only has its default, or no value at all, is written as a comment.
pub(super) fn print(command: &Command, matches: &ArgMatches, from_file: &[String]) -> String {
    let mut text = HEAD.to_owned();
    let mut heading = None;
    for (name, arg) in settings(command) {
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            // Writing to a string does not fail.
            let _ = write!(text, "\n\n# == {} ==\n", heading.unwrap_or_default());
        }
        text.push('\n');
        let help =
            arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
        for line in lines(&help) {
            let _ = writeln!(text, "# {line}");
        }
        let is_said = from_file.iter().any(|from| from == name)
            || matches!(
                matches.value_source(arg.get_id().as_str()),
                Some(ValueSource::CommandLine | ValueSource::EnvVariable)
            );
        let _ = match (is_said, value(arg, matches)) {
            (true, Some(_)) if arg.is_hide_env_values_set() => {
                writeln!(text, "# {name} is set, and left out here because it is a secret.")
            }
            (true, Some(value)) => writeln!(text, "{name} = {value}"),
            (_, Some(value)) => writeln!(text, "# {name} = {value}"),
            (_, None) => writeln!(text, "# {name} = {}", example(arg)),
        };
    }
    text
}

/// The value that counts, as it is written in the file.
fn value(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    let raw = matches.get_raw(arg.get_id().as_str())?;
    let values: Vec<String> = raw
        .map(|value| match kind(arg) {
            Kind::Text => quoted(&value.to_string_lossy()),
            Kind::Number | Kind::Switch => value.to_string_lossy().into_owned(),
        })
        .collect();
    if is_list(arg) { Some(format!("[{}]", values.join(", "))) } else { values.first().cloned() }
}

/// Text as TOML has it between quotes (TOML 1.0, "Basic strings").
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// The text in lines of a width that can be read.
fn lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
