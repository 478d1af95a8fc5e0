//! Texts that are signed properly: what lies behind the signatures, which no fuzzer guesses.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sessionkit::formats::{FastapiSessionsId, Fernet, TimestampSigner};
use sha2::Sha256;

use super::cookies::{FORMATS, NOW, SECRET, comes_back, secrets};

/// Reads a text in the format that the first byte names.
pub(super) fn run(input: &[u8]) {
    let Some((selector, text)) = input.split_first() else { return };
    let sign = |salt: &str, value: &str| TimestampSigner::new(secrets(), salt).sign(value, NOW);
    let format = usize::from(selector % 8);
    let cookie = match format {
        0 => sign("itsdangerous.Signer", &STANDARD.encode(text)),
        1 => {
            // Behind a dot, as it is compressed.
            let value = text.strip_prefix(b".").map(|text| format!(".{}", URL_SAFE_NO_PAD.encode(text)));
            let value = value.unwrap_or_else(|| URL_SAFE_NO_PAD.encode(text));
            TimestampSigner::with_hmac_keys(secrets(), "cookie-session").sign(&value, NOW)
        }
        2 => Fernet::new([URL_SAFE.encode(SECRET)]).expect("the key is one").encrypt(text, NOW),
        3 => {
            // The header ends at the first zero byte, if there is one.
            let end = text.iter().position(|byte| *byte == 0);
            let (header, claims) = end.map_or((&br#"{"alg":"HS256","typ":"JWT"}"#[..], text), |end| text.split_at(end));
            let claims = claims.strip_prefix(b"\0").unwrap_or(claims);
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
            with_mac(SECRET.as_bytes(), &signed)
        }
        4 => {
            let key = mac(SECRET.as_bytes(), b"sessionkit signed-json v1\0session");
            with_mac(&key, &format!("v1.{}", URL_SAFE_NO_PAD.encode(text)))
        }
        5 => URL_SAFE.encode(text),
        _ => {
            let cookie = sign("session", &URL_SAFE_NO_PAD.encode(text));
            let _ = FastapiSessionsId::new(secrets(), "session").read_id(&cookie, NOW);
            return;
        }
    };
    comes_back(&*FORMATS[format], &cookie);
}

fn with_mac(key: &[u8], signed: &str) -> String {
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac(key, signed.as_bytes())))
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of an HMAC may have any length");
    mac.chain_update(text).finalize().into_bytes().into()
}
