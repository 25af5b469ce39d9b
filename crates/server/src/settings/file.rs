//! A file with settings, in TOML form.

use std::fs;
use std::ops::Range;
use std::path::Path;

use clap::builder::OsStr;
use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Kind, example, is_list, kind, settings};
use crate::flags::FLAGS_ONLY;

/// How alike two names are that may be meant for each other, from 0 to 1 (clap asks the same of flags).
const ALIKE: f64 = 0.7;

/// Makes what the file says the defaults of the command, and gives the names of those settings.
///
/// # Errors
/// Names the file and the line, and says what to write.
pub(super) fn read(command: Command, path: &Path) -> Result<(Command, Vec<String>), String> {
    let place = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        format!(
            "cannot read the settings in {place}: {error}; name a file that this user may read with --config"
        )
    })?;
    apply(command, &text).map_err(|Problem { at, words }| match at {
        Some(at) => format!("{place}, line {}: {words}", line(&text, &at)),
        None => format!("{place}: {words}"),
    })
}

/// What is wrong, and where in the text.
#[derive(Debug)]
struct Problem {
    at: Option<Range<usize>>,
    words: String,
}

fn apply(mut command: Command, text: &str) -> Result<(Command, Vec<String>), Problem> {
    let table = DeTable::parse(text).map_err(|error| Problem {
        at: error.span(),
        words: format!(
            "{}; settings are written as in room-size = 4 or listen = \"0.0.0.0:8080\"",
            error.message()
        ),
    })?;
    let mut names = Vec::new();
    // In the order of the file, so that the first mistake is told first.
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let name = key.get_ref().to_string();
        let Some((_, arg)) = settings(&command).find(|(known, _)| *known == name) else {
            return Err(Problem { at: Some(key.span()), words: unknown(&command, &name, value) });
        };
        let wrong = |words| Problem { at: Some(value.span()), words };
        let values = values(&name, arg, value.get_ref()).map_err(wrong)?;
        for value in &values {
            check(arg, &name, value).map_err(wrong)?;
        }
        let id = arg.get_id().clone();
        command = command.mut_arg(id, |arg| arg.default_values(values.into_iter().map(OsStr::from)));
        names.push(name);
    }
    Ok((command, names))
}

fn unknown(command: &Command, name: &str, value: &Spanned<DeValue<'_>>) -> String {
    if FLAGS_ONLY.contains(&name) {
        return format!("{name} is no setting for a file: give it as the flag --{name}");
    }
    if matches!(value.get_ref(), DeValue::Table(_)) {
        return format!("there are no sections such as [{name}]: write each setting on a line of its own");
    }
    let alike = |known: &str| strsim::jaro_winkler(known, &name.to_lowercase().replace('_', "-"));
    let nearest = settings(command)
        .map(|(known, _)| (alike(known), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((_, nearest)) => format!("there is no setting {name}: did you mean {nearest}?"),
        None => format!("there is no setting {name}: duologue-server --print-config lists those there are"),
    }
}

/// The values as they would be given to the flag.
fn values(name: &str, arg: &Arg, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let one = |value: &DeValue<'_>| match (kind(arg), value) {
        (Kind::Switch, DeValue::Boolean(is)) => Some(is.to_string()),
        (Kind::Number, DeValue::Integer(number)) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        (Kind::Text, DeValue::String(text)) => Some(text.to_string()),
        _ => None,
    };
    let values = match value {
        DeValue::Array(many) if is_list(arg) => many.iter().map(|value| one(value.get_ref())).collect(),
        value => one(value).map(|value| vec![value]),
    };
    values.ok_or_else(|| {
        let wanted = match (kind(arg), is_list(arg)) {
            (Kind::Switch, _) => "true or false",
            (Kind::Number, _) => "a whole number, without quotes",
            (Kind::Text, false) => "text in quotes",
            (Kind::Text, true) => "texts in quotes, between brackets",
        };
        format!("{name} takes {wanted}: write for example {name} = {}", example(arg))
    })
}

/// Asks clap whether the flag would take this value.
fn check(arg: &Arg, name: &str, value: &str) -> Result<(), String> {
    if kind(arg) == Kind::Switch {
        return Ok(());
    }
    let alone = Command::new("check").no_binary_name(true).arg(arg.clone().env(None::<&str>));
    match alone.try_get_matches_from([format!("--{name}={value}")]) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            Err(format!("{first}; write for example {name} = {}", example(arg)))
        }
    }
}

