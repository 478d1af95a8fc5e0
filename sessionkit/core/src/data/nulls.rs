//! The values that a format may write as `null` though they are not absent.

use serde::ser::{self, Serialize, Serializer};

/// Counts the floats that are not finite, and the `Some`s of nothing: `Some(None)`, `Some(())`.
///
/// JSON writes all of them as `null`, and MessagePack the latter as nil. A value that is read back with fewer of them has lost
/// some. Nothing else is compared: a type may read its values in another form than it wrote them.
pub(crate) fn count<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut found = 0;
    // A value that fails here has no encoding either, which is an error of its own.
    let _ = value.serialize(Counter { found: &mut found, in_some: false });
    found
}

struct Counter<'a> {
    found: &'a mut usize,
    /// True for the value of a `Some`.
    in_some: bool,
}

impl Counter<'_> {
    fn nothing(self) -> Result<(), Stopped> {
        *self.found += usize::from(self.in_some);
        Ok(())
    }

    fn float(self, is_finite: bool) -> Result<(), Stopped> {
        *self.found += usize::from(!is_finite);
        Ok(())
    }

    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        value.serialize(Counter { found: self.found, in_some: false })
    }
}

macro_rules! something {
    ($($method:ident($type:ty)),* $(,)?) => {$(
        fn $method(self, _: $type) -> Result<(), Stopped> {
            Ok(())
        }
    )*};
}

impl Serializer for Counter<'_> {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    something! {
        serialize_bool(bool), serialize_char(char), serialize_str(&str), serialize_bytes(&[u8]),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128),
    }

    fn serialize_f32(self, value: f32) -> Result<(), Stopped> {
        self.float(value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Stopped> {
        self.float(value.is_finite())
    }

    fn serialize_none(self) -> Result<(), Stopped> {
        self.nothing()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        value.serialize(Counter { in_some: true, ..self })
    }

    fn serialize_unit(self) -> Result<(), Stopped> {
        self.nothing()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stopped> {
        self.nothing()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Stopped> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        self.part(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Stopped> {
        Ok(self)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, _: &T) -> Result<(), Stopped> {
        Ok(())
    }
}

macro_rules! compound {
    ($($trait:ident::$method:ident($($name:ty)?)),* $(,)?) => {$(
        impl ser::$trait for Counter<'_> {
            type Ok = ();
            type Error = Stopped;

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Result<(), Stopped> {
                self.part(value)
            }

            fn end(self) -> Result<(), Stopped> {
                Ok(())
            }
        }
    )*};
}

compound! {
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
    SerializeStruct::serialize_field(&'static str),
    SerializeStructVariant::serialize_field(&'static str),
}

impl ser::SerializeMap for Counter<'_> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stopped> {
        self.part(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        self.part(value)
    }

    fn end(self) -> Result<(), Stopped> {
        Ok(())
    }
}

/// The error of a value that does not want to be written.
#[derive(Debug)]
struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the value has no encoding")
    }
}

impl std::error::Error for Stopped {}

impl ser::Error for Stopped {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize)]
    struct Unit;

    #[derive(serde::Serialize)]
    struct Newtype(Option<u8>);

    #[derive(serde::Serialize)]
    #[serde(untagged)]
    enum Untagged {
        Nothing,
        Number(f64),
    }

    #[test]
    fn what_is_written_as_null_and_is_not_absent_is_counted() {
        assert_eq!(count(&Some(None::<u8>)), 1);
        assert_eq!((count(&Some(())), count(&Some(Unit)), count(&Some(Some(())))), (1, 1, 1));
        assert_eq!((count(&Some(Newtype(None))), count(&Some(serde_json::Value::Null))), (1, 1));
        assert_eq!((count(&f64::NAN), count(&Some(f32::INFINITY)), count(&[f64::NEG_INFINITY, f64::NAN])), (1, 1, 2));
        assert_eq!((count(&Some(Untagged::Nothing)), count(&Untagged::Number(f64::NAN))), (1, 1));
        assert_eq!(count(&BTreeMap::from([(1, vec![(Some(()), Some(1.5))])])), 1);
    }

    #[test]
    fn what_is_absent_or_has_a_form_of_its_own_is_not() {
        assert_eq!((count(&None::<u8>), count(&()), count(&Unit), count(&Untagged::Nothing)), (0, 0, 0, 0));
        assert_eq!((count(&Some(1.5)), count(&Some(Newtype(Some(1)))), count(&Some([None::<u8>]))), (0, 0, 0));
        assert_eq!(count(&serde_json::json!({"a": null, "b": [null]})), 0);
    }
}
