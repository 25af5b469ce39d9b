//! JSON as browsers write it (ECMAScript, `JSON.stringify`), read where it stands.
//!
//! Whatever else JSON may be (RFC 8259) is not found here: white space between values, numbers that are not whole, rare
//! escapes, and those that give a character by its number, which may be half of one.

use memchr::memchr;

/// What is left of a text.
#[derive(Debug)]
pub(super) struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    /// Begins at the first byte, if there are no control characters in the text, which strings must not hold, and no
    /// other escapes than the usual ones. What follows a backslash that is itself escaped is taken for an escape, too.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        // All of them are looked at, with no way out in between, so that the compiler has many of them looked at at once.
        let controls = bytes.iter().fold(false, |found, byte| found | (*byte < b' '));
        let pairs = bytes.iter().zip(bytes.get(1..)?);
        let unusual = pairs.fold(false, |found, (byte, next)| {
            let usual = (*next == b'n')
                | (*next == b'r')
                | (*next == b't')
                | (*next == b'"')
                | (*next == b'\\')
                | (*next == b'/');
            found | ((*byte == b'\\') & !usual)
        });
        (!controls & !unusual).then_some(Self(text))
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Passes over this, which comes next.
    fn pass(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// An object, by its fields: at each, `read` is given the name in its quotes, and passes over the value.
    pub(super) fn object(&mut self, mut read: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.pass("{")?;
        loop {
            let name = self.string()?;
            self.pass(":")?;
            read(self, name)?;
            if self.pass(",").is_none() {
                return self.pass("}");
            }
        }
    }

    /// A string, in its quotes and with its escapes.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        let bytes = self.0.as_bytes();
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let mut end = 1;
        loop {
            end += memchr(b'"', bytes.get(end..)?)? + 1;
            let before = bytes.get(..end - 1)?.iter().rev();
            // An even number of backslashes escape each other, and not the quote.
            if before.take_while(|byte| **byte == b'\\').count() % 2 == 0 {
                break;
            }
        }
        let (string, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(string)
    }

    /// A number that is whole and not negative.
    pub(super) fn whole(&mut self) -> Option<u32> {
        let end = self.0.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at_checked(end)?;
        let has_zeros = digits.len() > 1 && digits.starts_with('0');
        self.0 = rest;
        if has_zeros { None } else { digits.parse().ok() }
    }

    /// A value, or null for none.
    pub(super) fn or_null<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.pass("null").is_some() { Some(None) } else { read(self).map(Some) }
    }
}

/// Puts a value where there is none yet. A name that comes again is strange.
pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}
