//! Addresses in a text.

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// To be shown.
    Text(&'a str),
    /// To be shown, and followed when it is clicked: it begins with `http://` or `https://` and nothing else.
    Link(&'a str),
}

/// Takes a text apart into addresses and what is between them.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, link, after)) = next_link(rest) {
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Link(link));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// The first address, what is before it and what is behind. It is the start of a word, with something behind `//`.
fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        // Not `find`, whose search for any text at all would weigh more than this file.
        let start = from + text.as_bytes().get(from..)?.windows(4).position(|word| word == b"http")?;
        let (before, here) = text.split_at_checked(start)?;
        let behind = here.strip_prefix("https://").or_else(|| here.strip_prefix("http://"));
        let alone = !before.chars().next_back().is_some_and(is_part_of_word);
        if alone && behind.is_some_and(|behind| behind.starts_with(|it| it == '[' || is_part_of_word(it))) {
            let end =
                here.find(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"' | '`'));
            let link = trimmed(here.get(..end.unwrap_or(here.len()))?);
            return Some((before, link, here.get(link.len()..)?));
        }
        from = start + 4;
    }
}

fn is_part_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || !letter.is_ascii()
}

/// Without what most likely belongs to the sentence around it.
fn trimmed(link: &str) -> &str {
    let mut link = link;
    loop {
        let shorter = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']);
        let count = |letter: u8| shorter.bytes().filter(|it| *it == letter).count();
        let shorter = match shorter.strip_suffix(')') {
            // A bracket that was opened inside belongs to the address.
            Some(inner) if count(b'(') < count(b')') => inner,
            _ => shorter,
        };
        if shorter.len() == link.len() {
            return link;
        }
        link = shorter;
    }
}
