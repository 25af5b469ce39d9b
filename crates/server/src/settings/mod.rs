//! Flags, environment, file, default: one after the other, the first that says something counts.
//!
//! There is one list of settings, the flags as clap knows them. What a file says becomes the default of its flag; so
//! nothing has to be listed, checked or explained twice, and no setting can be forgotten.

mod file;
mod print;

use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::flags::{FLAGS_ONLY, Flags};

/// What the command was asked for.
pub(crate) enum Settings {
    /// To serve.
    Serve(Box<Flags>),
    /// To print this.
    Print(String),
}

/// Reads what the command was told. Where clap has an answer of its own (`--help`, a flag there is none of), it gives it
/// and the program ends.
pub(crate) fn read() -> Result<Settings, String> {
    let command = Flags::command();
    let matches = command.clone().get_matches();
    let flags = flags(&matches)?;
    let Some(path) = &flags.config else { return finish(flags, &command, &matches, &[]) };
    let (with_file, keys) = file::read(command.clone(), path)?;
    let matches = with_file.get_matches();
    finish(self::flags(&matches)?, &command, &matches, &keys)
}

fn finish(
    flags: Flags,
    command: &Command,
    matches: &ArgMatches,
    from_file: &[String],
) -> Result<Settings, String> {
    if flags.print_config {
        return Ok(Settings::Print(print::print(command, matches, from_file)));
    }
    Ok(Settings::Serve(Box::new(flags)))
}

fn flags(matches: &ArgMatches) -> Result<Flags, String> {
    Flags::from_arg_matches(matches).map_err(|error| error.to_string())
}

/// The flags that are settings, with their long names.
fn settings(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let named = command.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)));
    named.filter(|(name, arg)| {
        let asks = matches!(
            arg.get_action(),
            ArgAction::Help | ArgAction::HelpLong | ArgAction::HelpShort | ArgAction::Version
        );
        !asks && !FLAGS_ONLY.contains(name)
    })
}

/// How a setting is written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Switch,
    Number,
    Text,
}

fn kind(arg: &Arg) -> Kind {
    use std::any::TypeId;
    let numbers = [
        TypeId::of::<u8>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
    ];
    let parsed = arg.get_value_parser().type_id();
    if !arg.get_action().takes_values() {
        Kind::Switch
    } else if numbers.iter().any(|number| parsed == *number) {
        Kind::Number
    } else {
        Kind::Text
    }
}

/// What a value of this setting may look like in a file: its default, or the name of what it is.
fn example(arg: &Arg) -> String {
    let default = arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let name = || arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    match kind(arg) {
        Kind::Switch => "true".to_owned(),
        Kind::Number => default.unwrap_or_else(|| "10".to_owned()),
        Kind::Text => {
            let text = print::quoted(&default.or_else(name).unwrap_or_default());
            if is_list(arg) { format!("[{text}]") } else { text }
        }
    }
}

fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_variable_of_its_name_and_says_what_it_is() {
        let command = Flags::command();
        for (name, arg) in settings(&command) {
            let variable = format!("DUOLOGUE_{}", name.to_uppercase().replace('-', "_"));
            assert_eq!(arg.get_env().and_then(|env| env.to_str()), Some(variable.as_str()), "{name}");
            assert!(arg.get_help().is_some(), "{name}");
        }
        for name in FLAGS_ONLY {
            assert!(command.get_arguments().any(|arg| arg.get_long() == Some(name)), "there is no --{name}");
        }
    }
}
