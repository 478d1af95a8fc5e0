//! Integers whose differences add up.

use std::fmt;

use crate::data::Merge;

/// An integer that a `merge = add` field can have: up to 64 bits, signed or unsigned.
#[diagnostic::on_unimplemented(
    message = "`merge = add` needs an integer of at most 64 bits, not `{Self}`",
    label = "cannot be added up",
    note = "use `i64`, `u64` or a smaller integer, or write a merge function: `merge = path::to::function`"
)]
pub trait CountedField: Copy + sealed::Sealed {
    /// The least value.
    const MIN: i128;
    /// The greatest value.
    const MAX: i128;

    /// The value as a wide integer.
    fn to_i128(self) -> i128;

    /// The nearest value of this type.
    fn saturating_from(number: i128) -> Self;
}

/// The way in which the values of a `merge = add` field are counted.
///
/// It is made by [`counter`], the one place that asks for [`CountedField`], so that another type is one error.
pub struct Counting<T> {
    min: i128,
    max: i128,
    pub(crate) to_i128: fn(&T) -> i128,
    pub(crate) saturating_from: fn(i128) -> T,
}

/// Counts with the integer `T`, from zero.
pub const fn counter<T: CountedField>() -> Counting<T> {
    Counting { min: T::MIN, max: T::MAX, to_i128: |value| value.to_i128(), saturating_from: T::saturating_from }
}

impl<T> Counting<T> {
    /// The rule for two requests that change the field.
    pub const fn rule(&self) -> Merge {
        Merge::Add { min: self.min, max: self.max }
    }
}

impl<T> fmt::Debug for Counting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting").field("min", &self.min).field("max", &self.max).finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! counters {
    ($($type:ty)*) => {$(
        impl sealed::Sealed for $type {}

        impl CountedField for $type {
            const MIN: i128 = <$type>::MIN as i128;
            const MAX: i128 = <$type>::MAX as i128;

            fn to_i128(self) -> i128 {
                self as i128
            }

            fn saturating_from(number: i128) -> Self {
                number.clamp(Self::MIN as i128, Self::MAX as i128) as $type
            }
        }
    )*};
}

counters!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
