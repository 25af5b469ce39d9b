//! Takes the program of the page apart, where `later!` says so.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::build::{APP, read, write};
use crate::run::Outcome;

/// What the names of the parts begin with. `cargo xtask size` tells them by it from what everybody waits for.
pub const PREFIX: &str = "later-";
/// The module that loads the parts, as the program imports it.
const LOADER: &str = "./later.js";
/// What is in it, but for the parts. Each is asked for once, and again only where that has failed. The program waits for
/// it in `src/later.rs`, with a function to be called back and a word for that.
const LOADING: &str = "const parts = {};
const later = (name) => async (back, word) => {
  let there = true;
  try {
    await (parts[name] ??= WebAssembly.instantiateStreaming(fetch(new URL(name, import.meta.url)), { __wasm_split: wasm })
      .catch((error) => {
        delete parts[name];
        throw error;
      }));
  } catch (error) {
    console.error(error);
    there = false;
  }
  wasm.__indirect_function_table.get(back)(word, there);
};
";

/// What is left of the program when the parts are out.
pub struct Rest {
    /// Where it is.
    pub program: PathBuf,
    /// The source of the module that loads the parts.
    loader: String,
}

/// Splits `program`. Puts the parts that come later into `dist`, and the rest into `scratch`.
pub fn split(program: &Path, scratch: &Path, dist: &Path) -> Outcome<Rest> {
    let bytes = fs::read(program).map_err(|error| format!("cannot read {}: {error}", program.display()))?;
    fs::create_dir_all(scratch).map_err(|error| format!("cannot make {}: {error}", scratch.display()))?;
    let rest = scratch.join(format!("{APP}.wasm"));
    let glue = format!("./{APP}.js");
    let mut options = wasm_split_cli_support::Options::new(&bytes);
    options.output_dir = scratch;
    options.main_out_path = &rest;
    options.main_module = &glue;
    options.link_name = LOADER;
    let split = wasm_split_cli_support::transform(options).map_err(|error| format!("{error:#}"))?;

    let mut loader = LOADING.to_owned();
    let build = fingerprint(&bytes);
    for part in &split.split_modules {
        let stem = part.file_stem().unwrap_or_default().to_string_lossy();
        let Some(word) = stem.strip_prefix("split_") else {
            // It would have to be loaded before either of them.
            return Err(format!("two parts have {stem} in common: make them one"));
        };
        let name = format!("{PREFIX}{word}-{build}.wasm");
        loader += &format!("const __wasm_split_load_{word} = later(\"./{name}\");\n");
        shorten(part, &dist.join(name))?;
    }
    without_references(&rest)?;
    Ok(Rest { program: rest, loader })
}

impl Rest {
    /// Puts the module that loads the parts into the JavaScript that wasm-bindgen has made: a file of its own would be
    /// one more that everybody waits for.
    pub fn finish(&self, dist: &Path) -> Outcome {
        let path = dist.join(format!("{APP}.js"));
        write(&path, joined(&read(&path)?, &self.loader)?.as_bytes())
    }
}

/// The JavaScript of wasm-bindgen with the loader in it. It imports that once for each part.
fn joined(glue: &str, loader: &str) -> Outcome<String> {
    let from = format!(" from \"{LOADER}\"");
    let names: Vec<&str> = glue.lines().filter_map(|line| imported(line, &from)).collect();
    let Some((first, others)) = names.split_first() else {
        return Err("the program imports nothing that would load its parts".to_owned());
    };
    let loads: Vec<&str> = loader.lines().filter_map(loads).collect();
    let module = format!("{loader}const {first} = {{ {} }};", loads.join(", "));
    let mut joined = replaced(glue, &format!("import * as {first}{from}"), &module)?;
    for other in others {
        joined =
            replaced(&joined, &format!("import * as {other}{from}"), &format!("const {other} = {first};"))?;
    }
    Ok(joined)
}

fn imported<'a>(line: &'a str, from: &str) -> Option<&'a str> {
    line.strip_prefix("import * as ")?.trim_end_matches(';').strip_suffix(from)
}

/// The name of a function that loads a part.
fn loads(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("const ")?.split_once(" = later(")?;
    Some(name)
}

/// `text` with `new` for `old`, which must be there.
fn replaced(text: &str, old: &str, new: &str) -> Outcome<String> {
    if text.contains(old) { Ok(text.replace(old, new)) } else { Err(format!("there is no {old:?}")) }
}

/// A part lives in the memory of the program, and knows where everything is: with the program of another build it would
/// do anything. So its name says which build it is of, and after an update an open page finds no part, but no wrong one.
fn fingerprint(program: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    program.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Writes a part without names, and with its numbers, which the linker wrote at full length, as short as they can be.
/// For the rest wasm-bindgen does that.
fn shorten(part: &Path, to: &Path) -> Outcome {
    let mut config = walrus::ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    let mut module = config.parse_file(part).map_err(|error| format!("{error:#}"))?;
    module.customs.remove_raw("target_features");
    write(to, &module.emit_wasm())
}

/// wasm-bindgen would see that the program may hold the browser's objects by reference, and let it. That needs a way in
/// and out for each function of the browser's, which weighs more than what it saves in JavaScript.
fn without_references(program: &Path) -> Outcome {
    let mut module = walrus::Module::from_file(program).map_err(|error| format!("{error:#}"))?;
    module.customs.remove_raw("target_features");
    write(program, &module.emit_wasm())
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn the_loader_is_in_the_program_however_many_parts_it_has() {
        let loader = "const later = 0;\nconst one = later(1);\nconst two = later(2);\n";
        let glue = "import * as import1 from \"./later.js\"\nimport * as import2 from \"./later.js\"\nuse(import1, import2);";
        let joined = joined(glue, loader).unwrap_or_default();
        assert!(!joined.contains("import *"), "{joined}");
        for line in ["const import1 = { one, two };", "const import2 = import1;", "use(import1, import2);"] {
            assert!(joined.lines().any(|it| it == line), "{line} is not in {joined}");
        }
    }

    #[test]
    fn a_program_that_loads_no_part_is_refused() {
        assert!(joined("run();", "const one = later(1);\n").is_err());
    }
}
