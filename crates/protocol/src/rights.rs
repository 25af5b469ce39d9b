//! What somebody may do in a room.

use crate::value::{Read, Reader, Value};
use crate::write::{Write, Writer};

/// What somebody may do in a room. On the wire it is a list of words: `join`, `speak` and `admin`. Words that are not known
/// are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rights {
    /// Enter without being let in by somebody, unless the room is locked.
    pub join: bool,
    /// Be seen and heard by the others, and send them messages and files.
    pub speak: bool,
    /// Lock the room, let in who waits, and take others out.
    pub admin: bool,
}

impl Rights {
    /// What everyone may do where nobody is asked for a token.
    pub const USUAL: Self = Self { join: true, speak: true, admin: false };

    /// The rights that these words are; words that are none are passed over.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut rights = Self { join: false, speak: false, admin: false };
        for word in words {
            match word {
                "join" => rights.join = true,
                "speak" => rights.speak = true,
                "admin" => rights.admin = true,
                _ => {}
            }
        }
        rights
    }

    /// The words for them.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let words = [(self.join, "join"), (self.speak, "speak"), (self.admin, "admin")];
        words.into_iter().filter(|(has, _)| *has).map(|(_, word)| word).collect()
    }
}

impl Default for Rights {
    fn default() -> Self {
        Self::USUAL
    }
}

impl Write for Rights {
    fn write(&self, writer: &mut Writer) {
        self.words().write(writer);
    }
}

impl Read for Rights {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        let words: Vec<String> = Vec::read(reader);
        Self::of(words.iter().map(String::as_str))
    }
}
