//! Names of files, as strangers tell them.

/// The most bytes of a name: what common file systems take.
const MOST_BYTES: usize = 255;
/// The most of them that are kept for the ending.
const MOST_ENDING: usize = 24;
/// What a file without a usable name is called.
const NAMELESS: &str = "file";

/// Names that Windows takes for devices, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// A name that can be shown and saved as it is: the last part of a path, with nothing in it that a file system, a
/// terminal or an eye could be deceived by, and no longer than 255 bytes.
#[must_use]
pub fn safe_name(told: &str) -> String {
    let folders = told.bytes().rposition(|byte| matches!(byte, b'/' | b'\\')).map_or(0, |last| last + 1);
    let base = told.get(folders..).unwrap_or_default();
    let shown: String = base.chars().filter(|letter| !is_hidden(*letter)).map(plain).collect();
    // A leading dot hides a file, a trailing one (or a space) is dropped by Windows, so that `a.txt.` is another name.
    let trimmed = shown.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    let name = if trimmed.is_empty() { NAMELESS } else { trimmed };
    fit(&[if is_device(name) { "_" } else { "" }, name].concat())
}

/// Control characters, and those that turn the direction of a text or cannot be seen: with them `gpj.exe` can be made to
/// look like `exe.jpg` (Unicode TR 36, section 2.1 and UTS 39).
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What Windows does not take in a name.
fn plain(letter: char) -> char {
    if matches!(letter, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { letter }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_number = |rest: &str| {
        let mut letters = rest.chars();
        matches!((letters.next(), letters.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    DEVICES.contains(&stem.as_str()) || numbered.is_some_and(is_number)
}

/// Shortens the stem of a name that is too long, and keeps its ending.
fn fit(name: &str) -> String {
    if name.len() <= MOST_BYTES {
        return name.to_owned();
    }
    let ending = name
        .bytes()
        .rposition(|byte| byte == b'.')
        .and_then(|dot| name.get(dot..))
        .filter(|it| it.len() <= MOST_ENDING);
    let ending = ending.unwrap_or_default();
    let stem = name.get(..name.len() - ending.len()).unwrap_or_default();
    [shorten(stem, MOST_BYTES - ending.len()), ending].concat()
}

/// The longest beginning of `text` that has at most `most` bytes.
pub(super) fn shorten(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
