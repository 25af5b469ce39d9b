//! JSON, wherever it is kept, and reading from it.
//!
//! Serde's derived `Deserialize` would do, at a price: internally tagged enums buffer every field before they know what
//! they read, structs are also read from arrays, and the errors format whatever they met, floating-point numbers
//! included. In the browser that is more code than the rest of the protocol. So a message is read field by field, from
//! `serde_json`'s value on the server and from what `JSON.parse` made in the browser, by the same few functions.

use crate::decode::DecodeError;

/// A JSON value. To clone it is cheap.
pub trait Value: Clone {
    /// Whether this is an object.
    fn is_object(&self) -> bool;

    /// Whether this is null.
    fn is_null(&self) -> bool;

    /// What an object has under this name, if anything.
    fn get(&self, name: &str) -> Option<Self>;

    /// The text of a string.
    fn text(&self) -> Option<String>;

    /// A number that is whole, not negative, and held exactly.
    fn whole(&self) -> Option<u64>;

    /// True or false.
    fn flag(&self) -> Option<bool>;

    /// The elements of an array.
    fn items(&self) -> Option<Vec<Self>>;
}

/// A value while it is read. It keeps the first thing that is wrong until the end: a way out at each field would have to
/// give up all that was read before it, in as many places as there are fields, and be more code than the reading.
pub struct Reader<V> {
    /// If there is one.
    value: Option<V>,
    error: Option<DecodeError>,
}

impl<V: Value> Reader<V> {
    /// Reads this value.
    pub fn of(value: V) -> Self {
        Self { value: Some(value), error: None }
    }

    /// Reads the field of an object. Errors name the field.
    pub fn field<T: Read>(&mut self, name: &str) -> T {
        let mut field = self.open(name);
        let read = T::read(&mut field);
        self.close(name, field);
        read
    }

    /// The part of reading a field that is the same for all types, so that it is compiled once.
    fn open(&mut self, name: &str) -> Self {
        let value = match &self.value {
            Some(object) if object.is_object() => object.get(name),
            _ => {
                self.unfit("it must be an object");
                None
            }
        };
        Self { value, error: None }
    }

    fn close(&mut self, name: &str, field: Self) {
        if let Some(error) = field.error {
            self.fail(match error {
                DecodeError::Fields(why) => DecodeError::Fields([name, ": ", &why].concat()),
                other => other,
            });
        }
    }

    /// The value itself, if there is one.
    pub(crate) fn value(&self) -> Option<&V> {
        self.value.as_ref()
    }

    /// What was found in the value; if nothing was, the value is not what it must be, as these words say.
    fn found<T: Default>(&mut self, found: Option<T>, otherwise: &str) -> T {
        if found.is_none() {
            self.unfit(otherwise);
        }
        found.unwrap_or_default()
    }

    /// The value is not what it must be, as these words say, or it is missing.
    pub(crate) fn unfit(&mut self, why: &str) {
        let why = if self.value.is_some() { why } else { "it is missing" };
        self.fail(DecodeError::Fields(why.to_owned()));
    }

    /// Something is wrong.
    pub(crate) fn fail(&mut self, error: DecodeError) {
        if self.error.is_none() {
            self.error = Some(error);
        }
    }

    /// What was read, if nothing was wrong.
    ///
    /// # Errors
    /// What was wrong first.
    pub fn finish<T>(&mut self, read: T) -> Result<T, DecodeError> {
        match self.error.take() {
            None => Ok(read),
            Some(error) => Err(error),
        }
    }
}

/// What can be read from a JSON value.
pub trait Read {
    /// Reads it. Where the value is not what it should be, the reader knows, and what this gives is of no use: whoever reads
    /// an object to its end gives it up with the rest.
    fn read<V: Value>(reader: &mut Reader<V>) -> Self;
}

impl<T: Read> Read for Option<T> {
    /// Null is the same as left out.
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        let there = reader.value.as_ref().is_some_and(|value| !value.is_null());
        there.then(|| T::read(reader))
    }
}

impl<T: Read> Read for Vec<T> {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        let items = reader.value.as_ref().and_then(V::items);
        let mut read = Self::new();
        for item in reader.found(items, "it must be a list") {
            let mut item = Reader::of(item);
            read.push(T::read(&mut item));
            if let Some(error) = item.error {
                reader.fail(error);
                break;
            }
        }
        read
    }
}

impl Read for String {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        let text = reader.value.as_ref().and_then(V::text);
        reader.found(text, "it must be a string")
    }
}

impl Read for bool {
    fn read<V: Value>(reader: &mut Reader<V>) -> Self {
        let flag = reader.value.as_ref().and_then(V::flag);
        reader.found(flag, "it must be true or false")
    }
}

/// Reads whole numbers that fit the type.
macro_rules! whole_numbers {
    ($($type:ty),+) => {
        $(impl Read for $type {
            fn read<V: Value>(reader: &mut Reader<V>) -> Self {
                let number = reader.value.as_ref().and_then(V::whole);
                let number = number.and_then(|number| Self::try_from(number).ok());
                reader.found(number, "it must be a whole number, and not too large")
            }
        })+
    };
}

whole_numbers!(u16, u32, u64);

#[cfg(feature = "json")]
impl Value for &serde_json::Value {
    fn is_object(&self) -> bool {
        serde_json::Value::is_object(self)
    }

    fn is_null(&self) -> bool {
        serde_json::Value::is_null(self)
    }

    fn get(&self, name: &str) -> Option<Self> {
        serde_json::Value::get(self, name)
    }

    fn text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn whole(&self) -> Option<u64> {
        self.as_u64()
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn items(&self) -> Option<Vec<Self>> {
        self.as_array().map(|items| items.iter().collect())
    }
}
