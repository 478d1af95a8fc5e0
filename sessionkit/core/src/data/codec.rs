//! The encoding of a field's value as bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Turns the value of a field into bytes and back.
///
/// Chosen per struct with `#[session(codec = path::to::Codec)]`; [`Json`] is the default. `null`, or a single byte 0xc0, is
/// the encoding of an absent value: it is not stored where the field's default is the same. Integers that are merged with
/// `add` are decimal text in every codec. A codec should be deterministic: equal values that encode
/// differently cost a needless write, never a missed one.
pub trait Codec: 'static {
    /// Appends the encoded value to `buffer`.
    ///
    /// # Errors
    /// Fails when the value has no encoding in this format.
    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Decodes a value.
    ///
    /// # Errors
    /// Fails when the bytes are not the encoding of a `T`.
    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError>;
}

/// The reason why a [`Codec`] failed. It may quote the value, so it is shown only for fields that are not `sensitive`.
pub type CodecError = Box<dyn std::error::Error + Send + Sync>;

/// Encodes values as JSON ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)), readable for an operator.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Codec for Json {
    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(serde_json::to_writer(buffer, value)?)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}