/// The number of the line where something begins, from 1.
fn line(text: &str, at: &Range<usize>) -> usize {
    text.bytes().take(at.start).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::parser::ValueSource;

    use super::*;
    use crate::flags::Flags;

    /// The flags without the environment of whoever runs the tests.
    fn command() -> Command {
        Flags::command().mut_args(|arg| arg.env(None::<&str>))
    }

    /// A value that is none's default, as it stands in a file, and as the flag gets it.
    fn sample(arg: &Arg) -> (String, String) {
        if kind(arg) == Kind::Switch {
            return ("true".to_owned(), "true".to_owned());
        }
        let name = arg.get_value_names().unwrap()[0].to_string();
        let text = match name.as_str() {
            "N" | "BYTES" | "CHARACTERS" => return ("17".to_owned(), "17".to_owned()),
            "SECONDS" => return ("301".to_owned(), "301".to_owned()),
            "ADDR:PORT" => "[::1]:9",
            "DIR" | "FILE" | "SECRET" => "a \"b\" c",
            "URL" => "stun:example.org",
            "ORIGIN" => "capacitor://localhost",
            "HOST[:PORT]" => "call.example.org:8443",
            "NETWORK" => "10.0.0.0/8",
            "PREFIX" => "calls:",
            "LEVEL" => "warn",
            "FORMAT" => "json",
            other => panic!("say here what a value for {other} may be"),
        };
        (super::super::print::quoted(text), text.to_owned())
    }

    #[test]
    fn every_flag_works_in_the_file_and_gives_way_to_the_flag() {
        let all = command();
        for (name, arg) in settings(&all) {
            let (written, value) = sample(arg);
            let (command, names) = apply(all.clone(), &format!("{name} = {written}")).unwrap();
            assert_eq!(names, [name]);
            let matches = command.clone().try_get_matches_from(["duologue-server"]).unwrap();
            let id = arg.get_id().as_str();
            let raw: Vec<_> = matches.get_raw(id).unwrap().collect();
            assert_eq!(raw, [value.as_str()], "{name}");
            assert_eq!(matches.value_source(id), Some(ValueSource::DefaultValue));
            let flag =
                if kind(arg) == Kind::Switch { format!("--{name}") } else { format!("--{name}={value}") };
            let matches = command.try_get_matches_from(["duologue-server", &flag]).unwrap();
            assert_eq!(matches.value_source(id), Some(ValueSource::CommandLine), "{name}");
            assert_eq!(matches.get_raw(id).unwrap().len(), 1, "the flag goes before the file, not beside it");
        }
    }

    #[test]
    fn a_list_is_written_as_one_or_by_itself() {
        for text in
            [r#"stun-url = ["stun:a", "stun:b"]"#, "stun-url = [\n  'stun:a', # the first\n  'stun:b',\n]"]
        {
            let (command, _) = apply(command(), text).unwrap();
            let matches = command.try_get_matches_from(["duologue-server"]).unwrap();
            let urls: Vec<_> = matches.get_many::<String>("stun_url").unwrap().collect();
            assert_eq!(urls, ["stun:a", "stun:b"]);
        }
        assert!(apply(command(), "stun-url = 'stun:a'").is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_write() {
        for (text, at, words) in [
            ("room-size = 3\nrom-size = 4", 2, "did you mean room-size?"),
            ("\n\nroom_size = 4", 3, "did you mean room-size?"),
            ("Listen = '[::]:80'", 1, "did you mean listen?"),
            ("colour = 'red'", 1, "--print-config"),
            ("[tls]\ncert = 'x'", 1, "no sections"),
            ("config = 'other.toml'", 1, "flag --config"),
            ("room-size = '4'", 1, "a whole number, without quotes: write for example room-size = 2"),
            ("room-size = 4.5", 1, "a whole number"),
            ("room-size = [4]", 1, "a whole number"),
            ("listen = 8080", 1, "text in quotes: write for example listen = \"127.0.0.1:8080\""),
            ("stun-url = [1]", 1, "write for example stun-url = [\"URL\"]"),
            ("log = 'warn'\nroom-size = 1", 2, "1 is not in 2..=65535"),
            ("listen = 'everywhere'", 1, "write for example listen ="),
            ("log-format = 'xml'", 1, "log-format = \"text\""),
            ("listen", 1, "settings are written as"),
            ("room-size = 2\nroom-size = 3", 2, "settings are written as"),
        ] {
            let problem = apply(command(), text).unwrap_err();
            assert!(problem.words.contains(words), "{text}: {}", problem.words);
            assert_eq!(line(text, &problem.at.unwrap()), at, "{text}");
        }
    }
}
