//! Writing JSON, field by field as it is read (`value.rs`), and for the same reason: what serde derives for the same
//! messages is several times as much code in a page.

/// What can be written as a JSON value.
pub trait Write {
    /// Writes it.
    fn write(&self, writer: &mut Writer);

    /// Whether the field that has this value is left out.
    fn is_left_out(&self) -> bool {
        false
    }
}

/// What is written as a JSON object.
pub trait Fields {
    /// Writes its fields.
    fn write_fields(&self, writer: &mut Writer);
}

/// JSON text while it is written.
#[derive(Debug, Default)]
pub struct Writer(String);

/// As JSON text, ready to send.
#[must_use]
pub fn to_json(value: &impl Write) -> String {
    let mut writer = Writer::default();
    value.write(&mut writer);
    writer.0
}

impl Writer {
    /// Writes a field, unless it is left out.
    pub fn field(&mut self, name: &str, value: &impl Write) {
        if !value.is_left_out() {
            self.name(name);
            value.write(self);
        }
    }

    /// Writes the `type` of a message, and the fields that such a message has.
    pub(crate) fn message(&mut self, kind: &str, fields: &dyn Fields) {
        self.field("type", &kind);
        fields.write_fields(self);
    }

    /// The part of writing a field that is the same for all types, so that it is compiled once.
    fn name(&mut self, name: &str) {
        // No value ends like this.
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.string(name);
        self.0.push(':');
    }

    /// A string (RFC 8259, section 7).
    fn string(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\0'..' ' => {
                    let digit = |number: u32| char::from_digit(number, 16).unwrap_or_default();
                    self.0.push_str("\\u00");
                    self.0.extend([digit(u32::from(c) / 16), digit(u32::from(c) % 16)]);
                }
                _ => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}

impl<T: Fields> Write for T {
    fn write(&self, writer: &mut Writer) {
        writer.0.push('{');
        self.write_fields(writer);
        writer.0.push('}');
    }
}

/// What has no more to say than its type.
impl Fields for () {
    fn write_fields(&self, _: &mut Writer) {}
}

impl<T: Write> Write for Option<T> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Some(value) => value.write(writer),
            None => writer.0.push_str("null"),
        }
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, writer: &mut Writer) {
        for (index, item) in self.iter().enumerate() {
            writer.0.push(if index == 0 { '[' } else { ',' });
            item.write(writer);
        }
        writer.0.push_str(if self.is_empty() { "[]" } else { "]" });
    }
}

impl Write for &str {
    fn write(&self, writer: &mut Writer) {
        writer.string(self);
    }
}

impl Write for String {
    fn write(&self, writer: &mut Writer) {
        writer.string(self);
    }
}

impl Write for bool {
    fn write(&self, writer: &mut Writer) {
        writer.0.push_str(if *self { "true" } else { "false" });
    }
}

/// Whole numbers.
macro_rules! whole_numbers {
    ($($type:ty),+) => {
        $(impl Write for $type {
            fn write(&self, writer: &mut Writer) {
                writer.0.push_str(&u64::from(*self).to_string());
            }
        })+
    };
}

whole_numbers!(u16, u32, u64);
