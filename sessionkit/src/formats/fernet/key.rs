//! The cryptography of a Fernet token.

use aes::Aes128;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, InnerIvInit as _, KeyInit as _};
use cbc::{Decryptor, Encryptor};
use hmac::{Hmac, Mac as _};
use sessionkit_core::{InvalidCookie, Timestamp};
use sha2::Sha256;

/// The first byte of a token.
const VERSION: u8 = 0x80;

const BLOCK: usize = 16;
const PREFIX: usize = 1 + 8 + BLOCK;
const TAG: usize = 32;

/// A key: a half that signs, and a half that encrypts.
pub(super) struct Key {
    mac: Hmac<Sha256>,
    cipher: Aes128,
}

impl Key {
    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        let (signing, encryption) = bytes.split_at(BLOCK);
        let mac = Hmac::new_from_slice(signing).expect("a key of an HMAC may have any length");
        let cipher = Aes128::new_from_slice(encryption).expect("half of a key has 16 bytes");
        Self { mac, cipher }
    }

    pub(super) fn encrypt(&self, text: &[u8], now: Timestamp, iv: [u8; BLOCK]) -> String {
        let padded = (text.len() / BLOCK + 1) * BLOCK;
        let mut token = Vec::with_capacity(PREFIX + padded + TAG);
        token.push(VERSION);
        token.extend_from_slice(&now.unix_seconds().to_be_bytes());
        token.extend_from_slice(&iv);
        token.extend_from_slice(text);
        token.resize(PREFIX + padded, 0);
        let cipher = Encryptor::inner_iv_init(self.cipher.clone(), &iv.into());
        let encrypted = cipher.encrypt_padded::<Pkcs7>(&mut token[PREFIX..], text.len());
        encrypted.expect("there is room for the padding");
        let tag = self.mac.clone().chain_update(&token).finalize().into_bytes();
        token.extend_from_slice(&tag);
        URL_SAFE.encode(token)
    }

    /// Returns whether this key signed a token.
    pub(super) fn signed(&self, token: &Token<'_>) -> bool {
        self.mac.clone().chain_update(token.signed).verify_slice(token.tag).is_ok()
    }

    /// Decrypts a token, whose signature must have been verified: only who has the key learns that the padding is wrong.
    pub(super) fn decrypt(&self, token: &Token<'_>) -> Result<Vec<u8>, InvalidCookie> {
        let mut text = token.encrypted.to_vec();
        let cipher = Decryptor::inner_iv_init(self.cipher.clone(), token.iv.into());
        let length = cipher.decrypt_padded::<Pkcs7>(&mut text).map_err(|_| InvalidCookie)?.len();
        text.truncate(length);
        Ok(text)
    }
}

/// The parts of a token.
pub(super) struct Token<'a> {
    /// Everything before the signature.
    signed: &'a [u8],
    tag: &'a [u8],
    pub(super) written_at: Timestamp,
    iv: &'a [u8; BLOCK],
    encrypted: &'a [u8],
}

impl<'a> Token<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let (time, rest) = signed.strip_prefix(&[VERSION])?.split_first_chunk()?;
        let (iv, encrypted) = rest.split_first_chunk()?;
        let written_at = Timestamp::from_unix_seconds(u64::from_be_bytes(*time));
        let whole = !encrypted.is_empty() && encrypted.len().is_multiple_of(BLOCK);
        whole.then_some(Self { signed, tag, written_at, iv, encrypted })
    }
}
