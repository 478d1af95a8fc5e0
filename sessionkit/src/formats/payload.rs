//! The values of `itsdangerous` and Django: base64url, behind a dot if it is compressed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use sessionkit_core::{FormatError, InvalidCookie};

/// The most bytes of a text that is, or was, compressed.
const MAX_TEXT: usize = 64 * 1024;

/// How hard zlib tries when nobody asks.
const LEVEL: u8 = 6;

/// Writes a text, compressed if that saves more than the dot costs.
pub(super) fn encode(text: &[u8]) -> Result<String, FormatError> {
    if text.len() > MAX_TEXT {
        let length = text.len();
        return Err(FormatError::new(format!("the values would have {length} bytes, more than {MAX_TEXT}")));
    }
    let compressed = compress_to_vec_zlib(text, LEVEL);
    if compressed.len() + 1 < text.len() {
        return Ok(format!(".{}", URL_SAFE_NO_PAD.encode(compressed)));
    }
    Ok(URL_SAFE_NO_PAD.encode(text))
}

/// Reads a text whose signature is right.
pub(super) fn decode(value: &str) -> Result<Vec<u8>, InvalidCookie> {
    let decode = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCookie);
    match value.strip_prefix('.') {
        Some(compressed) => inflate(&decode(compressed)?),
        None => decode(value),
    }
}

fn inflate(compressed: &[u8]) -> Result<Vec<u8>, InvalidCookie> {
    // Room for the largest text, so that a small input never makes more.
    let mut text = vec![0; MAX_TEXT];
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, read, written) = decompress(&mut DecompressorOxide::new(), compressed, &mut text, 0, flags);
    if status != TINFLStatus::Done || read != compressed.len() {
        return Err(InvalidCookie);
    }
    text.truncate(written);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back() {
        for (text, compressed) in
            [("", false), ("{}", false), (&*"ab".repeat(50), true), (&*"x".repeat(MAX_TEXT), true)]
        {
            let encoded = encode(text.as_bytes()).unwrap();
            assert_eq!(encoded.starts_with('.'), compressed, "{encoded}");
            assert_eq!(decode(&encoded).unwrap(), text.as_bytes());
        }
        assert!(encode(&[b'x'; MAX_TEXT + 1]).unwrap_err().to_string().contains("65537 bytes"));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        for length in [MAX_TEXT + 1, 10_000_000] {
            let bomb = compress_to_vec_zlib(&vec![b' '; length], LEVEL);
            assert!(bomb.len() < 16 * 1024);
            assert_eq!(inflate(&bomb), Err(InvalidCookie), "{length}");
        }
    }

    #[test]
    fn what_is_no_whole_compressed_text_is_refused() {
        let compressed = compress_to_vec_zlib(b"{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"}", LEVEL);
        assert!(inflate(&compressed).is_ok());
        for length in 0..compressed.len() {
            assert_eq!(inflate(&compressed[..length]), Err(InvalidCookie), "{length}");
        }
        for trailing in [&b"x"[..], &compressed] {
            assert_eq!(inflate(&[&compressed, trailing].concat()), Err(InvalidCookie));
        }
        let mut checksum = compressed.clone();
        *checksum.last_mut().unwrap() ^= 1;
        assert_eq!(inflate(&checksum), Err(InvalidCookie));
        assert_eq!(decode("e30="), Err(InvalidCookie), "padded");
        assert_eq!(decode("e31"), Err(InvalidCookie), "bits that mean nothing");
        assert_eq!(decode("..e30"), Err(InvalidCookie));
    }
}
