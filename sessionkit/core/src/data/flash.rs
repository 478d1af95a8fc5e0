//! Values that are shown once.

use std::fmt;

use crate::data::Merge;
use crate::data::codec::{Codec, CodecError};
use crate::data::encoding::{Encoding, Stored, stored};

/// A type that a `flash` field can have: `Option` or `Vec`.
///
/// Taking the value (`Option::take`, `std::mem::take`) removes it from the session, unless another request has put a
/// new one there: that one stays.
#[diagnostic::on_unimplemented(
    message = "a `flash` field is an `Option` or a `Vec`, not `{Self}`",
    label = "cannot be taken",
    note = "write `Option<{Self}>` and take it with `.take()`"
)]
pub trait Flash: Stored + Default {
    /// Returns whether there is nothing to show.
    fn is_empty(&self) -> bool;

    /// Merges encoded values; an absent one is empty.
    ///
    /// # Errors
    /// Fails when one of the values is not a `Self`.
    fn merge<C: Codec>(
        base: Option<&[u8]>,
        mine: Option<&[u8]>,
        theirs: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, CodecError>;
}

pub(crate) type MergeEncoded = fn(Option<&[u8]>, Option<&[u8]>, Option<&[u8]>) -> Result<Option<Vec<u8>>, CodecError>;

/// The way in which the values of a `flash` field are taken.
///
/// It is made by [`flash`], the one place that asks for [`Flash`], so that another type is one error.
pub struct Flashing<T> {
    pub(crate) encoding: Encoding<T>,
    pub(crate) is_empty: fn(&T) -> bool,
    rule: Merge,
}

/// Takes the values of a field, and encodes them with `C`.
pub const fn flash<C: Codec, T: Flash>() -> Flashing<T> {
    let rule = Merge::Flash(|values| values.merge_encoded(C::decode::<T>, T::merge::<C>));
    Flashing { encoding: stored::<C, T>(), is_empty: T::is_empty, rule }
}

impl<T> Flashing<T> {
    /// The rule for two requests that change the field: what one of them took stays taken, what the other set meanwhile
    /// stays.
    pub const fn rule(&self) -> Merge {
        self.rule
    }
}

impl<T> fmt::Debug for Flashing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flashing").finish_non_exhaustive()
    }
}

impl<T: Stored> Flash for Option<T> {
    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn merge<C: Codec>(
        base: Option<&[u8]>,
        mine: Option<&[u8]>,
        theirs: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, CodecError> {
        let took = mine.is_none();
        let replaced = theirs != base;
        let kept = if took && replaced { theirs } else { mine };
        Ok(kept.map(<[u8]>::to_vec))
    }
}

impl<T: Stored> Flash for Vec<T> {
    fn is_empty(&self) -> bool {
        Vec::is_empty(self)
    }

    fn merge<C: Codec>(
        base: Option<&[u8]>,
        mine: Option<&[u8]>,
        theirs: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, CodecError> {
        let items = |bytes: Option<&[u8]>| -> Result<Vec<(T, Vec<u8>)>, CodecError> {
            let Some(bytes) = bytes else { return Ok(Vec::new()) };
            let items: Vec<T> = C::decode(bytes)?;
            items
                .into_iter()
                .map(|item| {
                    let mut encoded = Vec::new();
                    C::encode(&item, &mut encoded)?;
                    Ok((item, encoded))
                })
                .collect()
        };
        let (base, mine, theirs) = (items(base)?, items(mine)?, items(theirs)?);
        // What this request took goes from theirs, item by item; what it set follows.
        let mut taken: Vec<&[u8]> = base.iter().map(|(_, encoded)| encoded.as_slice()).collect();
        let mut set: Vec<&T> = Vec::new();
        for (item, encoded) in &mine {
            match taken.iter().position(|base| base == encoded) {
                Some(position) => {
                    taken.swap_remove(position);
                }
                None => set.push(item),
            }
        }
        let mut merged: Vec<&T> = Vec::new();
        for (item, encoded) in &theirs {
            match taken.iter().position(|taken| taken == encoded) {
                Some(position) => {
                    taken.swap_remove(position);
                }
                None => merged.push(item),
            }
        }
        merged.extend(set);
        if merged.is_empty() {
            return Ok(None);
        }
        let mut encoded = Vec::new();
        C::encode(&merged, &mut encoded)?;
        Ok(Some(encoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::codec::Json;

    fn list(base: &[&str], mine: &[&str], theirs: &[&str]) -> Vec<String> {
        let encode = |items: &[&str]| (!items.is_empty()).then(|| serde_json::to_vec(items).unwrap());
        let (base, mine, theirs) = (encode(base), encode(mine), encode(theirs));
        let merged = <Vec<String>>::merge::<Json>(base.as_deref(), mine.as_deref(), theirs.as_deref()).unwrap();
        merged.map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default()
    }

    #[test]
    fn a_notice_set_while_another_is_taken_stays() {
        assert_eq!(list(&["a"], &[], &["a", "b"]), ["b"]);
        assert_eq!(list(&["a", "a"], &["a"], &["a", "a", "b"]), ["a", "b"]);
        assert_eq!(list(&["a"], &["a", "b"], &[]), ["b"]);
        assert_eq!(list(&["a"], &["a", "b"], &["a", "c"]), ["a", "c", "b"]);
        assert_eq!(list(&["a"], &[], &[]), [""; 0]);
    }

    #[test]
    fn an_option_taken_keeps_what_was_set_meanwhile() {
        let merge = |base, mine, theirs| <Option<u8>>::merge::<Json>(base, mine, theirs).unwrap();
        assert_eq!(merge(Some(b"1"), None, Some(b"2")), Some(b"2".to_vec()));
        assert_eq!(merge(Some(b"1"), None, Some(b"1")), None);
        assert_eq!(merge(Some(b"1"), Some(b"3"), Some(b"2")), Some(b"3".to_vec()));
    }
}
