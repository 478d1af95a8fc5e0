//! The `AES_SIV_Encryptor` of fastapi_session: the same text has the same form each time.

use std::fmt::Write as _;

use aes_siv::KeyInit as _;
use aes_siv::siv::Aes128Siv;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::formats::Secrets;

/// The number of times that the secret is hashed. Few times: what protects the key is that the secret is random.
const ROUNDS: u32 = 1000;

/// The associated data of each text.
const HEADER: [&[u8]; 1] = [b"fastsession"];

const TAG: usize = 16;

#[derive(Clone)]
pub(super) struct Encryptor {
    key: Zeroizing<[u8; 32]>,
}

impl Encryptor {
    /// Derives the key of the first secret.
    pub(super) fn new(secrets: &Secrets) -> Self {
        let secret = secrets.iter().next().unwrap_or_default();
        let salt = Zeroizing::new(hex(&Sha256::digest(secret)));
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha1>(secret.as_bytes(), salt.as_bytes(), ROUNDS, &mut *key);
        Self { key }
    }

    pub(super) fn encrypt(&self, text: &[u8]) -> String {
        let sealed = self.cipher().encrypt(HEADER, text).expect("there is one header");
        let (tag, encrypted) = sealed.split_at(TAG);
        STANDARD.encode(format!("{}:{}", hex(encrypted), hex(tag)))
    }

    pub(super) fn decrypt(&self, record: &[u8]) -> Option<Vec<u8>> {
        let parts = STANDARD.decode(record).ok()?;
        let mut parts = parts.split(|byte| *byte == b':');
        let (encrypted, tag) = (read_hex(parts.next()?)?, read_hex(parts.next()?)?);
        if parts.next().is_some() || tag.len() != TAG {
            return None;
        }
        self.cipher().decrypt(HEADER, &[tag, encrypted].concat()).ok()
    }

    fn cipher(&self) -> Aes128Siv {
        Aes128Siv::new((&*self.key).into())
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(digits, "{byte:02x}").expect("a string takes everything");
    }
    digits
}

fn read_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = digits.chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let bytes = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
    if whole { bytes } else { None }
}
