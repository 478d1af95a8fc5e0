//! JSON as Python writes it: everything but ASCII escaped.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::Formatter;
use serde_json::{Map, Serializer, Value};
use sessionkit_core::FormatError;

use super::json::check_depth;

/// Writes an object as Python's `json.dumps` does.
pub(super) fn write(values: &Map<String, Value>) -> Result<Vec<u8>, FormatError> {
    write_with(values, Ascii { space: " " })
}

/// Writes an object as `json.dumps` does with `separators=(",", ":")`.
pub(super) fn write_compact(values: &Map<String, Value>) -> Result<Vec<u8>, FormatError> {
    write_with(values, Ascii { space: "" })
}

fn write_with(values: &Map<String, Value>, ascii: Ascii) -> Result<Vec<u8>, FormatError> {
    check_depth(values)?;
    let mut text = Vec::new();
    let written = values.serialize(&mut Serializer::with_formatter(&mut text, ascii));
    written.map(|()| text).map_err(|_| FormatError::new("the values have no form in JSON"))
}

struct Ascii {
    /// The text behind commas and colons.
    space: &'static str,
}

impl Ascii {
    fn separate<W: Write + ?Sized>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { write!(writer, ",{}", self.space) }
    }
}

impl Formatter for Ascii {
    fn begin_array_value<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        write!(writer, ":{}", self.space)
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !matches!(c, ' '..='~')) {
            let (plain, behind) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut behind = behind.chars();
            for unit in behind.next().into_iter().flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = behind.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn python_would_write_the_same() {
        let values = json!({"a": [1, 2.5, {"b": null}, []], "é\u{7f}": "ß\u{1f600}\"\\\n\u{1}/"});
        let Value::Object(values) = values else { unreachable!() };
        let spaced = r#"{"a": [1, 2.5, {"b": null}, []], "\u00e9\u007f": "\u00df\ud83d\ude00\"\\\n\u0001/"}"#;
        assert_eq!(String::from_utf8(write(&values).unwrap()).unwrap(), spaced);
        let compact = spaced.replace(", ", ",").replace(": ", ":");
        assert_eq!(String::from_utf8(write_compact(&values).unwrap()).unwrap(), compact);
        assert_eq!(super::super::json::read(compact.as_bytes()).unwrap(), values);
    }
}
