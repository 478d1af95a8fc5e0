//! Lengths and other small numbers in groups of seven bits, the least first (LEB128).

pub(crate) fn write_number(packed: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        packed.push(number as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

#[inline]
pub(crate) fn read_number(rest: &mut &[u8]) -> Option<u64> {
    // Nearly all are below 128.
    if let [byte @ ..0x80, after @ ..] = *rest {
        *rest = after;
        return Some(u64::from(*byte));
    }
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Writes the length of the bytes, and the bytes.
pub(crate) fn write_slice(packed: &mut Vec<u8>, bytes: &[u8]) {
    write_number(packed, bytes.len() as u64);
    packed.extend_from_slice(bytes);
}

pub(crate) fn read_slice<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(read_number(rest)?).ok()?;
    let (slice, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(slice)
}
