//! Writes what is served shorter, without changing what it does.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::build::{APP, files, read, write};
use crate::run::Outcome;

/// Takes comments and blanks out of scripts and styles.
pub fn minify(dist: &Path) -> Outcome {
    for path in files(dist)? {
        let shorter = match path.extension().and_then(|end| end.to_str()) {
            Some("js") => minifier::js::minify(&read(&path)?).to_string(),
            Some("css") => minifier::css::minify(&read(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?
                .to_string(),
            _ => continue,
        };
        write(&path, shorter.as_bytes())?;
    }
    Ok(())
}

/// Shortens the JavaScript of wasm-bindgen, and renames the functions by which it and the program call each other: each
/// has a word and 16 random digits, which cannot be compressed and stand there twice.
pub fn rename(dist: &Path) -> Outcome {
    let (glue, program) = (dist.join(format!("{APP}.js")), dist.join(format!("{APP}_bg.wasm")));
    let mut module = walrus::Module::from_file(&program).map_err(|error| format!("{error:#}"))?;
    // All the others are few, and not random.
    let kept: HashSet<String> = module.imports.iter().map(|import| import.name.clone()).collect();
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    let imports = imports.filter(|name| name.starts_with("__wb"));
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    let exports = exports.filter(|name| name.starts_with("wasm_bindgen__"));
    let mut names = HashMap::new();
    for name in imports.chain(exports) {
        let short = format!("w{}", names.len());
        names.insert(std::mem::replace(name, short.clone()), short);
    }
    let script = alike_together(&without_unused(&read(&glue)?)?);
    names.extend(own_words(&script).filter(|(word, _)| !kept.contains(word)));
    let script = replace_words(&script, &names)?;
    write(&program, &module.emit_wasm())?;
    write(&glue, script.as_bytes())
}

/// Without a second way to start the program, which nobody takes.
fn without_unused(script: &str) -> Outcome<String> {
    let unused = "\nfunction initSync(";
    let (before, rest) = script.split_once(unused).ok_or_else(|| format!("there is no {unused:?}"))?;
    let (_, after) = rest.split_once("\n}\n").ok_or("initSync has no end")?;
    Ok([before, "\n", &after.replace("export { initSync, ", "export { ")].concat())
}

/// With the functions that the program imports written as methods, and those together that do the same: what is repeated
/// soon is compressed more.
fn alike_together(script: &str) -> String {
    let mut lines = Vec::new();
    // The body of each, and all of it.
    let mut functions: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in script.lines() {
        let begins = line.strip_prefix("        ").filter(|line| !line.starts_with(' '));
        if let Some((name, body)) = begins.and_then(|line| line.split_once(": function(")) {
            functions.push((body.to_owned(), format!("        {name}({body}\n")));
            open = true;
        } else if open && let Some((body, all)) = functions.last_mut() {
            *body += line;
            *all += &[line, "\n"].concat();
            open = begins != Some("},");
        } else if line == "    };" {
            functions.sort();
            lines.extend(functions.drain(..).map(|(_, all)| all.trim_end().to_owned()));
            lines.push(line.to_owned());
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n") + "\n"
}

/// Short words for the functions and variables of the script. Only for such words as mean nothing anywhere else: they
/// have a capital or a `_` inside.
fn own_words(script: &str) -> impl Iterator<Item = (String, String)> {
    let arguments = (0..10).map(|at| format!("arg{at}"));
    let declared = script.lines().filter_map(|line| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let starts = ["function ", "let ", "const "];
        let rest = starts.into_iter().find_map(|start| line.strip_prefix(start))?;
        rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next()
    });
    let inner = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let declared = declared
        .filter(move |word| !word.starts_with("wasm_bindgen__") && word.trim_matches('_').contains(inner));
    let words = declared.map(str::to_owned).chain(arguments).filter(|word| script.contains(word.as_str()));
    words.enumerate().map(|(at, word)| (word, format!("${at}")))
}

/// Puts new words for old ones, each of which must be there.
fn replace_words(text: &str, words: &HashMap<String, String>) -> Outcome<String> {
    let in_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '$';
    let mut replaced = HashSet::new();
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(|letter| !in_word(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        match words.get(word) {
            Some(new) => {
                replaced.insert(word);
                result.push_str(new);
            }
            None => result.push_str(word),
        }
        let gap_end = after.find(in_word).unwrap_or(after.len());
        let (gap, after) = after.split_at(gap_end);
        result.push_str(gap);
        rest = after;
    }
    if replaced.len() == words.len() {
        Ok(result)
    } else {
        Err(format!("of {} functions the JavaScript names {}", words.len(), replaced.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_replaced_and_nothing_else() {
        let words = [("__wbg_a_1", "w0"), ("__wbg_a", "w1")];
        let words: HashMap<_, _> = words.map(|(old, new)| (old.to_owned(), new.to_owned())).into();
        let text = "__wbg_a_1: f($__wbg_a, '__wbg_a'); é__wbg_a_12 __wbg_a_1";
        assert_eq!(replace_words(text, &words).unwrap(), "w0: f($__wbg_a, 'w1'); é__wbg_a_12 w0");
        assert!(replace_words("__wbg_a only", &words).is_err());
    }

    const SCRIPT: &str = "
let heap = [];
function getObject(arg0) { return heap[arg0]; }
const import0 = {
        __proto__: null,
        b: function(arg0) {
            getObject(arg0).other();
        },
        a: function(arg0, arg1) {
            getObject(arg0).same(arg1);
        },
        c: function(arg0) {
            getObject(arg0).other();
        },
    };
function initSync(module) {
    return module;
}
async function __wbg_init() {}
export { initSync, __wbg_init as default };
";

    #[test]
    fn what_is_alike_stands_together_and_nothing_is_lost() {
        let together = alike_together(SCRIPT);
        let at = |text: &str| together.find(text).unwrap_or_else(|| panic!("{text:?} is not in {together}"));
        assert!(at("        b(arg0) {\n") < at("        c(arg0) {\n"));
        assert!(at("        c(arg0) {\n") < at("        a(arg0, arg1) {\n"));
        assert!(
            at("__proto__: null,") < at("b(arg0)") && at("a(arg0, arg1)") < at("    };\nfunction initSync")
        );
        assert_eq!(together.lines().count(), SCRIPT.lines().count());
    }

    #[test]
    fn the_other_way_to_start_is_taken_out() {
        let without = without_unused(SCRIPT).unwrap();
        assert!(
            !without.contains("initSync") && without.contains("export { __wbg_init as default };"),
            "{without}"
        );
        assert!(without_unused("export { initSync };").is_err());
    }

    #[test]
    fn only_words_that_mean_nothing_else_are_shortened() {
        let words: Vec<String> = own_words(SCRIPT).map(|(word, _)| word).collect();
        assert_eq!(words, ["getObject", "initSync", "__wbg_init", "arg0", "arg1"]);
    }
}
