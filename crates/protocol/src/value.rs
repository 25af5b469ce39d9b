//! JSON, wherever it is kept, and reading from it.
//!
//! Serde's derived `Deserialize` would do, at a price: internally tagged enums buffer every field before they know what
//! they read, structs are also read from arrays, and the errors format whatever they met, floating-point numbers
//! included. In the browser that is more code than the rest of the protocol. So a message is read field by field, from
//! `serde_json`'s value on the server and from what `JSON.parse` made in the browser, by the same few functions.

/// A JSON value.
pub trait Value: Sized {
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

/// Why a value is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(String);

impl Unfit {
    /// Says why.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// The same, of the field with this name.
    fn of(self, name: &str) -> Self {
        Self([name, ": ", &self.0].concat())
    }
}

/// What can be read from a JSON value.
pub trait Read: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// Says what the value should have been.
    fn read(value: &impl Value) -> Result<Self, Unfit>;

    /// What it is if there is no value.
    ///
    /// # Errors
    /// Says that there must be one, unless it may be left out.
    fn absent() -> Result<Self, Unfit> {
        Err(Unfit::new("it is missing"))
    }
}

/// Reads the field of an object. Errors name the field.
///
/// # Errors
/// The field's own, with its name before it.
pub fn field<T: Read>(object: &impl Value, name: &str) -> Result<T, Unfit> {
    let read = match get(object, name)? {
        Some(value) => T::read(&value),
        None => T::absent(),
    };
    read.map_err(|unfit| unfit.of(name))
}

/// The part of reading a field that is the same for all types, so that it is compiled once.
fn get<V: Value>(object: &V, name: &str) -> Result<Option<V>, Unfit> {
    if object.is_object() { Ok(object.get(name)) } else { Err(Unfit::new("it must be an object")) }
}

impl<T: Read> Read for Option<T> {
    /// Null is the same as left out.
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }

    fn absent() -> Result<Self, Unfit> {
        Ok(None)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        value.items().ok_or_else(|| Unfit::new("it must be a list"))?.iter().map(T::read).collect()
    }
}

impl Read for String {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        value.text().ok_or_else(|| Unfit::new("it must be a string"))
    }
}

impl Read for bool {
    fn read(value: &impl Value) -> Result<Self, Unfit> {
        value.flag().ok_or_else(|| Unfit::new("it must be true or false"))
    }
}

/// Reads whole numbers that fit the type.
macro_rules! whole_numbers {
    ($($type:ty),+) => {
        $(impl Read for $type {
            fn read(value: &impl Value) -> Result<Self, Unfit> {
                let number = value.whole().and_then(|number| Self::try_from(number).ok());
                number.ok_or_else(|| Unfit::new("it must be a whole number, and not too large"))
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
