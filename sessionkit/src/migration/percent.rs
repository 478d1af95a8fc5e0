//! Cookies as JavaScript's `encodeURIComponent` writes them.

use std::borrow::Cow;

use sessionkit_core::InvalidCookie;

/// Decodes a value. It must be written as `encodeURIComponent` does, or without any percent sign at all: so there is one
/// spelling of each, whatever stands between the browser and this server.
pub(super) fn decode(cookie: &str) -> Result<Cow<'_, str>, InvalidCookie> {
    if !cookie.contains('%') {
        return Ok(cookie.into());
    }
    let mut decoded = Vec::with_capacity(cookie.len());
    let mut rest = cookie.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        if byte == b'%' {
            let (digits, behind) = behind.split_first_chunk::<2>().ok_or(InvalidCookie)?;
            decoded.push(digit(digits[0])? << 4 | digit(digits[1])?);
            rest = behind;
        } else {
            decoded.push(byte);
            rest = behind;
        }
    }
    let decoded = String::from_utf8(decoded).map_err(|_| InvalidCookie)?;
    if encode(&decoded) == cookie { Ok(decoded.into()) } else { Err(InvalidCookie) }
}

/// Encodes a value.
pub(super) fn encode(value: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(byte.into());
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
            encoded.push('%');
            encoded.extend(digits);
        }
    }
    encoded
}

fn digit(byte: u8) -> Result<u8, InvalidCookie> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(InvalidCookie),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_comes_back() {
        // By `encodeURIComponent` of Node 24.
        for (value, encoded) in [
            ("", ""),
            ("s:a.b+c/d=", "s%3Aa.b%2Bc%2Fd%3D"),
            ("-_.!~*'()", "-_.!~*'()"),
            (" \"%,;\\", "%20%22%25%2C%3B%5C"),
            ("é\u{1f600}", "%C3%A9%F0%9F%98%80"),
        ] {
            assert_eq!(encode(value), encoded);
            assert_eq!(decode(encoded).as_deref(), Ok(value));
        }
        assert_eq!(decode("s:a.b+c/d=").as_deref(), Ok("s:a.b+c/d="));
    }

    #[test]
    fn another_spelling_is_refused() {
        for cookie in ["%3a", "%3Aa:", "%61", "%", "%3", "%zz", "%C3", "%FF", "a+%20b", "%+3", "%é"] {
            assert_eq!(decode(cookie), Err(InvalidCookie), "{cookie}");
        }
    }
}
