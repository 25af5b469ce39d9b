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

/// Renames the functions by which program and JavaScript call each other. wasm-bindgen gives each a word and 16 random
/// digits, which cannot be compressed, and says each of them twice.
pub fn rename(dist: &Path) -> Outcome {
    let (glue, program) = (dist.join(format!("{APP}.js")), dist.join(format!("{APP}_bg.wasm")));
    let mut module = walrus::Module::from_file(&program).map_err(|error| format!("{error:#}"))?;
    // All the others are few, and not random.
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    let imports = imports.filter(|name| name.starts_with("__wb"));
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    let exports = exports.filter(|name| name.starts_with("wasm_bindgen__"));
    let mut names = HashMap::new();
    for name in imports.chain(exports) {
        let short = format!("w{}", names.len());
        names.insert(std::mem::replace(name, short.clone()), short);
    }
    let script = replace_words(&read(&glue)?, &names)?;
    write(&program, &module.emit_wasm())?;
    write(&glue, script.as_bytes())
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
}
