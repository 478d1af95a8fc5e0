//! The codec MessagePack.

use rmp_serde::{Deserializer, Serializer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Codec, CodecError};

/// Encodes values as [MessagePack](https://msgpack.org), which takes less space than JSON and is not readable.
///
/// ```
/// use sessionkit::{MessagePack, SessionData};
///
/// #[derive(SessionData)]
/// #[session(codec = MessagePack)]
/// struct Cart {
///     items: Vec<u64>,
/// }
/// ```
///
/// Structs are written with the names of their fields, so that fields can be added and removed. Integers that are
/// merged with `add` are decimal text in every codec. The codec of values that are stored already is changed with
/// `version`, see [`StructMigration::get_with`](crate::StructMigration::get_with).
#[derive(Clone, Copy, Debug)]
pub struct MessagePack;

impl Codec for MessagePack {
    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(value.serialize(&mut Serializer::new(buffer).with_struct_map())?)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let mut rest = bytes;
        let value = T::deserialize(&mut Deserializer::new(&mut rest))?;
        if rest.is_empty() { Ok(value) } else { Err("more bytes than one value".into()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use super::*;

    fn encode(value: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::new();
        MessagePack::encode(value, &mut bytes).unwrap();
        bytes
    }

    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        assert_eq!(MessagePack::decode::<T>(&encode(&value)).unwrap(), value);
    }

    #[derive(serde::Deserialize, serde::Serialize)]
    struct Old {
        width: u32,
        colour: String,
    }

    #[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    struct New {
        #[serde(default)]
        height: u32,
        width: u32,
    }

    #[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    enum Shape {
        None,
        Circle(u32),
        Square { side: i64 },
    }

    #[test]
    fn every_value_comes_back() {
        comes_back((u64::MAX, i64::MIN, 1.5_f64, 'x', "text".to_owned()));
        comes_back([None, Some(Vec::from([true, false]))]);
        comes_back(vec![Shape::None, Shape::Circle(1), Shape::Square { side: -1 }]);
        comes_back(BTreeMap::from([((1, 2), "key".to_owned())]));
    }

    #[test]
    fn fields_are_found_by_their_names() {
        let old = encode(&Old { width: 3, colour: "red".into() });
        assert_eq!(MessagePack::decode::<New>(&old).unwrap(), New { height: 0, width: 3 });
    }

    #[test]
    fn anything_else_is_an_error() {
        // JSON text begins like the encoding of a small number.
        for bytes in [&b""[..], b"12", b"null", b"\"text\"", b"\xc1", b"\x92\x01"] {
            assert!(MessagePack::decode::<u32>(bytes).is_err(), "{bytes:?}");
        }
    }
}
