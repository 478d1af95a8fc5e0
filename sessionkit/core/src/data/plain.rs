//! Types whose values come back from a codec as they went in.

use std::any::TypeId;

use crate::data::codec::{Codec, Json};

/// Returns whether every value of a type comes back from the codec as it was, so that none has to be read back: whole numbers
/// and text, and lists and options of them, in JSON. The compiler knows the answer, and leaves out what it makes needless.
pub(super) fn comes_back<C: Codec, T: 'static>() -> bool {
    TypeId::of::<C>() == TypeId::of::<Json>() && is_plain::<T>()
}

macro_rules! is_plain {
    ($($plain:ty),*) => {
        fn is_plain<T: 'static>() -> bool {
            let this = TypeId::of::<T>();
            $(
                this == TypeId::of::<$plain>()
                    || this == TypeId::of::<Vec<$plain>>()
                    || this == TypeId::of::<Option<$plain>>()
            )||*
        }
    };
}

is_plain!(bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, char, String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::codec::CodecError;

    struct Mine;

    impl Codec for Mine {
        fn encode<T: serde::Serialize + ?Sized>(_: &T, _: &mut Vec<u8>) -> Result<(), CodecError> {
            Ok(())
        }

        fn decode<T: serde::de::DeserializeOwned>(_: &[u8]) -> Result<T, CodecError> {
            Err("it reads nothing".into())
        }
    }

    #[test]
    fn what_may_be_lost_is_read_back() {
        assert!(comes_back::<Json, u64>() && comes_back::<Json, Vec<String>>() && comes_back::<Json, Option<bool>>());
        assert!(!comes_back::<Json, f64>() && !comes_back::<Json, Option<Option<u8>>>());
        assert!(!comes_back::<Json, i128>() && !comes_back::<Json, serde_json::Value>());
        assert!(!comes_back::<Mine, u64>(), "nobody knows what it does");
    }
}
